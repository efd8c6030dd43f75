/* Financings: what is put into a project or a company, on which track, and how far it is. */
#include "shapes.h"

static const char *const tracks[] = { "direct_government_investment",
				      "joint_venture_equity",
				      "loan",
				      "guarantee",
				      "grant",
				      "tax_credit",
				      "offtake_prepayment",
				      "price_floor",
				      "convertible_note",
				      "private_placement",
				      "other",
				      NULL };
static const char *const statuses[] = { "proposed", "announced", "approved",  "committed",  "closed",
					"drawn",    "repaid",    "defaulted", "terminated", NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(FIELD_REQUIRED),
	COMMON_NAME("name"),
	COMMON_REF("project_id", 0, "projects"),
	COMMON_REF("shareholder_id", 0, "shareholders"),
	COMMON_ENUM("track", FIELD_REQUIRED | FIELD_INDEXED, tracks),
	COMMON_ENUM("status", FIELD_REQUIRED | FIELD_INDEXED, statuses),
	COMMON_AMOUNT("amount"),
	{ .name = "currency", .type = FIELD_CURRENCY },
	COMMON_DATE("announced_on", FIELD_INDEXED),
	COMMON_DATE("closed_on", FIELD_INDEXED),
	COMMON_PROSE("terms"),
};

static const char *const receivers[] = { "project_id", "shareholder_id", NULL };

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &financing_resource, record, faults };

	(void)arena;
	(void)stored;
	rule_exactly_one(&c, receivers);
	rule_together(&c, "amount", "currency");
}

const struct resource financing_resource = {
	.name = "financings",
	.table = "financing",
	.singular = "financing",
	.name_field = "name",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.check = check,
};

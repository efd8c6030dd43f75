/* Designations: that a country or a company is on such a list, and when. */
#include "shapes.h"

static const struct field fields[] = {
	RESOURCE_FIELDS(0),
	COMMON_REF("list_id", FIELD_REQUIRED, "designation_lists"),
	{ .name = "country", .type = FIELD_COUNTRY, .flags = FIELD_INDEXED },
	COMMON_REF("shareholder_id", 0, "shareholders"),
	COMMON_DATE("valid_from", FIELD_INDEXED),
	COMMON_DATE("valid_to", FIELD_INDEXED),
	COMMON_PROSE("note"),
};

static const char *const designated[] = { "country", "shareholder_id", NULL };

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &designation_resource, record, faults };

	(void)arena;
	(void)stored;
	rule_exactly_one(&c, designated);
	rule_order(&c, "valid_from", "valid_to", true);
}

const struct resource designation_resource = {
	.name = "designations",
	.table = "designation",
	.singular = "designation",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.slug_optional = true,
	.check = check,
};

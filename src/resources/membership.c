/* Memberships: which country, company or project is part of an alliance, as what, and when. */
#include "shapes.h"

static const char *const roles[] = { "member", "chair", "observer", "secretariat", NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(0),
	COMMON_REF("alliance_id", FIELD_REQUIRED, "alliances"),
	{ .name = "country", .type = FIELD_COUNTRY, .flags = FIELD_INDEXED },
	COMMON_REF("shareholder_id", 0, "shareholders"),
	COMMON_REF("project_id", 0, "projects"),
	COMMON_ENUM("role", FIELD_REQUIRED | FIELD_INDEXED, roles),
	COMMON_DATE("valid_from", FIELD_INDEXED),
	COMMON_DATE("valid_to", FIELD_INDEXED),
};

static const char *const members[] = { "country", "shareholder_id", "project_id", NULL };

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &membership_resource, record, faults };

	(void)arena;
	(void)stored;
	rule_exactly_one(&c, members);
	rule_order(&c, "valid_from", "valid_to", true);
}

const struct resource membership_resource = {
	.name = "memberships",
	.table = "membership",
	.singular = "membership",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.slug_optional = true,
	.check = check,
};

/* Alliances: who agreed to act together on minerals, and what came before. */
#include "shapes.h"

static const char *const kinds[] = { "multilateral", "bilateral", "framework", "consortium", "other", NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(FIELD_REQUIRED),
	COMMON_NAME("name"),
	COMMON_ALIASES,
	COMMON_ENUM("kind", FIELD_REQUIRED | FIELD_INDEXED, kinds),
	COMMON_DATE("founded_on", FIELD_INDEXED),
	COMMON_DATE("ended_on", FIELD_INDEXED),
	COMMON_REF("predecessor_id", 0, "alliances"),
	COMMON_PROSE("description"),
};

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &alliance_resource, record, faults };

	(void)arena;
	(void)stored;
	rule_order(&c, "founded_on", "ended_on", false);
}

const struct resource alliance_resource = {
	.name = "alliances",
	.table = "alliance",
	.singular = "alliance",
	.name_field = "name",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.check = check,
};

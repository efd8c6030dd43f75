/* Minerals: elements, groups of them, compounds and aggregates, as lists and statistics speak of them. */
#include "shapes.h"

static const char *const kinds[] = { "element", "group", "compound", "aggregate", NULL };
static const char *const hs_code_members[] = { "edition", "code", NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(FIELD_REQUIRED),
	COMMON_NAME("name"),
	{ .name = "symbols",
	  .type = FIELD_STRINGS,
	  .flags = FIELD_NO_FILTER | FIELD_VISIBLE,
	  .max_length = 300,
	  .default_value = "[]" },
	COMMON_ENUM("kind", FIELD_REQUIRED | FIELD_INDEXED, kinds),
	COMMON_ALIASES,
	{ .name = "hs_codes",
	  .type = FIELD_OBJECTS,
	  .flags = FIELD_NO_FILTER,
	  .max_length = 300,
	  .members = hs_code_members,
	  .default_value = "[]" },
	COMMON_PROSE("description"),
};

const struct resource mineral_resource = {
	.name = "minerals",
	.table = "mineral",
	.singular = "mineral",
	.name_field = "name",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
};

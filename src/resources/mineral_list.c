/* Lists of minerals: what somebody calls critical or strategic, edition by edition. */
#include "shapes.h"

static const struct field fields[] = {
	RESOURCE_FIELDS(FIELD_REQUIRED),
	COMMON_NAME("name"),
	{ .name = "issuer", .type = FIELD_TEXT, .flags = FIELD_INDEXED, .max_length = 300 },
	{ .name = "edition", .type = FIELD_TEXT, .max_length = 300 },
	COMMON_DATE("published_on", FIELD_INDEXED),
	COMMON_REF("source_id", 0, "sources"),
};

const struct resource mineral_list_resource = {
	.name = "mineral_lists",
	.table = "mineral_list",
	.singular = "list of minerals",
	.name_field = "name",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
};

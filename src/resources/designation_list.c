/* Lists of those whom somebody names: countries and companies of concern, entities under sanctions. */
#include "shapes.h"

static const struct field fields[] = {
	RESOURCE_FIELDS(FIELD_REQUIRED),
	COMMON_NAME("name"),
	{ .name = "issuer", .type = FIELD_TEXT, .flags = FIELD_INDEXED, .max_length = 300 },
	COMMON_REF("source_id", 0, "sources"),
	COMMON_PROSE("description"),
};

const struct resource designation_list_resource = {
	.name = "designation_lists",
	.table = "designation_list",
	.singular = "designation list",
	.name_field = "name",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
};

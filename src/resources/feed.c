/* Feeds: what a plant is fed with to make an output, and where that comes from. */
#include "shapes.h"

static const struct field fields[] = {
	RESOURCE_FIELDS(0),
	COMMON_REF("output_id", FIELD_REQUIRED, "outputs"),
	COMMON_REF("mineral_id", FIELD_REQUIRED, "minerals"),
	COMMON_ENUM("stage", FIELD_REQUIRED | FIELD_INDEXED, output_stages),
	{ .name = "country", .type = FIELD_COUNTRY, .flags = FIELD_INDEXED },
	{ .name = "pct", .type = FIELD_DECIMAL, .min = "0", .max = "100", .scale = 12 },
	COMMON_PROSE("note"),
};

const struct resource feed_resource = {
	.name = "feeds",
	.table = "feed",
	.singular = "feed",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.slug_optional = true,
};

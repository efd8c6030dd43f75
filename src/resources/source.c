/* Sources: what was published, by whom, where and when, and how reliable who published it is. */
#include "shapes.h"

static const char *const kinds[] = { "press", "release", "filing", "law", "statistics", "dataset", "ruling", "other", NULL };
static const char *const reliabilities[] = { "A", "B", "C", "D", "E", "F", NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(FIELD_REQUIRED),
	COMMON_NAME("title"),
	{ .name = "publisher", .type = FIELD_TEXT, .flags = FIELD_INDEXED, .max_length = 300 },
	{ .name = "url", .type = FIELD_URL, .max_length = 2000 },
	COMMON_DATE("published_on", FIELD_INDEXED),
	COMMON_DATE("retrieved_on", 0),
	{ .name = "language", .type = FIELD_LANGUAGE, .flags = FIELD_INDEXED },
	COMMON_ENUM("kind", FIELD_REQUIRED | FIELD_INDEXED, kinds),
	COMMON_ENUM("reliability", FIELD_REQUIRED | FIELD_INDEXED, reliabilities),
	COMMON_PROSE("note"),
};

const struct resource source_resource = {
	.name = "sources",
	.table = "source",
	.singular = "source",
	.name_field = "title",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
};

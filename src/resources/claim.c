/* Claims: that a source says something of one field of one record, as of when, and how credible that is. */
#include "shapes.h"

#include <string.h>

static const char *const statuses[] = { "rumoured", "reported",   "expected", "approved", "confirmed",
					"disputed", "superseded", "denied",   NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(0),
	COMMON_REF("source_id", FIELD_REQUIRED, "sources"),
	COMMON_ENUM("subject_resource", FIELD_REQUIRED | FIELD_INDEXED, resource_names),
	{ .name = "subject_id", .type = FIELD_SUBJECT, .flags = FIELD_REQUIRED | FIELD_INDEXED },
	{ .name = "field", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_VISIBLE | FIELD_INDEXED, .max_length = 300 },
	{ .name = "value", .type = FIELD_JSON, .flags = FIELD_NO_FILTER },
	{ .name = "unit", .type = FIELD_TEXT },
	COMMON_DATE("as_of", FIELD_INDEXED),
	COMMON_ENUM("status", FIELD_REQUIRED | FIELD_INDEXED, statuses),
	{ .name = "credibility", .type = FIELD_INTEGER, .flags = FIELD_INDEXED, .min = "1", .max = "6" },
	{ .name = "locator", .type = FIELD_TEXT, .max_length = 200 },
	COMMON_PROSE("note"),
};

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &claim_resource, record, faults };

	(void)arena;
	(void)stored;
	const char *subject, *field;

	subject = rule_value(&c, "subject_resource");
	field = rule_value(&c, "field");
	if (subject && field && resource_field(resource_find(subject), field, strlen(field)) < 0)
		rule_broken(
			&c, "field", "subject_resource", "reference",
			arena_printf(arena, "%s have no field \"%.*s\"", subject, faults_quoted(field, strlen(field)), field));
}

const struct resource claim_resource = {
	.name = "claims",
	.table = "claim",
	.singular = "claim",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.slug_optional = true,
	.check = check,
};

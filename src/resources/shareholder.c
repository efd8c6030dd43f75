/* Shareholders: whoever can hold a stake, and be held: companies, governments and their bodies, funds, vehicles. */
#include "lodebase/resources/resources.h"

static const char *const kinds[] = { "company",       "government", "government_body", "fund", "investment_vehicle",
				     "joint_venture", "person",     "unnamed",         NULL };
static const char *const identifier_members[] = { "scheme", "id", NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(FIELD_REQUIRED),
	{ .name = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_VISIBLE | FIELD_INDEXED, .max_length = 300 },
	{ .name = "aliases",
	  .type = FIELD_STRINGS,
	  .flags = FIELD_NO_FILTER | FIELD_VISIBLE,
	  .max_length = 300,
	  .default_value = "[]" },
	{ .name = "kind", .type = FIELD_ENUM, .flags = FIELD_REQUIRED | FIELD_INDEXED, .values = kinds },
	{ .name = "country", .type = FIELD_COUNTRY, .flags = FIELD_INDEXED },
	{ .name = "state", .type = FIELD_COUNTRY, .flags = FIELD_INDEXED },
	{ .name = "lei", .type = FIELD_LEI, .flags = FIELD_INDEXED },
	{ .name = "isin", .type = FIELD_ISIN, .flags = FIELD_INDEXED },
	{ .name = "identifiers",
	  .type = FIELD_OBJECTS,
	  .flags = FIELD_NO_FILTER,
	  .max_length = 300,
	  .members = identifier_members,
	  .default_value = "[]" },
	{ .name = "website", .type = FIELD_URL, .flags = FIELD_NO_FILTER, .max_length = 2000 },
	{ .name = "description", .type = FIELD_TEXT, .flags = FIELD_NO_FILTER },
};

const struct resource shareholder_resource = {
	.name = "shareholders",
	.table = "shareholder",
	.singular = "shareholder",
	.name_field = "name",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
};

/* Projects: mines, smelters, refineries and what else turns ore into metal and metal into magnets. */
#include "shapes.h"

static const char *const kinds[] = { "mine",     "concentrator", "smelter", "refinery", "separation",
				     "chemical", "recycling",    "magnet",  "other",    NULL };
const char *const project_statuses[] = { "proposed",     "announced",     "approved",  "permitting",
					 "construction", "commissioning", "operating", "suspended",
					 "cancelled",    "closed",        NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(FIELD_REQUIRED),
	{ .name = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_VISIBLE | FIELD_INDEXED, .max_length = 300 },
	{ .name = "kind", .type = FIELD_ENUM, .flags = FIELD_REQUIRED | FIELD_INDEXED, .values = kinds },
	{ .name = "status", .type = FIELD_ENUM, .flags = FIELD_REQUIRED | FIELD_INDEXED, .values = project_statuses },
	{ .name = "country", .type = FIELD_COUNTRY, .flags = FIELD_INDEXED },
	{ .name = "region", .type = FIELD_TEXT, .max_length = 300 },
	{ .name = "place", .type = FIELD_TEXT, .max_length = 300 },
	{ .name = "latitude", .type = FIELD_DECIMAL, .min = "-90", .max = "90", .scale = 6 },
	{ .name = "longitude", .type = FIELD_DECIMAL, .min = "-180", .max = "180", .scale = 6 },
	{ .name = "operator_id", .type = FIELD_REF, .flags = FIELD_INDEXED, .target = "shareholders" },
	{ .name = "company_id", .type = FIELD_REF, .flags = FIELD_INDEXED, .target = "shareholders" },
	{ .name = "capex_amount",
	  .type = FIELD_DECIMAL,
	  .flags = FIELD_MAX_EXCLUSIVE | FIELD_INDEXED,
	  .min = "0",
	  .max = "1000000000000000000",
	  .scale = 6 },
	{ .name = "capex_currency", .type = FIELD_CURRENCY },
	{ .name = "start_year", .type = FIELD_INTEGER, .flags = FIELD_INDEXED, .min = "1000", .max = "2999" },
	{ .name = "description", .type = FIELD_TEXT, .flags = FIELD_NO_FILTER },
};

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &project_resource, record, faults };

	(void)arena;
	(void)stored;
	rule_together(&c, "latitude", "longitude");
	rule_together(&c, "capex_amount", "capex_currency");
}

const struct resource project_resource = {
	.name = "projects",
	.table = "project",
	.singular = "project",
	.name_field = "name",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.check = check,
};

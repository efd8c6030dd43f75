/* Outputs: what a project makes of a mineral, at which stage, and how much of it in a year. */
#include "shapes.h"

const char *const output_stages[] = {
	"mine", "concentrate", "smelter", "refinery", "separation", "product", "recycling", NULL
};
const char *const output_units[] = { "t", "kt", "kg", "toz", NULL };
const char *const output_bases[] = { "contained", "gross", NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(0),
	COMMON_REF("project_id", FIELD_REQUIRED, "projects"),
	COMMON_REF("mineral_id", FIELD_REQUIRED, "minerals"),
	COMMON_ENUM("stage", FIELD_REQUIRED | FIELD_INDEXED, output_stages),
	{ .name = "product", .type = FIELD_TEXT },
	COMMON_AMOUNT("capacity"),
	COMMON_AMOUNT("capacity_min"),
	COMMON_AMOUNT("capacity_max"),
	COMMON_ENUM("unit", FIELD_REQUIRED, output_units),
	COMMON_ENUM("basis", FIELD_REQUIRED, output_bases),
	COMMON_YEAR("start_year", FIELD_INDEXED),
	COMMON_YEAR("end_year", FIELD_INDEXED),
	COMMON_ENUM("status", FIELD_INDEXED, project_statuses),
	COMMON_REF("replaces_output_id", 0, "outputs"),
	COMMON_PROSE("note"),
};

static const char *const exact[] = { "capacity", NULL };
static const char *const range[] = { "capacity_min", "capacity_max", NULL };

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &output_resource, record, faults };

	(void)arena;
	(void)stored;
	rule_excludes(&c, exact, range, "the capacity is exact or a range, not both");
	rule_together(&c, "capacity_min", "capacity_max");
	rule_order(&c, "capacity_min", "capacity_max", false);
	rule_order(&c, "start_year", "end_year", false);
}

const struct resource output_resource = {
	.name = "outputs",
	.table = "output",
	.singular = "output",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.slug_optional = true,
	.check = check,
};

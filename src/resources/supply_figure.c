/* Supply figures: one number of a statistic, or that there is none, of a country, the world, or the rest of it. */
#include "shapes.h"

#include <string.h>

static const char *const kinds[] = { "production", "capacity",     "reserves",    "imports",   "import_share",
				     "exports",    "stock_change", "consumption", "secondary", "net_import_reliance",
				     NULL };
static const char *const scopes[] = { "country", "other", "world", NULL };
static const char *const units[] = { "t", "kt", "kg", "toz", "pct", NULL };
static const char *const qualifiers[] = { "exact",     "estimated", "withheld", "not_available", "net_exporter", "greater_than",
					  "less_than", "zero",      NULL };
static const char *const definitions[] = { "apparent", "reported", "estimated", NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(0),
	COMMON_REF("mineral_id", FIELD_REQUIRED, "minerals"),
	COMMON_ENUM("stage", FIELD_REQUIRED | FIELD_INDEXED, output_stages),
	COMMON_ENUM("kind", FIELD_REQUIRED | FIELD_INDEXED, kinds),
	COMMON_ENUM("scope", FIELD_REQUIRED | FIELD_INDEXED, scopes),
	{ .name = "country", .type = FIELD_COUNTRY, .flags = FIELD_INDEXED },
	{ .name = "partner", .type = FIELD_COUNTRY, .flags = FIELD_INDEXED },
	{ .name = "product", .type = FIELD_TEXT },
	COMMON_YEAR("year", FIELD_INDEXED),
	COMMON_YEAR("period_from", 0),
	{ .name = "quantity",
	  .type = FIELD_DECIMAL,
	  .flags = FIELD_MAX_EXCLUSIVE | FIELD_INDEXED,
	  .min = "-999999999999999999.999999",
	  .max = "1000000000000000000",
	  .scale = 6 },
	COMMON_ENUM("unit", FIELD_REQUIRED | FIELD_INDEXED, units),
	COMMON_ENUM("basis", FIELD_REQUIRED | FIELD_INDEXED, output_bases),
	COMMON_ENUM("qualifier", FIELD_REQUIRED | FIELD_INDEXED, qualifiers),
	{ .name = "excludes", .type = FIELD_COUNTRIES, .flags = FIELD_NO_FILTER, .default_value = "[]" },
	COMMON_ENUM("definition", FIELD_INDEXED, definitions),
	COMMON_REF("source_id", FIELD_REQUIRED, "sources"),
	COMMON_PROSE("note"),
};

static const char *const of_country[] = { "country", NULL };
static const char *const of_world[] = { "world", NULL };
static const char *const traded[] = { "imports", "import_share", "exports", NULL };
static const char *const relative[] = { "net_import_reliance", "import_share", NULL };
static const char *const reliance[] = { "net_import_reliance", NULL };
static const char *const with_number[] = { "exact", "estimated", "greater_than", "less_than", "zero", NULL };

/* `zero` is 0, and only what stocks did can be below it: positive means that they fell. */
static void check_sign(const struct rule_context *c)
{
	static const char *const zero[] = { "zero", NULL }, *const signed_kinds[] = { "stock_change", NULL };
	const char *quantity = rule_value(c, "quantity");

	if (!quantity)
		return;
	if (rule_is_one_of(c, "qualifier", zero) && strcmp(quantity, "0") != 0)
		rule_broken(c, "quantity", "qualifier", "range", "quantity is 0 where qualifier is zero");
	if (*quantity == '-' && rule_value(c, "kind") && !rule_is_one_of(c, "kind", signed_kinds))
		rule_broken(c, "quantity", "kind", "range", "quantity must be at least 0, unless kind is stock_change");
}

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &supply_figure_resource, record, faults };

	(void)arena;
	(void)stored;
	rule_exactly_with(&c, "country", "scope", of_country);
	rule_only_with(&c, "partner", "kind", traded);
	rule_only_with(&c, "excludes", "scope", of_world);
	rule_same_time(&c, "unit", "pct", "kind", relative);
	rule_exactly_with(&c, "definition", "kind", reliance);
	rule_exactly_with(&c, "quantity", "qualifier", with_number);
	check_sign(&c);
}

const struct resource supply_figure_resource = {
	.name = "supply_figures",
	.table = "supply_figure",
	.singular = "supply figure",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.slug_optional = true,
	.check = check,
};

/* Rules: what a law forbids or a programme asks for, as data: a threshold, of what figure, by which method. Screenings ask rules of
 * ownership, benchmarks those of supply; what a rule cannot say in its fields stands in its note. */
#include "shapes.h"

#include <string.h>

/* What the threshold is held against: shares of a company, then figures of supply. */
static const char *const measures[] = { "economic", "voting", "board", "debt", "single_country_share", "coverage", NULL };
static const char *const comparators[] = { ">=", ">", NULL };
static const char *const aggregations[] = { "single", "any_combination", NULL };
static const char *const methods[] = { "direct",  "integrated", "simple_paths", "weakest_link",
				       "control", "cascade",    "attribution",  NULL };
static const char *const tiers[] = { "promote_lower", "single_entity", NULL };
static const char *const contingents[] = { "ignore", "exercised", NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(FIELD_REQUIRED),
	COMMON_NAME("title"),
	{ .name = "threshold_pct",
	  .type = FIELD_DECIMAL,
	  .flags = FIELD_REQUIRED | FIELD_INDEXED,
	  .min = "0",
	  .max = "100",
	  .scale = 12 },
	COMMON_ENUM("comparator", FIELD_REQUIRED, comparators),
	{ .name = "measures", .type = FIELD_ENUMS, .flags = FIELD_REQUIRED | FIELD_NO_FILTER, .values = measures },
	COMMON_ENUM("aggregation", FIELD_REQUIRED, aggregations),
	COMMON_ENUM("method", FIELD_INDEXED, methods),
	COMMON_ENUM("tier", 0, tiers),
	COMMON_ENUM("contingent", 0, contingents),
	{ .name = "lists", .type = FIELD_KEYS, .flags = FIELD_NO_FILTER, .default_value = "[]" },
	COMMON_DATE("effective_from", FIELD_INDEXED),
	COMMON_DATE("effective_to", FIELD_INDEXED),
	COMMON_REF("source_id", 0, "sources"),
	{ .name = "source_url", .type = FIELD_URL, .max_length = 2000 },
	COMMON_PROSE("note"),
};

static bool has_measure(const char *list, const char *measure)
{
	size_t n = strlen(measure);

	/* canonical JSON of words without anything to escape */
	for (const char *at = list; (at = strstr(at, measure)); at += n)
		if (at[-1] == '"' && at[n] == '"')
			return true;
	return false;
}

/* A benchmark measures supply, one thing at a time, which no method of ownership says anything of. */
static void check_benchmark(const struct rule_context *c, const char *list)
{
	static const char *const of_ownership[] = { "method", "tier", "contingent", NULL };

	if (strchr(list, ','))
		faults_member(c->faults, "measures", "exclusive", "single_country_share and coverage each stand alone");
	for (const char *const *f = of_ownership; *f; f++)
		if (rule_value(c, *f))
			rule_broken(c, *f, "measures", "exclusive",
				    arena_printf(c->faults->arena, "%s is null with single_country_share and coverage", *f));
}

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &rule_resource, record, faults };
	static const char *const by_attribution[] = { "attribution", NULL };
	const char *list = rule_value(&c, "measures");

	(void)arena;
	(void)stored;
	if (list && strcmp(list, "[]") == 0)
		faults_member(faults, "measures", "length", "at least one measure must be named");
	else if (list && (has_measure(list, "single_country_share") || has_measure(list, "coverage")))
		check_benchmark(&c, list);
	else if (list && !rule_value(&c, "method") && !faults_had_member(faults, "method"))
		rule_broken(&c, "method", "measures", "incomplete", "method must be given with measures of ownership");
	rule_exactly_with(&c, "tier", "method", by_attribution);
}

const struct resource rule_resource = {
	.name = "rules",
	.table = "rule",
	.singular = "rule",
	.name_field = "title",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.check = check,
};

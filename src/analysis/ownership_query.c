/* The parameters of questions about ownership (contract section 5), and which of them go together. */
#include "ownership.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"

enum parameter_number {
	P_METHOD,
	P_MEASURE,
	P_SELF_LOOPS,
	P_TIER,
	P_THRESHOLD,
	P_INCLUSIVE,
	P_PARTIES,
	P_STAGES,
	P_CONTINGENT,
	P_VALID_AT,
	P_MIN_PCT,
	P_KIND,
	P_COUNTRY,
	P_ULTIMATE,
	P_GROUP_BY,
	P_PATHS,
	P_LIMIT,
	P_STRIP,
	P_FROM,
	P_TO,
	P_ROOT,
	P_DIRECTION,
	P_DEPTH,
	P_FORMAT,
	P_INDEX,
	P_QUOTA,
	N_PARAMETERS,
};

const char *const ownership_methods[] = { [GRAPH_DIRECT] = "direct",
					  [GRAPH_INTEGRATED] = "integrated",
					  [GRAPH_SIMPLE_PATHS] = "simple_paths",
					  [GRAPH_WEAKEST_LINK] = "weakest_link",
					  [GRAPH_CONTROL] = "control",
					  [GRAPH_CASCADE] = "cascade",
					  [GRAPH_ATTRIBUTION] = "attribution",
					  NULL };
static const char *const measures[] = { "economic", "voting", NULL };
static const char *const self_loops[] = { "corrected", "raw", NULL };
static const char *const tiers[] = { "promote_lower", "single_entity", NULL };
static const char *const contingents[] = { "ignore", "exercised", NULL };
static const char *const groups[] = { "country", "state", "kind", NULL };
static const char *const strips[] = { "kr-cross-holding", NULL };
static const char *const indices[] = { "shapley_shubik", "banzhaf", NULL };
const char *const ownership_directions[] = { [GO_UP] = "up", [GO_DOWN] = "down", [GO_BOTH] = "both", NULL };
const char *const ownership_formats[] = {
	[FORMAT_JSON] = "json", [FORMAT_GRAPHML] = "graphml", [FORMAT_DOT] = "dot", [FORMAT_CYTOSCAPE] = "cytoscape", NULL
};

#define PERCENTAGE(parameter_name)                                                                           \
	{                                                                                                    \
		{                                                                                            \
			.name = parameter_name, .type = FIELD_DECIMAL, .min = "0", .max = "100", .scale = 12 \
		}                                                                                            \
	}
#define CHOICE(parameter_name, list)                                               \
	{                                                                          \
		{                                                                  \
			.name = parameter_name, .type = FIELD_ENUM, .values = list \
		}                                                                  \
	}

/* stages and kind: their values come from the field tables. */
static const struct parameter table[] = {
	[P_METHOD] = CHOICE("method", ownership_methods),
	[P_MEASURE] = CHOICE("measure", measures),
	[P_SELF_LOOPS] = CHOICE("self_loops", self_loops),
	[P_TIER] = CHOICE("tier", tiers),
	[P_THRESHOLD] = PERCENTAGE("threshold"),
	[P_INCLUSIVE] = { { .name = "inclusive", .type = FIELD_BOOL } },
	[P_PARTIES] = { { .name = "parties", .type = FIELD_SLUG }, .is_list = true },
	[P_STAGES] = { { .name = "stages", .type = FIELD_ENUM }, .is_list = true },
	[P_CONTINGENT] = CHOICE("contingent", contingents),
	[P_VALID_AT] = { { .name = "valid_at", .type = FIELD_DATE } },
	[P_MIN_PCT] = PERCENTAGE("min_pct"),
	[P_KIND] = { { .name = "kind", .type = FIELD_ENUM }, .is_list = true },
	[P_COUNTRY] = { { .name = "country", .type = FIELD_COUNTRY }, .is_list = true },
	[P_ULTIMATE] = { { .name = "ultimate", .type = FIELD_BOOL } },
	[P_GROUP_BY] = CHOICE("group_by", groups),
	[P_PATHS] = { { .name = "paths", .type = FIELD_INTEGER, .min = "0", .max = "100" } },
	[P_LIMIT] = { { .name = "limit", .type = FIELD_INTEGER, .min = "1", .max = "100000" } },
	[P_STRIP] = CHOICE("strip", strips),
	[P_FROM] = { { .name = "from", .type = FIELD_SLUG, .flags = FIELD_REQUIRED }, .is_node = true },
	[P_TO] = { { .name = "to", .type = FIELD_SLUG, .flags = FIELD_REQUIRED }, .is_node = true },
	[P_ROOT] = { { .name = "root", .type = FIELD_SLUG, .flags = FIELD_REQUIRED }, .is_node = true },
	[P_DIRECTION] = CHOICE("direction", ownership_directions),
	[P_DEPTH] = { { .name = "depth", .type = FIELD_INTEGER, .min = "1", .max = "10000" } },
	[P_FORMAT] = CHOICE("format", ownership_formats),
	[P_INDEX] = CHOICE("index", indices),
	[P_QUOTA] = PERCENTAGE("quota"),
};
_Static_assert(sizeof(table) / sizeof(table[0]) == N_PARAMETERS, "a row per parameter");

unsigned ownership_stage(const char *name)
{
	return 1u << parameter_place(resource_values("stakes", "stage"), name);
}

/* The kinds of shareholders, and in holdings those of projects, too. */
static const char *const *kinds(struct arena *arena, bool with_projects)
{
	const char *const *of_shareholders = resource_values("shareholders", "kind"), *const *of_projects = resource_values(
											      "projects", "kind");
	const char **all = arena_alloc(arena, 64 * sizeof(*all));
	size_t n = 0;

	for (; all && *of_shareholders; of_shareholders++)
		all[n++] = *of_shareholders;
	for (; all && with_projects && *of_projects; of_projects++)
		all[n++] = *of_projects;
	return all;
}

static bool takes(enum ownership_question question, enum parameter_number p)
{
	bool common = p == P_MEASURE || p == P_STAGES || p == P_VALID_AT;

	switch (question) {
	case ASK_OWNERS:
		return p < P_STRIP;
	case ASK_HOLDINGS:
		return p < P_STRIP && p != P_PARTIES && p != P_GROUP_BY;
	case ASK_CAP_TABLE:
		return common || p == P_STRIP;
	case ASK_CYCLES:
		return common || p == P_CONTINGENT;
	case ASK_PATHS:
		return common || p == P_CONTINGENT || p == P_FROM || p == P_TO || p == P_LIMIT;
	case ASK_GRAPH:
		return common || p == P_CONTINGENT || (p >= P_ROOT && p <= P_FORMAT);
	case ASK_POWER:
		return common || p == P_CONTINGENT || p == P_INDEX || p == P_QUOTA;
	}
	return false;
}

static size_t lay_table(struct arena *arena, enum ownership_question question, struct parameter *ret,
			enum parameter_number *ret_of)
{
	size_t n = 0;

	for (unsigned p = 0; p < N_PARAMETERS; p++) {
		if (!takes(question, (enum parameter_number)p))
			continue;
		ret[n] = table[p];
		if (p == P_STAGES)
			ret[n].field.values = resource_values("stakes", "stage");
		if (p == P_KIND)
			ret[n].field.values = kinds(arena, question == ASK_HOLDINGS);
		if (p == P_LIMIT && question == ASK_PATHS)
			ret[n].field.max = "1000";
		ret_of[n++] = (enum parameter_number)p;
	}
	return n;
}

struct graph_ratio ownership_ratio(const char *pct)
{
	return (struct graph_ratio){ (uint64_t)ownership_units(pct), GRAPH_PCT_WHOLE };
}

int64_t ownership_units(const char *pct)
{
	int64_t units = 0;
	int decimals = -1;

	for (; *pct; pct++) {
		if (*pct == '.') {
			decimals = 0;
			continue;
		}
		units = units * 10 + (*pct - '0');
		decimals += decimals >= 0;
	}
	for (decimals = decimals < 0 ? 0 : decimals; decimals < 12; decimals++)
		units *= 10;
	return units;
}

/* Days from civil (the proleptic Gregorian calendar), counted in years that begin in March. */
int32_t ownership_day(const char *date)
{
	int y = atoi(date), m = atoi(date + 5), d = atoi(date + 8);
	int era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void refuse_others(const struct parameter_source *s, const struct parameter_value *v, const struct ownership_query *q)
{
	static const struct {
		enum parameter_number p;
		enum graph_method method;
	} only[] = { { P_SELF_LOOPS, GRAPH_INTEGRATED },
		     { P_TIER, GRAPH_ATTRIBUTION },
		     { P_THRESHOLD, GRAPH_CONTROL },
		     { P_INCLUSIVE, GRAPH_CONTROL },
		     { P_PARTIES, GRAPH_CASCADE } };

	for (size_t i = 0; i < sizeof(only) / sizeof(only[0]); i++)
		if (v[only[i].p].given && q->method != only[i].method)
			parameter_fault(s, table[only[i].p].field.name, "exclusive", "%s goes with method=%s alone",
					table[only[i].p].field.name, ownership_methods[only[i].method]);
}

static void require(const struct parameter_source *s, enum ownership_question question, const struct parameter_value *v)
{
	for (unsigned p = 0; p < N_PARAMETERS; p++)
		if (table[p].field.flags & FIELD_REQUIRED && takes(question, (enum parameter_number)p) && !v[p].given)
			parameter_fault(s, table[p].field.name, "required", "%s must be given", table[p].field.name);
}

static size_t choice(const struct parameter_value *v, const char *const *list, size_t by_default)
{
	return v->given && v->n == 1 ? parameter_place(list, v->values[0]) : by_default;
}

static bool truth(const struct parameter_value *v)
{
	return v->n == 1 && v->values[0][0] == 't';
}

static const char *only(const struct parameter_value *v)
{
	return v->n == 1 ? v->values[0] : NULL;
}

static void take_structure(const struct parameter_value *v, struct ownership_query *q)
{
	const char *depth = only(&v[P_DEPTH]), *quota = only(&v[P_QUOTA]);

	q->from = only(&v[P_FROM]);
	q->to = only(&v[P_TO]);
	q->root = only(&v[P_ROOT]);
	q->direction = (unsigned)choice(&v[P_DIRECTION], ownership_directions, GO_UP);
	q->depth = depth ? (unsigned)strtoul(depth, NULL, 10) : 0;
	q->format = (unsigned)choice(&v[P_FORMAT], ownership_formats, FORMAT_JSON);
	q->banzhaf = choice(&v[P_INDEX], indices, 0) == 1;
	q->quota_pct = quota ? quota : "50";
}

static void take_values(struct parameter_value *v, enum ownership_question question, struct ownership_query *q)
{
	q->method = (enum graph_method)choice(&v[P_METHOD], ownership_methods, GRAPH_INTEGRATED);
	q->measure = (enum graph_measure)choice(&v[P_MEASURE], measures, GRAPH_ECONOMIC);
	q->raw = choice(&v[P_SELF_LOOPS], self_loops, 0) == 1;
	q->single_entity = choice(&v[P_TIER], tiers, 0) == 1;
	q->exercised = choice(&v[P_CONTINGENT], contingents, 0) == 1;
	q->threshold_pct = v[P_THRESHOLD].n == 1 ? v[P_THRESHOLD].values[0] : "50";
	q->threshold = ownership_ratio(q->threshold_pct);
	q->inclusive = truth(&v[P_INCLUSIVE]);
	q->parties = v[P_PARTIES].values;
	q->n_parties = v[P_PARTIES].n;
	for (size_t i = 0; i < v[P_STAGES].n && v[P_STAGES].n <= PARAMETER_VALUES_MAX; i++)
		q->stages |= ownership_stage(v[P_STAGES].values[i]);
	if (!v[P_STAGES].given)
		q->stages = ownership_stage("closed");
	if (v[P_VALID_AT].n == 1)
		memcpy(q->valid_at, v[P_VALID_AT].values[0], sizeof(q->valid_at));
	else
		clock_today(q->valid_at);
	q->valid_day = ownership_day(q->valid_at);
	if (v[P_MIN_PCT].n == 1) {
		q->min_pct = v[P_MIN_PCT].values[0];
		q->min_units = ownership_units(q->min_pct);
	}
	q->kinds = v[P_KIND].values;
	q->n_kinds = v[P_KIND].n;
	q->countries = v[P_COUNTRY].values;
	q->n_countries = v[P_COUNTRY].n;
	q->ultimate = truth(&v[P_ULTIMATE]);
	q->ultimate_given = v[P_ULTIMATE].given;
	if (v[P_GROUP_BY].n == 1)
		q->group_by = GROUP_COUNTRY + (unsigned)parameter_place(groups, v[P_GROUP_BY].values[0]);
	q->paths_given = v[P_PATHS].n == 1;
	q->paths = q->paths_given ? (unsigned)strtoul(v[P_PATHS].values[0], NULL, 10) : 3;
	q->limit_given = v[P_LIMIT].n == 1;
	q->limit = question == ASK_PATHS ? 100 : ROWS_MAX;
	if (q->limit_given)
		q->limit = (unsigned)strtoul(v[P_LIMIT].values[0], NULL, 10);
	q->strip = v[P_STRIP].n == 1;
}

void ownership_query_read(const struct parameter_source *s, enum ownership_question question, const struct http_field *fields,
			  size_t n_fields, const struct json_document *d, const json_t *object, const char *const *skip,
			  struct ownership_query *ret)
{
	struct parameter own[N_PARAMETERS];
	struct parameter_value own_values[N_PARAMETERS] = { 0 }, values[N_PARAMETERS] = { 0 };
	enum parameter_number of[N_PARAMETERS];
	size_t n = lay_table(s->arena, question, own, of);

	if (object)
		parameters_of_object(s, own, n, d, object, skip, own_values);
	else
		parameters_of_query(s, own, n, fields, n_fields, skip, own_values);
	for (size_t i = 0; i < n; i++)
		values[of[i]] = own_values[i];
	*ret = (struct ownership_query){ 0 };
	take_values(values, question, ret);
	take_structure(values, ret);
	refuse_others(s, values, ret);
	require(s, question, values);
}

/* The parameters of GETs about supply. */
#include "supply_plants_get.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"
#include "lodebase/base/decimal.h"
#include "lodebase/base/iso.h"
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"

enum {
	KIND,
	STAGE,
	YEAR,
	OF,
	ALLIANCE,
	GUIDELINE,
	SORT,
	LIMIT,
	RULES,
	COUNTRY,
	PROJECTS,
	STATUSES,
	UTILISATION,
	ASSUME,
	MINERAL,
	BY,
	GROUP,
	METHOD,
	VALID_AT,
	PARAMETERS
};

/* Kinds whose figures of several countries make a whole. */
static const char *const kinds[] = { "production", "capacity",    "reserves",  "imports",
				     "exports",    "consumption", "secondary", NULL };
static const char *const stages[] = {
	"mine", "concentrate", "smelter", "refinery", "separation", "product", "recycling", NULL
};
static const char *const guidelines[] = { "2023", "2010", NULL };
static const char *const sorts[] = { "hhi",       "-hhi", "leading", "-leading", "list",     "-list", "alliance",
				     "-alliance", "year", "-year",   "mineral",  "-mineral", NULL };

static const char *const assumptions[] = { "add", "displace", NULL };
static const char *const bys[] = { "location", "owner", NULL };
static const char *const groups[] = { "country", "state", "holder", NULL };
static const char *const methods[] = { "integrated", "control", NULL };
static const char *const statuses[] = { "proposed",     "announced",     "approved",  "permitting",
					"construction", "commissioning", "operating", "suspended",
					"cancelled",    "closed",        NULL };

static const struct parameter table[PARAMETERS] = {
	[KIND] = { .field = { .name = "kind", .type = FIELD_ENUM, .values = kinds } },
	[STAGE] = { .field = { .name = "stage", .type = FIELD_ENUM, .values = stages } },
	[YEAR] = { .field = { .name = "year", .type = FIELD_INTEGER, .min = "1000", .max = "2999" } },
	[OF] = { .field = { .name = "of", .type = FIELD_TEXT, .max_length = 100 } },
	[ALLIANCE] = { .field = { .name = "alliance", .type = FIELD_SLUG } },
	[GUIDELINE] = { .field = { .name = "guideline", .type = FIELD_ENUM, .values = guidelines } },
	[SORT] = { .field = { .name = "sort", .type = FIELD_ENUM, .values = sorts } },
	[LIMIT] = { .field = { .name = "limit", .type = FIELD_INTEGER, .min = "1", .max = "1000" } },
	[RULES] = { .field = { .name = "rules", .type = FIELD_SLUG }, .is_list = true },
	[COUNTRY] = { .field = { .name = "country", .type = FIELD_COUNTRY } },
	[PROJECTS] = { .field = { .name = "projects", .type = FIELD_SLUG }, .is_list = true },
	[STATUSES] = { .field = { .name = "statuses", .type = FIELD_ENUM, .values = statuses }, .is_list = true },
	[UTILISATION] = { .field = { .name = "utilisation", .type = FIELD_DECIMAL, .min = "0", .max = "1", .scale = 12 },
			  .is_list = true },
	[ASSUME] = { .field = { .name = "assume", .type = FIELD_ENUM, .values = assumptions } },
	[MINERAL] = { .field = { .name = "mineral", .type = FIELD_SLUG } },
	[BY] = { .field = { .name = "by", .type = FIELD_ENUM, .values = bys } },
	[GROUP] = { .field = { .name = "group", .type = FIELD_ENUM, .values = groups } },
	[METHOD] = { .field = { .name = "method", .type = FIELD_ENUM, .values = methods } },
	[VALID_AT] = { .field = { .name = "valid_at", .type = FIELD_DATE } },
};

#define BIT(parameter) (1u << (parameter))
#define SHARES (BIT(KIND) | BIT(OF) | BIT(ALLIANCE) | BIT(GUIDELINE))
#define EFFECT (BIT(YEAR) | BIT(OF) | BIT(ALLIANCE) | BIT(STATUSES) | BIT(UTILISATION) | BIT(ASSUME))

static const unsigned taken[] = {
	[SUPPLY_GET_TABLE] = SHARES | BIT(STAGE) | BIT(YEAR),
	[SUPPLY_GET_TREND] = SHARES | BIT(STAGE),
	[SUPPLY_GET_CHAIN] = SHARES | BIT(YEAR),
	[SUPPLY_GET_CONCENTRATION] = SHARES | BIT(STAGE) | BIT(YEAR) | BIT(SORT) | BIT(LIMIT),
	[SUPPLY_GET_ALLIANCE] = BIT(KIND) | BIT(STAGE) | BIT(YEAR) | BIT(OF),
	[SUPPLY_GET_BENCHMARKS] = BIT(KIND) | BIT(STAGE) | BIT(YEAR) | BIT(RULES),
	[SUPPLY_GET_RELIANCE] = BIT(STAGE) | BIT(COUNTRY),
	[SUPPLY_GET_EFFECT] = EFFECT | BIT(PROJECTS),
	[SUPPLY_GET_PROJECT_EFFECT] = EFFECT,
	[SUPPLY_GET_CAPACITY] =
		BIT(MINERAL) | BIT(STAGE) | BIT(YEAR) | BIT(BY) | BIT(GROUP) | BIT(METHOD) | BIT(STATUSES) | BIT(VALID_AT),
};

static const char *first(const struct parameter_value *v)
{
	return v->n > 0 ? v->values[0] : NULL;
}

/* A country's code, or a list's id or slug. */
static void read_of(const struct parameter_source *s, const char *text, struct supply_get *g)
{
	size_t n = strlen(text);
	char id[UUID_TEXT_SIZE];

	g->of = text;
	g->of_country = iso_is_country(text, n);
	if (g->of_country || text_is_slug(text, n))
		return;
	if (uuid_is_text(text, n)) {
		uuid_canonical(text, id);
		g->of = arena_strdup(s->arena, id);
		return;
	}
	parameter_fault(s, "of", "format", "of must be a country's code, or the id or slug of a designation list");
}

static void read_sort(const char *text, struct supply_get *g)
{
	g->sort = SUPPLY_BY_HHI;
	g->descending = true;
	if (!text)
		return;
	g->descending = *text == '-';
	g->sort = (enum supply_sort)supply_name_index(supply_sort_names, text + (g->descending ? 1 : 0));
}

static bool is_said(const struct parameter_value *v, const char *text)
{
	return first(v) && strcmp(first(v), text) == 0;
}

static unsigned statuses_of(const struct parameter_value *v, unsigned otherwise)
{
	unsigned bits = 0;

	for (size_t i = 0; i < v->n && i <= PARAMETER_VALUES_MAX; i++)
		bits |= 1u << supply_name_index(supply_status_names, v->values[i]);
	return bits ? bits : otherwise;
}

static void read_effect(const struct parameter_source *s, const struct parameter_value *v, struct supply_get *g)
{
	const struct parameter_value *use = &v[UTILISATION];
	struct supply_plants_asked *a = &g->asked;

	a->projects = v[PROJECTS].values;
	a->n_projects = v[PROJECTS].n;
	a->statuses = statuses_of(&v[STATUSES], (1u << SUPPLY_SUSPENDED) - 1);
	a->add = !is_said(&v[ASSUME], "displace");
	a->displace = !is_said(&v[ASSUME], "add");
	if (use->n > 2)
		parameter_fault(s, "utilisation", "length", "utilisation takes one value, or the least and the greatest");
	if (use->n == 0 || use->n > 2)
		return;
	a->use_min = use->values[0];
	a->use_max = use->values[use->n - 1];
	if (decimal_compare(a->use_min, a->use_max) > 0)
		parameter_fault(s, "utilisation", "order", "the least utilisation comes first");
}

static void read_capacity(const struct parameter_source *s, const struct parameter_value *v, struct supply_get *g)
{
	struct supply_plants_asked *a = &g->asked;

	a->statuses = statuses_of(&v[STATUSES], 1u << SUPPLY_OPERATING);
	a->mineral = first(&v[MINERAL]);
	if (!v[MINERAL].given)
		parameter_fault(s, "mineral", "required", "mineral= says of what: its id or slug");
	a->by_owner = is_said(&v[BY], "owner");
	a->control = is_said(&v[METHOD], "control");
	a->group = is_said(&v[GROUP], "holder")  ? SUPPLY_BY_HOLDER
		   : is_said(&v[GROUP], "state") ? SUPPLY_BY_STATE
						 : SUPPLY_BY_COUNTRY;
	if (!a->by_owner && v[METHOD].given)
		parameter_fault(s, "method", "exclusive", "method says how by=owner divides; it does not apply by location");
	if (!a->by_owner && a->group != SUPPLY_BY_COUNTRY)
		parameter_fault(s, "group", "exclusive", "by location there are countries alone");
}

/* What stakes are valid at: today, or the day of the instant asked for, so that the same instant gives the same answer for ever. */
static void read_valid_at(const struct call *c, const struct parameter_value *v, struct supply_get *g)
{
	if (first(v))
		memcpy(g->asked.valid_at, first(v), sizeof(g->asked.valid_at));
	else if (g->which != SUPPLY_GET_CAPACITY && (c->known.kind == KNOWN_TIME || c->known.kind == KNOWN_REVISION))
		memcpy(g->asked.valid_at, c->known.time, 10);
	else
		clock_today(g->asked.valid_at);
}

void supply_parameters(struct call *c, struct supply_get *g)
{
	static const char *const skip[] = { "known_at", NULL };
	struct parameter_source s = { .arena = c->compute->arena, .faults = &c->faults, .place = FAULT_PARAMETER };
	struct parameter applying[PARAMETERS];
	struct parameter_value given[PARAMETERS] = { 0 }, v[PARAMETERS] = { 0 };
	size_t n = 0;

	for (unsigned k = 0; k < PARAMETERS; k++)
		if (taken[g->which] & BIT(k))
			applying[n++] = table[k];
	parameters_of_query(&s, applying, n, c->request->params, c->request->n_params, skip, given);
	for (unsigned k = 0, at = 0; k < PARAMETERS; k++)
		if (taken[g->which] & BIT(k))
			v[k] = given[at++];
	g->question.kind =
		first(&v[KIND]) ? (enum supply_kind)supply_name_index(supply_kind_names, first(&v[KIND])) : SUPPLY_PRODUCTION;
	g->question.stage = first(&v[STAGE]) ? supply_name_index(supply_stage_names, first(&v[STAGE])) : -1;
	g->question.year = first(&v[YEAR]) ? (int)strtol(first(&v[YEAR]), NULL, 10) : 0;
	g->question.guideline = first(&v[GUIDELINE]) && strcmp(first(&v[GUIDELINE]), "2010") == 0 ? SUPPLY_GUIDELINE_2010
												  : SUPPLY_GUIDELINE_2023;
	if (first(&v[OF]))
		read_of(&s, first(&v[OF]), g);
	g->alliance = first(&v[ALLIANCE]);
	g->country = first(&v[COUNTRY]);
	g->rules = v[RULES].values;
	g->n_rules = v[RULES].n;
	g->limit = first(&v[LIMIT]) ? (unsigned)strtoul(first(&v[LIMIT]), NULL, 10) : 100;
	read_sort(first(&v[SORT]), g);
	if (g->which == SUPPLY_GET_CAPACITY)
		read_capacity(&s, v, g);
	else if (supply_is_of_plants(g))
		read_effect(&s, v, g);
	if (supply_is_of_plants(g))
		read_valid_at(c, &v[VALID_AT], g);
	g->of_owners =
		g->asked.by_owner || (g->which != SUPPLY_GET_CAPACITY && supply_is_of_plants(g) && (g->of || g->alliance));
}

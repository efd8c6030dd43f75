/* The parameters of GETs about supply. */
#include "supply_get.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/iso.h"
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"

enum { KIND, STAGE, YEAR, OF, ALLIANCE, GUIDELINE, SORT, LIMIT, RULES, COUNTRY, PARAMETERS };

/* Kinds whose figures of several countries make a whole. */
static const char *const kinds[] = { "production", "capacity",    "reserves",  "imports",
				     "exports",    "consumption", "secondary", NULL };
static const char *const stages[] = {
	"mine", "concentrate", "smelter", "refinery", "separation", "product", "recycling", NULL
};
static const char *const guidelines[] = { "2023", "2010", NULL };
static const char *const sorts[] = { "hhi",       "-hhi", "leading", "-leading", "list",     "-list", "alliance",
				     "-alliance", "year", "-year",   "mineral",  "-mineral", NULL };

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
};

#define BIT(parameter) (1u << (parameter))
#define SHARES (BIT(KIND) | BIT(OF) | BIT(ALLIANCE) | BIT(GUIDELINE))

static const unsigned taken[] = {
	[SUPPLY_GET_TABLE] = SHARES | BIT(STAGE) | BIT(YEAR),
	[SUPPLY_GET_TREND] = SHARES | BIT(STAGE),
	[SUPPLY_GET_CHAIN] = SHARES | BIT(YEAR),
	[SUPPLY_GET_CONCENTRATION] = SHARES | BIT(STAGE) | BIT(YEAR) | BIT(SORT) | BIT(LIMIT),
	[SUPPLY_GET_ALLIANCE] = BIT(KIND) | BIT(STAGE) | BIT(YEAR) | BIT(OF),
	[SUPPLY_GET_BENCHMARKS] = BIT(KIND) | BIT(STAGE) | BIT(YEAR) | BIT(RULES),
	[SUPPLY_GET_RELIANCE] = BIT(STAGE) | BIT(COUNTRY),
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
}

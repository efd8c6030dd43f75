/* GETs about supply: their parameters, what they read of the database, and what becomes of it. */
#pragma once

#include "lodebase/analysis/supply_answers.h"
#include "lodebase/api/call.h"
#include "lodebase/api/compute.h"
#include "ownership.h"

enum supply_which {
	SUPPLY_GET_TABLE,
	SUPPLY_GET_TREND,
	SUPPLY_GET_CHAIN,
	SUPPLY_GET_CONCENTRATION,
	SUPPLY_GET_ALLIANCE,
	SUPPLY_GET_BENCHMARKS,
	SUPPLY_GET_RELIANCE,
	SUPPLY_GET_EFFECT,
	SUPPLY_GET_PROJECT_EFFECT,
	SUPPLY_GET_CAPACITY,
};

enum supply_group { SUPPLY_BY_COUNTRY, SUPPLY_BY_STATE, SUPPLY_BY_HOLDER };

/* What questions about plants take besides. */
struct supply_plants_asked {
	const char **projects; /* ids or slugs; none: all */
	size_t n_projects;
	unsigned statuses; /* bits */
	const char *use_min, *use_max; /* NULL: by the figures */
	bool add, displace;
	const char *mineral; /* capacity: id or slug */
	bool by_owner, control;
	enum supply_group group;
	char valid_at[11]; /* of stakes */
};

/* One request. In the job's arena, with all that the computation reads; what the database gave is the job's, too. */
struct supply_get {
	enum supply_which which;
	struct supply_question question; /* stage and year as asked */
	const char *segment; /* of the path: the mineral or alliance */
	const char *of, *alliance; /* as given: a country, an id or a slug */
	bool of_country;
	const char *country; /* reliance; NULL: all */
	const char **rules; /* ids or slugs */
	size_t n_rules;
	enum supply_sort sort;
	bool descending;
	unsigned limit;
	bool csv;
	const char *known_at, *revision;

	/* NULL where it was not asked: the path's record (or the mineral asked for), the list with its countries, the alliance with its,
	 * rules, figures, plants */
	struct db_result *subject, *list, *members, *rules_found, *figures, *plants;

	/* plants: */
	struct supply_plants_asked asked;
	struct inquiry inquiry; /* where owners are asked for */
	bool of_owners;
	void *moment;
};
bool supply_is_of_plants(const struct supply_get *g);
/* What the question's list and alliance are, for g->question; sets, country and alliance are where they are put. */
enum err supply_get_sets(struct supply_get *g, struct arena *a, struct supply_set sets[2], struct supply_member *country,
			 struct supply_node *alliance) MUST_CHECK;
/* supply_plants_get.c: the computation of questions about plants. */
enum err supply_plants_run(struct compute_job *job, struct answer *ret) MUST_CHECK;

/* supply_parameters.c: reads the parameters that the question takes; faults are the call's. */
void supply_parameters(struct call *c, struct supply_get *g);

/* supply_read.c: fills in the call's statements; what each slot of ret_place[] gave is then a result's place. false: no memory. */
struct supply_reads {
	int n;
	struct db_result **into[CALL_STATEMENTS_MAX];
};
bool supply_read_statements(struct call *c, struct supply_get *g, struct supply_reads *ret);
bool supply_read_plants(struct call *c, struct supply_get *g,
			struct supply_reads *r); /* supply_plants_read.c: their part of it */

/* supply_load.c: what was read, as data. Rules are given where the question has them. */
enum err supply_load(const struct supply_get *g, struct arena *a, struct supply_data *ret) MUST_CHECK;
enum err supply_load_set(const struct db_result *r, struct arena *a, struct supply_set *ret) MUST_CHECK;
enum err supply_load_rules(const struct db_result *r, struct arena *a, struct supply_rule **ret, size_t *ret_n) MUST_CHECK;
/* Columns of a set's result: id, slug, name, then a country and its dates (null where it has none). */
enum { SET_ID, SET_SLUG, SET_NAME, SET_COUNTRY, SET_FROM, SET_TO };
enum { RULE_ID, RULE_SLUG, RULE_TITLE, RULE_VERSION, RULE_URL, RULE_THRESHOLD, RULE_COMPARATOR, RULE_MEASURES };
/* Columns of the figures' result. Rows of minerals (tag 1) and sources (2) come first: id, and in the places of stage, kind and scope
 * slug, name and the day of publication. */
enum {
	FIGURE_TAG,
	FIGURE_ID,
	FIGURE_MINERAL,
	FIGURE_SOURCE,
	FIGURE_STAGE,
	FIGURE_KIND,
	FIGURE_SCOPE,
	FIGURE_COUNTRY,
	FIGURE_PARTNER,
	FIGURE_PRODUCT,
	FIGURE_YEAR,
	FIGURE_QUANTITY,
	FIGURE_UNIT,
	FIGURE_BASIS,
	FIGURE_QUALIFIER,
	FIGURE_EXCLUDES
};

void supply_table_check(struct call *c);
void supply_trend_check(struct call *c);
void supply_chain_check(struct call *c);
void supply_concentration_check(struct call *c);
void supply_alliance_check(struct call *c);
void supply_benchmarks_check(struct call *c);
void supply_reliance_check(struct call *c);
void supply_effect_check(struct call *c);
void supply_project_effect_check(struct call *c);
void supply_capacity_check(struct call *c);
void supply_run(struct call *c);

/* A table and what plants add to it, as one thing that has many states: every quantity, capacity and utilisation is somewhere
 * between its ends, and a figure is the least and the greatest over all of them together. Private to the supply files. */
#pragma once

#include "lodebase/analysis/supply_measures.h"

struct model_row { /* a country, or other countries */
	mpq_t low, high;
	bool open; /* with a part of what the world leaves */
	bool other;
	bool listed, allied;
};

struct model_part { /* what an output makes, and what it replaces */
	size_t row, replaced; /* MODEL_NONE: it replaces nothing */
	mpq_t capacity[2], old[2]; /* between these ends; of what it replaces */
	bool listed; /* its country is on the list: it always adds */
};
#define MODEL_NONE SIZE_MAX

struct model {
	struct model_row *rows;
	struct model_part *parts;
	size_t n_rows, n_parts;
	mpq_t left; /* what the world leaves to all open rows together */
	mpq_t use[2]; /* the utilisation, one for all parts, between these ends */
	bool list_unlisted, alliance_unlisted; /* one of its countries may be among the others */
	size_t *steps; /* rows and parts that may yet be looked at; NULL: no bound */
};
/* Takes so many steps. false: they are spent. */
bool model_spend(const struct model *m, size_t steps);

enum model_measure { MODEL_HHI, MODEL_LIST, MODEL_ALLIANCE, MODEL_MEASURES };
enum model_state {
	MODEL_BEFORE,
	MODEL_ADD, /* after, where the world grows */
	MODEL_ADD_CHANGE, /* after less before, of one combination */
	MODEL_DISPLACE, /* after, where the list makes way */
	MODEL_DISPLACE_CHANGE,
	MODEL_STATES
};

/* Rows and parts with their numbers at 0, in the arena. false: no memory. */
bool model_init(struct model *m, struct arena *a, size_t n_rows, size_t n_parts);
void model_clear(struct model *m);

/* Fills in ret, which is initialised; shares are fractions. Where the steps are spent the ends are those of the combinations that were
 * looked at, each the exact figure of one. */
enum err model_measure(const struct model *m, enum model_measure measure, enum model_state state, struct arena *memory,
		       struct supply_span *ret) MUST_CHECK;
/* What of all parts (NULL) or those with their bit a country's row gets: least and greatest; what is replaced is taken off. */
void model_net(const struct model *m, const bool *of, mpq_t least, mpq_t greatest);

/* A model's points as the search looks at them: what varies, and the figure of a point, nearly and exactly. Private to the search. */
#pragma once

#include "supply_search.h"

#define KEPT 6 /* of the starts, to climb from */

enum variable_kind { OF_ROW, OF_OPEN, OF_USE, OF_CAPACITY, OF_OLD };

struct variable {
	enum variable_kind kind;
	size_t index; /* of the row or part */
	const mpq_t *ends[2];
	long double low, high;
};

struct search {
	const struct model *m;
	enum model_measure measure;
	bool displace, change;
	int sign; /* 1: the greatest is looked for, -1: the least */
	struct variable *variables;
	size_t n, n_open; /* open rows come last */
	long double left;
	mpq_t none;
	/* the model in long doubles, and a state of it */
	long double *low, *q, *after, *capacity, *old, use;
	long double *kept[KEPT], value[KEPT]; /* best first */
	long double *from; /* a line's */
	size_t n_kept;
};

struct state {
	mpq_t *q, *after, *capacity, *old, use;
};

/* The variables and the search's memory. false: no memory. */
bool point_variables(struct search *s, struct arena *a);
/* How far a point is in the direction looked for, at the better of both ways to count other countries. -INFINITY: there is nothing. */
long double point_look(struct search *s, const long double *x);
bool point_state(struct state *at, const struct model *m, struct arena *a);
void point_state_clear(struct state *at, const struct model *m);
/* Takes the exact figures of a point into the span. */
void point_take(const struct search *s, const long double *x, struct state *at, struct supply_span *ret);

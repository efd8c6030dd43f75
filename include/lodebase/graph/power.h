/* Voting power: how often a holder of a subject turns a losing coalition of its holders into a winning one. A coalition wins with
 * more than the quota of all votes; what is unexplained does not vote, but counts among them. */
#pragma once

#include "lodebase/graph/graph.h"

enum graph_power_index {
	GRAPH_SHAPLEY_SHUBIK, /* over all orders in which they may join */
	GRAPH_BANZHAF, /* over all coalitions of the others; normalised, so that all add up to 1 */
};

struct graph_power_question {
	enum graph_power_index index;
	struct graph_ratio quota;
	size_t budget; /* steps; 0: no bound */
};

struct graph_power {
	uint32_t holder;
	struct graph_pct pct; /* its share; the minimum of a range is what votes */
	double index; /* 0 to 1 */
};

struct graph_powers {
	struct graph_power *items; /* in the order of the subject's links */
	size_t count;
	bool ranged; /* some share is a range */
	/* 0: indices are right to 12 decimals. Else there were too many holders with too uneven shares for that, and the indices come
	 * of random orders, or coalitions, always the same ones: this is the greatest standard error of any of them. */
	double standard_error;
};

/* Where no coalition wins, every index is 0. ERR_INVALID: no such node, or a quota that is no fraction; ERR_FULL: over the budget;
 * ERR_NOMEM. */
enum err graph_power(const struct graph *g, uint32_t subject, const struct graph_power_question *q, struct arena *a,
		     struct graph_powers *ret) MUST_CHECK;

/* The inside of a graph, for the files of this layer alone. */
#pragma once

#include <gmp.h>
#include "lodebase/graph/graph.h"
#include "lodebase/graph/ownership.h"

#define NONE UINT32_MAX

enum { COLUMN_OVERFULL = 1, COLUMN_FITS = 2 };
enum bound { BOUND_MIN, BOUND_MAX };
enum direction { UP, DOWN }; /* to holders, to subjects */

/* Strongly connected components, numbered so that a holder's is never greater than its subject's: the top comes first. */
struct components {
	uint32_t *of; /* of a node */
	uint32_t *start; /* count + 1, into members */
	uint32_t *members;
	uint8_t *cyclic; /* more than one member, or one that holds itself */
	uint32_t count;
};

struct graph {
	uint32_t nodes, links, stakes;
	bool ranges; /* any link has two ends */
	/* by node */
	uint32_t *up_start; /* nodes + 1: the links into a subject lie one after the other */
	uint32_t *down_start; /* nodes + 1, into down_link */
	double *sum, *room, *room_max;
	uint8_t *flags;
	/* by link */
	uint32_t *holder, *subject, *first_stake /* links + 1 */, *down_link;
	double *weight[2]; /* by bound, as recorded */
	struct graph_stake *stake;
	__mpq_struct *big; /* shares whose denominator is given as 0, by their numerator */
	size_t big_count;
	struct components components[2]; /* by bound; the same arrays where there are no ranges */
	size_t bytes;
};

struct graph_scratch {
	uint32_t nodes, epoch;
	uint32_t *stamp, *local; /* by node: its place in the region at hand, where stamp is the epoch */
	double *dense; /* the matrix of one component */
	size_t dense_capacity;
};

/* The nodes a question is about: everything above or below one node, that node first. */
struct region {
	uint32_t *nodes;
	uint32_t count;
};

enum err components_find(const struct graph *g, enum bound bound, struct components *ret) MUST_CHECK;
void components_free(struct components *c);

enum err region_collect(const struct graph *g, struct graph_scratch *s, uint32_t start, enum direction direction,
			struct arena *a, struct region *ret) MUST_CHECK;
/* The region's local indices in the order of their components: from the bottom up where direction is UP. NULL: no memory. */
uint32_t *region_order(const struct graph *g, const struct region *r, enum bound bound, enum direction direction,
		       struct arena *a);

static inline uint32_t region_local(const struct graph_scratch *s, uint32_t node)
{
	return s->stamp[node] == s->epoch ? s->local[node] : NONE;
}

static inline uint32_t links_begin(const struct graph *g, enum direction d, uint32_t node)
{
	return d == UP ? g->up_start[node] : g->down_start[node];
}

static inline uint32_t links_end(const struct graph *g, enum direction d, uint32_t node)
{
	return d == UP ? g->up_start[node + 1] : g->down_start[node + 1];
}

static inline uint32_t link_at(const struct graph *g, enum direction d, uint32_t place)
{
	return d == UP ? place : g->down_link[place];
}

static inline uint32_t link_end(const struct graph *g, enum direction d, uint32_t link)
{
	return d == UP ? g->holder[link] : g->subject[link];
}

/* A link's share as methods that multiply take it. */
static inline double link_share(const struct graph *g, enum bound bound, uint32_t link)
{
	uint32_t subject = g->subject[link];
	double share = g->weight[bound][link];

	return g->flags[subject] & COLUMN_OVERFULL ? share / g->sum[subject] : share;
}

static inline bool node_held(const struct graph *g, uint32_t node)
{
	return g->up_start[node] < g->up_start[node + 1];
}

/* Exactly: a plain ratio (a stake's share may be none: graph_share_exact()), a stake's minima or maxima, a subject's 1 - sum of minima (0 where overfull), and whether the shares of the holders
 * that `member` names (by local index; 0: no) meet the threshold. */
void exact_ratio(struct graph_ratio ratio, mpq_t ret);
void exact_link_sum(const struct graph *g, enum bound bound, uint32_t link, mpq_t ret);
bool exact_group_meets(const struct graph *g, const struct graph_scratch *s, uint32_t subject, const uint8_t *member,
		       enum bound bound, struct graph_ratio threshold, bool inclusive);

/* Grassmann-Taksar-Heyman elimination of one component: step[a * n + b] is the share of member a that member b holds (the
 * diagonal is not looked at), leave[a] what of a leaves the component, both sums of what is not negative. No subtraction
 * anywhere, so every result is right in all its digits however near to closed the component is. */
struct gth {
	size_t n;
	double *step, *leave, *pivot;
};

enum err gth_init(struct gth *x, struct graph_scratch *s, size_t n) MUST_CHECK; /* zeroed, in the scratch's memory */
void gth_factor(struct gth *x);
/* in: what enters at each member; out: how often each is visited (a column of the inverse). */
void gth_visits(const struct gth *x, double *vector);
/* in: each member's share that is held by what lies behind; out: the share that ever gets there (a row of the inverse). */
void gth_reach(const struct gth *x, double *vector);
/* The same where the target is member 0 itself: out[0] = 1. 1 / pivot[0] is its own diagonal in the inverse. */
void gth_reach_first(const struct gth *x, double *ret_reach);
double gth_diagonal(const struct gth *x, size_t member, double *work);

/* Greatest share that ever reaches the targets, over all structures within the ranges, of every node below them. */
struct reach {
	const struct graph *g;
	struct graph_scratch *s;
	const struct region *region;
	struct arena *a;
	double *value; /* by local index; 0 where nothing gets to the targets */
	uint8_t *target;
	uint32_t *touched, *place;
	uint32_t touched_count;
	uint64_t *keys;
	size_t steps, budget;
	/* the links that lead to something of a value, by their subject */
	struct reach_entry *entries;
	size_t entries_count, entries_capacity;
	uint32_t *head; /* by local index */
	struct reach_fill *fill;
	size_t fill_capacity;
	double *policy;
	size_t policy_capacity;
};

enum err reach_init(struct reach *r, const struct graph *g, struct graph_scratch *s, const struct region *region, size_t budget,
		    struct arena *a) MUST_CHECK;
/* ERR_FULL: the budget is spent. Values hold until the next run. */
enum err reach_run(struct reach *r, const uint32_t *targets, uint32_t count) MUST_CHECK;
/* What of a node gets to the targets when it is left, its own value aside. */
enum err reach_return(struct reach *r, uint32_t local, double *ret) MUST_CHECK;

/* A set of holders that grows by what it holds enough of, in a region. */
struct closure {
	const struct graph *g;
	const struct graph_scratch *s;
	const struct region *region;
	enum bound bound;
	struct graph_ratio threshold;
	bool inclusive;
	uint8_t *member; /* by local index */
	double *sum[2]; /* by bound: what members hold of it */
	uint32_t *touched, *queue;
	uint32_t touched_count, queue_count;
	size_t steps;
};

enum err closure_init(struct closure *c, const struct graph *g, const struct graph_scratch *s, const struct region *region,
		      struct graph_ratio threshold, bool inclusive, struct arena *a) MUST_CHECK;
/* Afterwards queue[0..queue_count) are the members, seeds first. */
void closure_run(struct closure *c, enum bound bound, const uint32_t *seeds, uint32_t count);
double closure_figure(const struct closure *c, uint32_t local);

static inline bool over_budget(size_t steps, size_t budget)
{
	return budget > 0 && steps > budget;
}

/* The methods; the region is collected, *ret zeroed but for direct shares, which the caller fills in. */
struct task {
	const struct graph *g;
	struct graph_scratch *s;
	const struct graph_question *q;
	struct arena *a;
	uint32_t start;
	enum direction direction;
	struct region region;
	struct graph_figures *ret;
};

enum err task_add(struct task *t, size_t *capacity, uint32_t node, double min, double max, bool certain) MUST_CHECK;
enum err integrated_owners(struct task *t) MUST_CHECK;
enum err integrated_holdings(struct task *t) MUST_CHECK;
enum err simple_figures(struct task *t) MUST_CHECK; /* simple_paths and weakest_link */
enum err control_owners(struct task *t) MUST_CHECK;
enum err control_holdings(struct task *t) MUST_CHECK;
enum err cascade_of_parties(struct task *t) MUST_CHECK;
enum err attribution_figures(struct task *t) MUST_CHECK;
enum err task_ring(struct task *t, const uint32_t *members, size_t count) MUST_CHECK; /* ERR_CONFLICT, or ERR_NOMEM */

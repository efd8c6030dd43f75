/* The inside of a graph, for the files of this layer alone. */
#pragma once

#include "lodebase/graph/graph.h"
#include "lodebase/graph/ownership.h"
#include "num.h"

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
	quad *sum, *room, *room_max;
	uint8_t *flags;
	/* by link */
	uint32_t *holder, *subject, *first_stake /* links + 1 */, *down_link;
	quad *weight[2]; /* by bound, as recorded */
	struct graph_stake *stake;
	__mpq_struct *big; /* shares whose denominator is given as 0, by their numerator */
	size_t big_count;
	struct components components[2]; /* by bound; the same arrays where there are no ranges */
	size_t bytes;
};

/* Members of a component that hold one another, or come to by an elimination. */
struct gth_pair {
	uint32_t a, b, slot; /* members, a < b */
	uint32_t next_a, next_b; /* in the list of a, of b */
	struct num ab, ba; /* share of a that b holds, share of b that a holds */
};

struct gth_green { /* what a pair's members pass to one another in all */
	struct num ab, ba;
};

struct gth_pairs { /* found by their members; the memory is the scratch's */
	struct gth_pair *items;
	uint32_t *table, table_size, count;
	size_t capacity;
};

struct graph_scratch {
	uint32_t nodes, epoch;
	uint32_t *stamp, *local; /* by node: its place in the region at hand, where stamp is the epoch */
	struct gth_pairs pairs; /* of one component */
	double *dense; /* the matrix of its core */
	size_t dense_capacity;
};

/* The nodes a question is about: everything above or below one node, that node first. */
struct region {
	uint32_t *nodes;
	uint32_t count;
};

enum err components_find(const struct graph *g, enum bound bound, struct components *ret) MUST_CHECK;
void components_free(struct components *c);
/* Whether the component is a closed ring: nothing of any member is held outside or unexplained, at the minima. */
bool component_closed(const struct graph *g, uint32_t component);

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
static inline quad link_share(const struct graph *g, enum bound bound, uint32_t link)
{
	uint32_t subject = g->subject[link];
	quad share = g->weight[bound][link];

	return g->flags[subject] & COLUMN_OVERFULL ? share / g->sum[subject] : share;
}

static inline bool node_held(const struct graph *g, uint32_t node)
{
	return g->up_start[node] < g->up_start[node + 1];
}

/* Exactly: a plain ratio (a stake's share may be none: graph_share_exact()); a stake's minima or maxima; a link's end of the range
 * as recorded; what the minima, or the maxima, of a column leave (at least 0); the shares of the holders that `member` names (by
 * local index; 0: no) together, `remainder`: with all that is unexplained. */
void exact_ratio(struct graph_ratio ratio, mpq_t ret);
void exact_link_sum(const struct graph *g, enum bound bound, uint32_t link, mpq_t ret);
void exact_link(const struct graph *g, enum bound bound, uint32_t link, mpq_t ret);
/* The same where `room`, what the column's minima leave, is known. */
void exact_link_in(const struct graph *g, enum bound bound, uint32_t link, const mpq_t room, mpq_t ret);
void exact_column(const struct graph *g, enum bound bound, uint32_t subject, mpq_t ret); /* their sum */
void exact_room(const struct graph *g, enum bound bound, uint32_t subject, mpq_t ret);
void exact_group(const struct graph *g, const struct graph_scratch *s, uint32_t subject, const uint8_t *member,
		 enum bound bound, bool remainder, mpq_t ret);

/* As methods that multiply take them, with a fraction where there is a pool. */
void link_num(const struct graph *g, struct nums *pool, enum bound bound, uint32_t link, struct num *ret);
void room_num(const struct graph *g, struct nums *pool, uint32_t subject, struct num *ret); /* what the minima leave */

/* As answers print them. */
struct graph_pct link_pct(const struct graph *g, uint32_t link);
struct graph_pct room_pct(const struct graph *g, uint32_t subject); /* what nobody explains */
struct graph_pct column_pct(const struct graph *g, uint32_t subject); /* the sum of minima, of maxima */

/* Grassmann-Taksar-Heyman elimination of one component: a step is the share of a member (row) that another (column) holds,
 * leave[a] what of a leaves the component, both sums of what is not negative. No subtraction anywhere, so every result is right
 * in all its digits however near to closed the component is. */
/* The same of a dense matrix in doubles: step[a * n + b]. */
#define GRAPH_MAX_CORE 1500
struct core {
	size_t n;
	double *step, *leave, *pivot;
};

enum err core_init(struct core *x, struct graph_scratch *s, size_t n) MUST_CHECK; /* zeroed; ERR_PRECISION: too many */
void core_factor(struct core *x);
void core_visits(const struct core *x, double *vector);
void core_reach(const struct core *x, double *vector);
void core_reach_first(const struct core *x, double *ret_reach);

struct gth {
	uint32_t n, last, core_start; /* order[core_start..n) are the core */
	struct gth_pairs *pairs;
	struct graph_scratch *s;
	struct nums *pool; /* NULL: no fractions */
	struct arena *a;
	struct num *leave, *pivot;
	uint32_t *head, *rank, *order, *degree, *first, *after, *before, *near, *near_pair;
	struct core core;
	double *core_work;
};

/* One at a time per scratch. */
enum err gth_init(struct gth *x, struct graph_scratch *s, struct nums *pool, struct arena *a, size_t n) MUST_CHECK;
enum err gth_add(struct gth *x, uint32_t row, uint32_t column, const struct num *share) MUST_CHECK;
/* first_last: member 0 goes last, for the two below that are about it. ERR_PRECISION: too large and dense. */
enum err gth_factor(struct gth *x, bool first_last) MUST_CHECK;
/* in: what enters at each member; out: how often each is visited (a column of the inverse). */
void gth_visits(struct gth *x, struct num *vector);
/* in: each member's share that is held by what lies behind; out: the share that ever gets there (a row of the inverse). */
void gth_reach(struct gth *x, struct num *vector);
/* The same where the target is member 0 itself; in: zeros. */
void gth_reach_first(struct gth *x, struct num *vector);
void gth_escape(const struct gth *x, struct num *ret); /* 1 / member 0's own diagonal in the inverse */
enum err gth_diagonal(struct gth *x, struct num *ret) MUST_CHECK; /* all of it; in: zeros */

static inline size_t gth_steps(const struct gth *x) /* what it cost, about */
{
	size_t core = x->n - x->core_start;

	return 64 * (size_t)x->pairs->count + core * core * core / 8;
}

static inline bool gth_rough(const struct gth *x) /* some of it in doubles */
{
	return x->core_start < x->n;
}

/* The share that ever reaches the targets of every node below them: at the minima, or the greatest over all structures within
 * the ranges. */
struct reach {
	const struct graph *g;
	struct graph_scratch *s;
	const struct region *region;
	struct arena *a;
	enum bound bound;
	bool remainders; /* with BOUND_MAX: what is unexplained gets to the targets, too */
	struct nums *pool; /* NULL: no fractions */
	struct num *value; /* by local index; 0 where nothing gets to the targets */
	uint8_t *target;
	uint32_t *touched, *place;
	uint32_t touched_count;
	uint64_t *keys;
	size_t steps, budget;
	bool rough, loose; /* loose: values are bounds, less than 13 digits */
	/* the links that lead to something of a value, by their subject */
	struct reach_entry *entries;
	size_t entries_count, entries_capacity;
	uint32_t *head; /* by local index */
	struct reach_fill *fill;
	size_t fill_capacity;
};

enum err reach_init(struct reach *r, const struct graph *g, struct graph_scratch *s, const struct region *region, size_t budget,
		    struct arena *a) MUST_CHECK;
/* ERR_FULL: the budget is spent; with a pool: too large for fractions. Values hold until the next run. */
enum err reach_run(struct reach *r, const uint32_t *targets, uint32_t count) MUST_CHECK;
/* What of a node gets to the targets when it is left, its own value aside. */
enum err reach_return(struct reach *r, uint32_t local, struct num *ret) MUST_CHECK;

#define CLOSURE_NEAR 1e-26 /* 113 bits decide nothing nearer to a threshold than this */

struct closure_undo {
	uint32_t local;
	quad sum[2];
};

struct closure_mark {
	uint32_t members, touched;
	size_t undo;
};

/* A set of holders that grows by what it holds enough of, in a region. */
struct closure {
	struct arena *a;
	const struct graph *g;
	const struct graph_scratch *s;
	const struct region *region;
	enum bound bound;
	struct graph_ratio threshold;
	quad limit; /* the same, rounded */
	bool inclusive;
	bool remainders; /* at the maxima all that is unexplained is the set's */
	uint8_t *member; /* by local index */
	quad *sum[2]; /* by bound: what members hold of it */
	uint32_t *touched, *queue;
	uint32_t touched_count, queue_count;
	size_t steps;
	bool growing;
	struct closure_undo *undo;
	size_t undo_count, undo_capacity;
};

enum err closure_init(struct closure *c, const struct graph *g, const struct graph_scratch *s, const struct region *region,
		      struct graph_ratio threshold, bool inclusive, struct arena *a) MUST_CHECK;
/* Afterwards queue[0..queue_count) are the members, seeds first. */
enum err closure_run(struct closure *c, enum bound bound, const uint32_t *seeds, uint32_t count) MUST_CHECK;
/* Or step by step: an empty set, one more holder with all that this brings in, and back to what it was. */
void closure_begin(struct closure *c, enum bound bound);
enum err closure_add(struct closure *c, uint32_t local) MUST_CHECK;
struct closure_mark closure_mark(const struct closure *c);
void closure_shrink(struct closure *c, struct closure_mark to);
quad closure_figure(const struct closure *c, uint32_t local);
int64_t closure_pct(const struct closure *c, uint32_t local); /* the same, as printed */
void closure_exact(const struct closure *c, uint32_t local, mpq_t ret);
int closure_compare(const struct closure *c, uint32_t local, struct graph_ratio threshold); /* exactly: <0, 0, >0 */

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
	size_t items_capacity;
	size_t redone; /* how much was done in fractions */
};

enum err task_add(struct task *t, uint32_t node, quad min, quad max, struct graph_pct pct, bool certain) MUST_CHECK;
/* Rounds what a method found. Where that is a tie but for the last of 113 bits, `redo` computes it in fractions: of one end, of the
 * node of that local index; ERR_FULL: too much for that. NULL: nothing is redone. */
enum err task_round(struct task *t, quad min, quad max, uint32_t local,
		    enum err (*redo)(struct task *t, enum bound bound, uint32_t local, mpq_ptr ret),
		    struct graph_pct *ret) MUST_CHECK;
/* A node's figure, rounded and added; one of nothing is none. max is at least min afterwards. */
enum err task_figure(struct task *t, uint32_t local, quad min, quad max,
		     enum err (*redo)(struct task *, enum bound, uint32_t, mpq_ptr)) MUST_CHECK;
enum err integrated_owners(struct task *t) MUST_CHECK;
enum err bracket_owners(struct task *t) MUST_CHECK; /* the same, where a component is too large and dense to solve */
enum err integrated_holdings(struct task *t) MUST_CHECK;
enum err simple_figures(struct task *t) MUST_CHECK; /* simple_paths and weakest_link */
enum err control_owners(struct task *t) MUST_CHECK;
enum err control_holdings(struct task *t) MUST_CHECK;
enum err control_closure(struct task *t, struct closure *ret) MUST_CHECK; /* at the question's threshold */
enum err control_add(struct task *t, uint32_t local, quad min, quad max, struct graph_pct pct, bool certain) MUST_CHECK;
enum err cascade_of_parties(struct task *t) MUST_CHECK;
enum err attribution_figures(struct task *t) MUST_CHECK;
/* A set of holders, by local index: who is of it for certain, and with those that count as unexplained. remainders: at the maxima
 * all that is unexplained is the set's. */
struct group_set {
	uint8_t *low, *high;
	bool remainders;
};

/* What the set has of the task's start, by bound. ERR_FULL: over the budget; with a pool: too much for fractions. */
enum err simple_group(struct task *t, const struct group_set *set, struct nums *pool, struct num ret[2]) MUST_CHECK;
enum err attribution_group(struct task *t, const struct group_set *set, struct nums *pool, struct num ret[2]) MUST_CHECK;

bool ratio_valid(struct graph_ratio r); /* a fraction as users give it */
bool question_valid(const struct graph *g, const struct graph_question *q);
enum err task_check_rings(struct task *t) MUST_CHECK; /* any closed ring in the region: as task_ring() */
enum err task_ring(struct task *t, const uint32_t *members, size_t count) MUST_CHECK; /* ERR_CONFLICT, or ERR_NOMEM */

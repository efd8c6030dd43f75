/* Who owns how much of a subject, and what a holder owns, by seven methods that disagree on purpose.
 *
 * A = [a_ij] is the share of j that i holds directly, V = (I - A)^-1.
 *   direct        a_ij
 *   integrated    corrected: v_ij / v_ii for i != j, and 1 - 1 / v_jj for the subject itself (listed where it is not 0): the share
 *                 that ever reaches i when climbing from j; raw: V - I
 *   simple_paths  i != j: sum over the paths that repeat no node of the product of their shares
 *   weakest_link  i != j: per such path its least share, summed, at most 1
 *   control       least fixpoint: x controls z where the shares of z held by x and all that x controls exceed the threshold
 *   cascade       the same of a *set*, in aggregate, at least 1/2
 *   attribution   holders of at least 1/2 (a cascade) count as one with what they hold, each holding once; tier promote_lower
 *                 never promotes the first link, single_entity does
 *
 * Figures are shares of 1 with a minimum and a maximum (equal where everything is known). The minimum is the value at all minima,
 * the maximum the greatest over all structures within the ranges, each figure by itself. They are computed with 113 bits and
 * without subtraction near a closed ring, and given as doubles and as answers print them, rounded once from the exact value: a
 * figure so near to the border of two last digits that 113 bits may not say which is redone in fractions (within bounds: beyond
 * some hundred links it is taken for the tie that it all but is). Every comparison with a threshold is exact. */
#pragma once

#include "lodebase/graph/graph.h"

enum graph_method {
	GRAPH_DIRECT,
	GRAPH_INTEGRATED,
	GRAPH_SIMPLE_PATHS,
	GRAPH_WEAKEST_LINK,
	GRAPH_CONTROL,
	GRAPH_CASCADE,
	GRAPH_ATTRIBUTION,
};

struct graph_question {
	enum graph_method method;
	bool raw; /* integrated */
	bool single_entity; /* attribution; else promote_lower */
	struct graph_ratio threshold; /* control; a cascade is at 1/2 always */
	bool inclusive; /* control: at least, not more than */
	const uint32_t *parties; /* cascade, owners: the designated set; else each holder alone */
	size_t parties_count;
	size_t budget; /* steps (links looked at) before the question is given up; 0: no bound */
};

struct graph_figure {
	uint32_t node;
	bool certain; /* control, cascade: also at the minima; other methods: true */
	double min, max;
	double direct_min, direct_max; /* what the holder has of the subject itself, as recorded */
	struct graph_pct pct, direct_pct;
	double min_rest, max_rest; /* what min and max lack, for graph_sum_figure() */
};

struct graph_figures {
	struct graph_figure *items; /* in no order to rely on, but the same for the same graph */
	size_t count;
	/* Of owners. integrated: what no stake explains anywhere above; else the subject's own remainder. 1 where nobody holds it. */
	double unexplained_min, unexplained_max;
	/* Of a cascade of parties: what its closed set holds of the subject. */
	double total_min, total_max;
	struct graph_pct unexplained_pct, total_pct;
	/* Some figures of `integrated` are but bounds: the budget did not suffice to find the greatest structure of each, or a component
	 * was too large and dense to solve (then owners that are members of it have ranges although nothing is unknown). */
	bool coarse;
	/* integrated: a component was too large and dense for 113 bits; figures are right to about 13 digits. */
	bool rough;
	const uint32_t *ring; /* with ERR_CONFLICT */
	size_t ring_count;
};

/* Everything that is returned lives in the arena. Errors:
 *   ERR_CONFLICT  integrated: a closed ring anywhere above the subject (holdings: with the holder in it); its members in *ret
 *   ERR_FULL      the budget is spent: too complex. integrated never gives this
 *   ERR_RANGE     raw: the greatest value is unbounded within the ranges
 *   ERR_INVALID   no such node, or a threshold that is no fraction
 *   ERR_NOMEM */
enum err graph_owners(const struct graph *g, struct graph_scratch *s, uint32_t subject, const struct graph_question *q,
		      struct arena *a, struct graph_figures *ret) MUST_CHECK;
enum err graph_holdings(const struct graph *g, struct graph_scratch *s, uint32_t holder, const struct graph_question *q,
			struct arena *a, struct graph_figures *ret) MUST_CHECK;

/* A simple path from a holder down to a subject: its links in that order. min and max are the products of its shares (divided
 * in overfull subjects). */
struct graph_path {
	const uint32_t *links;
	size_t count;
	double min, max;
	struct graph_pct pct;
	double min_rest, max_rest; /* what min and max lack, for graph_sum_path() */
};

struct graph_paths {
	struct graph_path *items; /* greatest maximum first, to twelve digits */
	size_t count;
	bool truncated; /* there are more than these */
	bool looped; /* a ring lies between the two, or contains one of them: `integrated` may have more than all simple paths */
};

/* The `limit` greatest simple paths of at least one link. ERR_FULL: the budget is spent. */
enum err graph_paths(const struct graph *g, struct graph_scratch *s, uint32_t holder, uint32_t subject, size_t limit,
		     size_t budget, struct arena *a, struct graph_paths *ret) MUST_CHECK;

/* The paths between one node, the end, and others, one after the other, for little more than what each path costs. The finder lives
 * in the arena and has the scratch for as long as it is used. */
struct graph_finder;
/* The end is the subject, or the holder, of all paths. `rank` (by node; NULL: the node's number) says which of equal paths go first
 * where that does not follow from their numbers of links. `budget`: of all steps, this call's included; 0: no bound. ERR_FULL: it
 * is spent already. */
enum err graph_finder_new(const struct graph *g, struct graph_scratch *s, uint32_t end, bool is_holder, const uint64_t *rank,
			  size_t budget, struct arena *a, struct graph_finder **ret) MUST_CHECK;
/* The `limit` greatest simple paths from or to a node; none from the end to itself. ERR_FULL: `budget` (0: the finder's), or that of
 * the finder, is spent; *ret then has those that were found, which are the greatest, and is truncated. */
enum err graph_finder_paths(struct graph_finder *f, uint32_t node, size_t limit, size_t budget,
			    struct graph_paths *ret) MUST_CHECK;
size_t graph_finder_steps(const struct graph_finder *f);

/* Sums of figures that are rounded once: zeroed, added to, printed. (Sums of minima, and of maxima, whether or not these go together;
 * a sum at the border of two last digits to 26 digits is taken for a tie.) */
struct graph_sum {
	double min, min_rest, max, max_rest;
};
void graph_sum_figure(struct graph_sum *s, const struct graph_figure *f);
void graph_sum_path(struct graph_sum *s, const struct graph_path *p);
struct graph_pct graph_sum_pct(const struct graph_sum *s);

/* What a set of holders (q->parties) has of a subject together, by any method; for thresholds. Nothing counts twice: of integrated
 * it is the share that ever reaches the set when climbing, of the path methods the sum over paths that end at the first party they
 * meet, of attribution what the set as one holder is given, of direct the sum, of control and cascade what the closed set holds.
 * At most 1, but for what an overfull subject records. A subject that is itself of the set: 1. */
struct graph_group_question {
	const struct graph_question *question; /* self_loops raw does not apply */
	/* The maximum gives the set every unexplained remainder at and above the subject (what nobody is recorded to hold has none), */
	bool remainders;
	const uint8_t *unexplained; /* and these: by node, not 0; NULL: none */
	struct graph_ratio threshold; /* that the answer compares with */
};

struct graph_group {
	double min, max;
	struct graph_pct pct;
	int min_order, max_order; /* <0, 0, >0: less than, equal to, greater than the threshold */
	/* The orders are exact. Else the figures are within 10^-9 of it and too much to redo in fractions: nothing follows. */
	bool exact;
	bool coarse; /* max is but an upper bound; where exact is false, min but a lower one */
	const uint32_t *ring; /* with ERR_CONFLICT */
	size_t ring_count;
};

/* Errors as of graph_owners(). */
enum err graph_group_share(const struct graph *g, struct graph_scratch *s, uint32_t subject,
			   const struct graph_group_question *q, struct arena *a, struct graph_group *ret) MUST_CHECK;

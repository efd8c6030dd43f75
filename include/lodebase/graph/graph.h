/* An ownership graph: who holds how much of whom, immutable once built. Nodes are dense indices that the caller chose, an edge
 * runs from holder to subject. Which stakes are in it (instant, stages, measure, contingent ones) is the caller's business: one
 * graph is the answer to one such filter. Shares are exact: fractions, or a range of two fractions.
 *
 * Stakes of one holder in one subject (parallel stakes) make one link; the stakes stay apart for who cites them. A link has two
 * ends of a range, which are equal where everything is known:
 *   min  the sum of the minima (0: unknown)
 *   max  min(sum of the maxima, 1 - sum of the minima of the subject's other holders)
 * A stake whose maximum is 0 is none. A subject whose minima sum to more than 1 is *overfull*: its links have max = min as
 * recorded, and methods that multiply divide them by that sum.
 *
 * Pure: no I/O, no globals, no threads; a graph may be read by many threads at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/arena.h"
#include "lodebase/base/err.h"

#define GRAPH_MAX_NODES (UINT32_MAX - 1)
#define GRAPH_MAX_STAKES (UINT32_MAX - 1)

/* A fraction between 0 and 1: 0 <= numerator <= denominator, 1 <= denominator <= 2^63 - 1. 12.5 % is {125, 1000}. The graph is
 * built faster where all stakes of a subject have one denominator (10^14 holds every percentage of 12 decimals).
 *
 * Within a graph a stake's share may be a fraction of larger numbers (a diluted one): its denominator is 0 then, and
 * graph/exact.h tells what it is. */
struct graph_ratio {
	uint64_t numerator;
	uint64_t denominator;
};

struct graph_stake {
	uint64_t id; /* the caller's own */
	struct graph_ratio min, max;
};

/* As answers print: units of 10^-12 per cent (100 % is 10^14), the exact value rounded half up. What is beyond (raw figures may be)
 * is INT64_MAX. */
#define GRAPH_PCT_WHOLE INT64_C(100000000000000)
struct graph_pct {
	int64_t min, max;
};

struct graph;
struct graph_builder;

/* A builder for `nodes` nodes and at most `max_stakes` stakes. NULL: no memory, or more than the limits above. */
struct graph_builder *graph_builder_new(uint32_t nodes, size_t max_stakes);
void graph_builder_free(struct graph_builder *b); /* NULL is fine */
/* One stake; min == max where the share is known, 0 and 1 where nothing is. ERR_RANGE: no such node; ERR_INVALID: no fraction,
 * or min > max; ERR_FULL: more than max_stakes; ERR_NOMEM. */
enum err graph_builder_stake(struct graph_builder *b, uint32_t holder, uint32_t subject, uint64_t id, struct graph_ratio min,
			     struct graph_ratio max) MUST_CHECK;
/* The graph; the builder is empty afterwards and may be freed. ERR_NOMEM. */
enum err graph_builder_finish(struct graph_builder *b, struct graph **ret) MUST_CHECK;
void graph_free(struct graph *g); /* NULL is fine */

uint32_t graph_nodes(const struct graph *g);
size_t graph_links(const struct graph *g);
size_t graph_bytes(const struct graph *g); /* what it takes in memory */

/* A link as recorded (an overfull subject's is not divided here). */
struct graph_link {
	uint32_t holder, subject;
	double min, max;
	struct graph_pct pct;
	const struct graph_stake *stakes;
	size_t stakes_count;
};

/* Links are numbered by subject, then holder. */
struct graph_link graph_link(const struct graph *g, uint32_t link);
struct graph_pct graph_stake_pct(const struct graph *g, const struct graph_stake *stake);
/* The numbers of the links into a subject: from *ret_first on, this many. */
uint32_t graph_links_of_subject(const struct graph *g, uint32_t subject, uint32_t *ret_first);
/* The numbers of the links of a holder. */
uint32_t graph_links_of_holder(const struct graph *g, uint32_t holder, const uint32_t **ret_links);

struct graph_column {
	bool held; /* anybody is recorded to hold it */
	bool overfull;
	bool fits; /* all maxima of its links together are at most 1 */
	double sum; /* of the minima */
	double unexplained_min,
		unexplained_max; /* max(0, 1 - sum of max), max(0, 1 - sum of min): exact values, rounded once */
	struct graph_pct sum_pct, unexplained_pct; /* sum_pct: of the minima, of the maxima */
};

struct graph_column graph_column(const struct graph *g, uint32_t subject); /* its exact sums are some work */
bool graph_held(const struct graph *g, uint32_t subject); /* graph_column().held alone */

/* What a question needs besides its arena: working memory in step with the graph's size, kept from question to question so that
 * none pays for the whole graph. One question at a time; each thread has its own. NULL: no memory. */
struct graph_scratch;
struct graph_scratch *graph_scratch_new(const struct graph *g);
void graph_scratch_free(struct graph_scratch *s); /* NULL is fine */

/* Strongly connected components of two or more nodes, and nodes that hold themselves. */
struct graph_cycle {
	const uint32_t *members;
	size_t count;
	bool closed; /* at the minima, each member is held by members to exactly 1: nobody outside owns any of it */
};

/* All of them, by what is recorded at all (the maxima). ERR_NOMEM: the arena is full. A cycle is `closed` also where only a part
 * of it is a closed ring at the minima. */
enum err graph_cycles(const struct graph *g, struct arena *a, struct graph_cycle **ret, size_t *ret_count) MUST_CHECK;

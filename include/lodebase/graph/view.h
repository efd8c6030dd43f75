/* The part of the register that a question is about, as a graph of its own: the stakes that are active at one (known, valid_at,
 * stages, contingent), above or below some nodes, with implied links of projects to their companies, and contingent instruments
 * exercised where that is asked. Its size is that part's, whatever the register's; nothing is kept between questions.
 *
 * A stake is active while valid_from <= valid_at < valid_to and its stage is wanted; a contingent one counts only when exercised.
 * A project with a company and no active, non-contingent direct stake gets a link of the whole from its company (implied).
 * Exercise: options first, by their ids, p of the existing capital moves from the counterparty, at most what it holds
 * (option-short), without one from the unexplained remainder, at most that (counterparty-unknown); then all dilutive instruments at
 * once: every share times 1 - sum of p, and each holder + p; where the sum (of the minima) exceeds 1: ERR_RANGE, over-exercised.
 * In ranges the minimum is diluted by the greatest sum. What a holder of parallel stakes gives is taken from each in proportion.
 * Shares stay exact throughout; they may outgrow a graph_ratio (graph/exact.h). A share of nothing is no stake. */
#pragma once

#include "lodebase/graph/ownership.h"
#include "lodebase/graph/store.h"

enum graph_measure { GRAPH_ECONOMIC, GRAPH_VOTING };

/* A stake of a what-if, its nodes by number. */
struct graph_overlay_stake {
	/* Its id and slug as they are to be shown, valid as long as the overlay; its shares as graph_store_stake() takes them. */
	struct graph_stake_info stake;
	bool exercised; /* counts although it is contingent */
};

/* What a what-if changes of the register. Nodes that it adds are numbered from moment.nodes on. */
struct graph_overlay {
	const struct graph_node *nodes; /* added */
	uint32_t n_nodes;
	const struct graph_overlay_stake *stakes; /* added, and changed ones as they are to be (with the old version removed) */
	uint32_t n_stakes;
	const uint32_t *removed; /* versions of stakes that do not count, ascending */
	uint32_t n_removed;
	const uint32_t *exercised; /* versions of contingent stakes that count (where active), ascending */
	uint32_t n_exercised;
};

struct graph_filter {
	int32_t valid_at;
	unsigned stages; /* bit per stage */
	enum graph_measure measure;
	bool exercised; /* every contingent stake counts as exercised */
	const struct graph_overlay *overlay; /* NULL: none */
};

enum graph_scope {
	GRAPH_COLUMNS, /* the roots (all different) and who holds of them directly */
	GRAPH_ABOVE, /* the roots and all that leads to them */
	GRAPH_BELOW, /* the roots, all that they lead to, and whoever else holds of that directly (whose own holders are left out) */
	GRAPH_ABOVE_AND_BELOW,
	GRAPH_WHOLE,
};

/* Where a stake of the view comes from; graph_stake.id is its place in view->stakes. */
struct graph_view_stake {
	uint32_t version; /* of the register; GRAPH_NONE: implied, or the overlay's */
	uint32_t overlay; /* place in the overlay's stakes; GRAPH_NONE: not of it */
	bool assumed; /* votes that are not recorded: they equal the economic share */
	bool implied;
	bool exercised;
};

enum graph_warning_code {
	GRAPH_WARNING_OVERFULL, /* minima of a subject sum to more than 1 */
	GRAPH_WARNING_OPTION_SHORT,
	GRAPH_WARNING_COUNTERPARTY_UNKNOWN,
	GRAPH_WARNING_UNKNOWN_SHARE, /* a stake counts of which no share is recorded */
};

struct graph_view_warning {
	enum graph_warning_code code;
	uint32_t subject; /* local */
	uint32_t first, count; /* places in view->warned: the stakes concerned, places in view->stakes */
};

struct graph_view {
	struct graph *graph;
	uint32_t *nodes; /* local number -> the register's (or the overlay's) */
	uint32_t count;
	uint32_t *roots; /* local numbers of the roots, in the order asked */
	struct graph_view_stake *stakes;
	size_t n_stakes;
	struct graph_view_warning *warnings;
	size_t n_warnings;
	uint32_t *warned;
	uint32_t over_exercised; /* with ERR_RANGE: the register's number of the subject */
};

/* max_links 0: no bound; else ERR_FULL where the part has more stakes, or the walk passes many more versions (ask again without,
 * elsewhere). GRAPH_WHOLE takes no roots, and has a node for all that is known then. ERR_INVALID: no such root; ERR_RANGE:
 * over-exercised; ERR_NOMEM. With OK and ERR_RANGE *ret is to be freed (with ERR_RANGE it has no graph), else it is NULL. */
enum err graph_view_new(const struct graph_at *at, const struct graph_filter *filter, enum graph_scope scope,
			const uint32_t *roots, size_t n_roots, size_t max_links, struct graph_view **ret) MUST_CHECK;
void graph_view_free(struct graph_view *v); /* NULL is fine */
uint32_t graph_view_local(const struct graph_view *v, uint32_t node); /* GRAPH_NONE: not in it */
/* A node of the register or the overlay. */
bool graph_view_node(const struct graph_at *at, const struct graph_filter *filter, uint32_t node, struct graph_node *ret);

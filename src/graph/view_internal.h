/* The making of a view: a walk through the register that numbers what it meets and collects stakes, whole columns at a time. */
#pragma once

#include <gmp.h>
#include "lodebase/graph/view.h"
#include "store_internal.h"

enum { MARK_COLUMN = 1, MARK_UP = 2, MARK_DOWN = 4 };

/* What counts of one stake; its place is that of view->stakes. */
struct piece {
	uint32_t holder, subject; /* local */
	struct graph_ratio min, max; /* denominator 0: in `big`, by the numerator */
};

/* An exercised stake of the column at hand. */
struct contingent {
	struct uuid id;
	uint32_t place;
	uint32_t counterparty; /* the register's number */
	bool dilutive;
};

/* A stake that counts in the column at hand: a version of the register, or one of the overlay. */
struct found {
	struct uuid id;
	uint32_t number;
	bool of_overlay;
};

/* A stake of the overlay under one of its ends. */
struct overlay_end {
	uint32_t node, place;
};

struct view_inside {
	struct graph_view view; /* first: what the caller has is this */
	uint32_t *slots; /* local + 1 by the register's number */
	size_t mask;
	size_t whole; /* of GRAPH_WHOLE: every number has a slot of its own, and there are this many */
};

struct walk {
	const struct graph_store *store;
	const struct graph_at *at;
	const struct graph_filter *filter;
	struct view_inside *inside;
	struct graph_view *view;
	size_t max_links, steps, max_steps;
	size_t nodes_capacity, stakes_capacity, warnings_capacity, warned_capacity, pieces_capacity, contingents_capacity,
		unknown_capacity, queue_capacity, found_capacity;
	size_t n_warned, n_contingents, n_unknown, n_queue, n_found;
	uint8_t *marks; /* by local number */
	size_t marks_capacity;
	uint32_t *queue; /* nodes to go on from */
	struct piece *pieces;
	struct contingent *contingents; /* of the column at hand */
	struct found *found;
	uint32_t *unknown; /* its stakes of which no share is known */
	__mpq_struct *big;
	size_t n_big, big_capacity;
	struct overlay_end *by_subject, *by_holder; /* the overlay's stakes */
};

/* Whether the walk may go on. */
static inline enum err walk_enough(const struct walk *w)
{
	if (w->max_links > 0 && (w->view->n_stakes > w->max_links || w->steps > w->max_steps))
		return ERR_FULL;
	return OK;
}

enum err walk_grow(void **array, size_t *capacity, size_t need, size_t size) MUST_CHECK;
enum err walk_local(struct walk *w, uint32_t node, uint32_t *ret) MUST_CHECK;
/* To be gone on from, once for each mark. */
enum err walk_queue(struct walk *w, uint32_t local, uint8_t mark) MUST_CHECK;
enum err walk_warn(struct walk *w, enum graph_warning_code code, uint32_t subject, const uint32_t *stakes, size_t n) MUST_CHECK;
/* All stakes that count in a subject, exercised where they are to be. ERR_RANGE: over-exercised. */
enum err walk_column(struct walk *w, uint32_t local) MUST_CHECK;
/* Whether any stake in it counts; directly: one that is not contingent, so that no link from a company is implied. */
bool walk_is_held(struct walk *w, uint32_t node, bool directly);
/* From a holder to what it holds, and to projects that are its own: those are queued. */
enum err walk_down(struct walk *w, uint32_t local) MUST_CHECK;
/* The column's pieces from `first` on become what they are after exercise. */
enum err exercise_column(struct walk *w, uint32_t local, size_t first) MUST_CHECK;

/* The overlay's stakes at a node: from *ret_first on, this many. */
size_t overlay_at(const struct walk *w, const struct overlay_end *ends, uint32_t node, size_t *ret_first);

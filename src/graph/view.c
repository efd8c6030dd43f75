#include "lodebase/graph/view.h"

#include <stdlib.h>
#include "internal.h"
#include "lodebase/graph/exact.h"
#include "view_internal.h"

#define STEPS_PER_LINK 16 /* versions passed for each stake that counts, before the walk is given up */

enum err walk_grow(void **array, size_t *capacity, size_t need, size_t size)
{
	size_t wanted = *capacity ? *capacity : 32;
	void *grown;

	if (need <= *capacity)
		return OK;
	while (wanted < need)
		wanted *= 2;
	grown = realloc(*array, wanted * size);
	if (!grown)
		return ERR_NOMEM;
	*array = grown;
	*capacity = wanted;
	return OK;
}

static size_t slot_of(const struct view_inside *v, uint32_t node)
{
	size_t i = (node * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & v->mask;

	if (v->whole)
		return node;
	while (v->slots[i] != 0 && v->view.nodes[v->slots[i] - 1] != node)
		i = (i + 1) & v->mask;
	return i;
}

static enum err slots_grow(struct view_inside *v)
{
	size_t count = v->slots ? 2 * (v->mask + 1) : 64;
	uint32_t *grown = calloc(count, sizeof(*grown));

	if (!grown)
		return ERR_NOMEM;
	free(v->slots);
	v->slots = grown;
	v->mask = count - 1;
	for (uint32_t i = 0; i < v->view.count; i++)
		grown[slot_of(v, v->view.nodes[i])] = i + 1;
	return OK;
}

enum err walk_local(struct walk *w, uint32_t node, uint32_t *ret)
{
	struct graph_view *view = w->view;
	size_t slot;
	enum err e = OK;

	if (!w->inside->whole && (!w->inside->slots || view->count >= (w->inside->mask + 1) / 2))
		e = slots_grow(w->inside);
	if (e != OK)
		return e;
	slot = slot_of(w->inside, node);
	if (w->inside->slots[slot] == 0) {
		e = walk_grow((void **)&view->nodes, &w->nodes_capacity, (size_t)view->count + 1, sizeof(*view->nodes));
		if (e == OK)
			e = walk_grow((void **)&w->marks, &w->marks_capacity, (size_t)view->count + 1, 1);
		if (e != OK)
			return e;
		view->nodes[view->count] = node;
		w->marks[view->count] = 0;
		w->inside->slots[slot] = ++view->count;
		w->steps++;
	}
	*ret = w->inside->slots[slot] - 1;
	return OK;
}

enum err walk_warn(struct walk *w, enum graph_warning_code code, uint32_t subject, const uint32_t *stakes, size_t n)
{
	struct graph_view *view = w->view;
	enum err e = walk_grow((void **)&view->warnings, &w->warnings_capacity, view->n_warnings + 1, sizeof(*view->warnings));

	if (e == OK)
		e = walk_grow((void **)&view->warned, &w->warned_capacity, w->n_warned + n, sizeof(*view->warned));
	if (e != OK)
		return e;
	view->warnings[view->n_warnings++] = (struct graph_view_warning){ code, subject, (uint32_t)w->n_warned, (uint32_t)n };
	for (size_t i = 0; i < n; i++)
		view->warned[w->n_warned++] = stakes[i];
	return OK;
}

static int compare_ends(const void *left, const void *right)
{
	const struct overlay_end *l = left, *r = right;

	if (l->node != r->node)
		return l->node < r->node ? -1 : 1;
	return l->place < r->place ? -1 : l->place > r->place;
}

static enum err sort_overlay(struct walk *w)
{
	const struct graph_overlay *o = w->filter->overlay;

	if (!o || o->n_stakes == 0)
		return OK;
	w->by_subject = calloc(o->n_stakes, sizeof(*w->by_subject));
	w->by_holder = calloc(o->n_stakes, sizeof(*w->by_holder));
	if (!w->by_subject || !w->by_holder)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < o->n_stakes; i++) {
		w->by_subject[i] = (struct overlay_end){ o->stakes[i].stake.subject, i };
		w->by_holder[i] = (struct overlay_end){ o->stakes[i].stake.holder, i };
	}
	qsort(w->by_subject, o->n_stakes, sizeof(*w->by_subject), compare_ends);
	qsort(w->by_holder, o->n_stakes, sizeof(*w->by_holder), compare_ends);
	return OK;
}

size_t overlay_at(const struct walk *w, const struct overlay_end *ends, uint32_t node, size_t *ret_first)
{
	size_t low = 0, high = ends ? w->filter->overlay->n_stakes : 0, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ends[middle].node < node)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; ends && end < w->filter->overlay->n_stakes && ends[end].node == node; end++)
		;
	*ret_first = low;
	return end - low;
}

static uint32_t overlay_nodes(const struct walk *w)
{
	return w->filter->overlay ? w->filter->overlay->n_nodes : 0;
}

static enum err add_roots(struct walk *w, const uint32_t *roots, size_t n)
{
	enum err e = OK;

	w->view->roots = calloc(n ? n : 1, sizeof(*w->view->roots));
	if (!w->view->roots)
		return ERR_NOMEM;
	for (size_t i = 0; e == OK && i < n; i++) {
		if (roots[i] >= (uint64_t)w->at->moment.nodes + overlay_nodes(w))
			return ERR_INVALID;
		e = walk_local(w, roots[i], &w->view->roots[i]);
	}
	return e;
}

enum err walk_queue(struct walk *w, uint32_t local, uint8_t mark)
{
	enum err e;

	if (!w->marks || w->marks[local] & mark)
		return OK;
	e = walk_grow((void **)&w->queue, &w->queue_capacity, w->n_queue + 1, sizeof(*w->queue));
	if (e != OK)
		return e;
	w->marks[local] |= mark;
	w->queue[w->n_queue++] = local;
	return OK;
}

static enum err queue_roots(struct walk *w, size_t n_roots, uint8_t mark)
{
	enum err e = OK;

	w->n_queue = 0;
	for (size_t i = 0; e == OK && i < n_roots; i++)
		e = walk_queue(w, w->view->roots[i], mark);
	return e;
}

/* The roots, and whatever is above: holders come to be nodes as the columns are collected. */
static enum err climb(struct walk *w, size_t n_roots)
{
	enum err e = queue_roots(w, n_roots, MARK_UP);

	for (size_t done = 0; e == OK && done < w->n_queue; done++) {
		size_t first = w->view->n_stakes;

		e = walk_column(w, w->queue[done]);
		for (size_t i = first; e == OK && i < w->view->n_stakes; i++)
			e = walk_queue(w, w->pieces[i].holder, MARK_UP);
	}
	return e;
}

/* What is below the roots, then the columns of all that. */
static enum err descend(struct walk *w, size_t n_roots)
{
	uint32_t count;
	enum err e = queue_roots(w, n_roots, MARK_DOWN);

	for (size_t done = 0; e == OK && done < w->n_queue; done++)
		e = walk_down(w, w->queue[done]);
	count = w->view->count;
	for (uint32_t i = 0; e == OK && i < count; i++) {
		if (w->marks[i] & MARK_DOWN)
			e = walk_column(w, i);
	}
	return e;
}

/* Everything known then. A subject that is not, though a stake in it is, there is nowhere but in a register half read. */
static enum err cover(struct walk *w)
{
	size_t most = (size_t)w->at->moment.nodes + overlay_nodes(w);
	uint32_t local;
	enum err e = OK;

	if (w->max_links > 0 && most > w->max_steps)
		return ERR_FULL;
	w->inside->whole = most;
	w->inside->slots = calloc(most + 1, sizeof(*w->inside->slots));
	if (!w->inside->slots)
		return ERR_NOMEM;
	for (uint32_t node = 0; e == OK && node < w->at->moment.nodes; node++) {
		if (known_version_of_node(w->at, node) != NONE || walk_is_held(w, node, false))
			e = walk_local(w, node, &local);
	}
	for (uint32_t i = 0; e == OK && i < overlay_nodes(w); i++)
		e = walk_local(w, w->at->moment.nodes + i, &local);
	for (uint32_t i = 0; e == OK && i < w->view->count; i++)
		e = walk_column(w, i);
	return e;
}

static enum err build(struct walk *w)
{
	struct graph_view *view = w->view;
	struct graph_builder *b = graph_builder_new(view->count, view->n_stakes);
	enum err e = b ? OK : ERR_NOMEM;

	for (size_t i = 0; e == OK && i < view->n_stakes; i++) {
		const struct piece *p = &w->pieces[i];

		if (p->min.denominator == 0)
			e = graph_builder_stake_exact(b, p->holder, p->subject, i, &w->big[p->min.numerator],
						      &w->big[p->max.numerator]);
		else
			e = graph_builder_stake(b, p->holder, p->subject, i, p->min, p->max);
	}
	if (e == OK)
		e = graph_builder_finish(b, &view->graph);
	graph_builder_free(b);
	return e;
}

/* All stakes of each subject whose minima exceed the whole. */
static enum err warn_overfull(struct walk *w)
{
	enum err e = OK;

	for (uint32_t subject = 0; e == OK && subject < w->view->count; subject++) {
		uint32_t first, count;

		if (!(w->view->graph->flags[subject] & COLUMN_OVERFULL)) /* graph_column() says more, for more */
			continue;
		count = graph_links_of_subject(w->view->graph, subject, &first);
		e = walk_warn(w, GRAPH_WARNING_OVERFULL, subject, NULL, 0);
		for (uint32_t l = first; e == OK && l < first + count; l++) {
			struct graph_link link = graph_link(w->view->graph, l);

			e = walk_grow((void **)&w->view->warned, &w->warned_capacity, w->n_warned + link.stakes_count,
				      sizeof(*w->view->warned));
			for (size_t i = 0; e == OK && i < link.stakes_count; i++)
				w->view->warned[w->n_warned++] = (uint32_t)link.stakes[i].id;
		}
		if (e == OK) {
			struct graph_view_warning *warning = &w->view->warnings[w->view->n_warnings - 1];

			warning->count = (uint32_t)w->n_warned - warning->first;
		}
	}
	return e;
}

static void walk_done(struct walk *w)
{
	free(w->marks);
	free(w->queue);
	free(w->pieces);
	free(w->contingents);
	free(w->found);
	free(w->unknown);
	for (size_t i = 0; i < w->n_big; i++)
		mpq_clear(&w->big[i]);
	free(w->big);
	free(w->by_subject);
	free(w->by_holder);
}

static enum err collect(struct walk *w, enum graph_scope scope, const uint32_t *roots, size_t n_roots)
{
	enum err e = sort_overlay(w);

	if (e == OK)
		e = add_roots(w, roots, scope == GRAPH_WHOLE ? 0 : n_roots);
	if (e == OK && scope == GRAPH_WHOLE)
		return cover(w);
	for (uint32_t i = 0; e == OK && scope == GRAPH_COLUMNS && i < n_roots; i++)
		e = walk_column(w, w->view->roots[i]);
	if (scope == GRAPH_COLUMNS)
		return e;
	if (e == OK && scope != GRAPH_BELOW)
		e = climb(w, n_roots);
	if (e == OK && scope != GRAPH_ABOVE)
		e = descend(w, n_roots);
	return e;
}

enum err graph_view_new(const struct graph_at *at, const struct graph_filter *filter, enum graph_scope scope,
			const uint32_t *roots, size_t n_roots, size_t max_links, struct graph_view **ret)
{
	struct walk w = {
		.store = at->moment.store,
		.at = at,
		.filter = filter,
		.max_links = max_links,
		.max_steps = STEPS_PER_LINK * (max_links + n_roots + 64),
	};
	enum err e;

	*ret = NULL;
	w.inside = calloc(1, sizeof(*w.inside));
	if (!w.inside)
		return ERR_NOMEM;
	w.view = &w.inside->view;
	w.view->over_exercised = NONE;
	e = collect(&w, scope, roots, n_roots);
	if (e == OK)
		e = build(&w);
	if (e == OK)
		e = warn_overfull(&w);
	walk_done(&w);
	if (e == OK || e == ERR_RANGE)
		*ret = w.view;
	else
		graph_view_free(w.view);
	return e;
}

void graph_view_free(struct graph_view *v)
{
	struct view_inside *inside = (struct view_inside *)v;

	if (!v)
		return;
	graph_free(v->graph);
	free(v->nodes);
	free(v->roots);
	free(v->stakes);
	free(v->warnings);
	free(v->warned);
	free(inside->slots);
	free(inside);
}

uint32_t graph_view_local(const struct graph_view *v, uint32_t node)
{
	const struct view_inside *inside = (const struct view_inside *)v;

	if (!inside->slots || (inside->whole && node >= inside->whole))
		return NONE;
	return inside->slots[slot_of(inside, node)] - 1;
}

bool graph_view_node(const struct graph_at *at, const struct graph_filter *filter, uint32_t node, struct graph_node *ret)
{
	const struct graph_overlay *o = filter->overlay;

	if (node < at->moment.nodes || !o || node - at->moment.nodes >= o->n_nodes)
		return graph_node_at(at, node, ret);
	*ret = o->nodes[node - at->moment.nodes];
	return true;
}

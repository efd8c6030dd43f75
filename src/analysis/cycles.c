/* Rings of the whole register: who holds himself, be it through others. */
#include "ownership.h"

#include <stdlib.h>
#include <string.h>

struct ring {
	struct graph_node *members; /* by slug */
	size_t count;
	bool closed;
};

/* Members are all different, so the first ones are. */
static int by_first(const void *left, const void *right)
{
	const struct ring *l = left, *r = right;

	return node_order(&l->members[0], &r->members[0]);
}

static enum err name_members(const struct inquiry *i, const struct graph_view *v, const struct graph_cycle *cycle,
			     uint8_t *about, struct ring *ret)
{
	*ret = (struct ring){ .count = cycle->count, .closed = cycle->closed };
	ret->members = arena_alloc(i->arena, cycle->count * sizeof(*ret->members));
	if (!ret->members)
		return ERR_NOMEM;
	for (size_t k = 0; k < cycle->count; k++) {
		about[cycle->members[k]] = 1;
		inquiry_node(i, v->nodes[cycle->members[k]], &ret->members[k]);
	}
	qsort(ret->members, ret->count, sizeof(*ret->members), compare_node_order);
	return OK;
}

static void write_ring(struct json_writer *w, const struct ring *ring)
{
	json_object_begin(w);
	json_key(w, "members");
	json_array_begin(w);
	for (size_t k = 0; k < ring->count; k++)
		write_node(w, &ring->members[k]);
	json_array_end(w);
	json_member_bool(w, "closed", ring->closed);
	json_object_end(w);
}

static enum err answer_view(const struct inquiry *i, const struct ownership_query *q, const struct graph_view *v,
			    struct answer *a)
{
	struct graph_cycle *cycles = NULL;
	struct ring *rings;
	size_t n = 0;
	uint8_t *about = arena_alloc(i->arena, (size_t)v->count + 1);
	struct json_writer w;
	enum err e = about ? graph_cycles(v->graph, i->arena, &cycles, &n) : ERR_NOMEM;

	if (e != OK)
		return e;
	rings = arena_alloc(i->arena, (n + 1) * sizeof(*rings));
	if (!rings)
		return ERR_NOMEM;
	for (size_t k = 0; e == OK && k < n; k++)
		e = name_members(i, v, &cycles[k], about, &rings[k]);
	if (e != OK)
		return e;
	qsort(rings, n, sizeof(*rings), by_first);
	json_begin(&w, &a->body);
	json_object_begin(&w);
	write_echo_of_part(&w, i, q, ASK_CYCLES, GRAPH_NONE, v, about);
	json_key(&w, "items");
	json_array_begin(&w);
	for (size_t k = 0; k < n; k++)
		write_ring(&w, &rings[k]);
	json_array_end(&w);
	json_object_end(&w);
	buf_putc(&a->body, '\n');
	return OK;
}

enum err cycles_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a)
{
	const struct graph_filter filter = ownership_filter(i, q);
	struct graph_view *view = NULL;
	bool answered = false;
	enum err e = inquiry_view(i, &filter, GRAPH_WHOLE, NULL, 0, a, &view, &answered);

	if (e != OK || answered)
		return e;
	e = answer_view(i, q, view, a);
	graph_view_free(view);
	return e;
}

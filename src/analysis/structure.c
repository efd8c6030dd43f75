/* The structure around one node: a walk breadth first, then the links among what it met. */
#include "structure.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/uuid.h"

#define UNSEEN UINT32_MAX

struct survey {
	struct structure s;
	struct arena *arena;
	uint32_t *depth; /* by local number */
	uint32_t *place; /* likewise: among the nodes that are given */
	uint32_t *queue;
	uint64_t *keys; /* depth and local number of each node met */
};

/* Depths of what lies in one direction, where they are less than those found before. */
static void walk(struct survey *x, uint32_t root, bool up, uint32_t *depth)
{
	const struct graph *g = x->s.view->graph;
	size_t count = 1;

	x->queue[0] = root;
	depth[root] = 0;
	for (size_t done = 0; done < count; done++) {
		uint32_t node = x->queue[done], first = 0, n;
		const uint32_t *links = NULL;

		if (x->s.q->depth && depth[node] == x->s.q->depth)
			break; /* so have all that follow */
		n = up ? graph_links_of_subject(g, node, &first) : graph_links_of_holder(g, node, &links);
		for (uint32_t k = 0; k < n; k++) {
			struct graph_link l = graph_link(g, up ? first + k : links[k]);
			uint32_t next = up ? l.holder : l.subject;

			if (depth[next] != UNSEEN)
				continue;
			depth[next] = depth[node] + 1;
			x->queue[count++] = next;
		}
	}
}

static int compare_keys(const void *left, const void *right)
{
	uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;

	return l < r ? -1 : l > r;
}

static enum err measure_depths(struct survey *x)
{
	uint32_t count = x->s.view->count, root = x->s.view->roots[0];
	uint32_t *below = arena_alloc(x->arena, (size_t)count * sizeof(*below));

	x->depth = arena_alloc(x->arena, (size_t)count * sizeof(*x->depth));
	x->queue = arena_alloc(x->arena, (size_t)count * sizeof(*x->queue));
	x->keys = arena_alloc(x->arena, (size_t)count * sizeof(*x->keys));
	if (!below || !x->depth || !x->queue || !x->keys)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < count; n++)
		x->depth[n] = below[n] = UNSEEN;
	if (x->s.q->direction != GO_DOWN)
		walk(x, root, true, x->depth);
	if (x->s.q->direction != GO_UP)
		walk(x, root, false, below);
	for (uint32_t n = 0; n < count; n++) {
		if (below[n] < x->depth[n])
			x->depth[n] = below[n];
		if (x->depth[n] != UNSEEN)
			x->keys[x->s.nodes_total++] = (uint64_t)x->depth[n] << 32 | n;
	}
	qsort(x->keys, x->s.nodes_total, sizeof(*x->keys), compare_keys);
	return OK;
}

static int nearest_first(const void *left, const void *right)
{
	const struct structure_node *l = left, *r = right;

	if (l->depth != r->depth)
		return l->depth < r->depth ? -1 : 1;
	return node_order(&l->node, &r->node);
}

static const char *name_of(const struct inquiry *i, const struct graph_node *n)
{
	char id[UUID_TEXT_SIZE];

	if (!n->slug) {
		uuid_to_text(&n->id, id);
		return arena_strdup(i->arena, id);
	}
	if (n->resource == GRAPH_PROJECTS && inquiry_find(i, GRAPH_SHAREHOLDERS, n->slug) != GRAPH_NONE)
		return arena_printf(i->arena, "projects/%s", n->slug);
	return n->slug;
}

/* The nearest nodes, and where a distance does not fit whole, the first of it by slug. */
static enum err lay_nodes(struct survey *x)
{
	struct structure *s = &x->s;
	size_t named = s->nodes_total;

	if (named > STRUCTURE_NODES_MAX) {
		uint64_t last = x->keys[STRUCTURE_NODES_MAX - 1] >> 32;

		for (named = STRUCTURE_NODES_MAX; named < s->nodes_total && x->keys[named] >> 32 == last;)
			named++;
	}
	s->nodes = arena_alloc(x->arena, named * sizeof(*s->nodes));
	x->place = arena_alloc(x->arena, (size_t)s->view->count * sizeof(*x->place));
	s->about = arena_alloc(x->arena, s->view->count);
	if (!s->nodes || !x->place || !s->about)
		return ERR_NOMEM;
	for (size_t k = 0; k < named; k++) {
		struct structure_node *n = &s->nodes[k];

		n->local = (uint32_t)x->keys[k];
		n->depth = (uint32_t)(x->keys[k] >> 32);
		inquiry_node(s->i, s->view->nodes[n->local], &n->node);
	}
	qsort(s->nodes, named, sizeof(*s->nodes), nearest_first);
	s->n_nodes = named < STRUCTURE_NODES_MAX ? named : STRUCTURE_NODES_MAX;
	for (uint32_t n = 0; n < s->view->count; n++)
		x->place[n] = UNSEEN;
	for (uint32_t k = 0; k < s->n_nodes; k++) {
		s->nodes[k].name = name_of(s->i, &s->nodes[k].node);
		x->place[s->nodes[k].local] = k;
		s->about[s->nodes[k].local] = 1;
	}
	return OK;
}

static int by_ends(const void *left, const void *right)
{
	const struct structure_edge *l = left, *r = right;

	if (l->subject != r->subject)
		return l->subject < r->subject ? -1 : 1;
	return l->holder < r->holder ? -1 : l->holder > r->holder;
}

/* All links that have both ends among the nodes. */
static enum err lay_edges(struct survey *x)
{
	struct structure *s = &x->s;
	const struct graph *g = s->view->graph;
	size_t capacity = 0;

	for (size_t k = 0; k < s->nodes_total; k++) {
		uint32_t subject = (uint32_t)x->keys[k], first, n = graph_links_of_subject(g, subject, &first);

		for (uint32_t link = first; link < first + n; link++) {
			uint32_t holder = graph_link(g, link).holder;

			if (x->depth[holder] == UNSEEN)
				continue;
			s->edges_total++;
			if (x->place[holder] == UNSEEN || x->place[subject] == UNSEEN)
				continue;
			if (arena_grow(x->arena, (void **)&s->edges, &capacity, s->n_edges + 1, sizeof(*s->edges)) != 0)
				return ERR_NOMEM;
			s->edges[s->n_edges++] = (struct structure_edge){ x->place[holder], x->place[subject], link };
		}
	}
	if (s->n_edges > 1)
		qsort(s->edges, s->n_edges, sizeof(*s->edges), by_ends);
	if (s->n_edges > STRUCTURE_EDGES_MAX)
		s->n_edges = STRUCTURE_EDGES_MAX;
	return OK;
}

static enum err answer_view(const struct inquiry *i, const struct ownership_query *q, const struct graph_view *v,
			    struct answer *a)
{
	static void (*const write[])(const struct structure *s, struct answer *a) = {
		[FORMAT_JSON] = structure_write_json,
		[FORMAT_GRAPHML] = structure_write_graphml,
		[FORMAT_DOT] = structure_write_dot,
		[FORMAT_CYTOSCAPE] = structure_write_cytoscape,
	};
	struct survey x = { .s = { .i = i, .q = q, .view = v }, .arena = i->arena };
	enum err e = measure_depths(&x);

	if (e == OK)
		e = lay_nodes(&x);
	if (e == OK)
		e = lay_edges(&x);
	if (e == OK && arena_failed(i->arena))
		e = ERR_NOMEM;
	if (e == OK)
		write[q->format](&x.s, a);
	return e;
}

enum err structure_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a)
{
	static const enum graph_scope scopes[] = {
		[GO_UP] = GRAPH_ABOVE, [GO_DOWN] = GRAPH_BELOW, [GO_BOTH] = GRAPH_ABOVE_AND_BELOW
	};
	const struct graph_filter filter = ownership_filter(i, q);
	uint32_t root = inquiry_named(i, "root", q->root, a);
	struct graph_view *view = NULL;
	bool answered = false;
	enum err e;

	if (root == GRAPH_NONE)
		return answer_faults(a, 400);
	e = inquiry_view(i, &filter, scopes[q->direction], &root, 1, a, &view, &answered);
	if (e != OK || answered)
		return e;
	e = answer_view(i, q, view, a);
	graph_view_free(view);
	return e;
}

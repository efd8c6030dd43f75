/* A question's frame: what is asked is checked, the region collected, the method called, the rest filled in. */
#include "internal.h"

#define MAX_REDONE 2000000 /* steps per question */

enum err task_add(struct task *t, uint32_t node, quad min, quad max, struct graph_pct pct, bool certain)
{
	struct graph_figures *ret = t->ret;
	struct graph_figure *f;

	if (arena_grow(t->a, (void **)&ret->items, &t->items_capacity, ret->count + 1, sizeof(*ret->items)) != 0)
		return ERR_NOMEM;
	f = &ret->items[ret->count++];
	*f = (struct graph_figure){ .node = node, .certain = certain, .pct = pct };
	quad_split(min, &f->min, &f->min_rest);
	quad_split(max, &f->max, &f->max_rest);
	return OK;
}

static enum err redo_end(struct task *t, enum bound bound, uint32_t local,
			 enum err (*redo)(struct task *, enum bound, uint32_t, mpq_ptr), int64_t *ret)
{
	enum err e = ERR_FULL;
	mpq_t exact;

	t->redone += t->region.count;
	if (t->redone >= MAX_REDONE)
		return OK;
	mpq_init(exact);
	e = redo(t, bound, local, exact);
	if (e == OK)
		*ret = pct_round_exact(exact);
	mpq_clear(exact);
	return e == ERR_FULL ? OK : e;
}

enum err task_round(struct task *t, quad min, quad max, uint32_t local,
		    enum err (*redo)(struct task *, enum bound, uint32_t, mpq_ptr), struct graph_pct *ret)
{
	bool near_min, near_max;
	enum err e = OK;

	ret->min = pct_round(min, &near_min);
	ret->max = pct_round(max, &near_max);
	if (near_min && redo && !t->ret->rough)
		e = redo_end(t, BOUND_MIN, local, redo, &ret->min);
	if (e == OK && min == max)
		ret->max = ret->min;
	else if (e == OK && near_max && redo && !t->ret->rough)
		e = redo_end(t, BOUND_MAX, local, redo, &ret->max);
	return e;
}

enum err task_figure(struct task *t, uint32_t local, quad min, quad max,
		     enum err (*redo)(struct task *, enum bound, uint32_t, mpq_ptr))
{
	struct graph_pct pct;
	enum err e;

	max = quad_max(min, max);
	if (max <= 0)
		return OK;
	e = task_round(t, min, max, local, redo, &pct);
	return e == OK ? task_add(t, t->region.nodes[local], min, max, pct, true) : e;
}

enum err task_ring(struct task *t, const uint32_t *members, size_t count)
{
	uint32_t *ring = arena_alloc(t->a, count * sizeof(*ring));

	if (!ring)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		ring[i] = members[i];
	t->ret->ring = ring;
	t->ret->ring_count = count;
	return ERR_CONFLICT;
}

enum err task_check_rings(struct task *t)
{
	const struct components *c = &t->g->components[BOUND_MIN];

	for (uint32_t i = 0; i < t->region.count; i++) {
		uint32_t node = t->region.nodes[i], component = c->of[node];

		if (c->members[c->start[component]] == node && component_closed(t->g, component))
			return task_ring(t, c->members + c->start[component], c->start[component + 1] - c->start[component]);
	}
	return OK;
}

static enum err direct_figures(struct task *t)
{
	const struct graph *g = t->g;
	enum err e = OK;

	for (uint32_t place = links_begin(g, t->direction, t->start); e == OK && place < links_end(g, t->direction, t->start);
	     place++) {
		uint32_t link = link_at(g, t->direction, place);

		if (g->weight[BOUND_MAX][link] > 0)
			e = task_add(t, link_end(g, t->direction, link), g->weight[BOUND_MIN][link], g->weight[BOUND_MAX][link],
				     link_pct(g, link), true);
	}
	return e;
}

static enum err method_run(struct task *t)
{
	bool up = t->direction == UP;

	switch (t->q->method) {
	case GRAPH_DIRECT:
		return direct_figures(t);
	case GRAPH_INTEGRATED:
		return up ? integrated_owners(t) : integrated_holdings(t);
	case GRAPH_SIMPLE_PATHS:
	case GRAPH_WEAKEST_LINK:
		return simple_figures(t);
	case GRAPH_CASCADE:
		if (up && t->q->parties_count > 0)
			return cascade_of_parties(t);
		return up ? control_owners(t) : control_holdings(t);
	case GRAPH_CONTROL:
		return up ? control_owners(t) : control_holdings(t);
	case GRAPH_ATTRIBUTION:
		return attribution_figures(t);
	}
	return ERR_INVALID;
}

static void fill_direct(struct task *t)
{
	const struct graph *g = t->g;
	struct graph_scratch *s = t->s;

	for (size_t i = 0; i < t->ret->count; i++) /* a figure's place takes the place of its node's in the region */
		s->local[t->ret->items[i].node] = (uint32_t)i;
	for (uint32_t place = links_begin(g, t->direction, t->start); place < links_end(g, t->direction, t->start); place++) {
		uint32_t link = link_at(g, t->direction, place), node = link_end(g, t->direction, link);
		uint32_t at = s->local[node];

		if (at < t->ret->count && t->ret->items[at].node == node) {
			t->ret->items[at].direct_min = (double)g->weight[BOUND_MIN][link];
			t->ret->items[at].direct_max = (double)g->weight[BOUND_MAX][link];
			t->ret->items[at].direct_pct = link_pct(g, link);
		}
	}
}

bool question_valid(const struct graph *g, const struct graph_question *q)
{
	if (q->method == GRAPH_CONTROL && !ratio_valid(q->threshold))
		return false;
	for (size_t i = 0; i < q->parties_count; i++) {
		if (q->parties[i] >= g->nodes)
			return false;
	}
	return true;
}

static enum err ask(const struct graph *g, struct graph_scratch *s, uint32_t start, enum direction direction,
		    const struct graph_question *q, struct arena *a, struct graph_figures *ret)
{
	struct task t = { .g = g, .s = s, .q = q, .a = a, .start = start, .direction = direction, .ret = ret };
	enum err e;

	*ret = (struct graph_figures){ 0 };
	if (start >= g->nodes || !question_valid(g, q))
		return ERR_INVALID;
	if (q->method == GRAPH_DIRECT) {
		t.region = (struct region){ .nodes = &t.start, .count = 1 };
		e = OK;
	} else {
		e = region_collect(g, s, start, direction, a, &t.region);
	}
	if (e == OK && direction == UP) {
		bool held = node_held(g, start);

		ret->unexplained_max = held ? (double)g->room[start] : 1;
		ret->unexplained_min = held ? (double)g->room_max[start] : 1;
		ret->unexplained_pct = held ? room_pct(g, start) : (struct graph_pct){ GRAPH_PCT_WHOLE, GRAPH_PCT_WHOLE };
	}
	if (e == OK)
		e = method_run(&t);
	if (e == OK)
		fill_direct(&t);
	return e;
}

enum err graph_owners(const struct graph *g, struct graph_scratch *s, uint32_t subject, const struct graph_question *q,
		      struct arena *a, struct graph_figures *ret)
{
	return ask(g, s, subject, UP, q, a, ret);
}

enum err graph_holdings(const struct graph *g, struct graph_scratch *s, uint32_t holder, const struct graph_question *q,
			struct arena *a, struct graph_figures *ret)
{
	return ask(g, s, holder, DOWN, q, a, ret);
}

/* simple_paths and weakest_link: a walk over all paths that repeat no node, with a stack of its own. */
#include <math.h>
#include "internal.h"

struct step {
	uint32_t local, place; /* the next link to look at */
	double value[2]; /* of the path so far, by bound */
};

struct walk {
	struct task *t;
	struct step *stack;
	size_t depth, capacity, steps;
	uint8_t *passed;
	double *sum[2];
	bool weakest;
};

static double value(const struct walk *w, enum bound bound, uint32_t link, double before)
{
	/* the least share multiplies nothing: it is taken as recorded */
	if (w->weakest)
		return fmin(before, w->t->g->weight[bound][link]);
	return before * link_share(w->t->g, bound, link);
}

static enum err enter(struct walk *w, uint32_t local, double min, double max)
{
	if (arena_grow(w->t->a, (void **)&w->stack, &w->capacity, w->depth + 1, sizeof(*w->stack)) != 0)
		return ERR_NOMEM;
	w->stack[w->depth++] = (struct step){
		.local = local,
		.place = links_begin(w->t->g, w->t->direction, w->t->region.nodes[local]),
		.value = { min, max },
	};
	w->passed[local] = 1;
	return OK;
}

static enum err walk_all(struct walk *w)
{
	struct task *t = w->t;
	enum err e = enter(w, 0, w->weakest ? INFINITY : 1, w->weakest ? INFINITY : 1);

	while (e == OK && w->depth > 0) {
		struct step *top = &w->stack[w->depth - 1];
		uint32_t link, next;
		double min, max;

		if (top->place == links_end(t->g, t->direction, t->region.nodes[top->local])) {
			w->passed[top->local] = 0;
			w->depth--;
			continue;
		}
		link = link_at(t->g, t->direction, top->place++);
		next = region_local(t->s, link_end(t->g, t->direction, link));
		if (over_budget(++w->steps, t->q->budget))
			return ERR_FULL;
		max = value(w, BOUND_MAX, link, top->value[BOUND_MAX]);
		if (w->passed[next] || max <= 0)
			continue;
		min = value(w, BOUND_MIN, link, top->value[BOUND_MIN]);
		w->sum[BOUND_MIN][next] += min;
		w->sum[BOUND_MAX][next] += max;
		e = enter(w, next, min, max);
	}
	return e;
}

enum err simple_figures(struct task *t)
{
	struct walk w = { .t = t, .weakest = t->q->method == GRAPH_WEAKEST_LINK };
	size_t n = t->region.count, capacity = 0;
	enum err e;

	w.passed = arena_alloc(t->a, n);
	w.sum[BOUND_MIN] = arena_alloc(t->a, n * sizeof(double));
	w.sum[BOUND_MAX] = arena_alloc(t->a, n * sizeof(double));
	if (!w.passed || !w.sum[BOUND_MIN] || !w.sum[BOUND_MAX])
		return ERR_NOMEM;
	e = walk_all(&w);
	for (uint32_t i = 1; e == OK && i < n; i++) {
		if (w.sum[BOUND_MAX][i] > 0)
			e = task_add(t, &capacity, t->region.nodes[i], fmin(w.sum[BOUND_MIN][i], 1),
				     fmin(w.sum[BOUND_MAX][i], 1), true);
	}
	return e;
}

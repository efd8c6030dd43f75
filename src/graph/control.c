/* What a holder, or a set of them, controls. */
#include "internal.h"

static const struct graph_ratio half = { 1, 2 };

enum err control_closure(struct task *t, struct closure *ret)
{
	bool cascade = t->q->method == GRAPH_CASCADE;

	return closure_init(ret, t->g, t->s, &t->region, cascade ? half : t->q->threshold, cascade || t->q->inclusive, t->a);
}

/* A maximum is at most 1, but never below what is recorded. */
static void cap(quad min, quad *max, struct graph_pct *pct)
{
	*max = quad_max(quad_min(*max, 1), min);
	if (pct->max > GRAPH_PCT_WHOLE)
		pct->max = GRAPH_PCT_WHOLE;
	if (pct->max < pct->min)
		pct->max = pct->min;
}

enum err control_add(struct task *t, uint32_t local, quad min, quad max, struct graph_pct pct, bool certain)
{
	cap(min, &max, &pct);
	return task_add(t, t->region.nodes[local], min, max, pct, certain);
}

static enum err both(struct task *t, const uint32_t *seeds, uint32_t count, struct closure *low, struct closure *high)
{
	enum err e = control_closure(t, low);

	if (e == OK)
		e = control_closure(t, high);
	if (e == OK)
		e = closure_run(low, BOUND_MIN, seeds, count);
	return e == OK ? closure_run(high, BOUND_MAX, seeds, count) : e;
}

enum err control_holdings(struct task *t)
{
	struct closure low, high;
	const uint32_t seed = 0;
	enum err e = both(t, &seed, 1, &low, &high);

	for (uint32_t i = 1; e == OK && i < high.queue_count; i++) {
		uint32_t local = high.queue[i];

		e = control_add(t, local, closure_figure(&low, local), closure_figure(&high, local),
				(struct graph_pct){ closure_pct(&low, local), closure_pct(&high, local) }, low.member[local]);
	}
	return e;
}

/* The rows are those of the closed set that hold the subject directly. */
enum err cascade_of_parties(struct task *t)
{
	const struct graph *g = t->g;
	struct closure low, high;
	uint32_t *seeds = arena_alloc(t->a, t->q->parties_count * sizeof(*seeds)), count = 0;
	quad min, max;
	enum err e;

	if (!seeds)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->q->parties_count; i++) {
		uint32_t local = region_local(t->s, t->q->parties[i]);

		if (local != NONE)
			seeds[count++] = local;
	}
	e = both(t, seeds, count, &low, &high);
	if (e != OK)
		return e;
	min = closure_figure(&low, 0);
	max = closure_figure(&high, 0);
	t->ret->total_pct = (struct graph_pct){ closure_pct(&low, 0), closure_pct(&high, 0) };
	cap(min, &max, &t->ret->total_pct);
	t->ret->total_min = (double)min;
	t->ret->total_max = (double)max;
	for (uint32_t l = g->up_start[t->start]; e == OK && l < g->up_start[t->start + 1]; l++) {
		uint32_t local = region_local(t->s, g->holder[l]);

		if (high.member[local] && g->weight[BOUND_MAX][l] > 0)
			e = task_add(t, g->holder[l], g->weight[BOUND_MIN][l], g->weight[BOUND_MAX][l], link_pct(g, l),
				     low.member[local]);
	}
	return e;
}

#include <math.h>
#include "internal.h"

static const struct graph_ratio half = { 1, 2 };

static enum err init(struct task *t, struct closure *ret)
{
	bool cascade = t->q->method == GRAPH_CASCADE;

	return closure_init(ret, t->g, t->s, &t->region, cascade ? half : t->q->threshold, cascade || t->q->inclusive, t->a);
}

/* A maximum is at most 1, but never below what is recorded. */
static double at_most_one(double max, double min)
{
	return fmax(fmin(max, 1), min);
}

enum err control_owners(struct task *t)
{
	struct closure c;
	size_t capacity = 0;
	enum err e = init(t, &c);

	for (uint32_t i = 1; e == OK && i < t->region.count; i++) {
		double min, max;
		bool certain;

		if (over_budget(c.steps, t->q->budget))
			return ERR_FULL;
		closure_run(&c, BOUND_MAX, &i, 1);
		if (!c.member[0])
			continue;
		min = max = closure_figure(&c, 0);
		certain = true;
		if (t->g->ranges) {
			closure_run(&c, BOUND_MIN, &i, 1);
			min = closure_figure(&c, 0);
			certain = c.member[0];
		}
		e = task_add(t, &capacity, t->region.nodes[i], min, at_most_one(max, min), certain);
	}
	return e;
}

enum err control_holdings(struct task *t)
{
	struct closure low, high;
	const uint32_t seed = 0;
	size_t capacity = 0;
	enum err e = init(t, &low);

	if (e == OK)
		e = init(t, &high);
	if (e != OK)
		return e;
	closure_run(&high, BOUND_MAX, &seed, 1);
	closure_run(&low, BOUND_MIN, &seed, 1);
	for (uint32_t i = 1; e == OK && i < high.queue_count; i++) {
		uint32_t local = high.queue[i];
		double min = closure_figure(&low, local), max = closure_figure(&high, local);

		e = task_add(t, &capacity, t->region.nodes[local], min, at_most_one(max, min), low.member[local]);
	}
	return e;
}

/* The rows are those of the closed set that hold the subject directly. */
enum err cascade_of_parties(struct task *t)
{
	const struct graph *g = t->g;
	struct closure low, high;
	uint32_t *seeds = arena_alloc(t->a, t->q->parties_count * sizeof(*seeds)), count = 0;
	size_t capacity = 0;
	enum err e = seeds ? init(t, &low) : ERR_NOMEM;

	if (e == OK)
		e = init(t, &high);
	if (e != OK)
		return e;
	for (size_t i = 0; i < t->q->parties_count; i++) {
		uint32_t local = region_local(t->s, t->q->parties[i]);

		if (local != NONE)
			seeds[count++] = local;
	}
	closure_run(&high, BOUND_MAX, seeds, count);
	closure_run(&low, BOUND_MIN, seeds, count);
	t->ret->total_min = closure_figure(&low, 0);
	t->ret->total_max = at_most_one(closure_figure(&high, 0), t->ret->total_min);
	for (uint32_t l = g->up_start[t->start]; e == OK && l < g->up_start[t->start + 1]; l++) {
		uint32_t local = region_local(t->s, g->holder[l]);

		if (high.member[local] && g->weight[BOUND_MAX][l] > 0)
			e = task_add(t, &capacity, g->holder[l], g->weight[BOUND_MIN][l], g->weight[BOUND_MAX][l],
				     low.member[local]);
	}
	return e;
}

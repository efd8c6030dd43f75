#include "internal.h"

static const struct graph_ratio half = { 1, 2 };

static enum err init(struct task *t, struct closure *ret)
{
	bool cascade = t->q->method == GRAPH_CASCADE;

	return closure_init(ret, t->g, t->s, &t->region, cascade ? half : t->q->threshold, cascade || t->q->inclusive, t->a);
}

/* A maximum is at most 1, but never below what is recorded. */
struct range {
	quad min, max;
	struct graph_pct pct;
};

static struct range range_of(const struct closure *low, const struct closure *high, uint32_t local)
{
	struct range r = { closure_figure(low, local),
			   closure_figure(high, local),
			   { closure_pct(low, local), closure_pct(high, local) } };

	if (r.max > 1)
		r.max = 1;
	if (r.pct.max > PCT_WHOLE)
		r.pct.max = PCT_WHOLE;
	r.max = quad_max(r.max, r.min);
	if (r.pct.max < r.pct.min)
		r.pct.max = r.pct.min;
	return r;
}

enum err control_owners(struct task *t)
{
	struct closure low, high;
	enum err e = init(t, &low);

	if (e == OK)
		e = init(t, &high);
	for (uint32_t i = 1; e == OK && i < t->region.count; i++) {
		struct range r;

		if (over_budget(low.steps + high.steps, t->q->budget))
			return ERR_FULL;
		closure_run(&high, BOUND_MAX, &i, 1);
		if (!high.member[0])
			continue;
		closure_run(&low, BOUND_MIN, &i, 1);
		r = range_of(&low, &high, 0);
		e = task_add(t, t->region.nodes[i], r.min, r.max, r.pct, low.member[0]);
	}
	return e;
}

enum err control_holdings(struct task *t)
{
	struct closure low, high;
	const uint32_t seed = 0;
	enum err e = init(t, &low);

	if (e == OK)
		e = init(t, &high);
	if (e != OK)
		return e;
	closure_run(&high, BOUND_MAX, &seed, 1);
	closure_run(&low, BOUND_MIN, &seed, 1);
	for (uint32_t i = 1; e == OK && i < high.queue_count; i++) {
		uint32_t local = high.queue[i];
		struct range r = range_of(&low, &high, local);

		e = task_add(t, t->region.nodes[local], r.min, r.max, r.pct, low.member[local]);
	}
	return e;
}

/* The rows are those of the closed set that hold the subject directly. */
enum err cascade_of_parties(struct task *t)
{
	const struct graph *g = t->g;
	struct closure low, high;
	uint32_t *seeds = arena_alloc(t->a, t->q->parties_count * sizeof(*seeds)), count = 0;
	struct range total;
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
	total = range_of(&low, &high, 0);
	t->ret->total_min = (double)total.min;
	t->ret->total_max = (double)total.max;
	t->ret->total_pct = total.pct;
	for (uint32_t l = g->up_start[t->start]; e == OK && l < g->up_start[t->start + 1]; l++) {
		uint32_t local = region_local(t->s, g->holder[l]);

		if (high.member[local] && g->weight[BOUND_MAX][l] > 0)
			e = task_add(t, g->holder[l], g->weight[BOUND_MIN][l], g->weight[BOUND_MAX][l], link_pct(g, l),
				     low.member[local]);
	}
	return e;
}

/* What a set of holders has together, and how that compares with a threshold. */
#include "internal.h"

#define NEAR 1e-26 /* 113 bits decide nothing nearer to a threshold than this, */
#define NEAR_ROUGH 1e-9 /* nor do doubles than this */

struct group_task {
	struct task t;
	struct graph_figures figures; /* whose flags and ring the methods set */
	const struct graph_group_question *q;
	struct group_set set;
	uint32_t *low, *high; /* the set's members as a list */
	uint32_t low_count, high_count;
	bool loose; /* both ends are but bounds */
	struct graph_group *ret;
};

static enum err set_init(struct group_task *x)
{
	const struct graph_question *q = x->t.q;
	uint32_t n = x->t.region.count;

	x->set.remainders = x->q->remainders;
	x->set.low = arena_alloc(x->t.a, n);
	x->set.high = arena_alloc(x->t.a, n);
	x->low = arena_alloc(x->t.a, n * sizeof(uint32_t));
	x->high = arena_alloc(x->t.a, n * sizeof(uint32_t));
	if (!x->set.low || !x->set.high || !x->low || !x->high)
		return ERR_NOMEM;
	for (size_t i = 0; i < q->parties_count; i++) {
		uint32_t local = region_local(x->t.s, q->parties[i]);

		if (local != NONE)
			x->set.low[local] = 1;
	}
	for (uint32_t i = 0; i < n; i++) {
		x->set.high[i] = x->set.low[i] || (i > 0 && x->q->unexplained && x->q->unexplained[x->t.region.nodes[i]] != 0);
		if (x->set.low[i])
			x->low[x->low_count++] = i;
		if (x->set.high[i])
			x->high[x->high_count++] = i;
	}
	return OK;
}

static enum err integrated_end(struct group_task *x, enum bound bound, struct nums *pool, struct num *ret)
{
	struct task *t = &x->t;
	struct reach r;
	enum err e = reach_init(&r, t->g, t->s, &t->region, bound == BOUND_MAX && !pool ? t->q->budget : 0, t->a);

	if (e != OK)
		return e;
	r.bound = bound;
	r.remainders = bound == BOUND_MAX && x->set.remainders;
	r.pool = pool;
	e = bound == BOUND_MIN ? reach_run(&r, x->low, x->low_count) : reach_run(&r, x->high, x->high_count);
	if (e == OK)
		num_set(pool, ret, &r.value[0]);
	x->figures.rough = x->figures.rough || r.rough;
	x->loose = x->loose || r.loose;
	x->figures.coarse = x->figures.coarse || r.loose;
	if (e == ERR_FULL && !pool) {
		x->figures.coarse = true;
		ret->value = 1;
		e = OK;
	}
	return e;
}

static enum err integrated_group(struct group_task *x, struct nums *pool, struct num ret[2])
{
	enum err e = integrated_end(x, BOUND_MIN, pool, &ret[BOUND_MIN]);

	if (e == OK && !x->t.g->ranges && !x->set.remainders && x->low_count == x->high_count) {
		num_set(pool, &ret[BOUND_MAX], &ret[BOUND_MIN]);
		return OK;
	}
	return e == OK ? integrated_end(x, BOUND_MAX, pool, &ret[BOUND_MAX]) : e;
}

static enum err closure_end(struct group_task *x, enum bound bound, struct nums *pool, struct num *ret)
{
	struct closure c;
	enum err e = control_closure(&x->t, &c);

	if (e != OK)
		return e;
	c.remainders = bound == BOUND_MAX && x->set.remainders;
	e = closure_run(&c, bound, bound == BOUND_MIN ? x->low : x->high, bound == BOUND_MIN ? x->low_count : x->high_count);
	if (e != OK)
		return e;
	ret->value = closure_figure(&c, 0);
	if (pool)
		closure_exact(&c, 0, nums_of(pool, ret));
	return OK;
}

/* What the set itself holds: as a closed set that takes in nobody. */
static enum err direct_end(struct group_task *x, enum bound bound, struct nums *pool, struct num *ret)
{
	const uint8_t *member = bound == BOUND_MIN ? x->set.low : x->set.high;
	mpq_t share;

	mpq_init(share);
	exact_group(x->t.g, x->t.s, x->t.start, member, bound, bound == BOUND_MAX && x->set.remainders, share);
	ret->value = exact_quad(share);
	if (pool)
		mpq_set(nums_of(pool, ret), share);
	mpq_clear(share);
	return OK;
}

static enum err run(struct group_task *x, struct nums *pool, struct num ret[2])
{
	enum err e;

	switch (x->t.q->method) {
	case GRAPH_DIRECT:
		e = direct_end(x, BOUND_MIN, pool, &ret[BOUND_MIN]);
		return e == OK ? direct_end(x, BOUND_MAX, pool, &ret[BOUND_MAX]) : e;
	case GRAPH_INTEGRATED:
		return integrated_group(x, pool, ret);
	case GRAPH_SIMPLE_PATHS:
	case GRAPH_WEAKEST_LINK:
		return simple_group(&x->t, &x->set, pool, ret);
	case GRAPH_CONTROL:
	case GRAPH_CASCADE:
		e = closure_end(x, BOUND_MIN, pool, &ret[BOUND_MIN]);
		return e == OK ? closure_end(x, BOUND_MAX, pool, &ret[BOUND_MAX]) : e;
	case GRAPH_ATTRIBUTION:
		return attribution_group(&x->t, &x->set, pool, ret);
	}
	return ERR_INVALID;
}

/* At most 1, but for what an overfull subject records. */
static void cap(const struct group_task *x, quad *min, quad *max)
{
	bool sums = x->t.q->method == GRAPH_DIRECT || x->t.q->method == GRAPH_CONTROL || x->t.q->method == GRAPH_CASCADE;

	if (!sums)
		*min = quad_min(*min, 1);
	*max = quad_max(quad_min(*max, 1), *min);
}

static void cap_exact(const struct group_task *x, mpq_ptr min, mpq_ptr max)
{
	bool sums = x->t.q->method == GRAPH_DIRECT || x->t.q->method == GRAPH_CONTROL || x->t.q->method == GRAPH_CASCADE;

	if (!sums && mpq_cmp_ui(min, 1, 1) > 0)
		mpq_set_ui(min, 1, 1);
	if (mpq_cmp_ui(max, 1, 1) > 0)
		mpq_set_ui(max, 1, 1);
	if (mpq_cmp(max, min) < 0)
		mpq_set(max, min);
}

static void settle_exact(struct group_task *x, mpq_ptr min, mpq_ptr max)
{
	struct graph_group *ret = x->ret;
	mpq_t limit;

	cap_exact(x, min, max);
	mpq_init(limit);
	exact_ratio(x->q->threshold, limit);
	ret->min_order = mpq_cmp(min, limit);
	ret->max_order = mpq_cmp(max, limit);
	mpq_clear(limit);
	ret->pct = (struct graph_pct){ pct_round_exact(min), pct_round_exact(max) };
	ret->exact = true;
}

static bool is_near(quad value, quad limit, quad near)
{
	return value - limit < near && limit - value < near;
}

static enum err settle(struct group_task *x, const struct num found[2])
{
	struct graph_group *ret = x->ret;
	quad min = found[BOUND_MIN].value, max = found[BOUND_MAX].value;
	quad limit = (quad)x->q->threshold.numerator / (quad)x->q->threshold.denominator;
	quad near = x->figures.rough ? NEAR_ROUGH : NEAR;
	struct num exact[2] = { 0 };
	struct nums pool;
	bool near_min, near_max;
	enum err e;

	cap(x, &min, &max);
	ret->min = (double)min;
	ret->max = (double)max;
	ret->pct = (struct graph_pct){ pct_round(min, &near_min), pct_round(max, &near_max) };
	ret->min_order = min < limit ? -1 : min > limit;
	ret->max_order = max < limit ? -1 : max > limit;
	ret->coarse = x->figures.coarse;
	ret->exact = !x->loose && !is_near(min, limit, near) && !is_near(max, limit, near);
	if (x->loose)
		return OK;
	if (ret->exact && !near_min && !near_max)
		return OK;
	nums_init(&pool, x->t.a);
	e = run(x, &pool, exact);
	if (e == OK)
		settle_exact(x, nums_of(&pool, &exact[BOUND_MIN]), nums_of(&pool, &exact[BOUND_MAX]));
	if (pool.failed)
		e = ERR_NOMEM;
	nums_clear(&pool);
	return e == ERR_FULL ? OK : e;
}

/* A subject that is itself of the set. */
static void settle_whole(struct group_task *x)
{
	mpq_t min, max;

	mpq_inits(min, max, NULL);
	mpq_set_ui(min, 1, 1);
	mpq_set_ui(max, 1, 1);
	settle_exact(x, min, max);
	mpq_clears(min, max, NULL);
	x->ret->min = x->ret->max = 1;
}

enum err graph_group_share(const struct graph *g, struct graph_scratch *s, uint32_t subject,
			   const struct graph_group_question *q, struct arena *a, struct graph_group *ret)
{
	struct group_task x = { .q = q, .ret = ret };
	struct num found[2] = { 0 };
	enum err e;

	*ret = (struct graph_group){ 0 };
	if (!question_valid(g, q->question) || !ratio_valid(q->threshold) || subject >= g->nodes)
		return ERR_INVALID;
	x.t = (struct task){ .g = g, .s = s, .q = q->question, .a = a, .start = subject, .direction = UP, .ret = &x.figures };
	e = region_collect(g, s, subject, UP, a, &x.t.region);
	if (e == OK)
		e = set_init(&x);
	if (e == OK && x.set.low[0]) {
		settle_whole(&x);
		return OK;
	}
	if (e == OK && q->question->method == GRAPH_INTEGRATED)
		e = task_check_rings(&x.t);
	ret->ring = x.figures.ring;
	ret->ring_count = x.figures.ring_count;
	if (e == OK)
		e = run(&x, NULL, found);
	return e == OK ? settle(&x, found) : e;
}

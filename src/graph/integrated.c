/* Integrated ownership by climbing: from the subject to its holders, each with its share as the chance. */
#include "internal.h"

struct sweep {
	struct task *t;
	enum bound bound;
	uint32_t *order, *place; /* place: in the component's matrix */
	struct num *visits, *diagonal; /* by local index; the inverse's column of the subject, and its diagonal */
	struct num *vector, *work;
	quad unexplained;
	bool ranged, fits; /* any link above is a range; all columns fit at the maxima */
	const uint32_t *ring;
	size_t ring_count;
};

static enum err sweep_init(struct sweep *w, struct task *t, enum bound bound)
{
	size_t n = t->region.count;

	*w = (struct sweep){ .t = t, .bound = bound, .fits = true };
	w->order = region_order(t->g, &t->region, bound, t->direction, t->a);
	w->place = arena_alloc(t->a, n * sizeof(uint32_t));
	w->visits = arena_alloc(t->a, n * sizeof(struct num));
	w->diagonal = arena_alloc(t->a, n * sizeof(struct num));
	w->vector = arena_alloc(t->a, n * sizeof(struct num));
	w->work = arena_alloc(t->a, n * sizeof(struct num));
	return w->order && w->place && w->visits && w->diagonal && w->vector && w->work ? OK : ERR_NOMEM;
}

static quad room(const struct graph *g, enum bound bound, uint32_t node)
{
	return bound == BOUND_MIN ? g->room[node] : g->room_max[node];
}

/* The matrix of the component whose members are these, the first of them last where that is asked. ERR_CONFLICT: nothing leaves
 * it, a closed ring. */
static enum err component_factor(struct sweep *w, const uint32_t *locals, size_t n, bool first_last, struct gth *ret)
{
	const struct graph *g = w->t->g;
	const uint32_t *of = g->components[w->bound].of;
	enum err e = gth_init(ret, w->t->s, NULL, w->t->a, n);
	bool open = false;

	for (size_t i = 0; i < n; i++)
		w->place[locals[i]] = (uint32_t)i;
	for (uint32_t i = 0; e == OK && i < n; i++) {
		uint32_t node = w->t->region.nodes[locals[i]];

		ret->leave[i].value = room(g, w->bound, node);
		for (uint32_t l = g->up_start[node]; e == OK && l < g->up_start[node + 1]; l++) {
			uint32_t holder = g->holder[l];
			struct num share = { .value = link_share(g, w->bound, l) };

			if (share.value <= 0)
				continue;
			if (of[holder] != of[node])
				ret->leave[i].value += share.value;
			else if (holder != node)
				e = gth_add(ret, i, w->place[region_local(w->t->s, holder)], &share);
		}
		open = open || ret->leave[i].value > 0;
	}
	if (e == OK && !open)
		return ERR_CONFLICT;
	if (e == OK)
		e = gth_factor(ret, first_last);
	if (e == OK)
		w->t->ret->rough = w->t->ret->rough || gth_rough(ret);
	return e;
}

static enum err component_solve(struct sweep *w, const uint32_t *locals, size_t n)
{
	const struct components *c = &w->t->g->components[w->bound];
	uint32_t component = c->of[w->t->region.nodes[locals[0]]];
	struct gth x;
	enum err e = component_factor(w, locals, n, false, &x);
	bool entered = false;

	if (e == ERR_CONFLICT) {
		w->ring = c->members + c->start[component];
		w->ring_count = n;
	}
	if (e != OK)
		return e;
	for (size_t i = 0; i < n; i++) {
		w->vector[i] = w->visits[locals[i]];
		w->work[i].value = 0;
		entered = entered || w->vector[i].value > 0;
	}
	if (!entered)
		return OK; /* only maxima lead here */
	gth_visits(&x, w->vector);
	e = gth_diagonal(&x, w->work);
	for (size_t i = 0; e == OK && i < n; i++) {
		w->visits[locals[i]] = w->vector[i];
		w->diagonal[locals[i]] = w->work[i];
	}
	return e;
}

/* What a member passes on to its holders outside the component. */
static void pass_up(struct sweep *w, uint32_t local)
{
	const struct graph *g = w->t->g;
	const uint32_t *of = g->components[w->bound].of;
	uint32_t node = w->t->region.nodes[local];
	quad visits = w->visits[local].value;

	w->fits = w->fits && (!node_held(g, node) || g->flags[node] & COLUMN_FITS);
	if (node_held(g, node))
		w->unexplained += visits * room(g, w->bound, node);
	for (uint32_t l = g->up_start[node]; l < g->up_start[node + 1]; l++) {
		w->ranged = w->ranged || g->weight[BOUND_MIN][l] < g->weight[BOUND_MAX][l];
		if (visits > 0 && of[g->holder[l]] != of[node])
			w->visits[region_local(w->t->s, g->holder[l])].value += visits * link_share(g, w->bound, l);
	}
}

/* ERR_CONFLICT: a closed ring, named in *w. */
static enum err sweep_run(struct sweep *w)
{
	const struct components *c = &w->t->g->components[w->bound];
	const uint32_t *nodes = w->t->region.nodes;
	uint32_t count = w->t->region.count, end;
	enum err e = OK;

	for (uint32_t i = 0; i < count; i++)
		w->diagonal[i].value = 1;
	w->visits[0].value = 1;
	for (uint32_t i = 0; e == OK && i < count; i = end) {
		uint32_t component = c->of[nodes[w->order[i]]];

		for (end = i + 1; end < count && c->of[nodes[w->order[end]]] == component;)
			end++;
		if (c->cyclic[component])
			e = component_solve(w, w->order + i, end - i);
		for (uint32_t k = i; e == OK && k < end; k++)
			pass_up(w, w->order[k]);
	}
	return e;
}

static quad sweep_figure(const struct sweep *w, uint32_t local)
{
	quad visits = w->visits[local].value, diagonal = w->diagonal[local].value;

	if (w->t->q->raw)
		return local == 0 ? visits - 1 : visits;
	return local == 0 ? 1 - 1 / diagonal : quad_min(visits / diagonal, 1);
}

/* Whoever nobody holds. */
static enum err ultimates(struct task *t, uint32_t **ret, uint32_t *ret_count)
{
	*ret_count = 0;
	*ret = arena_alloc(t->a, t->region.count * sizeof(**ret));
	if (!*ret)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < t->region.count; i++) {
		if (!node_held(t->g, t->region.nodes[i]))
			(*ret)[(*ret_count)++] = i;
	}
	return OK;
}

/* In fractions, one figure by the share that reaches it: of an owner, or of a holding; local NONE: what of the subject is
 * unexplained. */
static enum err redo(struct task *t, enum bound bound, uint32_t local, mpq_ptr ret)
{
	struct nums pool;
	struct reach r;
	struct num value = { 0 }, back = { 0 }, whole = { 0 };
	uint32_t *targets = NULL, target = t->direction == UP ? local : 0, count = 1, place = t->direction == UP ? 0 : local;
	enum err e = reach_init(&r, t->g, t->s, &t->region, 0, t->a);

	if (e == OK && local == NONE)
		e = ultimates(t, &targets, &count);
	if (e != OK)
		return e;
	nums_init(&pool, t->a);
	r.pool = &pool;
	r.bound = bound;
	num_set_whole(&pool, &whole, 1);
	e = reach_run(&r, targets ? targets : &target, count);
	t->redone += 4 * r.steps;
	if (e == OK)
		num_set(&pool, &value, &r.value[place]);
	if (e == OK && (local == 0 || t->q->raw) && !targets)
		e = reach_return(&r, target, &back);
	if (e == OK && local == 0)
		num_set(&pool, &value, &back);
	if (e == OK && t->q->raw && !targets) { /* what comes back comes again and again */
		num_sub(&pool, &whole, &back);
		num_div(&pool, &value, &whole);
	}
	if (e == OK && targets) {
		num_sub(&pool, &whole, &value);
		num_set(&pool, &value, &whole);
	}
	if (e == OK && !pool.failed)
		mpq_set(ret, nums_of(&pool, &value));
	if (pool.failed)
		e = ERR_FULL;
	nums_clear(&pool);
	return e;
}

/* Maxima one by one: columns do not fit, or a ring closes at the maxima, so each holder has a greatest structure of its own. */
static enum err maxima(struct task *t, quad *ret_max, quad *ret_unexplained)
{
	struct reach r;
	struct num back = { 0 };
	uint32_t *ultimate, count;
	enum err e = ultimates(t, &ultimate, &count);

	if (e == OK)
		e = reach_init(&r, t->g, t->s, &t->region, t->q->budget, t->a);
	if (e != OK)
		return e;
	e = reach_run(&r, ultimate, count);
	*ret_unexplained = e == OK ? quad_max(1 - r.value[0].value, 0) : 0;
	for (uint32_t i = 0; i < t->region.count && (e == OK || e == ERR_FULL); i++) {
		if (e == OK)
			e = reach_run(&r, &i, 1);
		if (e == OK && i == 0)
			e = reach_return(&r, 0, &back);
		if (e == OK)
			ret_max[i] = i == 0 ? back.value : r.value[0].value;
		if (e == ERR_FULL)
			ret_max[i] = 1;
	}
	t->ret->rough = t->ret->rough || r.rough;
	t->ret->coarse = t->ret->coarse || r.loose || e == ERR_FULL;
	return e == ERR_FULL ? OK : e;
}

static enum err greatest(struct task *t, const struct sweep *low, quad *ret_max, quad *ret_unexplained)
{
	struct sweep high;
	enum err e;

	if (low->fits) {
		e = sweep_init(&high, t, BOUND_MAX);
		if (e == OK)
			e = sweep_run(&high);
		if (e == OK) {
			for (uint32_t i = 0; i < t->region.count; i++)
				ret_max[i] = sweep_figure(&high, i);
			*ret_unexplained = high.unexplained;
		}
		if (e != ERR_CONFLICT && e != ERR_PRECISION)
			return e;
	}
	return t->q->raw ? ERR_RANGE : maxima(t, ret_max, ret_unexplained);
}

/* The least remainder belongs to the maxima, the greatest to the minima. */
static enum err redo_unexplained(struct task *t, enum bound bound, uint32_t local, mpq_ptr ret)
{
	return redo(t, bound == BOUND_MIN ? BOUND_MAX : BOUND_MIN, local, ret);
}

static enum err round_unexplained(struct task *t, quad min, quad max)
{
	return task_round(t, min, max, NONE, redo_unexplained, &t->ret->unexplained_pct);
}

enum err integrated_owners(struct task *t)
{
	uint32_t count = t->region.count;
	quad *max = arena_alloc(t->a, count * sizeof(*max)), unexplained;
	struct sweep low;
	enum err e = max ? sweep_init(&low, t, BOUND_MIN) : ERR_NOMEM;

	if (e == OK)
		e = sweep_run(&low);
	if (e == ERR_CONFLICT)
		return task_ring(t, low.ring, low.ring_count);
	if (e == ERR_PRECISION)
		return bracket_owners(t);
	if (e != OK || !node_held(t->g, t->start))
		return e;
	unexplained = low.unexplained;
	for (uint32_t i = 0; i < count; i++)
		max[i] = sweep_figure(&low, i);
	if (low.ranged)
		e = greatest(t, &low, max, &unexplained);
	if (e != OK)
		return e;
	if (t->ret->rough) { /* sums of doubles may pass 1 */
		low.unexplained = quad_min(low.unexplained, 1);
		unexplained = quad_min(unexplained, 1);
	}
	t->ret->unexplained_max = (double)low.unexplained;
	t->ret->unexplained_min = (double)unexplained;
	e = round_unexplained(t, unexplained, low.unexplained);
	for (uint32_t i = 0; e == OK && i < count; i++)
		e = task_figure(t, i, sweep_figure(&low, i), max[i], redo);
	return e;
}

/* The holder's own component, it as member 0: what each member reaches of it, and its diagonal's reciprocal. */
static enum err own_component(struct sweep *w, quad *ret_escape)
{
	const struct graph *g = w->t->g;
	const struct components *c = &g->components[w->bound];
	uint32_t component = c->of[w->t->start], n = c->start[component + 1] - c->start[component], count = 0;
	uint32_t *locals = arena_alloc(w->t->a, n * sizeof(*locals));
	struct num escape = { 0 };
	struct gth x;
	enum err e;

	if (!locals)
		return ERR_NOMEM;
	locals[count++] = 0;
	for (uint32_t i = c->start[component]; i < c->start[component + 1]; i++) {
		if (c->members[i] != w->t->start)
			locals[count++] = region_local(w->t->s, c->members[i]);
	}
	e = component_factor(w, locals, n, true, &x);
	if (e == ERR_CONFLICT) {
		w->ring = c->members + c->start[component];
		w->ring_count = n;
	}
	if (e != OK)
		return e;
	for (uint32_t i = 0; i < n; i++)
		w->vector[i].value = 0;
	gth_reach_first(&x, w->vector);
	for (uint32_t i = 0; i < n; i++)
		w->visits[locals[i]] = w->vector[i];
	gth_escape(&x, &escape);
	*ret_escape = escape.value;
	return OK;
}

/* Down from the holder at one bound; visits[] gathers what each node's holders reach, and becomes what it reaches itself. */
static enum err descend(struct sweep *w, quad *ret_escape)
{
	const struct graph *g = w->t->g;
	const struct components *c = &g->components[w->bound];
	const uint32_t *nodes = w->t->region.nodes;
	uint32_t count = w->t->region.count, end;
	enum err e = OK;

	*ret_escape = 1;
	for (uint32_t i = 0; e == OK && i < count; i = end) {
		uint32_t component = c->of[nodes[w->order[i]]];
		bool own = component == c->of[w->t->start], entered = own;

		for (end = i; end < count && c->of[nodes[w->order[end]]] == component; end++)
			entered = entered || w->visits[w->order[end]].value > 0;
		if (own && !c->cyclic[component]) {
			w->visits[0].value = 1;
		} else if (own) {
			e = own_component(w, ret_escape);
		} else if (entered && c->cyclic[component]) {
			struct gth x;

			e = component_factor(w, w->order + i, end - i, false, &x); /* open: it was entered */
			if (e != OK)
				break;
			for (uint32_t k = i; k < end; k++)
				w->vector[k - i] = w->visits[w->order[k]];
			gth_reach(&x, w->vector);
			for (uint32_t k = i; k < end; k++)
				w->visits[w->order[k]] = w->vector[k - i];
		}
		for (uint32_t k = i; e == OK && entered && k < end; k++) {
			uint32_t node = nodes[w->order[k]];

			for (uint32_t place = g->down_start[node]; place < g->down_start[node + 1]; place++) {
				uint32_t link = g->down_link[place], held = g->subject[link];

				if (c->of[held] != component)
					w->visits[region_local(w->t->s, held)].value +=
						w->visits[w->order[k]].value * link_share(g, w->bound, link);
			}
		}
	}
	return e;
}

static void look_for_ranges(struct sweep *w)
{
	const struct graph *g = w->t->g;

	for (uint32_t i = 0; i < w->t->region.count; i++) {
		uint32_t node = w->t->region.nodes[i];

		if (i == 0 && !g->components[BOUND_MAX].cyclic[g->components[BOUND_MAX].of[node]])
			continue; /* who holds the holder does not matter */
		w->fits = w->fits && (!node_held(g, node) || g->flags[node] & COLUMN_FITS);
		for (uint32_t l = g->up_start[node]; l < g->up_start[node + 1] && !w->ranged; l++)
			w->ranged = g->weight[BOUND_MIN][l] < g->weight[BOUND_MAX][l];
	}
}

static quad descent_figure(const struct sweep *w, uint32_t local, quad escape)
{
	if (local == 0)
		return w->t->q->raw ? 1 / escape - 1 : 1 - escape;
	return w->t->q->raw ? w->visits[local].value / escape : quad_min(w->visits[local].value, 1);
}

static enum err greatest_below(struct task *t, const struct sweep *low, quad *ret_max)
{
	struct sweep high;
	struct reach r;
	struct num back = { 0 };
	const uint32_t holder = 0;
	quad escape;
	enum err e;

	if (low->fits) {
		e = sweep_init(&high, t, BOUND_MAX);
		if (e == OK)
			e = descend(&high, &escape);
		for (uint32_t i = 0; e == OK && i < t->region.count; i++)
			ret_max[i] = descent_figure(&high, i, escape);
		if (e != ERR_CONFLICT && e != ERR_PRECISION)
			return e;
	}
	if (t->q->raw)
		return ERR_RANGE;
	e = reach_init(&r, t->g, t->s, &t->region, t->q->budget, t->a);
	if (e == OK)
		e = reach_run(&r, &holder, 1);
	if (e == OK)
		e = reach_return(&r, 0, &back);
	for (uint32_t i = 0; i < t->region.count && (e == OK || e == ERR_FULL); i++)
		ret_max[i] = e == ERR_FULL ? 1 : i == 0 ? back.value : r.value[i].value;
	t->ret->rough = t->ret->rough || r.rough;
	t->ret->coarse = t->ret->coarse || r.loose || e == ERR_FULL;
	return e == ERR_FULL ? OK : e;
}

/* The same as descend(), where a component is too large for it. */
static enum err reach_below(struct sweep *w, quad *ret_escape)
{
	struct task *t = w->t;
	struct reach r;
	struct num back = { 0 };
	const uint32_t holder = 0;
	enum err e = reach_init(&r, t->g, t->s, &t->region, 0, t->a);

	r.bound = BOUND_MIN;
	if (e == OK)
		e = reach_run(&r, &holder, 1);
	if (e == OK)
		e = reach_return(&r, 0, &back);
	for (uint32_t i = 0; e == OK && i < t->region.count; i++)
		w->visits[i] = r.value[i];
	*ret_escape = 1 - back.value;
	t->ret->rough = true;
	t->ret->coarse = t->ret->coarse || r.loose;
	return e;
}

enum err integrated_holdings(struct task *t)
{
	uint32_t count = t->region.count;
	quad *max = arena_alloc(t->a, count * sizeof(*max)), escape;
	struct sweep low;
	enum err e = max ? sweep_init(&low, t, BOUND_MIN) : ERR_NOMEM;

	if (e == OK)
		e = descend(&low, &escape);
	if (e == ERR_CONFLICT)
		return task_ring(t, low.ring, low.ring_count);
	if (e == ERR_PRECISION)
		e = reach_below(&low, &escape);
	if (e != OK)
		return e;
	for (uint32_t i = 0; i < count; i++)
		max[i] = descent_figure(&low, i, escape);
	look_for_ranges(&low);
	if (low.ranged)
		e = greatest_below(t, &low, max);
	for (uint32_t i = 0; e == OK && i < count; i++)
		e = task_figure(t, i, descent_figure(&low, i, escape), max[i], redo);
	return e;
}

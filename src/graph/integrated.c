/* Integrated ownership by climbing: from the subject to its holders, each with its share as the chance. */
#include <math.h>
#include <stdlib.h>
#include "internal.h"

struct sweep {
	struct task *t;
	enum bound bound;
	uint32_t *order, *place; /* place: in the component's matrix */
	double *visits, *diagonal; /* by local index; the inverse's column of the subject, and its diagonal */
	double *vector, *work;
	double unexplained;
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
	w->visits = arena_alloc(t->a, n * sizeof(double));
	w->diagonal = arena_alloc(t->a, n * sizeof(double));
	w->vector = arena_alloc(t->a, n * sizeof(double));
	w->work = arena_alloc(t->a, n * sizeof(double));
	return w->order && w->place && w->visits && w->diagonal && w->vector && w->work ? OK : ERR_NOMEM;
}

static double room(const struct graph *g, enum bound bound, uint32_t node)
{
	return bound == BOUND_MIN ? g->room[node] : g->room_max[node];
}

/* The matrix of the component whose members stand in order[first..end). Whether anything leaves it. */
static enum err component_lay(const struct sweep *w, const uint32_t *locals, size_t n, struct gth *ret, bool *ret_open)
{
	const struct graph *g = w->t->g;
	const uint32_t *of = g->components[w->bound].of;
	enum err e = gth_init(ret, w->t->s, n);

	*ret_open = false;
	if (e != OK)
		return e;
	for (size_t i = 0; i < n; i++)
		w->place[locals[i]] = (uint32_t)i;
	for (size_t i = 0; i < n; i++) {
		uint32_t node = w->t->region.nodes[locals[i]];

		ret->leave[i] = room(g, w->bound, node);
		for (uint32_t l = g->up_start[node]; l < g->up_start[node + 1]; l++) {
			uint32_t holder = g->holder[l];
			double share = link_share(g, w->bound, l);

			if (share <= 0)
				continue;
			if (of[holder] != of[node])
				ret->leave[i] += share;
			else if (holder != node)
				ret->step[i * n + w->place[region_local(w->t->s, holder)]] = share;
		}
		*ret_open = *ret_open || ret->leave[i] > 0;
	}
	return OK;
}

static enum err component_solve(struct sweep *w, const uint32_t *locals, size_t n)
{
	const struct components *c = &w->t->g->components[w->bound];
	uint32_t component = c->of[w->t->region.nodes[locals[0]]];
	struct gth x;
	bool open, entered = false;
	enum err e = component_lay(w, locals, n, &x, &open);

	if (e != OK)
		return e;
	if (!open) {
		w->ring = c->members + c->start[component];
		w->ring_count = n;
		return ERR_CONFLICT;
	}
	for (size_t i = 0; i < n; i++) {
		w->vector[i] = w->visits[locals[i]];
		entered = entered || w->vector[i] > 0;
	}
	if (!entered)
		return OK; /* only maxima lead here */
	gth_factor(&x);
	gth_visits(&x, w->vector);
	for (size_t i = 0; i < n; i++) {
		w->visits[locals[i]] = w->vector[i];
		w->diagonal[locals[i]] = gth_diagonal(&x, i, w->work);
	}
	return OK;
}

/* What a member passes on to its holders outside the component. */
static void pass_up(struct sweep *w, uint32_t local)
{
	const struct graph *g = w->t->g;
	const uint32_t *of = g->components[w->bound].of;
	uint32_t node = w->t->region.nodes[local];
	double visits = w->visits[local];

	w->fits = w->fits && (!node_held(g, node) || g->flags[node] & COLUMN_FITS);
	if (node_held(g, node))
		w->unexplained += visits * room(g, w->bound, node);
	for (uint32_t l = g->up_start[node]; l < g->up_start[node + 1]; l++) {
		w->ranged = w->ranged || g->weight[BOUND_MIN][l] < g->weight[BOUND_MAX][l];
		if (visits > 0 && of[g->holder[l]] != of[node])
			w->visits[region_local(w->t->s, g->holder[l])] += visits * link_share(g, w->bound, l);
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
		w->diagonal[i] = 1;
	w->visits[0] = 1;
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

static double sweep_figure(const struct sweep *w, uint32_t local)
{
	if (w->t->q->raw)
		return local == 0 ? w->visits[0] - 1 : w->visits[local];
	return local == 0 ? 1 - 1 / w->diagonal[0] : fmin(w->visits[local] / w->diagonal[local], 1);
}

/* Maxima one by one: columns do not fit, or a ring closes at the maxima, so each holder has a greatest structure of its own. */
static enum err maxima(struct task *t, double *ret_max)
{
	struct reach r;
	uint32_t *ultimate = arena_alloc(t->a, t->region.count * sizeof(*ultimate)), count = 0;
	enum err e = ultimate ? reach_init(&r, t->g, t->s, &t->region, t->q->budget, t->a) : ERR_NOMEM;

	if (e != OK)
		return e;
	for (uint32_t i = 0; i < t->region.count; i++) {
		if (!node_held(t->g, t->region.nodes[i]))
			ultimate[count++] = i;
	}
	e = reach_run(&r, ultimate, count);
	t->ret->unexplained_min = e == OK ? fmax(1 - r.value[0], 0) : 0;
	for (uint32_t i = 0; i < t->region.count && (e == OK || e == ERR_FULL); i++) {
		if (e == OK)
			e = reach_run(&r, &i, 1);
		if (e == OK && i == 0)
			e = reach_return(&r, 0, &ret_max[0]);
		else if (e == OK)
			ret_max[i] = r.value[0];
		if (e == ERR_FULL)
			ret_max[i] = 1;
	}
	t->ret->coarse = e == ERR_FULL;
	return e == ERR_FULL ? OK : e;
}

static enum err greatest(struct task *t, const struct sweep *low, double *ret_max)
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
			t->ret->unexplained_min = high.unexplained;
		}
		if (e != ERR_CONFLICT)
			return e;
	}
	return t->q->raw ? ERR_RANGE : maxima(t, ret_max);
}

enum err integrated_owners(struct task *t)
{
	uint32_t count = t->region.count;
	double *max = arena_alloc(t->a, count * sizeof(*max));
	struct sweep low;
	size_t capacity = 0;
	enum err e = max ? sweep_init(&low, t, BOUND_MIN) : ERR_NOMEM;

	if (e == OK)
		e = sweep_run(&low);
	if (e == ERR_CONFLICT)
		return task_ring(t, low.ring, low.ring_count);
	if (e != OK || !node_held(t->g, t->start))
		return e;
	t->ret->unexplained_max = t->ret->unexplained_min = low.unexplained;
	for (uint32_t i = 0; i < count; i++)
		max[i] = sweep_figure(&low, i);
	if (low.ranged)
		e = greatest(t, &low, max);
	for (uint32_t i = 0; e == OK && i < count; i++) {
		double min = sweep_figure(&low, i);

		if (max[i] > 0 || min > 0)
			e = task_add(t, &capacity, t->region.nodes[i], min, fmax(min, max[i]), true);
	}
	return e;
}

/* The holder's own component, it as member 0: what each member reaches of it, and its diagonal's reciprocal. */
static enum err own_component(struct sweep *w, double *ret_reach, double *ret_escape)
{
	const struct graph *g = w->t->g;
	const struct components *c = &g->components[w->bound];
	uint32_t component = c->of[w->t->start], n = c->start[component + 1] - c->start[component], count = 0;
	uint32_t *locals = arena_alloc(w->t->a, n * sizeof(*locals));
	double *reach = arena_alloc(w->t->a, n * sizeof(*reach));
	struct gth x;
	bool open;
	enum err e;

	if (!locals || !reach)
		return ERR_NOMEM;
	locals[count++] = 0;
	for (uint32_t i = c->start[component]; i < c->start[component + 1]; i++) {
		if (c->members[i] != w->t->start)
			locals[count++] = region_local(w->t->s, c->members[i]);
	}
	e = component_lay(w, locals, n, &x, &open);
	if (e != OK)
		return e;
	if (!open) {
		w->ring = c->members + c->start[component];
		w->ring_count = n;
		return ERR_CONFLICT;
	}
	gth_factor(&x);
	gth_reach_first(&x, reach);
	for (uint32_t i = 0; i < n; i++)
		ret_reach[locals[i]] = reach[i];
	*ret_escape = x.pivot[0];
	return OK;
}

/* Down from the holder at one bound; visits[] gathers what each node's holders reach, and becomes what it reaches itself. */
static enum err descend(struct sweep *w, double *ret_escape)
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
			entered = entered || w->visits[w->order[end]] > 0;
		if (own && !c->cyclic[component]) {
			w->visits[0] = 1;
		} else if (own) {
			e = own_component(w, w->visits, ret_escape);
		} else if (entered && c->cyclic[component]) {
			struct gth x;
			bool open;

			e = component_lay(w, w->order + i, end - i, &x, &open);
			if (e != OK)
				break;
			for (uint32_t k = i; k < end; k++)
				w->vector[k - i] = w->visits[w->order[k]];
			gth_factor(&x);
			gth_reach(&x, w->vector);
			for (uint32_t k = i; k < end; k++)
				w->visits[w->order[k]] = w->vector[k - i];
		}
		for (uint32_t k = i; e == OK && entered && k < end; k++) {
			uint32_t node = nodes[w->order[k]];

			for (uint32_t place = g->down_start[node]; place < g->down_start[node + 1]; place++) {
				uint32_t link = g->down_link[place], held = g->subject[link];

				if (c->of[held] != component)
					w->visits[region_local(w->t->s, held)] +=
						w->visits[w->order[k]] * link_share(g, w->bound, link);
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

static double descent_figure(const struct sweep *w, uint32_t local, double escape)
{
	if (local == 0)
		return w->t->q->raw ? 1 / escape - 1 : 1 - escape;
	return w->t->q->raw ? w->visits[local] / escape : fmin(w->visits[local], 1);
}

static enum err greatest_below(struct task *t, const struct sweep *low, double *ret_max)
{
	struct sweep high;
	struct reach r;
	const uint32_t holder = 0;
	double escape;
	enum err e;

	if (low->fits) {
		e = sweep_init(&high, t, BOUND_MAX);
		if (e == OK)
			e = descend(&high, &escape);
		for (uint32_t i = 0; e == OK && i < t->region.count; i++)
			ret_max[i] = descent_figure(&high, i, escape);
		if (e != ERR_CONFLICT)
			return e;
	}
	if (t->q->raw)
		return ERR_RANGE;
	e = reach_init(&r, t->g, t->s, &t->region, t->q->budget, t->a);
	if (e == OK)
		e = reach_run(&r, &holder, 1);
	if (e == OK)
		e = reach_return(&r, 0, &ret_max[0]);
	for (uint32_t i = e == OK; i < t->region.count && (e == OK || e == ERR_FULL); i++)
		ret_max[i] = e == OK ? r.value[i] : 1;
	t->ret->coarse = e == ERR_FULL;
	return e == ERR_FULL ? OK : e;
}

enum err integrated_holdings(struct task *t)
{
	uint32_t count = t->region.count;
	double *max = arena_alloc(t->a, count * sizeof(*max)), escape;
	struct sweep low;
	size_t capacity = 0;
	enum err e = max ? sweep_init(&low, t, BOUND_MIN) : ERR_NOMEM;

	if (e == OK)
		e = descend(&low, &escape);
	if (e == ERR_CONFLICT)
		return task_ring(t, low.ring, low.ring_count);
	if (e != OK)
		return e;
	for (uint32_t i = 0; i < count; i++)
		max[i] = descent_figure(&low, i, escape);
	look_for_ranges(&low);
	if (low.ranged)
		e = greatest_below(t, &low, max);
	for (uint32_t i = 0; e == OK && i < count; i++) {
		double min = descent_figure(&low, i, escape);

		if (max[i] > 0 || min > 0)
			e = task_add(t, &capacity, t->region.nodes[i], min, fmax(min, max[i]), true);
	}
	return e;
}

/* The greatest share that ever reaches the targets: a walk climbs from holder to holder, and within its ranges every subject's
 * column is filled in the order of what its holders reach. Without loops one pass from the top down is exact; in a component the
 * best columns are found by policy iteration, each solved by elimination. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define SETTLED 1e-15 /* per member: no column can be improved by more, far below the 14th decimal that is shown */

enum { IS_TARGET = 1, IS_TOUCHED = 2 };

struct reach_entry {
	uint32_t next, link, holder; /* holder: local */
};

struct reach_sum {
	double value, rest;
};

struct reach_fill {
	double value, extra;
	uint32_t link, holder;
};

enum err reach_init(struct reach *r, const struct graph *g, struct graph_scratch *s, const struct region *region, size_t budget,
		    struct arena *a)
{
	size_t n = region->count;

	*r = (struct reach){ .g = g, .s = s, .region = region, .a = a, .budget = budget };
	r->value = arena_alloc(a, n * sizeof(double));
	r->target = arena_alloc(a, n);
	r->touched = arena_alloc(a, n * sizeof(uint32_t));
	r->place = arena_alloc(a, n * sizeof(uint32_t));
	r->head = arena_alloc(a, n * sizeof(uint32_t));
	r->keys = arena_alloc(a, n * sizeof(uint64_t));
	if (!r->value || !r->target || !r->touched || !r->place || !r->head || !r->keys)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		r->head[i] = NONE;
	return OK;
}

static int greatest_first(const void *left, const void *right)
{
	const struct reach_fill *l = left, *r = right;

	if (l->value != r->value)
		return l->value > r->value ? -1 : 1;
	return l->link < r->link ? -1 : l->link > r->link;
}

static int by_key(const void *left, const void *right)
{
	uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;

	return l < r ? -1 : l > r;
}

/* Neumaier's sum: a column may have very many holders, and 14 decimals are shown. */
static void sum_add(struct reach_sum *s, double x)
{
	double t = s->value + x;

	s->rest += fabs(s->value) >= fabs(x) ? (s->value - t) + x : (x - t) + s->value;
	s->value = t;
}

/* Adds a link to the column being filled; what it has for certain is returned. */
static enum err fill_add(struct reach *r, size_t *count, uint32_t link, uint32_t holder, struct reach_sum *base)
{
	double low = link_share(r->g, BOUND_MIN, link), extra = link_share(r->g, BOUND_MAX, link) - low;

	sum_add(base, low * r->value[holder]);
	if (extra <= 0 || r->value[holder] <= 0)
		return OK;
	if (arena_grow(r->a, (void **)&r->fill, &r->fill_capacity, *count + 1, sizeof(*r->fill)) != 0)
		return ERR_NOMEM;
	r->fill[(*count)++] = (struct reach_fill){ r->value[holder], extra, link, holder };
	return OK;
}

/* Deals the room out to the holders that reach most; each entry's extra becomes what it got. What is left is returned. */
static double fill_deal(struct reach *r, size_t count, double room)
{
	if (count > 1)
		qsort(r->fill, count, sizeof(*r->fill), greatest_first);
	for (size_t i = 0; i < count; i++) {
		r->fill[i].extra = fmin(r->fill[i].extra, room);
		room -= r->fill[i].extra;
	}
	return room;
}

static double fill_value(const struct reach *r, size_t count, struct reach_sum base)
{
	for (size_t i = 0; i < count; i++)
		sum_add(&base, r->fill[i].extra * r->fill[i].value);
	return fmin(base.value + base.rest, 1);
}

static enum err column_value(struct reach *r, uint32_t local, double *ret)
{
	uint32_t node = r->region->nodes[local];
	size_t count = 0;
	struct reach_sum base = { 0 };
	enum err e = OK;

	for (uint32_t i = r->head[local]; e == OK && i != NONE; i = r->entries[i].next)
		e = fill_add(r, &count, r->entries[i].link, r->entries[i].holder, &base);
	if (e != OK)
		return e;
	fill_deal(r, count, r->g->room[node]);
	*ret = fill_value(r, count, base);
	return OK;
}

/* The column by its links themselves, whatever component their holders are in. */
static enum err column_links(struct reach *r, uint32_t local, size_t *ret_count, struct reach_sum *ret_base)
{
	const struct graph *g = r->g;
	uint32_t node = r->region->nodes[local];
	enum err e = OK;

	*ret_count = 0;
	*ret_base = (struct reach_sum){ 0 };
	for (uint32_t l = g->up_start[node]; e == OK && l < g->up_start[node + 1]; l++) {
		uint32_t holder = region_local(r->s, g->holder[l]);

		r->steps++;
		if (holder != NONE)
			e = fill_add(r, ret_count, l, holder, ret_base);
	}
	return e;
}

enum err reach_return(struct reach *r, uint32_t local, double *ret)
{
	size_t count;
	struct reach_sum base;
	enum err e = column_links(r, local, &count, &base);

	if (e != OK)
		return e;
	fill_deal(r, count, r->g->room[r->region->nodes[local]]);
	*ret = fill_value(r, count, base);
	return OK;
}

/* One link's share within the policy: a step inside the component, or something that leaves it. */
static void lay_share(struct reach *r, struct gth *x, size_t row, uint32_t component, uint32_t link, double share, double *out)
{
	uint32_t holder = region_local(r->s, r->g->holder[link]);

	if (share <= 0)
		return;
	if (holder != NONE && !(r->target[holder] & IS_TARGET) &&
	    r->g->components[BOUND_MAX].of[r->g->holder[link]] == component) {
		if (r->place[holder] != row)
			x->step[row * x->n + r->place[holder]] += share;
		return;
	}
	x->leave[row] += share;
	if (holder != NONE)
		out[row] += share * r->value[holder];
}

/* The best column of one member by the values at hand becomes its row. */
static enum err lay_row(struct reach *r, struct gth *x, size_t row, uint32_t local, double *out)
{
	const struct graph *g = r->g;
	uint32_t node = r->region->nodes[local], component = g->components[BOUND_MAX].of[node];
	size_t count;
	struct reach_sum base;
	enum err e = column_links(r, local, &count, &base);

	if (e != OK)
		return e;
	out[row] = 0;
	x->leave[row] = fill_deal(r, count, g->room[node]);
	for (uint32_t l = g->up_start[node]; l < g->up_start[node + 1]; l++)
		lay_share(r, x, row, component, l, link_share(g, BOUND_MIN, l), out);
	for (size_t i = 0; i < count; i++)
		lay_share(r, x, row, component, r->fill[i].link, r->fill[i].extra, out);
	return OK;
}

/* The columns at hand, from which a component is solved again and again. */
static enum err policy_init(struct reach *r, size_t n, struct gth *ret)
{
	size_t need = n * n + 3 * n;

	if (n > GRAPH_MAX_COMPONENT)
		return ERR_PRECISION;
	if (arena_grow(r->a, (void **)&r->policy, &r->policy_capacity, need, sizeof(*r->policy)) != 0)
		return ERR_NOMEM;
	memset(r->policy, 0, need * sizeof(*r->policy));
	*ret = (struct gth){ .n = n, .step = r->policy, .leave = r->policy + n * n };
	return OK;
}

static enum err policy_solve(struct reach *r, const struct gth *policy, const double *out, const uint32_t *members,
			     double *work)
{
	size_t n = policy->n;
	struct gth x;
	enum err e = gth_init(&x, r->s, n);

	if (e != OK)
		return e;
	memcpy(x.step, policy->step, n * n * sizeof(*x.step));
	memcpy(x.leave, policy->leave, n * sizeof(*x.leave));
	memcpy(work, out, n * sizeof(*work));
	gth_factor(&x);
	gth_reach(&x, work);
	for (size_t i = 0; i < n; i++)
		r->value[members[i]] = fmin(work[i], 1);
	r->steps += n * n * n / 8;
	return OK;
}

/* `members` are local, targets left out; n of them. The first columns count on nobody inside, so that everybody who gets there
 * at all does; a column is changed only where that is better, never for a tie, or members could come to count on one another
 * alone. */
static enum err solve_component(struct reach *r, const uint32_t *members, size_t n)
{
	struct gth policy;
	double *out, *work;
	bool settled = false;
	enum err e = policy_init(r, n, &policy);

	if (e != OK)
		return e;
	out = policy.leave + n;
	work = out + n;
	for (size_t i = 0; i < n; i++)
		r->place[members[i]] = (uint32_t)i;
	for (size_t i = 0; e == OK && i < n; i++)
		e = lay_row(r, &policy, i, members[i], out);
	for (size_t rounds = 0; e == OK && !settled; rounds++) {
		if (over_budget(r->steps, r->budget) || rounds > 4 * n + 64)
			return ERR_FULL;
		e = policy_solve(r, &policy, out, members, work);
		settled = true;
		for (size_t i = 0; e == OK && i < n; i++) {
			double better;

			e = reach_return(r, members[i], &better);
			if (e != OK || better <= r->value[members[i]] + SETTLED * (double)(n + 1))
				continue;
			settled = false;
			memset(policy.step + i * n, 0, n * sizeof(*policy.step));
			e = lay_row(r, &policy, i, members[i], out);
		}
	}
	return e;
}

static enum err collect(struct reach *r, const uint32_t *targets, uint32_t count)
{
	const struct graph *g = r->g;

	for (uint32_t i = 0; i < r->touched_count; i++) {
		r->value[r->touched[i]] = 0;
		r->target[r->touched[i]] = 0;
		r->head[r->touched[i]] = NONE;
	}
	r->entries_count = 0;
	r->touched_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		r->target[targets[i]] = IS_TARGET | IS_TOUCHED;
		r->touched[r->touched_count++] = targets[i];
	}
	for (uint32_t done = 0; done < r->touched_count; done++) {
		uint32_t node = r->region->nodes[r->touched[done]];

		for (uint32_t place = g->down_start[node]; place < g->down_start[node + 1]; place++) {
			uint32_t held = region_local(r->s, g->subject[g->down_link[place]]);

			r->steps++;
			if (held == NONE || r->target[held] || g->weight[BOUND_MAX][g->down_link[place]] <= 0)
				continue;
			r->target[held] = IS_TOUCHED;
			r->touched[r->touched_count++] = held;
		}
	}
	if (over_budget(r->steps, r->budget))
		return ERR_FULL;
	for (uint32_t i = 0; i < r->touched_count; i++)
		r->keys[i] = (uint64_t)g->components[BOUND_MAX].of[r->region->nodes[r->touched[i]]] << 32 | i;
	qsort(r->keys, r->touched_count, sizeof(*r->keys), by_key);
	return OK;
}

/* What lies below a node, outside its component, learns of it. */
static enum err pass_down(struct reach *r, uint32_t local, uint32_t component)
{
	const struct graph *g = r->g;
	uint32_t node = r->region->nodes[local];

	if (r->value[local] <= 0)
		return OK;
	for (uint32_t place = g->down_start[node]; place < g->down_start[node + 1]; place++) {
		uint32_t link = g->down_link[place], held = region_local(r->s, g->subject[link]);

		if (held == NONE || g->components[BOUND_MAX].of[g->subject[link]] == component)
			continue;
		if (arena_grow(r->a, (void **)&r->entries, &r->entries_capacity, r->entries_count + 1, sizeof(*r->entries)) !=
		    0)
			return ERR_NOMEM;
		r->entries[r->entries_count] = (struct reach_entry){ r->head[held], link, local };
		r->head[held] = (uint32_t)r->entries_count++;
	}
	return OK;
}

enum err reach_run(struct reach *r, const uint32_t *targets, uint32_t count)
{
	const struct components *c = &r->g->components[BOUND_MAX];
	uint32_t *members = NULL, end;
	size_t capacity = 0;
	enum err e = collect(r, targets, count);

	for (uint32_t i = 0; e == OK && i < r->touched_count; i = end) {
		uint32_t component = (uint32_t)(r->keys[i] >> 32), n = 0;

		for (end = i; end < r->touched_count && r->keys[end] >> 32 == component; end++) {
			uint32_t local = r->touched[(uint32_t)r->keys[end]];

			if (r->target[local] & IS_TARGET) {
				r->value[local] = 1;
			} else if (!c->cyclic[component]) {
				e = column_value(r, local, &r->value[local]);
			} else {
				if (arena_grow(r->a, (void **)&members, &capacity, (size_t)n + 1, sizeof(*members)) != 0)
					return ERR_NOMEM;
				members[n++] = local;
			}
			if (e != OK)
				return e;
		}
		if (n > 0)
			e = solve_component(r, members, n);
		for (uint32_t k = i; e == OK && k < end; k++)
			e = pass_down(r, r->touched[(uint32_t)r->keys[k]], component);
	}
	return e;
}

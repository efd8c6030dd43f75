/* The share that ever reaches the targets: a walk climbs from holder to holder, and at the maxima every subject's column is filled
 * in the order of what its holders reach. Without loops one pass from the top down is exact; in a component the best columns are
 * found by policy iteration, each solved by elimination. */
#include <stdlib.h>
#include "internal.h"

/* Per member: no column can be improved by more, far below the last digit shown; in a core, whose numbers are doubles. */
#define SETTLED 1e-29
#define SETTLED_CORE 1e-15
#define STEPS 12 /* that a link counts for: about as long as twelve links of a plain walk */
#define ITERATED_STEPS ((size_t)120000000)
/* What is redone in fractions. */
#define EXACT_LINKS 400
#define EXACT_MEMBERS 40

enum { IS_TARGET = 1, IS_TOUCHED = 2 };

struct reach_entry {
	uint32_t next, link, holder; /* holder: local */
};

struct reach_fill {
	const struct num *value;
	struct num extra;
	uint32_t link, holder;
};

/* A component's columns at hand, from which it is solved again and again. */
struct policy {
	const uint32_t *members; /* local */
	uint32_t n;
	struct num *extra, *left; /* what each link got above its minimum; by row: what nobody got */
	size_t *first; /* by row: its links in extra */
	struct num *out, *solved; /* by row */
};

enum err reach_init(struct reach *r, const struct graph *g, struct graph_scratch *s, const struct region *region, size_t budget,
		    struct arena *a)
{
	size_t n = region->count;

	*r = (struct reach){ .g = g, .s = s, .region = region, .a = a, .budget = budget, .bound = BOUND_MAX };
	r->value = arena_alloc(a, n * sizeof(*r->value));
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
	int order;

	if (l->value->exact || r->value->exact)
		order = nums_compare(r->value, l->value);
	else
		order = (l->value->value < r->value->value) - (l->value->value > r->value->value);
	return order != 0 ? order : (l->link > r->link) - (l->link < r->link);
}

static int by_key(const void *left, const void *right)
{
	uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;

	return l < r ? -1 : l > r;
}

static bool fills(const struct reach *r)
{
	return r->bound == BOUND_MAX && !r->remainders;
}

/* Adds a link to the column being filled; what it has for certain is added to `base`. */
static enum err fill_add(struct reach *r, size_t *count, uint32_t link, uint32_t holder, struct num *base)
{
	struct num low = { 0 };
	struct reach_fill *fill;

	if (r->value[holder].value <= 0)
		return OK;
	link_num(r->g, r->pool, BOUND_MIN, link, &low);
	num_add_product(r->pool, base, &low, &r->value[holder]);
	if (!fills(r) || r->g->weight[BOUND_MAX][link] <= r->g->weight[BOUND_MIN][link])
		return OK;
	if (arena_grow(r->a, (void **)&r->fill, &r->fill_capacity, *count + 1, sizeof(*r->fill)) != 0)
		return ERR_NOMEM;
	fill = &r->fill[(*count)++];
	fill->value = &r->value[holder];
	fill->link = link;
	fill->holder = holder;
	fill->extra = (struct num){ 0 };
	link_num(r->g, r->pool, BOUND_MAX, link, &fill->extra);
	num_sub(r->pool, &fill->extra, &low);
	return OK;
}

/* Deals the room out to the holders that reach most; each entry's extra becomes what it got, and `room` what is left. */
static void fill_deal(struct reach *r, size_t count, struct num *room)
{
	if (count > 1)
		qsort(r->fill, count, sizeof(*r->fill), greatest_first);
	for (size_t i = 0; i < count; i++) {
		if (num_compare(r->pool, &r->fill[i].extra, room) > 0)
			num_set(r->pool, &r->fill[i].extra, room);
		num_sub(r->pool, room, &r->fill[i].extra);
	}
}

/* A column whose links are gathered: what of it gets to the targets. */
static void fill_value(struct reach *r, size_t count, uint32_t subject, struct num *base)
{
	struct num room = { 0 };

	if (r->bound == BOUND_MAX && node_held(r->g, subject)) {
		room_num(r->g, r->pool, subject, &room);
		if (r->remainders)
			num_add(r->pool, base, &room);
		else if (count > 0)
			fill_deal(r, count, &room);
	}
	for (size_t i = 0; i < count; i++)
		num_add_product(r->pool, base, &r->fill[i].extra, r->fill[i].value);
	base->value = quad_min(base->value, 1);
}

static enum err column_value(struct reach *r, uint32_t local, struct num *ret)
{
	size_t count = 0;
	enum err e = OK;

	for (uint32_t i = r->head[local]; e == OK && i != NONE; i = r->entries[i].next)
		e = fill_add(r, &count, r->entries[i].link, r->entries[i].holder, ret);
	if (e == OK)
		fill_value(r, count, r->region->nodes[local], ret);
	return e;
}

/* The column by its links themselves, whatever component their holders are in. */
static enum err column_links(struct reach *r, uint32_t local, size_t *ret_count, struct num *ret_base)
{
	const struct graph *g = r->g;
	uint32_t node = r->region->nodes[local];
	enum err e = OK;

	*ret_count = 0;
	for (uint32_t l = g->up_start[node]; e == OK && l < g->up_start[node + 1]; l++) {
		uint32_t holder = region_local(r->s, g->holder[l]);

		r->steps += STEPS;
		if (holder != NONE)
			e = fill_add(r, ret_count, l, holder, ret_base);
	}
	return e;
}

enum err reach_return(struct reach *r, uint32_t local, struct num *ret)
{
	size_t count;
	enum err e = column_links(r, local, &count, ret);

	if (e == OK)
		fill_value(r, count, r->region->nodes[local], ret);
	return e;
}

static enum err policy_init(struct reach *r, struct policy *p, const uint32_t *members, uint32_t n)
{
	size_t links = 0;

	*p = (struct policy){ .members = members, .n = n };
	p->first = arena_alloc(r->a, n * sizeof(*p->first));
	p->left = arena_alloc(r->a, n * sizeof(*p->left));
	p->out = arena_alloc(r->a, n * sizeof(*p->out));
	p->solved = arena_alloc(r->a, n * sizeof(*p->solved));
	if (!p->first || !p->left || !p->out || !p->solved)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t node = r->region->nodes[members[i]];

		r->place[members[i]] = i;
		p->first[i] = links;
		links += r->g->up_start[node + 1] - r->g->up_start[node];
	}
	if (!fills(r))
		return OK;
	p->extra = arena_alloc(r->a, links * sizeof(*p->extra));
	return p->extra ? OK : ERR_NOMEM;
}

/* The best column of one member by the values at hand becomes its own. */
static enum err policy_choose(struct reach *r, struct policy *p, uint32_t row)
{
	const struct graph *g = r->g;
	uint32_t local = p->members[row], node = r->region->nodes[local];
	struct num base = { 0 };
	size_t count;
	enum err e;

	if (r->bound == BOUND_MIN) /* what is unexplained leaves, too */
		room_num(g, r->pool, node, &p->left[row]);
	if (!fills(r))
		return OK;
	e = column_links(r, local, &count, &base);
	if (e != OK)
		return e;
	room_num(g, r->pool, node, &p->left[row]);
	fill_deal(r, count, &p->left[row]);
	for (size_t i = p->first[row], end = i + g->up_start[node + 1] - g->up_start[node]; i < end; i++)
		num_set_whole(r->pool, &p->extra[i], 0);
	for (size_t i = 0; i < count; i++)
		num_set(r->pool, &p->extra[p->first[row] + r->fill[i].link - g->up_start[node]], &r->fill[i].extra);
	return OK;
}

/* One row of the component's matrix: its steps inside, what leaves it, and what of that gets to the targets. */
static enum err policy_lay(struct reach *r, struct policy *p, struct gth *x, uint32_t row)
{
	const struct graph *g = r->g;
	uint32_t node = r->region->nodes[p->members[row]], component = g->components[r->bound].of[node];
	struct num *out = &p->out[row], *leave = &x->leave[row];
	enum err e = OK;

	num_set_whole(r->pool, out, 0);
	if (r->remainders && r->bound == BOUND_MAX) {
		room_num(g, r->pool, node, leave);
		num_set(r->pool, out, leave);
	} else {
		num_set(r->pool, leave, &p->left[row]);
	}
	for (uint32_t l = g->up_start[node]; e == OK && l < g->up_start[node + 1]; l++) {
		uint32_t holder = region_local(r->s, g->holder[l]);
		struct num share = { 0 };

		link_num(g, r->pool, BOUND_MIN, l, &share);
		if (p->extra)
			num_add(r->pool, &share, &p->extra[p->first[row] + l - g->up_start[node]]);
		if (share.value <= 0)
			continue;
		if (holder != NONE && !(r->target[holder] & IS_TARGET) &&
		    g->components[r->bound].of[g->holder[l]] == component) {
			if (r->place[holder] != row)
				e = gth_add(x, row, r->place[holder], &share);
			continue;
		}
		num_add(r->pool, leave, &share);
		if (holder != NONE)
			num_add_product(r->pool, out, &share, &r->value[holder]);
	}
	return e;
}

static enum err policy_solve(struct reach *r, struct policy *p)
{
	struct gth x;
	enum err e = gth_init(&x, r->s, r->pool, r->a, p->n);

	for (uint32_t i = 0; e == OK && i < p->n; i++)
		e = policy_lay(r, p, &x, i);
	if (e == OK)
		e = gth_factor(&x, false);
	if (e != OK)
		return e;
	for (uint32_t i = 0; i < p->n; i++)
		num_set(r->pool, &p->solved[i], &p->out[i]);
	gth_reach(&x, p->solved);
	for (uint32_t i = 0; i < p->n; i++) {
		num_set(r->pool, &r->value[p->members[i]], &p->solved[i]);
		r->value[p->members[i]].value = quad_min(p->solved[i].value, 1);
	}
	r->rough = r->rough || gth_rough(&x);
	r->steps += gth_steps(&x);
	return OK;
}

static bool is_better(const struct reach *r, const struct num *better, const struct num *value, uint32_t n)
{
	if (r->pool)
		return nums_compare(better, value) > 0;
	return better->value > value->value + (r->rough ? SETTLED_CORE : SETTLED) * (quad)(n + 1);
}

/* A component that is too large and dense to solve: from below at the minima, from above at the maxima, so that what comes out is a
 * bound on the safe side wherever it stops. */
static enum err iterate(struct reach *r, const uint32_t *members, uint32_t n)
{
	size_t until = r->steps + ITERATED_STEPS;
	quad change = 1;

	for (uint32_t i = 0; i < n; i++)
		num_set_whole(NULL, &r->value[members[i]], r->bound == BOUND_MAX);
	r->rough = true;
	while (change > SETTLED_CORE && r->steps < until) {
		change = 0;
		for (uint32_t i = 0; i < n; i++) {
			struct num value = { 0 };
			enum err e = reach_return(r, members[i], &value);

			if (e != OK)
				return e;
			change = quad_max(change, value.value - r->value[members[i]].value);
			change = quad_max(change, r->value[members[i]].value - value.value);
			r->value[members[i]] = value;
		}
		if (over_budget(r->steps, r->budget))
			return ERR_FULL;
	}
	r->loose = r->loose || change > SETTLED_CORE;
	return OK;
}

/* `members` are local, targets left out; n of them. The first columns count on nobody inside, so that everybody who gets there
 * at all does; a column is changed only where that is better, never for a tie, or members could come to count on one another
 * alone. */
static enum err solve_component(struct reach *r, const uint32_t *members, uint32_t n)
{
	struct policy p;
	bool settled = false;
	enum err e = policy_init(r, &p, members, n);

	for (uint32_t i = 0; e == OK && i < n; i++)
		e = policy_choose(r, &p, i);
	for (size_t rounds = 0; e == OK && !settled; rounds++) {
		if (over_budget(r->steps, r->budget) || rounds > 4 * (size_t)n + 64)
			return ERR_FULL;
		e = policy_solve(r, &p);
		if (e == ERR_PRECISION && !r->pool)
			return iterate(r, members, n);
		settled = true;
		for (uint32_t i = 0; e == OK && fills(r) && i < n; i++) {
			struct num better = { 0 };

			e = reach_return(r, members[i], &better);
			if (e != OK || !is_better(r, &better, &r->value[members[i]], n))
				continue;
			settled = false;
			e = policy_choose(r, &p, i);
		}
	}
	return e;
}

static void touch(struct reach *r, uint32_t local, uint8_t how)
{
	if (!r->target[local])
		r->touched[r->touched_count++] = local;
	r->target[local] |= how;
}

static enum err collect(struct reach *r, const uint32_t *targets, uint32_t count)
{
	const struct graph *g = r->g;
	size_t links = 0;

	for (uint32_t i = 0; i < r->touched_count; i++) {
		num_set_whole(r->pool, &r->value[r->touched[i]], 0);
		r->target[r->touched[i]] = 0;
		r->head[r->touched[i]] = NONE;
	}
	r->entries_count = 0;
	r->touched_count = 0;
	for (uint32_t i = 0; i < count; i++)
		touch(r, targets[i], IS_TARGET | IS_TOUCHED);
	for (uint32_t i = 0; r->remainders && i < r->region->count; i++)
		touch(r, i, IS_TOUCHED);
	for (uint32_t done = 0; done < r->touched_count; done++) {
		uint32_t node = r->region->nodes[r->touched[done]];

		links += g->up_start[node + 1] - g->up_start[node];
		for (uint32_t place = g->down_start[node]; place < g->down_start[node + 1]; place++) {
			uint32_t held = region_local(r->s, g->subject[g->down_link[place]]);

			r->steps += STEPS;
			if (held != NONE && g->weight[r->bound][g->down_link[place]] > 0)
				touch(r, held, IS_TOUCHED);
		}
	}
	if (over_budget(r->steps, r->budget) || (r->pool && links > EXACT_LINKS))
		return ERR_FULL;
	for (uint32_t i = 0; i < r->touched_count; i++)
		r->keys[i] = (uint64_t)g->components[r->bound].of[r->region->nodes[r->touched[i]]] << 32 | i;
	qsort(r->keys, r->touched_count, sizeof(*r->keys), by_key);
	return OK;
}

/* What lies below a node, outside its component, learns of it. */
static enum err pass_down(struct reach *r, uint32_t local, uint32_t component)
{
	const struct graph *g = r->g;
	uint32_t node = r->region->nodes[local];

	if (r->value[local].value <= 0)
		return OK;
	for (uint32_t place = g->down_start[node]; place < g->down_start[node + 1]; place++) {
		uint32_t link = g->down_link[place], held = region_local(r->s, g->subject[link]);

		/* what was not touched would not be reset either */
		if (held == NONE || g->weight[r->bound][link] <= 0 || g->components[r->bound].of[g->subject[link]] == component)
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
	const struct components *c = &r->g->components[r->bound];
	uint32_t *members = NULL, end;
	size_t capacity = 0;
	enum err e = collect(r, targets, count);

	for (uint32_t i = 0; e == OK && i < r->touched_count; i = end) {
		uint32_t component = (uint32_t)(r->keys[i] >> 32), n = 0;

		for (end = i; end < r->touched_count && r->keys[end] >> 32 == component; end++) {
			uint32_t local = r->touched[(uint32_t)r->keys[end]];

			if (r->target[local] & IS_TARGET) {
				num_set_whole(r->pool, &r->value[local], 1);
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
		if (r->pool && n > EXACT_MEMBERS)
			return ERR_FULL;
		if (n > 0)
			e = solve_component(r, members, n);
		for (uint32_t k = i; e == OK && k < end; k++)
			e = pass_down(r, r->touched[(uint32_t)r->keys[k]], component);
	}
	return e;
}

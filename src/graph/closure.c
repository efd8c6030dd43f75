/* Who is held enough of by a growing set: control and cascades. */
#include "internal.h"

enum err closure_init(struct closure *c, const struct graph *g, const struct graph_scratch *s, const struct region *region,
		      struct graph_ratio threshold, bool inclusive, struct arena *a)
{
	size_t n = region->count;

	*c = (struct closure){ .g = g, .s = s, .region = region, .a = a, .threshold = threshold, .inclusive = inclusive };
	c->limit = (quad)threshold.numerator / (quad)threshold.denominator;
	c->member = arena_alloc(a, n);
	c->sum[BOUND_MIN] = arena_alloc(a, n * sizeof(quad));
	c->sum[BOUND_MAX] = arena_alloc(a, n * sizeof(quad));
	c->touched = arena_alloc(a, n * sizeof(uint32_t));
	c->queue = arena_alloc(a, n * sizeof(uint32_t));
	return c->member && c->sum[0] && c->sum[1] && c->touched && c->queue ? OK : ERR_NOMEM;
}

quad closure_figure(const struct closure *c, uint32_t local)
{
	uint32_t node = c->region->nodes[local];
	quad low = c->sum[BOUND_MIN][local], high = c->sum[BOUND_MAX][local];

	if (c->bound == BOUND_MIN || !node_held(c->g, node))
		return low;
	return c->remainders ? low + c->g->room[node] : quad_min(high, low + c->g->room[node]);
}

void closure_exact(const struct closure *c, uint32_t local, mpq_t ret)
{
	exact_group(c->g, c->s, c->region->nodes[local], c->member, c->bound, c->remainders, ret);
}

int64_t closure_pct(const struct closure *c, uint32_t local)
{
	bool near;
	int64_t pct = pct_round(closure_figure(c, local), &near);
	mpq_t share;

	if (!near)
		return pct;
	mpq_init(share);
	closure_exact(c, local, share);
	pct = pct_round_exact(share);
	mpq_clear(share);
	return pct;
}

static int compare_exactly(const struct closure *c, uint32_t local, struct graph_ratio threshold)
{
	mpq_t share, limit;
	int order;

	mpq_inits(share, limit, NULL);
	closure_exact(c, local, share);
	exact_ratio(threshold, limit);
	order = mpq_cmp(share, limit);
	mpq_clears(share, limit, NULL);
	return order;
}

int closure_compare(const struct closure *c, uint32_t local, struct graph_ratio threshold)
{
	quad away = closure_figure(c, local) - (quad)threshold.numerator / (quad)threshold.denominator;

	if (away > CLOSURE_NEAR || away < -CLOSURE_NEAR)
		return away > 0 ? 1 : -1;
	return compare_exactly(c, local, threshold);
}

static bool meets(const struct closure *c, uint32_t local)
{
	quad figure = closure_figure(c, local), away = figure - c->limit;
	int order;

	if (figure <= 0)
		return false;
	if (away > CLOSURE_NEAR || away < -CLOSURE_NEAR)
		return away > 0;
	order = compare_exactly(c, local, c->threshold);
	return order > 0 || (c->inclusive && order == 0);
}

static void touch(struct closure *c, uint32_t local)
{
	/* what has a sum at the maxima was touched; a seed may be touched twice, which costs nothing but the list's room */
	if (c->sum[BOUND_MAX][local] <= 0 && !c->member[local])
		c->touched[c->touched_count++] = local;
}

static void join(struct closure *c, uint32_t local)
{
	c->member[local] = 1;
	c->queue[c->queue_count++] = local;
}

/* Notes what a sum was, where that may be undone. */
static enum err note(struct closure *c, uint32_t local)
{
	if (!c->growing)
		return OK;
	if (arena_grow(c->a, (void **)&c->undo, &c->undo_capacity, c->undo_count + 1, sizeof(*c->undo)) != 0)
		return ERR_NOMEM;
	c->undo[c->undo_count++] = (struct closure_undo){ local, { c->sum[BOUND_MIN][local], c->sum[BOUND_MAX][local] } };
	return OK;
}

/* Takes in what the members from `done` on, in the order in which they joined, bring in. */
static enum err spread(struct closure *c, uint32_t done)
{
	const struct graph *g = c->g;
	enum err e = OK;

	for (; e == OK && done < c->queue_count; done++) {
		uint32_t node = c->region->nodes[c->queue[done]];

		for (uint32_t place = g->down_start[node]; e == OK && place < g->down_start[node + 1]; place++) {
			uint32_t link = g->down_link[place], held = region_local(c->s, g->subject[link]);

			c->steps++;
			if (held == NONE || g->weight[BOUND_MAX][link] <= 0)
				continue;
			touch(c, held);
			e = note(c, held);
			c->sum[BOUND_MIN][held] += g->weight[BOUND_MIN][link];
			c->sum[BOUND_MAX][held] += g->weight[BOUND_MAX][link];
			if (!c->member[held] && meets(c, held))
				join(c, held);
		}
	}
	return e;
}

static void reset(struct closure *c, enum bound bound)
{
	for (uint32_t i = 0; i < c->touched_count; i++) {
		c->member[c->touched[i]] = 0;
		c->sum[BOUND_MIN][c->touched[i]] = c->sum[BOUND_MAX][c->touched[i]] = 0;
	}
	c->touched_count = c->queue_count = 0;
	c->bound = bound;
}

enum err closure_run(struct closure *c, enum bound bound, const uint32_t *seeds, uint32_t count)
{
	reset(c, bound);
	for (uint32_t i = 0; i < count; i++) {
		if (c->member[seeds[i]])
			continue;
		touch(c, seeds[i]);
		join(c, seeds[i]);
	}
	/* what is unexplained may suffice alone */
	for (uint32_t i = 0; bound == BOUND_MAX && c->remainders && i < c->region->count; i++) {
		if (c->member[i] || !meets(c, i))
			continue;
		touch(c, i);
		join(c, i);
	}
	return spread(c, 0);
}

void closure_begin(struct closure *c, enum bound bound)
{
	reset(c, bound);
	c->growing = true;
	c->undo_count = 0;
}

enum err closure_add(struct closure *c, uint32_t local)
{
	if (c->member[local])
		return OK;
	touch(c, local);
	join(c, local);
	return spread(c, c->queue_count - 1);
}

struct closure_mark closure_mark(const struct closure *c)
{
	return (struct closure_mark){ c->queue_count, c->touched_count, c->undo_count };
}

void closure_shrink(struct closure *c, struct closure_mark to)
{
	while (c->undo_count > to.undo) {
		const struct closure_undo *undo = &c->undo[--c->undo_count];

		c->sum[BOUND_MIN][undo->local] = undo->sum[BOUND_MIN];
		c->sum[BOUND_MAX][undo->local] = undo->sum[BOUND_MAX];
	}
	while (c->queue_count > to.members)
		c->member[c->queue[--c->queue_count]] = 0;
	c->touched_count = to.touched;
}

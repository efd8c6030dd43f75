/* The greatest simple paths, found from the subject upwards, best first: what a path can still become is known from a first
 * pass down from the holder, so the first to arrive is the greatest. */
#include <string.h>
#include "internal.h"

struct partial {
	size_t below; /* the partial path that this one continues; SIZE_MAX: none */
	uint32_t link, local;
	quad value; /* product of the maxima so far */
};

struct entry {
	double key;
	size_t number; /* of the partial path, or the local index */
};

struct heap {
	struct entry *items;
	size_t count, capacity;
};

/* Ties go to the newer, which is the longer: where very many paths are alike, one is finished before all are begun. */
static bool before(const struct entry *a, const struct entry *b)
{
	return a->key != b->key ? a->key > b->key : a->number > b->number;
}

/* Without its last ten bits, so that products of the same shares in another order tie. */
static double rounded(double key)
{
	uint64_t bits;

	memcpy(&bits, &key, sizeof(bits));
	bits &= ~(uint64_t)0x3ff;
	memcpy(&key, &bits, sizeof(bits));
	return key;
}

static enum err heap_push(struct heap *h, struct arena *a, struct entry entry)
{
	size_t i = h->count;

	if (arena_grow(a, (void **)&h->items, &h->capacity, h->count + 1, sizeof(*h->items)) != 0)
		return ERR_NOMEM;
	h->count++;
	for (; i > 0 && before(&entry, &h->items[(i - 1) / 2]); i = (i - 1) / 2)
		h->items[i] = h->items[(i - 1) / 2];
	h->items[i] = entry;
	return OK;
}

static struct entry heap_pop(struct heap *h)
{
	struct entry top = h->items[0], last = h->items[--h->count];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < h->count; i = child) {
		if (child + 1 < h->count && before(&h->items[child + 1], &h->items[child]))
			child++;
		if (!before(&h->items[child], &last))
			break;
		h->items[i] = h->items[child];
	}
	h->items[i] = last;
	return top;
}

struct finder {
	const struct graph *g;
	struct graph_scratch *s;
	struct arena *a;
	struct region region;
	size_t steps, budget;
	double *best; /* by local index: the greatest product of any path from the holder down to it */
	struct partial *partials;
	size_t partials_count, partials_capacity;
	struct heap heap;
};

/* Dijkstra's algorithm with products: shares are at most 1, so a path never gains. */
static enum err best_products(struct finder *f, uint32_t from)
{
	struct heap heap = { 0 };
	enum err e;

	f->best[from] = 1;
	e = heap_push(&heap, f->a, (struct entry){ 1, from });
	while (e == OK && heap.count > 0) {
		struct entry top = heap_pop(&heap);
		uint32_t node = f->region.nodes[top.number];

		if (top.key < f->best[top.number])
			continue;
		for (uint32_t place = f->g->down_start[node]; e == OK && place < f->g->down_start[node + 1]; place++) {
			uint32_t link = f->g->down_link[place], held = region_local(f->s, f->g->subject[link]);
			double value;

			if (over_budget(++f->steps, f->budget))
				return ERR_FULL;
			if (held == NONE)
				continue;
			value = top.key * (double)quad_min(link_share(f->g, BOUND_MAX, link), 1);
			if (value <= f->best[held])
				continue;
			f->best[held] = value;
			e = heap_push(&heap, f->a, (struct entry){ value, held });
		}
	}
	return e;
}

static enum err extend(struct finder *f, size_t below, uint32_t local, quad value)
{
	uint32_t node = f->region.nodes[local];

	for (uint32_t link = f->g->up_start[node]; link < f->g->up_start[node + 1]; link++) {
		uint32_t holder = region_local(f->s, f->g->holder[link]);
		quad next = value * link_share(f->g, BOUND_MAX, link);
		double key = (double)next * f->best[holder];
		bool passed = holder == 0;

		f->steps++;
		if (key <= 0)
			continue;
		for (size_t i = below; i != SIZE_MAX && !passed; i = f->partials[i].below) {
			passed = f->partials[i].local == holder;
			f->steps++;
		}
		if (over_budget(f->steps, f->budget))
			return ERR_FULL;
		if (passed)
			continue;
		if (arena_grow(f->a, (void **)&f->partials, &f->partials_capacity, f->partials_count + 1,
			       sizeof(*f->partials)) != 0)
			return ERR_NOMEM;
		f->partials[f->partials_count] = (struct partial){ below, link, holder, next };
		if (heap_push(&f->heap, f->a, (struct entry){ rounded(key), f->partials_count++ }) != OK)
			return ERR_NOMEM;
	}
	return OK;
}

#define EXACT_LINKS 400 /* a longer product is taken for the tie that it all but is */

/* The product of a path's shares, in fractions. */
static void round_exact(struct finder *f, const struct graph_path *path, enum bound bound, int64_t *ret)
{
	struct nums pool;
	struct num product = { 0 }, share = { 0 };

	if (path->count > EXACT_LINKS)
		return;
	nums_init(&pool, f->a);
	num_set_whole(&pool, &product, 1);
	for (size_t i = 0; i < path->count; i++) {
		link_num(f->g, &pool, bound, path->links[i], &share);
		num_mul(&pool, &product, &share);
	}
	if (!pool.failed)
		*ret = pct_round_exact(nums_of(&pool, &product));
	nums_clear(&pool);
}

static enum err lay_path(struct finder *f, size_t last, struct graph_path *ret)
{
	uint32_t *links;
	size_t count = 0;
	quad min = 1, max = f->partials[last].value;
	bool near_min, near_max;

	for (size_t i = last; i != SIZE_MAX; i = f->partials[i].below)
		count++;
	links = arena_alloc(f->a, count * sizeof(*links));
	if (!links)
		return ERR_NOMEM;
	*ret = (struct graph_path){ .links = links, .count = count };
	for (size_t i = last; i != SIZE_MAX; i = f->partials[i].below) {
		*links++ = f->partials[i].link;
		min *= link_share(f->g, BOUND_MIN, f->partials[i].link);
	}
	min = quad_min(min, max);
	ret->min = (double)min;
	ret->max = (double)max;
	ret->pct = (struct graph_pct){ pct_round(min, &near_min), pct_round(max, &near_max) };
	if (near_min)
		round_exact(f, ret, BOUND_MIN, &ret->pct.min);
	if (near_max)
		round_exact(f, ret, BOUND_MAX, &ret->pct.max);
	return OK;
}

enum err graph_paths(const struct graph *g, struct graph_scratch *s, uint32_t holder, uint32_t subject, size_t limit,
		     size_t budget, struct arena *a, struct graph_paths *ret)
{
	struct finder f = { .g = g, .s = s, .a = a, .budget = budget };
	size_t capacity = 0;
	uint32_t from;
	enum err e;

	*ret = (struct graph_paths){ 0 };
	if (holder >= g->nodes || subject >= g->nodes)
		return ERR_INVALID;
	e = region_collect(g, s, subject, UP, a, &f.region);
	from = region_local(s, holder);
	if (e != OK || holder == subject || from == NONE)
		return e;
	f.best = arena_alloc(a, f.region.count * sizeof(double));
	e = f.best ? best_products(&f, from) : ERR_NOMEM;
	if (e == OK)
		e = extend(&f, SIZE_MAX, 0, 1);
	while (e == OK && f.heap.count > 0) {
		size_t number = heap_pop(&f.heap).number;
		struct partial partial = f.partials[number];

		if (partial.local != from) {
			e = extend(&f, number, partial.local, partial.value);
			continue;
		}
		if (ret->count == limit) {
			ret->truncated = true;
			break;
		}
		if (arena_grow(a, (void **)&ret->items, &capacity, ret->count + 1, sizeof(*ret->items)) != 0)
			return ERR_NOMEM;
		e = lay_path(&f, number, &ret->items[ret->count]);
		ret->count += e == OK;
	}
	return e;
}

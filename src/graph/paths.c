/* The greatest simple paths between one node, the *end*, and others, best first: how much a path can still become is known from one
 * pass over all that lies above (or below) the end, so the first to arrive is the greatest. The pass is shared by all others.
 *
 * A path's length is the sum of the logarithms of its shares: products of ten thousand shares stay comparable that way. */
#include <math.h>
#include <stdlib.h>
#include "internal.h"

struct partial {
	uint32_t before; /* the partial path that this one continues; NONE: it is the first link */
	uint32_t link, local; /* where it has come to, and by which link */
	uint32_t links; /* so far */
	double length; /* so far */
};

struct entry {
	double key; /* the least that the path's length can become */
	uint32_t number; /* of the partial path; in the first pass the local index */
};

struct heap {
	struct entry *items;
	size_t count, capacity;
};

struct graph_finder {
	const struct graph *g;
	struct graph_scratch *s;
	struct arena *a;
	const uint64_t *rank;
	enum direction outwards; /* from the end */
	struct region region; /* the end first */
	size_t steps, budget;
	double *least; /* by local index: the length of the shortest way to the end, repetitions allowed */
	uint8_t *looped; /* likewise */
	/* the search at hand; its memory serves the next, too */
	struct partial *partials;
	uint32_t partials_count;
	size_t partials_capacity;
	struct heap heap;
	uint8_t *passed; /* by local index: on the path in focus */
	uint32_t focus;
};

#define PARTIALS_MAX 2000000 /* of one search: what it may take of memory */
#define STEPS_PER_PARTIAL 16 /* what sorting it in costs beside looking at its link */

/* Of equals the longer goes first: where very many paths are alike, one is finished before all are begun. Then the rank of the
 * node that it has come to, so that the order does not depend on how nodes and links are numbered; then the newer, which the order
 * of those before decides. Before a search there are no partial paths, and the order of equals does not matter. */
static bool goes_before(const struct graph_finder *f, const struct entry *a, const struct entry *b)
{
	const struct partial *l, *r;
	uint32_t left, right;

	if (a->key != b->key || f->partials_count == 0)
		return a->key < b->key;
	l = &f->partials[a->number];
	r = &f->partials[b->number];
	if (l->links != r->links)
		return l->links > r->links;
	if (l->local == r->local)
		return a->number > b->number;
	left = f->region.nodes[l->local];
	right = f->region.nodes[r->local];
	if (f->rank && f->rank[left] != f->rank[right])
		return f->rank[left] < f->rank[right];
	return left < right;
}

static enum err heap_push(struct graph_finder *f, struct entry entry)
{
	struct heap *h = &f->heap;
	size_t i = h->count;

	if (arena_grow(f->a, (void **)&h->items, &h->capacity, h->count + 1, sizeof(*h->items)) != 0)
		return ERR_NOMEM;
	h->count++;
	for (; i > 0 && goes_before(f, &entry, &h->items[(i - 1) / 2]); i = (i - 1) / 2)
		h->items[i] = h->items[(i - 1) / 2];
	h->items[i] = entry;
	return OK;
}

static struct entry heap_pop(struct graph_finder *f)
{
	struct heap *h = &f->heap;
	struct entry top = h->items[0], last = h->items[--h->count];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < h->count; i = child) {
		if (child + 1 < h->count && goes_before(f, &h->items[child + 1], &h->items[child]))
			child++;
		if (!goes_before(f, &h->items[child], &last))
			break;
		h->items[i] = h->items[child];
	}
	h->items[i] = last;
	return top;
}

/* What a link adds; infinite where it is nothing. */
static double link_length(const struct graph *g, uint32_t link)
{
	quad share = link_share(g, BOUND_MAX, link);

	if (share <= 0)
		return INFINITY;
	return share < 1 ? fmax(-log2((double)share), 0) : 0;
}

/* To a multiple of 2^-40, so that the same shares in another order make a tie. */
static double rounded(double length)
{
	return nearbyint(ldexp(length, 40));
}

/* Dijkstra's algorithm from the end outwards. */
static enum err measure(struct graph_finder *f)
{
	const struct graph *g = f->g;
	enum err e = heap_push(f, (struct entry){ 0 });

	for (uint32_t i = 1; i < f->region.count; i++)
		f->least[i] = INFINITY;
	while (e == OK && f->heap.count > 0) {
		struct entry top = heap_pop(f);
		uint32_t node = f->region.nodes[top.number], place = links_begin(g, f->outwards, node);

		if (top.key > f->least[top.number])
			continue;
		for (; e == OK && place < links_end(g, f->outwards, node); place++) {
			uint32_t link = link_at(g, f->outwards, place), next;
			double length = top.key + link_length(g, link);

			next = region_local(f->s, link_end(g, f->outwards, link));
			if (over_budget(++f->steps, f->budget))
				return ERR_FULL;
			if (!(length < f->least[next]))
				continue;
			f->least[next] = length;
			e = heap_push(f, (struct entry){ length, next });
		}
	}
	return e;
}

enum { LOOPED = 1, GIVES_LOOPS = 2 };

/* Marks what has a ring between itself and the end. */
static enum err mark_looped(struct graph_finder *f)
{
	const struct graph *g = f->g;
	const struct components *c = &g->components[BOUND_MAX];
	uint32_t *queue = arena_alloc(f->a, f->region.count * sizeof(*queue)), count = 0;

	f->looped = arena_alloc(f->a, f->region.count);
	if (!queue || !f->looped)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < f->region.count; i++) {
		if (!c->cyclic[c->of[f->region.nodes[i]]])
			continue;
		f->looped[i] = GIVES_LOOPS;
		queue[count++] = i;
	}
	for (uint32_t done = 0; done < count; done++) {
		uint32_t node = f->region.nodes[queue[done]], place = links_begin(g, f->outwards, node);

		for (; place < links_end(g, f->outwards, node); place++) {
			uint32_t next = region_local(f->s, link_end(g, f->outwards, link_at(g, f->outwards, place)));

			f->steps++;
			f->looped[next] |= LOOPED;
			if (f->looped[next] & GIVES_LOOPS)
				continue;
			f->looped[next] |= GIVES_LOOPS;
			queue[count++] = next;
		}
	}
	return OK;
}

enum err graph_finder_new(const struct graph *g, struct graph_scratch *s, uint32_t end, bool is_holder, const uint64_t *rank,
			  size_t budget, struct arena *a, struct graph_finder **ret)
{
	struct graph_finder *f = arena_alloc(a, sizeof(*f));
	enum err e;

	*ret = f;
	if (!f)
		return ERR_NOMEM;
	*f = (struct graph_finder){ .g = g, .s = s, .a = a, .rank = rank, .budget = budget, .focus = NONE };
	if (end >= g->nodes)
		return ERR_INVALID;
	f->outwards = is_holder ? DOWN : UP;
	e = region_collect(g, s, end, f->outwards, a, &f->region);
	if (e != OK)
		return e;
	f->least = arena_alloc(a, f->region.count * sizeof(*f->least));
	f->passed = arena_alloc(a, f->region.count);
	if (!f->least || !f->passed)
		return ERR_NOMEM;
	e = measure(f);
	return e == OK ? mark_looped(f) : e;
}

/* Marks the nodes of one partial path, and no others. Mostly it continues the last one. */
static void focus_on(struct graph_finder *f, uint32_t number)
{
	if (number != NONE && f->partials[number].before == f->focus) {
		f->passed[f->partials[number].local] = 1;
		f->focus = number;
		return;
	}
	for (uint32_t i = f->focus; i != NONE; i = f->partials[i].before) {
		f->passed[f->partials[i].local] = 0;
		f->steps++;
	}
	for (uint32_t i = number; i != NONE; i = f->partials[i].before) {
		f->passed[f->partials[i].local] = 1;
		f->steps++;
	}
	f->focus = number;
}

/* One more link. */
static enum err extend(struct graph_finder *f, uint32_t number, uint32_t local)
{
	const struct graph *g = f->g;
	enum direction inwards = f->outwards == UP ? DOWN : UP;
	uint32_t node = f->region.nodes[local];
	struct partial before = { .before = NONE };

	if (number != NONE)
		before = f->partials[number];

	focus_on(f, number);
	for (uint32_t place = links_begin(g, inwards, node); place < links_end(g, inwards, node); place++) {
		uint32_t link = link_at(g, inwards, place), next = region_local(f->s, link_end(g, inwards, link));
		double length;

		f->steps++;
		if (next == NONE || f->passed[next])
			continue;
		length = before.length + link_length(g, link);
		if (isinf(length) || isinf(f->least[next]))
			continue;
		if (f->partials_count == PARTIALS_MAX)
			return ERR_FULL;
		if (arena_grow(f->a, (void **)&f->partials, &f->partials_capacity, f->partials_count + 1,
			       sizeof(*f->partials)) != 0)
			return ERR_NOMEM;
		f->steps += STEPS_PER_PARTIAL;
		f->partials[f->partials_count] = (struct partial){ number, link, next, before.links + 1, length };
		if (heap_push(f, (struct entry){ rounded(length + f->least[next]), f->partials_count++ }) != OK)
			return ERR_NOMEM;
	}
	return OK;
}

#define EXACT_LINKS 400 /* a longer product is taken for the tie that it all but is */

/* The product of a path's shares, in fractions. */
static void round_exact(struct graph_finder *f, const struct graph_path *path, enum bound bound, int64_t *ret)
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

static enum err lay_path(struct graph_finder *f, uint32_t last, struct graph_path *ret)
{
	size_t count = f->partials[last].links;
	uint32_t *links = arena_alloc(f->a, count * sizeof(*links));
	size_t at = 0;
	quad min = 1, max = 1;
	bool near_min, near_max;

	if (!links)
		return ERR_NOMEM;
	*ret = (struct graph_path){ .links = links, .count = count };
	for (uint32_t i = last; i != NONE; i = f->partials[i].before, at++) {
		uint32_t link = f->partials[i].link;

		links[f->outwards == UP ? count - 1 - at : at] = link; /* from the holder down */
		min *= link_share(f->g, BOUND_MIN, link);
		max *= link_share(f->g, BOUND_MAX, link);
	}
	min = quad_min(min, max);
	quad_split(min, &ret->min, &ret->min_rest);
	quad_split(max, &ret->max, &ret->max_rest);
	ret->pct = (struct graph_pct){ pct_round(min, &near_min), pct_round(max, &near_max) };
	if (near_min)
		round_exact(f, ret, BOUND_MIN, &ret->pct.min);
	if (near_max)
		round_exact(f, ret, BOUND_MAX, &ret->pct.max);
	return OK;
}

static enum err search(struct graph_finder *f, uint32_t from, size_t limit, size_t budget, struct graph_paths *ret)
{
	size_t capacity = 0, began = f->steps;
	enum err e = extend(f, NONE, from);

	while (e == OK && f->heap.count > 0) {
		uint32_t number = heap_pop(f).number, local = f->partials[number].local;

		if (over_budget(f->steps - began, budget) || over_budget(f->steps, f->budget))
			return ERR_FULL;
		if (local != 0) {
			e = extend(f, number, local);
			continue;
		}
		if (ret->count == limit) {
			ret->truncated = true;
			return OK;
		}
		if (arena_grow(f->a, (void **)&ret->items, &capacity, ret->count + 1, sizeof(*ret->items)) != 0)
			return ERR_NOMEM;
		e = lay_path(f, number, &ret->items[ret->count]);
		ret->count += e == OK;
	}
	return e;
}

enum err graph_finder_paths(struct graph_finder *f, uint32_t node, size_t limit, size_t budget, struct graph_paths *ret)
{
	uint32_t from = node < f->g->nodes ? region_local(f->s, node) : NONE;
	enum err e;

	*ret = (struct graph_paths){ 0 };
	if (from == NONE)
		return OK;
	ret->looped = f->looped[from] & LOOPED;
	if (from == 0) /* the end itself has no path */
		return OK;
	f->partials_count = 0;
	f->heap.count = 0;
	f->passed[from] = 1;
	e = search(f, from, limit, budget, ret);
	if (e == ERR_FULL)
		ret->truncated = true;
	focus_on(f, NONE);
	f->passed[from] = 0;
	return e;
}

size_t graph_finder_steps(const struct graph_finder *f)
{
	return f->steps;
}

enum err graph_paths(const struct graph *g, struct graph_scratch *s, uint32_t holder, uint32_t subject, size_t limit,
		     size_t budget, struct arena *a, struct graph_paths *ret)
{
	struct graph_finder *f;
	enum err e;

	*ret = (struct graph_paths){ 0 };
	if (holder >= g->nodes)
		return ERR_INVALID;
	e = graph_finder_new(g, s, subject, false, NULL, budget, a, &f);
	return e == OK ? graph_finder_paths(f, holder, limit, 0, ret) : e;
}

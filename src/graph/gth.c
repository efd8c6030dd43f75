/* Sparse elimination of one component, the member with the fewest neighbours next. A pair of members that hold one another, or
 * come to by an elimination, has one entry for both directions, found by its two members. What is left when everybody left has
 * many neighbours is a core, and is solved as a dense matrix. */
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define CORE_DEGREE 96 /* up to here, 113 bits cost some hundredths of a second */
#define MAX_PAIRS ((size_t)4 << 20)

static bool grow(void **array, size_t *capacity, size_t need, size_t size)
{
	size_t more = *capacity ? *capacity : 64;
	void *grown;

	if (need <= *capacity)
		return true;
	while (more < need)
		more *= 2;
	grown = realloc(*array, more * size);
	if (!grown)
		return false;
	*array = grown;
	*capacity = more;
	return true;
}

enum err gth_init(struct gth *x, struct graph_scratch *s, struct nums *pool, struct arena *a, size_t n)
{
	uint32_t *ids = arena_alloc(a, 9 * n * sizeof(*ids));

	*x = (struct gth){ .n = (uint32_t)n, .pairs = &s->pairs, .s = s, .pool = pool, .a = a };
	x->leave = arena_alloc(a, n * sizeof(*x->leave));
	x->pivot = arena_alloc(a, n * sizeof(*x->pivot));
	if (!ids || !x->leave || !x->pivot)
		return ERR_NOMEM;
	x->head = ids;
	x->rank = ids + n;
	x->order = ids + 2 * n;
	x->degree = ids + 3 * n;
	x->first = ids + 4 * n;
	x->after = ids + 5 * n;
	x->before = ids + 6 * n;
	x->near = ids + 7 * n;
	x->near_pair = ids + 8 * n;
	for (size_t i = 0; i < n; i++)
		x->head[i] = x->rank[i] = x->first[i] = NONE;
	for (size_t i = 0; i < s->pairs.count; i++)
		s->pairs.table[s->pairs.items[i].slot] = NONE;
	s->pairs.count = 0;
	return OK;
}

static uint32_t slot_of(const struct gth_pairs *p, uint32_t a, uint32_t b)
{
	uint64_t key = ((uint64_t)a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t slot = (uint32_t)(key >> 32) & (p->table_size - 1);

	while (p->table[slot] != NONE && (p->items[p->table[slot]].a != a || p->items[p->table[slot]].b != b))
		slot = (slot + 1) & (p->table_size - 1);
	return slot;
}

static bool grow_table(struct gth_pairs *p)
{
	uint32_t size = p->table_size ? 2 * p->table_size : 256;
	uint32_t *table = malloc(size * sizeof(*table));

	if (!table)
		return false;
	memset(table, 0xff, size * sizeof(*table));
	free(p->table);
	p->table = table;
	p->table_size = size;
	for (uint32_t i = 0; i < p->count; i++) {
		p->items[i].slot = slot_of(p, p->items[i].a, p->items[i].b);
		table[p->items[i].slot] = i;
	}
	return true;
}

/* The pair's number, made where there is none. ERR_PRECISION: more than are kept. */
static enum err pair_of(struct gth *x, uint32_t one, uint32_t other, uint32_t *ret, bool *ret_made)
{
	struct gth_pairs *p = x->pairs;
	uint32_t a = one < other ? one : other, b = one < other ? other : one, slot;

	*ret_made = false;
	if (2 * p->count >= p->table_size && !grow_table(p))
		return ERR_NOMEM;
	slot = slot_of(p, a, b);
	*ret = p->table[slot];
	if (*ret != NONE)
		return OK;
	if (p->count == MAX_PAIRS)
		return ERR_PRECISION;
	if (!grow((void **)&p->items, &p->capacity, (size_t)p->count + 1, sizeof(*p->items)))
		return ERR_NOMEM;
	p->items[p->count] = (struct gth_pair){ .a = a, .b = b, .slot = slot, .next_a = x->head[a], .next_b = x->head[b] };
	x->head[a] = x->head[b] = p->table[slot] = *ret = p->count++;
	*ret_made = true;
	return OK;
}

static struct num *share_from(struct gth_pair *pair, uint32_t member)
{
	return pair->a == member ? &pair->ab : &pair->ba;
}

enum err gth_add(struct gth *x, uint32_t row, uint32_t column, const struct num *share)
{
	uint32_t pair;
	bool made;
	enum err e = pair_of(x, row, column, &pair, &made);

	if (e != OK)
		return e;
	x->degree[row] += made;
	x->degree[column] += made;
	num_add(x->pool, share_from(&x->pairs->items[pair], row), share);
	return OK;
}

/* The neighbours of a member that are eliminated after it, into near[]. */
static uint32_t collect(struct gth *x, uint32_t k)
{
	uint32_t count = 0;

	for (uint32_t i = x->head[k]; i != NONE;) {
		const struct gth_pair *pair = &x->pairs->items[i];
		uint32_t other = pair->a == k ? pair->b : pair->a;

		if (x->rank[other] > x->rank[k]) {
			x->near[count] = other;
			x->near_pair[count++] = i;
		}
		i = pair->a == k ? pair->next_a : pair->next_b;
	}
	return count;
}

/* Members not yet eliminated, by degree. */
static void list(struct gth *x, uint32_t k)
{
	uint32_t degree = x->degree[k];

	x->before[k] = NONE;
	x->after[k] = x->first[degree];
	if (x->after[k] != NONE)
		x->before[x->after[k]] = k;
	x->first[degree] = k;
}

static void unlist(struct gth *x, uint32_t k)
{
	if (x->before[k] == NONE)
		x->first[x->degree[k]] = x->after[k];
	else
		x->after[x->before[k]] = x->after[k];
	if (x->after[k] != NONE)
		x->before[x->after[k]] = x->before[k];
}

/* What b's neighbours i and j come to hold of one another when k between them goes. */
static enum err bridge(struct gth *x, uint32_t k, uint32_t from, uint32_t to, const struct num *factor)
{
	uint32_t pair;
	bool made;
	enum err e;

	if (share_from(&x->pairs->items[x->near_pair[to]], k)->value <= 0)
		return OK;
	e = pair_of(x, x->near[from], x->near[to], &pair, &made);
	if (e != OK)
		return e;
	if (made) { /* both are off the lists while k is eliminated */
		x->degree[x->near[from]]++;
		x->degree[x->near[to]]++;
	}
	num_add_product(x->pool, share_from(&x->pairs->items[pair], x->near[from]), factor,
			share_from(&x->pairs->items[x->near_pair[to]], k));
	return OK;
}

static enum err eliminate(struct gth *x, uint32_t k)
{
	uint32_t count = collect(x, k);
	struct num factor = { 0 };
	enum err e = OK;

	num_set(x->pool, &x->pivot[k], &x->leave[k]);
	for (uint32_t i = 0; i < count; i++) {
		num_add(x->pool, &x->pivot[k], share_from(&x->pairs->items[x->near_pair[i]], k));
		if (x->near[i] != x->last)
			unlist(x, x->near[i]);
		x->degree[x->near[i]]--;
	}
	for (uint32_t i = 0; e == OK && i < count && x->pivot[k].value > 0; i++) {
		const struct num *into = share_from(&x->pairs->items[x->near_pair[i]], x->near[i]);

		if (into->value <= 0)
			continue;
		num_set(x->pool, &factor, into);
		num_div(x->pool, &factor, &x->pivot[k]);
		num_add_product(x->pool, &x->leave[x->near[i]], &factor, &x->leave[k]);
		for (uint32_t j = 0; e == OK && j < count; j++) {
			if (j != i)
				e = bridge(x, k, i, j, &factor);
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		if (x->near[i] != x->last)
			list(x, x->near[i]);
	}
	return e;
}

static enum err lay_core(struct gth *x, uint32_t eliminated)
{
	uint32_t count = 0;
	enum err e;

	for (uint32_t k = 0; k < x->n; k++) { /* in order, so that a first member is the core's first, too */
		if (x->rank[k] == NONE)
			x->order[eliminated + count++] = k;
	}
	x->core_start = eliminated;
	e = core_init(&x->core, x->s, count);
	if (e != OK)
		return e;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t k = x->order[eliminated + i];

		x->rank[k] = eliminated + i;
		x->core.leave[i] = (double)x->leave[k].value;
	}
	for (uint32_t i = 0; i < x->pairs->count; i++) {
		const struct gth_pair *pair = &x->pairs->items[i];
		size_t a = x->rank[pair->a], b = x->rank[pair->b];

		if (a < eliminated || b < eliminated)
			continue;
		x->core.step[(a - eliminated) * count + (b - eliminated)] = (double)pair->ab.value;
		x->core.step[(b - eliminated) * count + (a - eliminated)] = (double)pair->ba.value;
	}
	core_factor(&x->core);
	x->core_work = arena_alloc(x->a, count * sizeof(double));
	return x->core_work ? OK : ERR_NOMEM;
}

enum err gth_factor(struct gth *x, bool first_last)
{
	uint32_t least = 0, eliminated = 0;
	enum err e = OK;

	x->last = first_last ? 0 : NONE;
	for (uint32_t k = x->n; k-- > 0;) {
		if (k != x->last)
			list(x, k);
	}
	x->core_start = x->n;
	while (e == OK && eliminated < x->n - first_last) {
		uint32_t k;

		while (x->first[least] == NONE)
			least++;
		if (least > CORE_DEGREE)
			return lay_core(x, eliminated);
		k = x->first[least];
		unlist(x, k);
		x->rank[k] = eliminated;
		x->order[eliminated++] = k;
		e = eliminate(x, k);
		least -= least > 0;
	}
	if (e == OK && first_last) {
		x->rank[0] = eliminated;
		x->order[eliminated] = 0;
		num_set(x->pool, &x->pivot[0], &x->leave[0]);
	}
	return e;
}

static void over(struct gth *x, struct num *value, uint32_t k)
{
	if (x->pivot[k].value > 0)
		num_div(x->pool, value, &x->pivot[k]);
	else
		num_set_whole(x->pool, value, 0);
}

/* The core's part of a solution, in doubles. */
static void core_solve(struct gth *x, struct num *vector, void (*solve)(const struct core *, double *))
{
	uint32_t count = x->n - x->core_start;

	if (count == 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		x->core_work[i] = (double)vector[x->order[x->core_start + i]].value;
	solve(&x->core, x->core_work);
	for (uint32_t i = 0; i < count; i++)
		vector[x->order[x->core_start + i]].value = x->core_work[i];
}

void gth_visits(struct gth *x, struct num *vector)
{
	struct num passed = { 0 };

	for (uint32_t at = 0; at < x->core_start; at++) {
		uint32_t k = x->order[at], count;

		if (vector[k].value <= 0)
			continue;
		count = collect(x, k);
		num_set(x->pool, &passed, &vector[k]);
		over(x, &passed, k);
		for (uint32_t i = 0; i < count; i++)
			num_add_product(x->pool, &vector[x->near[i]], &passed,
					share_from(&x->pairs->items[x->near_pair[i]], k));
	}
	core_solve(x, vector, core_visits);
	for (uint32_t at = x->core_start; at-- > 0;) {
		uint32_t k = x->order[at], count = collect(x, k);

		for (uint32_t i = 0; i < count; i++)
			num_add_product(x->pool, &vector[k], &vector[x->near[i]],
					share_from(&x->pairs->items[x->near_pair[i]], x->near[i]));
		over(x, &vector[k], k);
	}
}

/* Backwards: from what its later neighbours reach, and what it has itself, to what a member reaches. */
static void reach_backwards(struct gth *x, struct num *vector, uint32_t end)
{
	for (uint32_t at = end; at-- > 0;) {
		uint32_t k = x->order[at], count = collect(x, k);

		for (uint32_t i = 0; i < count; i++)
			num_add_product(x->pool, &vector[k], &vector[x->near[i]],
					share_from(&x->pairs->items[x->near_pair[i]], k));
		over(x, &vector[k], k);
	}
}

void gth_reach(struct gth *x, struct num *vector)
{
	struct num value = { 0 };

	for (uint32_t at = 0; at < x->core_start; at++) {
		uint32_t k = x->order[at], count;

		if (vector[k].value <= 0)
			continue;
		count = collect(x, k);
		num_set(x->pool, &value, &vector[k]);
		over(x, &value, k);
		for (uint32_t i = 0; i < count; i++)
			num_add_product(x->pool, &vector[x->near[i]], share_from(&x->pairs->items[x->near_pair[i]], x->near[i]),
					&value);
	}
	core_solve(x, vector, core_reach);
	reach_backwards(x, vector, x->core_start);
}

void gth_reach_first(struct gth *x, struct num *vector)
{
	num_set_whole(x->pool, &vector[0], 1);
	core_solve(x, vector, core_reach_first);
	reach_backwards(x, vector, x->core_start < x->n ? x->core_start : x->n - 1);
}

void gth_escape(const struct gth *x, struct num *ret)
{
	if (x->core_start < x->n)
		ret->value = x->core.pivot[0];
	else
		num_set(x->pool, ret, &x->pivot[0]);
}

/* All that a core's members pass to one another: the inverse, row by row. */
static enum err core_green(struct gth *x, double **ret)
{
	size_t count = x->n - x->core_start;
	double *green = calloc(count * count, sizeof(*green));

	if (!green)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		green[i * count + i] = 1;
		core_visits(&x->core, green + i * count);
	}
	*ret = green;
	return OK;
}

struct green {
	struct gth *x;
	struct gth_green *of_pair;
	const double *core;
	struct num *diagonal, *of_core; /* of_core: one at hand */
};

/* What `from` passes to `to` in all. */
static const struct num *green_of(struct green *g, uint32_t from, uint32_t to)
{
	struct gth *x = g->x;
	const struct gth_pairs *p = x->pairs;
	uint32_t pair;

	if (from == to)
		return &g->diagonal[from];
	if (x->rank[from] >= x->core_start && x->rank[to] >= x->core_start) {
		g->of_core->value = g->core[(size_t)(x->rank[from] - x->core_start) * (x->n - x->core_start) +
					    (x->rank[to] - x->core_start)];
		return g->of_core;
	}
	pair = p->table[slot_of(p, from < to ? from : to, from < to ? to : from)];
	return from < to ? &g->of_pair[pair].ab : &g->of_pair[pair].ba;
}

/* One member's, from those of its later neighbours. Whoever passes to k and whom k passes to have become a pair when k went. */
static void green_backwards(struct green *g, uint32_t k)
{
	struct gth *x = g->x;
	struct gth_pair *pairs = x->pairs->items;
	uint32_t count = collect(x, k);

	if (x->pivot[k].value <= 0)
		return;
	num_set_whole(x->pool, &g->diagonal[k], 1);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t near = x->near[i], pair = x->near_pair[i];
		struct num *from_near = pairs[pair].a == k ? &g->of_pair[pair].ba : &g->of_pair[pair].ab;
		struct num *to_near = pairs[pair].a == k ? &g->of_pair[pair].ab : &g->of_pair[pair].ba;
		bool passes = share_from(&pairs[pair], k)->value > 0, gets = share_from(&pairs[pair], near)->value > 0;

		for (uint32_t j = 0; j < count; j++) {
			const struct num *into = share_from(&pairs[x->near_pair[j]], x->near[j]);
			const struct num *out = share_from(&pairs[x->near_pair[j]], k);

			if (passes && into->value > 0)
				num_add_product(x->pool, from_near, green_of(g, near, x->near[j]), into);
			if (gets && out->value > 0)
				num_add_product(x->pool, to_near, out, green_of(g, x->near[j], near));
		}
		over(x, from_near, k);
		over(x, to_near, k);
		num_add_product(x->pool, &g->diagonal[k], share_from(&pairs[pair], k), from_near);
	}
	over(x, &g->diagonal[k], k);
}

enum err gth_diagonal(struct gth *x, struct num *ret)
{
	uint32_t core_count = x->n - x->core_start;
	struct num of_core = { 0 };
	struct green g = { .x = x, .diagonal = ret, .of_core = &of_core };
	double *core = NULL;
	enum err e = core_count > 0 ? core_green(x, &core) : OK;

	if (e != OK)
		return e;
	g.core = core;
	g.of_pair = calloc((size_t)x->pairs->count + 1, sizeof(*g.of_pair));
	if (!g.of_pair) {
		free(core);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < core_count; i++)
		ret[x->order[x->core_start + i]].value = core[i * core_count + i];
	for (uint32_t at = x->core_start; at-- > 0;)
		green_backwards(&g, x->order[at]);
	free(g.of_pair);
	free(core);
	return OK;
}

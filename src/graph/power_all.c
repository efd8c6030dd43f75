/* All coalitions of the others, as sums of two halves. */
#include <string.h>
#include "power_internal.h"

#define HALF_MOST 15

/* The sums of all coalitions of some voters, by their number of members, ascending. */
struct half {
	wide *sums, *next; /* the latter while they are built */
	uint32_t start[HALF_MOST + 2];
	uint32_t voters;
};

size_t power_all_cost(const struct votes *v)
{
	size_t n = v->count, one = (n - 1) / 2, other = n - 1 - one;

	return n > POWER_MOST_ALL ? SIZE_MAX : 2 * n * ((other + 2) << one) + 2 * n * ((one + 2) << other);
}

static enum err half_init(struct half *h, size_t voters, struct arena *a)
{
	h->sums = arena_alloc(a, sizeof(wide) << voters);
	h->next = arena_alloc(a, sizeof(wide) << voters);
	return h->sums && h->next ? OK : ERR_NOMEM;
}

/* One voter more: each coalition stays, and comes again with it. */
static void half_add(struct half *h, wide vote)
{
	uint32_t start[HALF_MOST + 2] = { 0 }, count = 0;

	for (uint32_t size = 0; size <= h->voters + 1; size++) {
		uint32_t without = size <= h->voters ? h->start[size] : 0,
			 without_end = size <= h->voters ? h->start[size + 1] : 0;
		uint32_t with = size > 0 ? h->start[size - 1] : 0, with_end = size > 0 ? h->start[size] : 0;

		start[size] = count;
		while (without < without_end || with < with_end) {
			if (with == with_end || (without < without_end && h->sums[without] <= h->sums[with] + vote))
				h->next[count++] = h->sums[without++];
			else
				h->next[count++] = h->sums[with++] + vote;
		}
	}
	h->voters++;
	start[h->voters + 1] = count;
	memcpy(h->start, start, sizeof(start));
	memcpy(h->sums, h->next, count * sizeof(*h->sums));
}

static void half_build(struct half *h, const struct votes *v, uint32_t begin, uint32_t end, uint32_t without)
{
	h->voters = 0;
	h->start[0] = 0;
	h->start[1] = 1;
	h->sums[0] = 0;
	for (uint32_t i = begin; i < end; i++) {
		if (i != without)
			half_add(h, v->vote[i]);
	}
}

/* Pairs of a coalition of either half, of these sizes, whose sum is at most the limit. */
static uint64_t pairs_within(const struct half *a, uint32_t a_size, const struct half *b, uint32_t b_size, wide limit)
{
	uint32_t upper = b->start[b_size + 1];
	uint64_t count = 0;

	for (uint32_t i = a->start[a_size]; i < a->start[a_size + 1]; i++) {
		while (upper > b->start[b_size] && a->sums[i] + b->sums[upper - 1] > limit)
			upper--;
		if (upper == b->start[b_size])
			break;
		count += upper - b->start[b_size];
	}
	return count;
}

static quad choose(uint32_t n, uint32_t k)
{
	quad result = 1;

	for (uint32_t i = 1; i <= k; i++)
		result = result * (quad)(n - k + i) / (quad)i;
	return result;
}

static double index_of(const struct votes *v, const struct half *a, const struct half *b, wide vote, bool banzhaf)
{
	uint32_t others = v->count - 1;
	quad index = 0;

	for (uint32_t i = 0; i <= a->voters; i++) {
		for (uint32_t k = 0; k <= b->voters; k++) {
			uint64_t decisive = pairs_within(a, i, b, k, v->quota);

			if (decisive > 0 && v->quota >= vote)
				decisive -= pairs_within(a, i, b, k, v->quota - vote);
			if (banzhaf)
				index += (quad)decisive;
			else
				index += (quad)decisive / choose(others, i + k) / (quad)v->count;
		}
	}
	return (double)index;
}

enum err power_all(struct votes *v, bool banzhaf, struct arena *a)
{
	uint32_t middle = (v->count + 1) / 2;
	struct half left, right;
	enum err e = half_init(&left, middle, a);

	if (e == OK)
		e = half_init(&right, v->count - middle, a);
	for (uint32_t i = 0; e == OK && i < v->count; i++) {
		uint32_t alike = 0;

		while (v->vote[alike] != v->vote[i])
			alike++;
		if (alike < i) {
			v->index[i] = v->index[alike];
			continue;
		}
		half_build(&left, v, 0, middle, i);
		half_build(&right, v, middle, v->count, i);
		v->index[i] = index_of(v, &left, &right, v->vote[i], banzhaf);
	}
	return e;
}

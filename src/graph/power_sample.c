/* Random orders, or coalitions, the same for the same votes: figures stay as they are from answer to answer. */
#include <math.h>
#include <stdlib.h>
#include "power_internal.h"

#define STEPS ((size_t)20000000)
#define LEAST_ROUNDS 500

static size_t rounds(const struct votes *v)
{
	size_t count = STEPS / v->count;

	return count > LEAST_ROUNDS ? count : LEAST_ROUNDS;
}

size_t power_sample_cost(const struct votes *v)
{
	return rounds(v) * v->count;
}

static uint64_t draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/* The voter who makes a random order of them win; those who come later need not be drawn. */
static void add_order(struct votes *v, uint32_t *order, uint64_t *state)
{
	wide sum = 0;

	for (uint32_t i = 0; i < v->count; i++) {
		uint32_t other = i + (uint32_t)((draw(state) >> 32) * (v->count - i) >> 32), voter = order[other];

		order[other] = order[i];
		order[i] = voter;
		sum += v->vote[voter];
		if (sum > v->quota) {
			v->index[voter] += 1;
			return;
		}
	}
}

/* Everybody who turns a random coalition of the others; `in` says who is in it. */
static void add_coalition(struct votes *v, uint32_t *in, uint64_t *state)
{
	wide sum = 0;
	uint64_t bits = 0;

	for (uint32_t i = 0; i < v->count; i++) {
		bits = i % 64 == 0 ? draw(state) : bits >> 1;
		in[i] = bits & 1;
		sum += in[i] ? v->vote[i] : 0;
	}
	for (uint32_t i = 0; i < v->count; i++) {
		wide others = in[i] ? sum - v->vote[i] : sum;

		if (others <= v->quota && others + v->vote[i] > v->quota)
			v->index[i] += 1;
	}
}

struct voter {
	wide vote;
	uint32_t number;
};

static int by_votes(const void *left, const void *right)
{
	const struct voter *l = left, *r = right;

	if (l->vote != r->vote)
		return l->vote < r->vote ? -1 : 1;
	return l->number < r->number ? -1 : l->number > r->number;
}

/* Who has the same votes has the same power. */
static enum err level(struct votes *v, struct arena *a)
{
	struct voter *voters = arena_alloc(a, v->count * sizeof(*voters));
	uint32_t end;

	if (!voters)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < v->count; i++)
		voters[i] = (struct voter){ v->vote[i], i };
	qsort(voters, v->count, sizeof(*voters), by_votes);
	for (uint32_t i = 0; i < v->count; i = end) {
		double sum = 0;

		for (end = i; end < v->count && voters[end].vote == voters[i].vote; end++)
			sum += v->index[voters[end].number];
		for (uint32_t k = i; k < end; k++)
			v->index[voters[k].number] = sum / (double)(end - i);
	}
	return OK;
}

enum err power_sample(struct votes *v, bool banzhaf, struct arena *a)
{
	uint32_t *order = arena_alloc(a, v->count * sizeof(*order));
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	size_t count = rounds(v);

	if (!order)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < v->count; i++)
		order[i] = i;
	for (size_t k = 0; k < count; k++) {
		if (banzhaf)
			add_coalition(v, order, &state);
		else
			add_order(v, order, &state);
	}
	for (uint32_t i = 0; i < v->count; i++) {
		double chance = v->index[i] / (double)count, error = sqrt(chance * (1 - chance) / (double)count);

		v->index[i] = chance;
		v->standard_error = fmax(v->standard_error, fmax(error, 1 / (double)count));
	}
	return level(v, a);
}

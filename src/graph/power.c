/* Voting power, exactly while that is possible within a second: by all coalitions of up to 30 holders, met in the middle; by
 * tables of sums where the votes are small whole numbers; else by random orders. */
#include "lodebase/graph/power.h"
#include <math.h>
#include "power_internal.h"

#define MOST_BITS 120 /* of the whole; finer shares are cut, which leaves ties ties */
#define MOST_STEPS ((size_t)150000000)

/* Shares as whole numbers of a common unit. */
static void common_unit(const mpq_t *share, uint32_t n, const mpq_t quota, mpz_t ret)
{
	mpz_set(ret, mpq_denref(quota));
	for (uint32_t i = 0; i < n && mpz_sizeinbase(ret, 2) <= MOST_BITS; i++)
		mpz_lcm(ret, ret, mpq_denref(share[i]));
	if (mpz_sizeinbase(ret, 2) > MOST_BITS)
		mpz_ui_pow_ui(ret, 2, MOST_BITS);
}

static void whole_number(const mpq_t share, const mpz_t unit, mpz_t ret)
{
	mpz_mul(ret, mpq_numref(share), unit);
	mpz_fdiv_q(ret, ret, mpq_denref(share));
}

static wide to_wide(const mpz_t x)
{
	return (wide)mpz_getlimbn(x, 1) << 64 | mpz_getlimbn(x, 0);
}

/* Divides all by what they have in common: sums are multiples of it, so the quota may be cut to one. */
static void votes_of(const mpq_t *share, uint32_t n, const mpq_t quota, struct votes *ret)
{
	mpz_t unit, common, x;

	mpz_inits(unit, common, x, NULL);
	common_unit(share, n, quota, unit);
	for (uint32_t i = 0; i < n; i++) {
		whole_number(share[i], unit, x);
		mpz_gcd(common, common, x);
	}
	if (mpz_sgn(common) == 0)
		mpz_set_ui(common, 1);
	ret->total = 0;
	for (uint32_t i = 0; i < n; i++) {
		whole_number(share[i], unit, x);
		mpz_divexact(x, x, common);
		ret->vote[i] = to_wide(x);
		ret->total += ret->vote[i];
	}
	whole_number(quota, unit, x);
	mpz_fdiv_q(x, x, common);
	ret->quota = to_wide(x);
	mpz_clears(unit, common, x, NULL);
}

static enum err votes_read(const struct graph *g, uint32_t subject, struct graph_ratio quota, struct arena *a,
			   struct votes *ret)
{
	uint32_t first, n = graph_links_of_subject(g, subject, &first);
	mpq_t *share = arena_alloc(a, n * sizeof(*share)), limit;

	ret->count = n;
	ret->vote = arena_alloc(a, n * sizeof(*ret->vote));
	ret->index = arena_alloc(a, n * sizeof(*ret->index));
	if (!share || !ret->vote || !ret->index)
		return ERR_NOMEM;
	mpq_init(limit);
	exact_ratio(quota, limit);
	for (uint32_t i = 0; i < n; i++) {
		mpq_init(share[i]);
		exact_link(g, BOUND_MIN, first + i, share[i]);
	}
	votes_of(share, n, limit, ret);
	for (uint32_t i = 0; i < n; i++)
		mpq_clear(share[i]);
	mpq_clear(limit);
	return OK;
}

/* Who has no votes has no power, and only costs. */
static uint32_t drop_voteless(struct votes *v, uint32_t *ret_place)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < v->count; i++) {
		ret_place[i] = v->vote[i] > 0 ? kept : UINT32_MAX;
		if (v->vote[i] > 0)
			v->vote[kept++] = v->vote[i];
	}
	return kept;
}

static enum err find(struct votes *v, const struct graph_power_question *q, struct arena *a)
{
	bool banzhaf = q->index == GRAPH_BANZHAF;
	size_t all = power_all_cost(v), table = power_table_cost(v, banzhaf), sample = power_sample_cost(v);

	if (all > MOST_STEPS && table > MOST_STEPS)
		return q->budget > 0 && sample > q->budget ? ERR_FULL : power_sample(v, banzhaf, a);
	if (q->budget > 0 && all > q->budget && table > q->budget)
		return ERR_FULL;
	return all < table ? power_all(v, banzhaf, a) : power_table(v, banzhaf);
}

static void normalise(struct votes *v)
{
	double sum = 0;

	for (uint32_t i = 0; i < v->count; i++)
		sum += v->index[i];
	if (sum <= 0)
		return;
	for (uint32_t i = 0; i < v->count; i++)
		v->index[i] /= sum;
	v->standard_error /= sum;
}

enum err graph_power(const struct graph *g, uint32_t subject, const struct graph_power_question *q, struct arena *a,
		     struct graph_powers *ret)
{
	struct votes v = { 0 };
	uint32_t first = 0, *place;
	enum err e;

	*ret = (struct graph_powers){ 0 };
	if (subject >= g->nodes || !ratio_valid(q->quota))
		return ERR_INVALID;
	ret->count = graph_links_of_subject(g, subject, &first);
	ret->items = arena_alloc(a, ret->count * sizeof(*ret->items));
	place = arena_alloc(a, ret->count * sizeof(*place));
	if (!ret->items || !place)
		return ERR_NOMEM;
	e = votes_read(g, subject, q->quota, a, &v);
	if (e != OK)
		return e;
	v.count = drop_voteless(&v, place);
	if (v.total > v.quota)
		e = find(&v, q, a);
	if (e == OK && q->index == GRAPH_BANZHAF)
		normalise(&v);
	ret->standard_error = v.standard_error;
	for (uint32_t i = 0; e == OK && i < ret->count; i++) {
		struct graph_link link = graph_link(g, first + i);

		ret->ranged = ret->ranged || g->weight[BOUND_MIN][first + i] < g->weight[BOUND_MAX][first + i];
		ret->items[i] = (struct graph_power){
			.holder = link.holder,
			.pct = link.pct,
			.index = place[i] == UINT32_MAX ? 0 : v.index[place[i]],
		};
	}
	return e;
}

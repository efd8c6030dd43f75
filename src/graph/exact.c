/* Columns and links as exact fractions: decisions and last digits that no rounded number may settle. */
#include "internal.h"
#include "lodebase/graph/exact.h"

void exact_ratio(struct graph_ratio ratio, mpq_t ret)
{
	mpq_set_ui(ret, ratio.numerator, ratio.denominator);
	mpq_canonicalize(ret);
}

void graph_share_exact(const struct graph *g, struct graph_ratio share, mpq_ptr ret)
{
	if (share.denominator == 0)
		mpq_set(ret, &g->big[share.numerator]);
	else
		exact_ratio(share, ret);
}

double graph_share_double(const struct graph *g, struct graph_ratio share)
{
	mpq_t exact;
	double rounded;

	mpq_init(exact);
	graph_share_exact(g, share, exact);
	rounded = mpq_get_d(exact);
	mpq_clear(exact);
	return rounded;
}

void exact_link_sum(const struct graph *g, enum bound bound, uint32_t link, mpq_t ret)
{
	mpq_t share;

	mpq_init(share);
	mpq_set_ui(ret, 0, 1);
	for (uint32_t i = g->first_stake[link]; i < g->first_stake[link + 1]; i++) {
		graph_share_exact(g, bound == BOUND_MIN ? g->stake[i].min : g->stake[i].max, share);
		mpq_add(ret, ret, share);
	}
	mpq_clear(share);
}

/* The sum of all minima. */
static void column_min(const struct graph *g, uint32_t subject, mpq_t ret)
{
	mpq_t share;

	mpq_init(share);
	mpq_set_ui(ret, 0, 1);
	for (uint32_t l = g->up_start[subject]; l < g->up_start[subject + 1]; l++) {
		exact_link_sum(g, BOUND_MIN, l, share);
		mpq_add(ret, ret, share);
	}
	mpq_clear(share);
}

/* The end of a link's range, where `room` is what the column's minima leave. */
void exact_link_in(const struct graph *g, enum bound bound, uint32_t link, const mpq_t room, mpq_t ret)
{
	mpq_t most;

	exact_link_sum(g, BOUND_MIN, link, ret);
	if (bound == BOUND_MIN || g->flags[g->subject[link]] & COLUMN_OVERFULL)
		return;
	mpq_init(most);
	mpq_add(ret, ret, room);
	exact_link_sum(g, BOUND_MAX, link, most);
	if (mpq_cmp(most, ret) < 0)
		mpq_set(ret, most);
	mpq_clear(most);
}

void exact_link(const struct graph *g, enum bound bound, uint32_t link, mpq_t ret)
{
	mpq_t room;

	if (g->first_stake[link + 1] - g->first_stake[link] == 1 && g->weight[BOUND_MIN][link] >= g->weight[BOUND_MAX][link])
		bound = BOUND_MIN; /* needs no other link of the column */
	if (bound == BOUND_MIN) {
		exact_link_sum(g, BOUND_MIN, link, ret);
		return;
	}
	mpq_init(room);
	exact_room(g, BOUND_MIN, g->subject[link], room);
	exact_link_in(g, bound, link, room, ret);
	mpq_clear(room);
}

void exact_column(const struct graph *g, enum bound bound, uint32_t subject, mpq_t ret)
{
	mpq_t room, share;

	column_min(g, subject, ret);
	if (bound == BOUND_MIN)
		return;
	mpq_inits(room, share, NULL);
	mpq_set_ui(room, 1, 1);
	mpq_sub(room, room, ret);
	mpq_set_ui(ret, 0, 1);
	for (uint32_t l = g->up_start[subject]; l < g->up_start[subject + 1]; l++) {
		exact_link_in(g, bound, l, room, share);
		mpq_add(ret, ret, share);
	}
	mpq_clears(room, share, NULL);
}

void exact_room(const struct graph *g, enum bound bound, uint32_t subject, mpq_t ret)
{
	mpq_t whole;

	exact_column(g, bound, subject, ret);
	mpq_init(whole);
	mpq_set_ui(whole, 1, 1);
	mpq_sub(ret, whole, ret);
	if (mpq_sgn(ret) < 0)
		mpq_set_ui(ret, 0, 1);
	mpq_clear(whole);
}

/* The group's greatest share is min(its maxima, its minima and all that is left), and with what is unexplained the latter. */
void exact_group(const struct graph *g, const struct graph_scratch *s, uint32_t subject, const uint8_t *member,
		 enum bound bound, bool remainder, mpq_t ret)
{
	bool at_max = bound == BOUND_MAX && !(g->flags[subject] & COLUMN_OVERFULL) && node_held(g, subject);
	mpq_t high, room, share;

	mpq_inits(high, room, share, NULL);
	mpq_set_ui(ret, 0, 1);
	if (at_max)
		exact_room(g, BOUND_MIN, subject, room);
	for (uint32_t l = g->up_start[subject]; l < g->up_start[subject + 1]; l++) {
		uint32_t local = region_local(s, g->holder[l]);

		if (local == NONE || !member[local])
			continue;
		exact_link_sum(g, BOUND_MIN, l, share);
		mpq_add(ret, ret, share);
		if (at_max && !remainder) {
			exact_link_in(g, BOUND_MAX, l, room, share);
			mpq_add(high, high, share);
		}
	}
	if (at_max) {
		mpq_add(ret, ret, room);
		if (!remainder && mpq_cmp(high, ret) < 0)
			mpq_set(ret, high);
	}
	mpq_clears(high, room, share, NULL);
}

void link_num(const struct graph *g, struct nums *pool, enum bound bound, uint32_t link, struct num *ret)
{
	ret->value = link_share(g, bound, link);
	if (!pool)
		return;
	exact_link(g, bound, link, nums_of(pool, ret));
	if (g->flags[g->subject[link]] & COLUMN_OVERFULL) {
		column_min(g, g->subject[link], pool->work);
		mpq_div(ret->exact, ret->exact, pool->work);
	}
}

void room_num(const struct graph *g, struct nums *pool, uint32_t subject, struct num *ret)
{
	ret->value = g->room[subject];
	if (pool)
		exact_room(g, BOUND_MIN, subject, nums_of(pool, ret));
}

struct graph_pct link_pct(const struct graph *g, uint32_t link)
{
	bool near[2];
	struct graph_pct pct = { pct_round(g->weight[BOUND_MIN][link], &near[BOUND_MIN]),
				 pct_round(g->weight[BOUND_MAX][link], &near[BOUND_MAX]) };
	mpq_t share;

	if (!near[BOUND_MIN] && !near[BOUND_MAX])
		return pct;
	mpq_init(share);
	exact_link(g, BOUND_MIN, link, share);
	pct.min = pct_round_exact(share);
	exact_link(g, BOUND_MAX, link, share);
	pct.max = pct_round_exact(share);
	mpq_clear(share);
	return pct;
}

struct graph_pct room_pct(const struct graph *g, uint32_t subject)
{
	bool near[2];
	struct graph_pct pct = { pct_round(g->room_max[subject], &near[BOUND_MAX]),
				 pct_round(g->room[subject], &near[BOUND_MIN]) };
	mpq_t room;

	if (!near[BOUND_MIN] && !near[BOUND_MAX])
		return pct;
	mpq_init(room);
	exact_room(g, BOUND_MAX, subject, room);
	pct.min = pct_round_exact(room);
	exact_room(g, BOUND_MIN, subject, room);
	pct.max = pct_round_exact(room);
	mpq_clear(room);
	return pct;
}

struct graph_pct column_pct(const struct graph *g, uint32_t subject)
{
	struct graph_pct pct;
	mpq_t sum;

	mpq_init(sum);
	exact_column(g, BOUND_MIN, subject, sum);
	pct.min = pct_round_exact(sum);
	exact_column(g, BOUND_MAX, subject, sum);
	pct.max = pct_round_exact(sum);
	mpq_clear(sum);
	return pct;
}

static int64_t share_pct(const struct graph *g, struct graph_ratio ratio, mpq_t work)
{
	graph_share_exact(g, ratio, work);
	return pct_round_exact(work);
}

struct graph_pct graph_stake_pct(const struct graph *g, const struct graph_stake *stake)
{
	struct graph_pct pct;
	mpq_t work;

	mpq_init(work);
	pct.min = share_pct(g, stake->min, work);
	pct.max = share_pct(g, stake->max, work);
	mpq_clear(work);
	return pct;
}

/* Decisions that doubles may not take. */
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

/* The sums of one column: of the group's minima and maxima (each at most what the other holders' minima leave), and of all
 * minima. The group's greatest share is then min(maxima, minima + 1 - all minima). */
bool exact_group_meets(const struct graph *g, const struct graph_scratch *s, uint32_t subject, const uint8_t *member,
		       enum bound bound, struct graph_ratio threshold, bool inclusive)
{
	bool at_max = bound == BOUND_MAX && !(g->flags[subject] & COLUMN_OVERFULL);
	mpq_t all, low, high, share, limit;
	int order;

	mpq_inits(all, low, high, share, limit, NULL);
	for (int pass = 0; pass < (at_max ? 2 : 1); pass++) {
		for (uint32_t l = g->up_start[subject]; l < g->up_start[subject + 1]; l++) {
			uint32_t local = region_local(s, g->holder[l]);
			bool in_group = local != NONE && member[local];

			if (pass == 0) {
				exact_link_sum(g, BOUND_MIN, l, share);
				mpq_add(all, all, share);
				if (in_group)
					mpq_add(low, low, share);
			} else if (in_group) {
				exact_link_sum(g, BOUND_MIN, l, limit);
				mpq_add(limit, limit, all);
				exact_link_sum(g, BOUND_MAX, l, share);
				mpq_add(high, high, mpq_cmp(share, limit) < 0 ? share : limit);
			}
		}
		if (pass == 0 && at_max) { /* `all` becomes what the minima leave */
			mpq_set_ui(limit, 1, 1);
			mpq_sub(all, limit, all);
		}
	}
	if (at_max) {
		mpq_add(low, low, all);
		if (mpq_cmp(high, low) < 0)
			mpq_set(low, high);
	}
	exact_ratio(threshold, limit);
	order = mpq_cmp(low, limit);
	mpq_clears(all, low, high, share, limit, NULL);
	return order > 0 || (inclusive && order == 0);
}

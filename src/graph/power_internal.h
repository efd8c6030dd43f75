/* Ways to compute voting power, for power.c. */
#pragma once

#include "internal.h"

#define POWER_MOST_ALL 30 /* voters of whom all coalitions are looked at */

__extension__ typedef unsigned __int128 wide;

/* Voters with votes; a coalition wins with more than the quota, and there is one that does. */
struct votes {
	wide *vote, quota, total;
	uint32_t count;
	double *index; /* what is found: the share of orders, or of coalitions of the others, in which the voter is decisive */
	double standard_error;
};

/* Steps, SIZE_MAX: not that way. */
size_t power_all_cost(const struct votes *v);
size_t power_table_cost(const struct votes *v, bool banzhaf);
size_t power_sample_cost(const struct votes *v);
enum err power_all(struct votes *v, bool banzhaf, struct arena *a) MUST_CHECK;
enum err power_table(struct votes *v, bool banzhaf) MUST_CHECK;
enum err power_sample(struct votes *v, bool banzhaf, struct arena *a) MUST_CHECK;

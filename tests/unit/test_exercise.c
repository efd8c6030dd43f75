/* Options and warrants as exercised. */
#include "view_bench.h"

#include <stdio.h>
#include <stdlib.h>

/* South 30, public 70; an option of 12.25 on South's and a warrant of 10, both DoW's. */
static void exercise(void)
{
	enum { COMPANY = 1, SOUTH, PUBLIC, DOW };
	struct bench b = bench();

	for (unsigned n = COMPANY; n <= DOW; n++)
		put_node(&b, GRAPH_SHAREHOLDERS, n, 0);
	owns(&b, 1, SOUTH, COMPANY, 30);
	owns(&b, 2, PUBLIC, COMPANY, 70);
	option(&b, 3, DOW, COMPANY, 12.25, SOUTH);
	warrant(&b, 4, DOW, COMPANY, 10, 10);
	CHECK_INT(look(&b, GRAPH_ABOVE, COMPANY), OK);
	CHECK(is(&b, SOUTH, COMPANY, 30) && is(&b, PUBLIC, COMPANY, 70) && local(&b, DOW) == GRAPH_NONE);
	b.filter.exercised = true;
	CHECK_INT(look(&b, GRAPH_ABOVE, COMPANY), OK);
	CHECK(is(&b, SOUTH, COMPANY, 15.975) && is(&b, PUBLIC, COMPANY, 63) && is(&b, DOW, COMPANY, 21.025));
	CHECK_INT(b.view->n_warnings, 0);
	CHECK_INT(look(&b, GRAPH_BELOW, DOW), OK);
	CHECK(is(&b, DOW, COMPANY, 21.025) && is(&b, SOUTH, COMPANY, 15.975));
	b.filter.exercised = false;
	CHECK_INT(look(&b, GRAPH_BELOW, DOW), OK);
	CHECK(b.view->count == 1 && b.view->nodes[b.view->roots[0]] == 3);
	done(&b);
}

static void two_warrants(void)
{
	struct bench b = bench();

	for (unsigned n = 1; n <= 3; n++)
		put_node(&b, GRAPH_SHAREHOLDERS, n, 0);
	owns(&b, 1, 2, 1, 100);
	warrant(&b, 2, 3, 1, 14.5, 14.5);
	warrant(&b, 3, 3, 1, 20, 20);
	b.filter.exercised = true;
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	CHECK(is(&b, 2, 1, 65.5) && is(&b, 3, 1, 34.5));
	warrant(&b, 4, 3, 1, 65.5, 65.5); /* exactly the whole: nothing is left to anybody else */
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	CHECK(is(&b, 3, 1, 100) && graph_links(b.view->graph) == 1);
	warrant(&b, 5, 3, 1, 0.000000000001, 0.000000000001);
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), ERR_RANGE);
	CHECK_INT(b.view->over_exercised, 0);
	b.filter.exercised = false;
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	done(&b);
}

static void options_without_enough(void)
{
	struct bench b = bench();

	for (unsigned n = 1; n <= 6; n++)
		put_node(&b, GRAPH_SHAREHOLDERS, n, 0);
	owns(&b, 1, 2, 1, 10);
	owns(&b, 2, 2, 1, 5); /* parallel */
	owns(&b, 3, 3, 1, 60);
	option(&b, 4, 4, 1, 9, 2);
	option(&b, 5, 5, 1, 9, 2); /* 6 are left */
	option(&b, 6, 6, 1, 40, 0); /* of a remainder of 25 */
	b.filter.exercised = true;
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	CHECK(is(&b, 4, 1, 9) && is(&b, 5, 1, 6) && is(&b, 6, 1, 25) && is(&b, 3, 1, 60));
	CHECK_INT(graph_links(b.view->graph), 4);
	CHECK_INT(b.view->n_warnings, 2);
	CHECK_INT(warnings(&b, GRAPH_WARNING_OPTION_SHORT), 1);
	CHECK_INT(warnings(&b, GRAPH_WARNING_COUNTERPARTY_UNKNOWN), 1);
	for (size_t i = 0; i < 2; i++) {
		const struct graph_view_warning *w = &b.view->warnings[i];

		CHECK(w->count == 1 && w->subject == b.view->roots[0]);
		CHECK_INT(b.view->stakes[b.view->warned[w->first]].version, w->code == GRAPH_WARNING_OPTION_SHORT ? 4 : 5);
	}
	done(&b);

	b = bench(); /* parallel stakes give in proportion; who has nothing gives nothing */
	for (unsigned n = 1; n <= 4; n++)
		put_node(&b, GRAPH_SHAREHOLDERS, n, 0);
	owns(&b, 1, 2, 1, 10);
	owns(&b, 2, 2, 1, 20);
	option(&b, 4, 3, 1, 15, 2);
	option(&b, 5, 3, 1, 1, 4);
	b.filter.exercised = true;
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	struct graph_link link;
	CHECK(find_link(&b, 2, 1, &link) && link.stakes_count == 2);
	CHECK(fabs(graph_share_double(b.view->graph, link.stakes[0].min) +
		   graph_share_double(b.view->graph, link.stakes[1].min) - 0.15) < 1e-15);
	CHECK(fabs(fabs(graph_share_double(b.view->graph, link.stakes[0].min) -
			graph_share_double(b.view->graph, link.stakes[1].min)) -
		   0.05) < 1e-15);
	CHECK(is(&b, 3, 1, 15));
	CHECK_INT(warnings(&b, GRAPH_WARNING_OPTION_SHORT), 1);
	done(&b);
}

static void ranges_are_diluted(void)
{
	struct bench b = bench();
	struct graph_stake_version unknown = stake(3, 4, 1, 0, 100);

	for (unsigned n = 1; n <= 5; n++)
		put_node(&b, GRAPH_SHAREHOLDERS, n, 0);
	owns(&b, 1, 2, 1, 60);
	put(&b, stake(2, 3, 1, 5, 10));
	unknown.economic.given = false;
	put(&b, unknown);
	warrant(&b, 4, 5, 1, 5, 20);
	b.filter.exercised = true;
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	/* the minimum by the greatest sum, the maximum by the least: 60, 5-10 and 0-35 times 0.8 and 0.95 */
	CHECK(has(&b, 2, 1, 48, 57) && has(&b, 3, 1, 4, 9.5) && has(&b, 4, 1, 0, 33.25) && has(&b, 5, 1, 5, 20));
	CHECK_INT(b.view->n_warnings, 1);
	CHECK(b.view->warnings[0].code == GRAPH_WARNING_UNKNOWN_SHARE && b.view->warnings[0].count == 1);
	CHECK_INT(b.view->stakes[b.view->warned[b.view->warnings[0].first]].version, 2);
	done(&b);

	b = bench(); /* an option of 5 to 10 on 30 that are certain */
	for (unsigned n = 1; n <= 3; n++)
		put_node(&b, GRAPH_SHAREHOLDERS, n, 0);
	owns(&b, 1, 2, 1, 30);
	struct graph_stake_version v = stake(2, 3, 1, 5, 10);
	v.contingent = v.has_counterparty = true;
	v.counterparty = id(2);
	put(&b, v);
	b.filter.exercised = true;
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	CHECK(has(&b, 2, 1, 20, 25) && has(&b, 3, 1, 5, 10));
	done(&b);
}

/* Thirds diluted by numbers of twelve decimals outgrow 64 bits, and still are the whole exactly. */
static void shares_outgrow_a_ratio(void)
{
	struct bench b = bench();
	struct graph_link link;
	uint32_t first, n;
	mpq_t sum, share;

	for (unsigned k = 1; k <= 7; k++)
		put_node(&b, GRAPH_SHAREHOLDERS, k, 0);
	for (unsigned k = 2; k <= 4; k++) {
		struct graph_stake_version v = stake(k, k, 1, 0, 0);

		v.economic.min = v.economic.max = (struct graph_ratio){ 1, 3 };
		put(&b, v);
	}
	option(&b, 5, 5, 1, 7.000000000001, 2);
	warrant(&b, 6, 6, 1, 14.111111111117, 14.111111111117);
	struct graph_stake_version prime = stake(7, 7, 1, 0, 0);
	prime.contingent = prime.dilutive = true;
	prime.economic.min = prime.economic.max = (struct graph_ratio){ 123456789012345678, 2305843009213693951 };
	put(&b, prime);
	b.filter.exercised = true;
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	mpq_inits(sum, share, NULL);
	n = graph_links_of_subject(b.view->graph, b.view->roots[0], &first);
	CHECK_INT(n, 6);
	for (uint32_t l = first; l < first + n; l++) {
		link = graph_link(b.view->graph, l);
		graph_share_exact(b.view->graph, link.stakes[0].min, share);
		mpq_add(sum, sum, share);
	}
	CHECK(mpq_cmp_ui(sum, 1, 1) == 0);
	mpq_clears(sum, share, NULL);
	CHECK(find_link(&b, 3, 1, &link) && link.stakes[0].min.denominator == 0);
	struct graph_column column = graph_column(b.view->graph, b.view->roots[0]);
	CHECK(!column.overfull && column.fits && column.unexplained_min == 0 && column.unexplained_max == 0);
	done(&b);
}

TESTS({ "exercise", exercise }, { "two warrants", two_warrants }, { "options without enough", options_without_enough },
      { "ranges are diluted", ranges_are_diluted }, { "shares outgrow a ratio", shares_outgrow_a_ratio })

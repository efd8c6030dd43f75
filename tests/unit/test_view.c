/* What a view is cut out of the register by. */
#include "view_bench.h"

#include <stdio.h>
#include <stdlib.h>

static void implied_links(void)
{
	enum { COMPANY = 1, OWNER, PROJECT, PARTNER, OTHER };
	struct bench b = bench();
	struct graph_stake_version direct = stake(2, PARTNER, PROJECT, 40, 40), later = direct;

	put_node(&b, GRAPH_SHAREHOLDERS, COMPANY, 0);
	put_node(&b, GRAPH_SHAREHOLDERS, OWNER, 0);
	put_node(&b, GRAPH_SHAREHOLDERS, PARTNER, 0);
	put_node(&b, GRAPH_PROJECTS, PROJECT, COMPANY);
	put_node(&b, GRAPH_PROJECTS, OTHER, 0);
	owns(&b, 1, OWNER, COMPANY, 50);
	CHECK_INT(look(&b, GRAPH_ABOVE, PROJECT), OK);
	CHECK(is(&b, COMPANY, PROJECT, 100) && is(&b, OWNER, COMPANY, 50) && b.view->count == 3);
	CHECK(b.view->n_stakes == 2 && b.view->stakes[0].implied && b.view->stakes[0].version == GRAPH_NONE &&
	      !b.view->stakes[1].implied);
	CHECK_INT(look(&b, GRAPH_BELOW, OWNER), OK);
	CHECK(is(&b, COMPANY, PROJECT, 100) && b.view->count == 3);
	CHECK_INT(look(&b, GRAPH_WHOLE, OWNER), OK);
	CHECK(b.view->count == 5 && graph_links(b.view->graph) == 2);

	/* a contingent stake does not end it, and dilutes it when exercised */
	struct graph_stake_version contingent = stake(9, PARTNER, PROJECT, 10, 10);
	contingent.subject_resource = GRAPH_PROJECTS;
	contingent.contingent = contingent.dilutive = true;
	put(&b, contingent);
	CHECK_INT(look(&b, GRAPH_ABOVE, PROJECT), OK);
	CHECK(is(&b, COMPANY, PROJECT, 100));
	b.filter.exercised = true;
	CHECK_INT(look(&b, GRAPH_ABOVE, PROJECT), OK);
	CHECK(is(&b, COMPANY, PROJECT, 90) && is(&b, PARTNER, PROJECT, 10));
	b.filter.exercised = false;

	/* a direct one does, while it is valid and of a stage that is wanted */
	direct.subject_resource = later.subject_resource = GRAPH_PROJECTS;
	direct.valid_from = 100;
	direct.valid_to = 200;
	put(&b, direct);
	later.id = id(3);
	later.stage = ANNOUNCED;
	put(&b, later);
	static const int32_t days[] = { 99, 100, 199, 200 };
	for (size_t i = 0; i < 4; i++) {
		b.filter.valid_at = days[i];
		bool valid = days[i] >= 100 && days[i] < 200;

		CHECK_INT(look(&b, GRAPH_ABOVE, PROJECT), OK);
		CHECK_INT(is(&b, COMPANY, PROJECT, 100), !valid);
		CHECK_INT(is(&b, PARTNER, PROJECT, 40), valid);
		CHECK_INT(look(&b, GRAPH_BELOW, OWNER), OK);
		CHECK_INT(b.view->count, valid ? 2 : 3);
	}
	b.filter.stages |= 1u << ANNOUNCED;
	CHECK_INT(look(&b, GRAPH_ABOVE, PROJECT), OK);
	CHECK(is(&b, PARTNER, PROJECT, 40));
	done(&b);
}

static void votes(void)
{
	struct bench b = bench();
	struct graph_stake_version v = stake(2, 3, 1, 10, 10);

	for (unsigned n = 1; n <= 3; n++)
		put_node(&b, GRAPH_SHAREHOLDERS, n, 0);
	owns(&b, 1, 2, 1, 40);
	v.voting = between(70, 70);
	put(&b, v);
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	CHECK(is(&b, 2, 1, 40) && is(&b, 3, 1, 10));
	CHECK(!b.view->stakes[0].assumed && !b.view->stakes[1].assumed);
	b.filter.measure = GRAPH_VOTING;
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	CHECK(is(&b, 2, 1, 40) && is(&b, 3, 1, 70));
	for (size_t i = 0; i < 2; i++)
		CHECK_INT(b.view->stakes[i].assumed, b.view->stakes[i].version == 0);
	CHECK_INT(b.view->n_warnings, 1);
	CHECK(b.view->warnings[0].code == GRAPH_WARNING_OVERFULL && b.view->warnings[0].count == 2);
	done(&b);
}

/* More holders than are sorted where they lie. */
static void many_holders(void)
{
	struct bench b = bench();
	uint32_t first, n;

	for (unsigned k = 1; k <= 200; k++)
		put_node(&b, GRAPH_SHAREHOLDERS, k, 0);
	for (unsigned k = 200; k > 100; k--)
		owns(&b, k, 201 - k % 2 - k / 2, 1, 0.25);
	owns(&b, 1, 2, 3, 50);
	CHECK_INT(look(&b, GRAPH_WHOLE, 1), OK);
	n = graph_links_of_subject(b.view->graph, local(&b, 1), &first);
	for (uint32_t l = first; l < first + n; l++)
		CHECK(l == first || graph_link(b.view->graph, l).holder > graph_link(b.view->graph, l - 1).holder);
	CHECK_INT(n, 50); /* of two stakes each */
	CHECK(graph_column(b.view->graph, local(&b, 1)).sum == 0.25 && is(&b, 2, 3, 50));
	done(&b);
}

/* A loop, and somebody beside it. */
static void scopes(void)
{
	struct bench b = bench();

	for (unsigned n = 1; n <= 6; n++)
		put_node(&b, GRAPH_SHAREHOLDERS, n, 0);
	owns(&b, 1, 1, 2, 50);
	owns(&b, 2, 2, 3, 50);
	owns(&b, 3, 3, 2, 25);
	owns(&b, 4, 4, 3, 10);
	owns(&b, 5, 5, 4, 10);
	owns(&b, 6, 3, 6, 10);
	CHECK_INT(look(&b, GRAPH_ABOVE, 2), OK);
	CHECK(b.view->count == 5 && graph_links(b.view->graph) == 5 && local(&b, 6) == GRAPH_NONE);
	CHECK_INT(look(&b, GRAPH_BELOW, 2), OK); /* 1 and 4 hold of it, but not what 5 has of 4 */
	CHECK(b.view->count == 5 && graph_links(b.view->graph) == 5 && local(&b, 5) == GRAPH_NONE && is(&b, 3, 6, 10));
	CHECK_INT(look(&b, GRAPH_ABOVE_AND_BELOW, 2), OK);
	CHECK(b.view->count == 6 && graph_links(b.view->graph) == 6);
	uint32_t roots[] = { 5, 0, 5 };
	graph_view_free(b.view);
	CHECK_INT(view(&b, GRAPH_ABOVE, roots, 3), OK);
	CHECK(b.view->roots[0] == b.view->roots[2] && b.view->nodes[b.view->roots[1]] == 0);
	graph_view_free(b.view);
	CHECK_INT(graph_view_new(&b.at, &b.filter, GRAPH_ABOVE, roots, 1, 5, &b.view), ERR_FULL);
	CHECK(!b.view);
	CHECK_INT(graph_view_new(&b.at, &b.filter, GRAPH_ABOVE, roots, 1, 6, &b.view), OK);
	graph_view_free(b.view);
	roots[0] = 6;
	CHECK_INT(graph_view_new(&b.at, &b.filter, GRAPH_ABOVE, roots, 1, 0, &b.view), ERR_INVALID);
	CHECK(!b.view);
	done(&b);
}

/* Very many versions that do not count: a bounded walk is given up. */
static void bounded_walk(void)
{
	struct bench b = bench();
	uint32_t root = 0;

	put_node(&b, GRAPH_SHAREHOLDERS, 1, 0);
	put_node(&b, GRAPH_SHAREHOLDERS, 2, 0);
	for (int i = 0; i < 20000; i++) {
		struct graph_stake_version v = stake(1, 2, 1, 10, 10);

		v.from.time_us = 10 + i;
		put(&b, v);
	}
	b.at = (struct graph_at){ .moment = graph_store_moment(b.store) };
	CHECK_INT(graph_view_new(&b.at, &b.filter, GRAPH_ABOVE, &root, 1, 100, &b.view), ERR_FULL);
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	CHECK(is(&b, 2, 1, 10));
	done(&b);
}

static void what_if(void)
{
	struct bench b = bench();
	struct graph_node made[] = {
		{ .resource = GRAPH_SHAREHOLDERS, .id = id(50), .slug = "new", .name = "New", .company = GRAPH_NONE },
		{ .resource = GRAPH_PROJECTS, .id = id(51), .slug = "mine", .name = "Mine", .company = 4 },
		{ .resource = GRAPH_PROJECTS, .id = id(52), .slug = "pit", .name = "Pit", .company = 0 }
	};
	struct graph_overlay_stake stakes[3];
	struct graph_node found;
	const uint32_t removed[] = { 0 }, exercised[] = { 2 };
	struct graph_overlay overlay = { made, 3, stakes, 3, removed, 1, exercised, 1 };

	for (unsigned n = 1; n <= 4; n++)
		put_node(&b, GRAPH_SHAREHOLDERS, n, 0);
	owns(&b, 1, 2, 1, 30);
	owns(&b, 2, 3, 1, 40);
	warrant(&b, 3, 2, 1, 20, 20);
	warrant(&b, 4, 2, 1, 30, 30); /* not exercised */
	for (size_t i = 0; i < 3; i++)
		stakes[i] = (struct graph_overlay_stake){ .stake = { .id = id(60),
								     .counterparty = GRAPH_NONE,
								     .valid_from = GRAPH_DAY_FIRST,
								     .valid_to = GRAPH_DAY_LAST,
								     .economic = between(10, 10) } };
	stakes[0].stake.holder = 4; /* New has 10 of 1 */
	stakes[0].stake.subject = 0;
	stakes[1].stake.holder = 0; /* and 1 has 10 of the mine, whose company New is */
	stakes[1].stake.subject = 5;
	stakes[2].stake.holder = 1; /* an option on New's that is not exercised */
	stakes[2].stake.subject = 0;
	stakes[2].stake.contingent = true;
	stakes[2].stake.counterparty = 4;
	b.filter.overlay = &overlay;
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	CHECK(!is(&b, 2, 1, 30) && is(&b, 3, 1, 32) && is(&b, 2, 1, 20));
	CHECK_INT(b.view->count, 4);
	CHECK(graph_view_local(b.view, 4) != GRAPH_NONE && graph_view_local(b.view, 6) == GRAPH_NONE);
	CHECK(graph_view_node(&b.at, &b.filter, 4, &found));
	CHECK_STR(found.slug, "new");
	CHECK(graph_view_node(&b.at, &b.filter, 3, &found) && !graph_view_node(&b.at, &b.filter, 7, &found));
	CHECK_INT(look(&b, GRAPH_BELOW, 1), OK); /* the mine, and the pit whose company it is */
	CHECK(graph_view_local(b.view, 5) != GRAPH_NONE && graph_view_local(b.view, 6) != GRAPH_NONE);
	uint32_t first, n = graph_links_of_subject(b.view->graph, graph_view_local(b.view, 5), &first);
	CHECK(n == 1 && graph_link(b.view->graph, first).max == 0.1);
	n = graph_links_of_subject(b.view->graph, graph_view_local(b.view, 6), &first);
	CHECK(n == 1 && graph_link(b.view->graph, first).min == 1);
	stakes[2].exercised = true; /* New's 10 go over, then all but the warrant's 20 is diluted */
	CHECK_INT(look(&b, GRAPH_ABOVE, 1), OK);
	CHECK(is(&b, 2, 1, 28) && is(&b, 3, 1, 32));
	CHECK_INT(graph_links(b.view->graph), 2);
	done(&b);
}

static void known_then(void)
{
	struct bench b = bench();
	struct graph_stake_version v = stake(1, 2, 1, 30, 30);
	uint32_t root = 0;

	put_node(&b, GRAPH_SHAREHOLDERS, 1, 0);
	put_node(&b, GRAPH_SHAREHOLDERS, 2, 0);
	put_node(&b, GRAPH_SHAREHOLDERS, 3, 0);
	v.from.time_us = 10;
	put(&b, v);
	v = stake(1, 3, 1, 60, 60);
	v.from.time_us = 20;
	put(&b, v);
	b.at = (struct graph_at){ .moment = graph_store_moment(b.store), .known = { .kind = GRAPH_KNOWN_TIME } };
	for (int t = 9; t < 22; t++) {
		b.at.known.time_us = t;
		graph_view_free(b.view);
		CHECK_INT(view(&b, GRAPH_ABOVE, &root, 1), OK);
		CHECK_INT(graph_links(b.view->graph), t >= 10);
		CHECK_INT(is(&b, 2, 1, 30), t >= 10 && t < 20);
		CHECK_INT(is(&b, 3, 1, 60), t >= 20);
	}
	done(&b);
}

TESTS({ "implied links", implied_links }, { "votes", votes }, { "many holders", many_holders }, { "scopes", scopes },
      { "bounded walk", bounded_walk }, { "what if", what_if }, { "known then", known_then })

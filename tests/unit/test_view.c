/* Longer than 500 lines: the cases share the few lines at the top that make a register and look into it. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lodebase/graph/exact.h"
#include "lodebase/graph/view.h"

enum { CLOSED, ANNOUNCED };

/* A register made of a few lines; nodes and stakes are named by small numbers. */
struct bench {
	struct graph_store *store;
	struct graph_at at;
	struct graph_filter filter;
	struct graph_view *view;
};

static struct uuid id(unsigned n)
{
	struct uuid made = { { 0 } };

	made.bytes[15] = (unsigned char)n;
	return made;
}

static struct graph_ratio per_cent(double pct)
{
	return (struct graph_ratio){ (uint64_t)llround(pct * 1e12), UINT64_C(100000000000000) };
}

static struct graph_share between(double min, double max)
{
	return (struct graph_share){ true, per_cent(min), per_cent(max) };
}

static const struct graph_stamp once = { .time_us = 1, .xid = 1, .epoch = 1 };

static void put_node(struct bench *b, enum graph_resource resource, unsigned n, unsigned company)
{
	char slug[16];
	struct graph_node_version v = { .resource = resource, .id = id(n), .slug = slug, .name = slug, .from = once };

	(void)snprintf(slug, sizeof slug, "node-%u", n);
	v.has_company = company > 0;
	v.company = id(company);
	CHECK_INT(graph_store_node(b->store, &v), OK);
}

static struct bench bench(void)
{
	return (struct bench){ .store = graph_store_new(), .filter = { .valid_at = 100, .stages = 1u << CLOSED } };
}

static struct graph_stake_version stake(unsigned n, unsigned holder, unsigned subject, double min, double max)
{
	return (struct graph_stake_version){ .id = id(n),
					     .holder = id(holder),
					     .subject_resource = GRAPH_SHAREHOLDERS,
					     .subject = id(subject),
					     .valid_from = GRAPH_DAY_FIRST,
					     .valid_to = GRAPH_DAY_LAST,
					     .economic = between(min, max),
					     .from = once };
}

static void put(struct bench *b, struct graph_stake_version v)
{
	CHECK_INT(graph_store_stake(b->store, &v), OK);
}

static void owns(struct bench *b, unsigned n, unsigned holder, unsigned subject, double pct)
{
	put(b, stake(n, holder, subject, pct, pct));
}

static void warrant(struct bench *b, unsigned n, unsigned holder, unsigned subject, double min, double max)
{
	struct graph_stake_version v = stake(n, holder, subject, min, max);

	v.contingent = v.dilutive = true;
	put(b, v);
}

static void option(struct bench *b, unsigned n, unsigned holder, unsigned subject, double pct, unsigned counterparty)
{
	struct graph_stake_version v = stake(n, holder, subject, pct, pct);

	v.contingent = true;
	v.has_counterparty = counterparty > 0;
	v.counterparty = id(counterparty);
	put(b, v);
}

static enum err view(struct bench *b, enum graph_scope scope, const uint32_t *roots, size_t n)
{
	enum err e = graph_view_new(&b->at, &b->filter, scope, roots, n, 0, &b->view);

	if (!b->view)
		abort();
	return e;
}

static enum err look(struct bench *b, enum graph_scope scope, unsigned root)
{
	uint32_t number;
	struct uuid which = id(root);

	graph_view_free(b->view);
	b->at = (struct graph_at){ .moment = graph_store_moment(b->store) };
	number = graph_find_id(&b->at, GRAPH_SHAREHOLDERS, &which);
	if (number == GRAPH_NONE)
		number = graph_find_id(&b->at, GRAPH_PROJECTS, &which);
	return view(b, scope, &number, 1);
}

static void done(struct bench *b)
{
	graph_view_free(b->view);
	graph_store_free(b->store);
}

static uint32_t local(const struct bench *b, unsigned n)
{
	struct uuid which = id(n);
	uint32_t number = graph_find_id(&b->at, GRAPH_SHAREHOLDERS, &which);

	if (number == GRAPH_NONE)
		number = graph_find_id(&b->at, GRAPH_PROJECTS, &which);
	return number == GRAPH_NONE ? GRAPH_NONE : graph_view_local(b->view, number);
}

static bool find_link(const struct bench *b, unsigned holder, unsigned subject, struct graph_link *ret)
{
	uint32_t h = local(b, holder), s = local(b, subject), first, n;

	if (h == GRAPH_NONE || s == GRAPH_NONE)
		return false;
	n = graph_links_of_subject(b->view->graph, s, &first);
	for (uint32_t l = first; l < first + n; l++) {
		*ret = graph_link(b->view->graph, l);
		if (ret->holder == h)
			return true;
	}
	return false;
}

/* Whether the link's least and greatest share are exactly these millionths of a per cent, by the sums of its stakes. */
static bool has(const struct bench *b, unsigned holder, unsigned subject, double min, double max)
{
	struct graph_link link;
	mpq_t low, high, share, wanted;
	bool same;

	if (!find_link(b, holder, subject, &link))
		return false;
	mpq_inits(low, high, share, wanted, NULL);
	for (size_t i = 0; i < link.stakes_count; i++) {
		graph_share_exact(b->view->graph, link.stakes[i].min, share);
		mpq_add(low, low, share);
		graph_share_exact(b->view->graph, link.stakes[i].max, share);
		mpq_add(high, high, share);
	}
	mpq_set_si(wanted, lround(min * 1e6), 100000000);
	mpq_canonicalize(wanted);
	same = mpq_equal(low, wanted) && fabs(link.min * 100 - min) < 1e-12;
	mpq_set_si(wanted, lround(max * 1e6), 100000000);
	mpq_canonicalize(wanted);
	same = same && mpq_cmp(high, wanted) >= 0 && fabs(link.max * 100 - max) < 1e-12;
	mpq_clears(low, high, share, wanted, NULL);
	return same;
}

static bool is(const struct bench *b, unsigned holder, unsigned subject, double pct)
{
	return has(b, holder, subject, pct, pct);
}

static size_t warnings(const struct bench *b, enum graph_warning_code code)
{
	size_t n = 0;

	for (size_t i = 0; i < b->view->n_warnings; i++)
		n += b->view->warnings[i].code == code;
	return n;
}

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

TESTS({ "exercise", exercise }, { "two warrants", two_warrants }, { "options without enough", options_without_enough },
      { "ranges are diluted", ranges_are_diluted }, { "shares outgrow a ratio", shares_outgrow_a_ratio },
      { "implied links", implied_links }, { "votes", votes }, { "many holders", many_holders }, { "scopes", scopes },
      { "bounded walk", bounded_walk }, { "what if", what_if }, { "known then", known_then })

/* What the methods answer: the vectors of each. */
#include "graph_bench.h"

/* DoW 40.1 %, Korea Zinc 9.99 %, others 49.91 % of the venture, which holds 10.59 % of Korea Zinc; direct holders 89.41 %. */
static void founding_case(void)
{
	enum { DOW, KZ, OTHERS, JV, DIRECT };
	struct bench b = BUILD(5, EXACT(DOW, JV, 40.1), EXACT(KZ, JV, 9.99), EXACT(OTHERS, JV, 49.91), EXACT(JV, KZ, 10.59),
			       EXACT(DIRECT, KZ, 89.41));

	CHECK_INT(owners(&b, KZ, INTEGRATED), OK);
	CHECK(fabs(figure(&b, DOW)->min * 100 - 4.2919968) < 5e-8);
	CHECK(fabs(figure(&b, OTHERS)->min * 100 - 5.3419840) < 5e-8);
	CHECK(fabs(figure(&b, DIRECT)->min * 100 - 90.3660192) < 5e-8);
	CHECK(has(&b, JV, 10.59, 10.59));
	CHECK(fabs(figure(&b, KZ)->min * 100 - 1.0579410) < 5e-8);
	CHECK(is(figure(&b, DOW)->min + figure(&b, OTHERS)->min + figure(&b, DIRECT)->min, 100));
	CHECK(is(b.figures.unexplained_min, 0) && is(b.figures.unexplained_max, 0));
	CHECK(is(figure(&b, DIRECT)->direct_min, 89.41) && is(figure(&b, DOW)->direct_max, 0));
	CHECK_INT(owners(&b, KZ, RAW), OK);
	CHECK(fabs(figure(&b, JV)->min * 100 - 10.7032339) < 5e-8);
	CHECK(fabs(figure(&b, KZ)->min * 100 - 1.0692531) < 5e-8);
	CHECK_INT(owners(&b, KZ, ASK(GRAPH_SIMPLE_PATHS)), OK);
	CHECK(has(&b, DOW, 4.24659, 4.24659));
	CHECK_INT(holdings(&b, DOW, INTEGRATED), OK);
	CHECK(fabs(figure(&b, KZ)->min * 100 - 4.2919968) < 5e-8);
	done(&b);
}

static void cross_holding(void)
{
	enum { X, A, B };
	struct bench b = BUILD(3, EXACT(X, A, 50), EXACT(A, B, 50), EXACT(B, A, 25));

	CHECK_INT(owners(&b, A, INTEGRATED), OK);
	CHECK(has(&b, X, 400.0 / 7, 400.0 / 7));
	CHECK(is(figure(&b, X)->min + b.figures.unexplained_min, 100));
	CHECK_INT(holdings(&b, X, INTEGRATED), OK);
	CHECK(has(&b, B, 200.0 / 7, 200.0 / 7));
	done(&b);
}

/* A residual proves nothing here; plain elimination in doubles gives 100.08 %. */
static void nearly_closed(void)
{
	enum { A, B, X };
	struct bench b = BUILD(3, EXACT(A, B, 100), EXACT(B, A, 99.999999999999), EXACT(X, A, 0.000000000001));

	for (uint32_t subject = A; subject <= B; subject++) {
		CHECK_INT(owners(&b, subject, INTEGRATED), OK);
		CHECK(has(&b, X, 100, 100));
		CHECK(is(b.figures.unexplained_max, 0));
	}
	CHECK_INT(holdings(&b, X, INTEGRATED), OK);
	CHECK(has(&b, A, 100, 100) && has(&b, B, 100, 100));
	done(&b);
}

static void closed_ring(void)
{
	enum { A, B, X, C };
	struct bench b = BUILD(4, EXACT(A, B, 100), EXACT(B, A, 100), EXACT(A, C, 60), EXACT(X, C, 40));
	struct graph_cycle *cycles;
	size_t count;

	CHECK_INT(owners(&b, C, INTEGRATED), ERR_CONFLICT);
	CHECK_INT(b.figures.ring_count, 2);
	CHECK(b.figures.ring[0] + b.figures.ring[1] == A + B);
	CHECK_INT(holdings(&b, A, INTEGRATED), ERR_CONFLICT);
	CHECK_INT(holdings(&b, X, INTEGRATED), OK); /* downwards only with the holder in it */
	CHECK(has(&b, C, 40, 40));
	CHECK_INT(owners(&b, C, CONTROL), OK);
	CHECK(listed(&b, A) && listed(&b, B));
	CHECK_INT(graph_cycles(b.graph, b.arena, &cycles, &count), OK);
	CHECK(count == 1 && cycles[0].count == 2 && cycles[0].closed);
	done(&b);

	b = BUILD(2, EXACT(0, 0, 100), EXACT(0, 1, 50));
	CHECK_INT(owners(&b, 1, INTEGRATED), ERR_CONFLICT);
	CHECK_INT(b.figures.ring_count, 1);
	done(&b);
}

/* 31 CFR 800.235, example 1 */
static void cfius_parent(void)
{
	enum { P, R, S, X, Y, Z };
	struct bench b = BUILD(6, EXACT(P, R, 50), EXACT(P, S, 50), EXACT(R, X, 40), EXACT(S, Y, 50), EXACT(Y, Z, 50));

	CHECK_INT(holdings(&b, P, CASCADE), OK);
	CHECK(b.figures.count == 4 && listed(&b, R) && listed(&b, S) && listed(&b, Y) && listed(&b, Z) && !listed(&b, X));
	CHECK_INT(holdings(&b, S, CASCADE), OK);
	CHECK(b.figures.count == 2 && listed(&b, Y) && listed(&b, Z));
	CHECK_INT(holdings(&b, Y, CASCADE), OK);
	CHECK(b.figures.count == 1 && listed(&b, Z));
	done(&b);
}

static void attribution(void)
{
	enum { GOV, B, A };
	enum { H = 1, K, M };
	struct bench b = BUILD(3, EXACT(GOV, B, 75), EXACT(B, A, 51));

	CHECK_INT(owners(&b, A, PROMOTE_LOWER), OK); /* 31 CFR 800.244(d)(1) */
	CHECK(has(&b, GOV, 75, 75));
	CHECK_INT(owners(&b, A, SINGLE_ENTITY), OK);
	CHECK(has(&b, GOV, 100, 100));
	done(&b);

	b = BUILD(4, EXACT(GOV, H, 30), EXACT(H, K, 60), EXACT(H, M, 90), EXACT(M, K, 40));
	for (int single = 0; single < 2; single++) {
		CHECK_INT(owners(&b, K, single ? SINGLE_ENTITY : PROMOTE_LOWER), OK);
		CHECK(has(&b, GOV, 30, 30));
	}
	done(&b);

	b = BUILD(4, EXACT(H, M, 60), EXACT(H, K, 30), EXACT(M, K, 30), EXACT(GOV, H, 30));
	for (int single = 0; single < 2; single++) {
		CHECK_INT(owners(&b, K, single ? SINGLE_ENTITY : PROMOTE_LOWER), OK);
		CHECK(has(&b, GOV, 30, 30));
	}
	done(&b);

	b = BUILD(3, EXACT(0, 1, 90), EXACT(1, 2, 3)); /* JOGMEC, JARE, Lynas */
	CHECK_INT(owners(&b, 2, PROMOTE_LOWER), OK);
	CHECK(has(&b, 0, 2.7, 2.7));
	CHECK_INT(owners(&b, 2, SINGLE_ENTITY), OK);
	CHECK(has(&b, 0, 3, 3));
	done(&b);

	b = BUILD(3, EXACT(0, 1, 50), EXACT(1, 2, 30)); /* the two bounds of chips-feoc */
	CHECK_INT(owners(&b, 2, INTEGRATED), OK);
	CHECK(has(&b, 0, 15, 15));
	CHECK_INT(owners(&b, 2, SINGLE_ENTITY), OK);
	CHECK(has(&b, 0, 30, 30));
	done(&b);
}

/* OFAC FAQs 398 to 401 */
static void fifty_percent_rule(void)
{
	enum { X, Y, A, B };
	const uint32_t both[] = { X, Y };
	struct graph_question designated = { .method = GRAPH_CASCADE, .parties = both, .parties_count = 2 };
	struct bench b = BUILD(4, EXACT(X, A, 50), EXACT(A, B, 50));

	CHECK_INT(holdings(&b, X, CASCADE), OK);
	CHECK(listed(&b, A) && listed(&b, B));
	done(&b);

	b = BUILD(4, EXACT(X, A, 25), EXACT(Y, A, 25), EXACT(A, B, 50));
	CHECK_INT(owners(&b, B, designated), OK);
	CHECK(b.figures.count == 1 && has(&b, A, 50, 50) && figure(&b, A)->certain && is(b.figures.total_min, 50));
	CHECK_INT(owners(&b, B, CASCADE), OK); /* neither alone */
	CHECK(b.figures.count == 1 && listed(&b, A));
	done(&b);
}

static void thresholds_are_exact(void)
{
	enum { X, A, B, C };
	struct bench b = BUILD(4, EXACT(X, A, 49.999999999999), EXACT(X, B, 50), EXACT(X, C, 50.000000000001));
	struct graph_builder *thirds = graph_builder_new(3, 8);
	struct graph *g;

	CHECK_INT(holdings(&b, X, CASCADE), OK);
	CHECK(b.figures.count == 2 && listed(&b, B) && listed(&b, C));
	CHECK_INT(holdings(&b, X, CONTROL), OK);
	CHECK(b.figures.count == 1 && listed(&b, C));
	done(&b);

	/* 1/3 + 1/6 is 1/2 although no double says so; parallel stakes of different denominators */
	CHECK_INT(graph_builder_stake(thirds, 0, 1, 1, (struct graph_ratio){ 1, 3 }, (struct graph_ratio){ 1, 3 }), OK);
	CHECK_INT(graph_builder_stake(thirds, 0, 1, 2, (struct graph_ratio){ 1, 6 }, (struct graph_ratio){ 1, 6 }), OK);
	CHECK_INT(graph_builder_finish(thirds, &g), OK);
	graph_builder_free(thirds);
	CHECK_INT(graph_links(g), 1);
	CHECK_INT(graph_link(g, 0).stakes_count, 2);
	b = (struct bench){ g, graph_scratch_new(g), arena_new(ARENA), { 0 } };
	CHECK_INT(owners(&b, 1, CASCADE), OK);
	CHECK_INT(b.figures.count, 1);
	CHECK_INT(owners(&b, 1, CONTROL), OK);
	CHECK_INT(b.figures.count, 0);
	done(&b);
}

/* USACO concom */
static void company_control(void)
{
	struct bench b = BUILD(4, EXACT(1, 2, 80), EXACT(2, 3, 80), EXACT(3, 1, 20));

	CHECK_INT(holdings(&b, 1, CONTROL), OK);
	CHECK(b.figures.count == 2 && listed(&b, 2) && listed(&b, 3));
	CHECK_INT(holdings(&b, 2, CONTROL), OK);
	CHECK(b.figures.count == 1 && has(&b, 3, 80, 80));
	CHECK_INT(holdings(&b, 3, CONTROL), OK);
	CHECK_INT(b.figures.count, 0);
	done(&b);
}

static void weakest_link(void)
{
	enum { A, B, C };
	struct bench b = BUILD(3, EXACT(A, C, 30), EXACT(A, B, 30), EXACT(B, C, 20));

	CHECK_INT(owners(&b, C, ASK(GRAPH_WEAKEST_LINK)), OK);
	CHECK(has(&b, A, 50, 50));
	CHECK_INT(owners(&b, C, INTEGRATED), OK);
	CHECK(has(&b, A, 36, 36));
	done(&b);
}

static void ranges(void)
{
	enum { X, Y, Z, CO, SUB };
	struct bench b = BUILD(5, { X, CO, 5, 10 }, EXACT(Y, CO, 60), { Z, CO, 0, 100 }, { CO, SUB, 40, 55 });

	CHECK_INT(owners(&b, CO, INTEGRATED), OK);
	CHECK(has(&b, X, 5, 10) && has(&b, Y, 60, 60) && has(&b, Z, 0, 35));
	CHECK_INT(owners(&b, SUB, INTEGRATED), OK);
	CHECK(has(&b, X, 2, 5.5) && has(&b, Y, 24, 33));
	CHECK_INT(owners(&b, SUB, RAW), ERR_RANGE);
	done(&b);
}

/* The maxima of a group are limited by what others have for certain, to the last digit. */
static void ranges_at_a_threshold(void)
{
	enum { X, GOOD, A };
	const double good[] = { 0, 50, 50.000000000001 };

	for (int i = 0; i < 3; i++) {
		struct bench b = BUILD(3, { X, A, 30, 100 }, EXACT(GOOD, A, good[i]));

		CHECK_INT(holdings(&b, X, CASCADE), OK);
		CHECK_INT(b.figures.count, i < 2);
		CHECK(i == 2 || (has(&b, A, 30, 100 - good[i]) && !figure(&b, A)->certain));
		done(&b);
	}
}

static void overfull(void)
{
	enum { X, Y, A };
	struct bench b = BUILD(3, EXACT(X, A, 100), EXACT(Y, A, 60));

	CHECK(graph_column(b.graph, A).overfull && is(graph_column(b.graph, A).sum, 160));
	CHECK_INT(owners(&b, A, INTEGRATED), OK);
	CHECK(has(&b, X, 62.5, 62.5) && has(&b, Y, 37.5, 37.5) && is(b.figures.unexplained_max, 0));
	CHECK_INT(owners(&b, A, CONTROL), OK); /* as recorded */
	CHECK(has(&b, X, 100, 100) && has(&b, Y, 60, 60));
	done(&b);
}

static void dilution(void)
{
	struct graph_builder *builder = graph_builder_new(4, 2);
	struct graph_ratio issued = { 2209716, 19343263 + 2209716 }, cancelled = { 2209716, 19343263 + 2209716 - 680010 };
	struct graph *g;

	CHECK_INT(graph_builder_stake(builder, 0, 1, 0, issued, issued), OK);
	CHECK_INT(graph_builder_stake(builder, 2, 3, 0, cancelled, cancelled), OK);
	CHECK_INT(graph_builder_finish(builder, &g), OK);
	CHECK(fabs(graph_link(g, 0).min * 100 - 10.2525) < 5e-5);
	CHECK(fabs(graph_link(g, 1).min * 100 - 10.5865) < 5e-5);
	graph_builder_free(builder);
	graph_free(g);
}

TESTS({ "founding case", founding_case }, { "cross-holding", cross_holding }, { "nearly closed ring", nearly_closed },
      { "closed ring", closed_ring }, { "parents", cfius_parent }, { "attribution", attribution },
      { "50 percent rule", fifty_percent_rule }, { "thresholds are exact", thresholds_are_exact },
      { "company control", company_control }, { "weakest link", weakest_link }, { "ranges", ranges },
      { "ranges at a threshold", ranges_at_a_threshold }, { "overfull", overfull }, { "dilution", dilution })

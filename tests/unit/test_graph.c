/* Longer than 500 lines: the vectors of every method share the few builders and checks at its top. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>

#include "lodebase/graph/ownership.h"

#define ARENA ((size_t)256 << 20)

struct share {
	uint32_t holder, subject;
	double min, max; /* per cent, up to 12 decimals */
};

struct bench {
	struct graph *graph;
	struct graph_scratch *scratch;
	struct arena *arena;
	struct graph_figures figures;
};

static struct graph_ratio per_cent(double pct)
{
	return (struct graph_ratio){ (uint64_t)llround(pct * 1e12), 100000000000000 };
}

static struct bench build(uint32_t nodes, const struct share *shares, size_t count)
{
	struct graph_builder *b = graph_builder_new(nodes, count);
	struct bench bench = { .arena = arena_new(ARENA) };

	for (size_t i = 0; i < count; i++)
		CHECK_INT(graph_builder_stake(b, shares[i].holder, shares[i].subject, i, per_cent(shares[i].min),
					      per_cent(shares[i].max)),
			  OK);
	CHECK_INT(graph_builder_finish(b, &bench.graph), OK);
	graph_builder_free(b);
	bench.scratch = graph_scratch_new(bench.graph);
	return bench;
}

#define BUILD(nodes, ...)                                   \
	build(nodes, (const struct share[]){ __VA_ARGS__ }, \
	      sizeof((const struct share[]){ __VA_ARGS__ }) / sizeof(struct share))
#define EXACT(holder, subject, pct)       \
	{                                 \
		holder, subject, pct, pct \
	}

static void done(struct bench *b)
{
	arena_free(b->arena);
	graph_scratch_free(b->scratch);
	graph_free(b->graph);
}

static enum err owners(struct bench *b, uint32_t subject, struct graph_question q)
{
	return graph_owners(b->graph, b->scratch, subject, &q, b->arena, &b->figures);
}

static enum err holdings(struct bench *b, uint32_t holder, struct graph_question q)
{
	return graph_holdings(b->graph, b->scratch, holder, &q, b->arena, &b->figures);
}

static const struct graph_figure *figure(const struct bench *b, uint32_t node)
{
	for (size_t i = 0; i < b->figures.count; i++) {
		if (b->figures.items[i].node == node)
			return &b->figures.items[i];
	}
	return NULL;
}

static bool listed(const struct bench *b, uint32_t node)
{
	return figure(b, node) != NULL;
}

static bool is(double share, double pct)
{
	return fabs(share * 100 - pct) < 5e-13;
}

/* Both ends, per cent; 0 also where it is not listed. */
static bool has(const struct bench *b, uint32_t node, double min, double max)
{
	const struct graph_figure *f = figure(b, node);

	return is(f ? f->min : 0, min) && is(f ? f->max : 0, max);
}

#define ASK(method_, ...) ((struct graph_question){ .method = method_, __VA_ARGS__ })
#define INTEGRATED ASK(GRAPH_INTEGRATED, .raw = false)
#define RAW ASK(GRAPH_INTEGRATED, .raw = true)
#define CONTROL ASK(GRAPH_CONTROL, .threshold = { 1, 2 })
#define CASCADE ASK(GRAPH_CASCADE, .raw = false)
#define PROMOTE_LOWER ASK(GRAPH_ATTRIBUTION, .single_entity = false)
#define SINGLE_ENTITY ASK(GRAPH_ATTRIBUTION, .single_entity = true)

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

static struct bench ring(uint32_t members, double share)
{
	struct share *shares = malloc(((size_t)members + 1) * sizeof(*shares));
	struct bench b;

	for (uint32_t i = 0; i < members; i++)
		shares[i] = (struct share)EXACT(i, (i + 1) % members, share);
	shares[members] = (struct share)EXACT(members, 0, 100 - share);
	b = build(members + 1, shares, (size_t)members + 1);
	free(shares);
	return b;
}

static void great_rings(void)
{
	enum { MEMBERS = 300 };
	struct bench b = ring(MEMBERS, 99);

	CHECK_INT(owners(&b, MEMBERS - 1, INTEGRATED), OK);
	CHECK(is(figure(&b, MEMBERS)->min + b.figures.unexplained_min, 100));
	CHECK(is(figure(&b, MEMBERS)->min, pow(0.99, MEMBERS - 1) / (1 - pow(0.99, MEMBERS))));
	CHECK(is(figure(&b, MEMBERS - 1)->min, 100 * pow(0.99, MEMBERS)));
	CHECK_INT(owners(&b, 5, CONTROL), OK);
	CHECK_INT(b.figures.count, MEMBERS - 1);
	done(&b);

	b = ring(10000, 50);
	CHECK_INT(owners(&b, 0, INTEGRATED), OK);
	CHECK_INT(holdings(&b, 0, INTEGRATED), OK);
	done(&b);
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

/* 2^60 paths: declined by what counts paths, answered by what does not. */
static void too_complex(void)
{
	enum { LAYERS = 60 };
	struct share shares[LAYERS * 4];
	struct graph_paths found;
	struct bench b;
	size_t n = 0;

	for (uint32_t layer = 0; layer < LAYERS; layer++) {
		for (uint32_t k = 0; k < 4; k++)
			shares[n++] = (struct share)EXACT(2 * layer + k / 2, 2 * layer + 2 + k % 2, 50);
	}
	b = build(2 * LAYERS + 2, shares, n);
	CHECK_INT(owners(&b, LAYERS * 2, ASK(GRAPH_SIMPLE_PATHS, .budget = 1000000)), ERR_FULL);
	CHECK_INT(owners(&b, LAYERS * 2, ASK(GRAPH_WEAKEST_LINK, .budget = 1000000)), ERR_FULL);
	CHECK_INT(owners(&b, LAYERS * 2, INTEGRATED), OK);
	CHECK(has(&b, 0, 50, 50) && has(&b, 1, 50, 50));
	CHECK_INT(owners(&b, LAYERS * 2, CONTROL), OK);
	CHECK_INT(graph_paths(b.graph, b.scratch, 0, LAYERS * 2, 5, 1000000, b.arena, &found), OK);
	CHECK(found.count == 5 && found.truncated && found.items[0].count == LAYERS);
	CHECK_INT(graph_paths(b.graph, b.scratch, 0, LAYERS * 2, 1000000, 1000000, b.arena, &found), ERR_FULL);
	done(&b);
}

static void deep_chain(void)
{
	enum { DEPTH = 10000 };
	struct share *shares = malloc(DEPTH * sizeof(*shares));
	struct graph_paths found;
	struct bench b;

	for (uint32_t i = 0; i < DEPTH; i++)
		shares[i] = (struct share)EXACT(i, i + 1, 100);
	b = build(DEPTH + 1, shares, DEPTH);
	free(shares);
	for (int method = GRAPH_INTEGRATED; method <= GRAPH_WEAKEST_LINK; method++) {
		CHECK_INT(owners(&b, DEPTH, ASK((enum graph_method)method)), OK);
		CHECK(b.figures.count == DEPTH && has(&b, 0, 100, 100));
	}
	CHECK_INT(holdings(&b, 0, CASCADE), OK);
	CHECK(has(&b, DEPTH, 100, 100));
	CHECK_INT(holdings(&b, 0, INTEGRATED), OK);
	CHECK(has(&b, DEPTH, 100, 100));
	CHECK_INT(graph_paths(b.graph, b.scratch, 0, DEPTH, 3, 0, b.arena, &found), OK);
	CHECK(found.count == 1 && found.items[0].count == DEPTH && !found.truncated);
	done(&b);
}

static void many_holders(void)
{
	enum { HOLDERS = 100000 };
	struct share *shares = malloc(HOLDERS * sizeof(*shares));
	struct bench b;

	for (uint32_t i = 0; i < HOLDERS; i++) /* every hundredth is unknown: the column does not fit at the maxima */
		shares[i] = (struct share){ i, HOLDERS, i % 100 ? 0.001 : 0, i % 100 ? 0.001 : 100 };
	b = build(HOLDERS + 1, shares, HOLDERS);
	free(shares);
	CHECK_INT(owners(&b, HOLDERS, INTEGRATED), OK);
	CHECK(b.figures.count == HOLDERS && has(&b, 0, 0, 1) && has(&b, 1, 0.001, 0.001));
	CHECK_FOR(b.figures.unexplained_min < 1e-12 && fabs(b.figures.unexplained_max - 0.01) < 1e-12, "%g %.17g",
		  b.figures.unexplained_min, b.figures.unexplained_max);
	CHECK_INT(owners(&b, HOLDERS, CASCADE), OK);
	CHECK_INT(b.figures.count, 0);
	CHECK_INT(owners(&b, HOLDERS, SINGLE_ENTITY), OK);
	CHECK_INT(b.figures.count, HOLDERS);
	done(&b);
}

/* 14 thirds of a last digit: each rounds to 0, all of them to 5. */
static void sums_are_rounded_once(void)
{
	struct graph_builder *builder = graph_builder_new(15, 14);
	const struct graph_ratio third = { 1, UINT64_C(300000000000000) };
	struct graph_question direct = ASK(GRAPH_DIRECT, .raw = false);
	struct bench b = { .arena = arena_new(ARENA) };
	struct graph_sum sum = { 0 };

	for (uint32_t i = 0; i < 14; i++)
		CHECK_INT(graph_builder_stake(builder, i, 14, i, third, third), OK);
	CHECK_INT(graph_builder_finish(builder, &b.graph), OK);
	graph_builder_free(builder);
	b.scratch = graph_scratch_new(b.graph);
	CHECK_INT(owners(&b, 14, direct), OK);
	for (size_t i = 0; i < b.figures.count; i++) {
		CHECK_INT(b.figures.items[i].pct.min, 0);
		graph_sum_figure(&sum, &b.figures.items[i]);
	}
	CHECK_INT(graph_sum_pct(&sum).min, 5);
	CHECK_INT(graph_sum_pct(&sum).max, 5);
	CHECK_INT(graph_column(b.graph, 14).sum_pct.min, 5);
	done(&b);
}

static void builder_refuses(void)
{
	struct graph_builder *b = graph_builder_new(2, 1);
	const struct graph_ratio half = { 1, 2 }, none = { 0, 1 }, whole = { 1, 1 };
	struct graph *g;

	CHECK_INT(graph_builder_stake(b, 2, 0, 0, half, half), ERR_RANGE);
	CHECK_INT(graph_builder_stake(b, 0, 1, 0, whole, half), ERR_INVALID);
	CHECK_INT(graph_builder_stake(b, 0, 1, 0, (struct graph_ratio){ 1, 0 }, whole), ERR_INVALID);
	CHECK_INT(graph_builder_stake(b, 0, 1, 0, half, (struct graph_ratio){ 3, 2 }), ERR_INVALID);
	CHECK_INT(graph_builder_stake(b, 0, 1, 0, none, none), OK); /* no link */
	CHECK_INT(graph_builder_stake(b, 0, 1, 0, half, half), OK);
	CHECK_INT(graph_builder_stake(b, 0, 1, 0, half, half), ERR_FULL);
	CHECK_INT(graph_builder_finish(b, &g), OK);
	CHECK(graph_links(g) == 1 && graph_nodes(g) == 2 && graph_column(g, 1).held && !graph_column(g, 0).held);
	graph_builder_free(b);
	graph_free(g);
}

static void bounded_questions(void)
{
	struct bench b = BUILD(2, EXACT(0, 1, 50));
	struct arena *small = arena_new(16);
	struct graph_question q = INTEGRATED;
	const uint32_t stranger = 2;

	CHECK_INT(owners(&b, 2, INTEGRATED), ERR_INVALID);
	CHECK_INT(owners(&b, 1, ASK(GRAPH_CONTROL)), ERR_INVALID); /* 0/0 */
	CHECK_INT(owners(&b, 1, ASK(GRAPH_CASCADE, .parties = &stranger, .parties_count = 1)), ERR_INVALID);
	CHECK_INT(graph_owners(b.graph, b.scratch, 1, &q, small, &b.figures), ERR_NOMEM);
	CHECK_INT(owners(&b, 0, INTEGRATED), OK); /* nobody holds it */
	CHECK(b.figures.count == 0 && is(b.figures.unexplained_min, 100));
	arena_free(small);
	done(&b);
}

TESTS({ "founding case", founding_case }, { "cross-holding", cross_holding }, { "nearly closed ring", nearly_closed },
      { "closed ring", closed_ring }, { "parents", cfius_parent }, { "attribution", attribution },
      { "50 percent rule", fifty_percent_rule }, { "thresholds are exact", thresholds_are_exact },
      { "company control", company_control }, { "weakest link", weakest_link }, { "ranges", ranges },
      { "ranges at a threshold", ranges_at_a_threshold }, { "great rings", great_rings }, { "overfull", overfull },
      { "dilution", dilution }, { "too complex", too_complex }, { "deep chain", deep_chain }, { "many holders", many_holders },
      { "dilution", dilution }, { "too complex", too_complex }, { "deep chain", deep_chain },
      { "sums are rounded once", sums_are_rounded_once }, { "builder refuses", builder_refuses },
      { "bounded questions", bounded_questions })

/* What a graph takes and bears: sizes, budgets, sums. */
#include "graph_bench.h"

#include <stdlib.h>

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

TESTS({ "great rings", great_rings }, { "too complex", too_complex }, { "deep chain", deep_chain },
      { "many holders", many_holders }, { "sums are rounded once", sums_are_rounded_once },
      { "builder refuses", builder_refuses }, { "bounded questions", bounded_questions })

#include "graph_bench.h"

#include <stdlib.h>

struct graph_ratio per_cent(double pct)
{
	return (struct graph_ratio){ (uint64_t)llround(pct * 1e12), 100000000000000 };
}

struct bench build(uint32_t nodes, const struct share *shares, size_t count)
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

void done(struct bench *b)
{
	arena_free(b->arena);
	graph_scratch_free(b->scratch);
	graph_free(b->graph);
}

enum err owners(struct bench *b, uint32_t subject, struct graph_question q)
{
	return graph_owners(b->graph, b->scratch, subject, &q, b->arena, &b->figures);
}

enum err holdings(struct bench *b, uint32_t holder, struct graph_question q)
{
	return graph_holdings(b->graph, b->scratch, holder, &q, b->arena, &b->figures);
}

const struct graph_figure *figure(const struct bench *b, uint32_t node)
{
	for (size_t i = 0; i < b->figures.count; i++) {
		if (b->figures.items[i].node == node)
			return &b->figures.items[i];
	}
	return NULL;
}

bool listed(const struct bench *b, uint32_t node)
{
	return figure(b, node) != NULL;
}

bool is(double share, double pct)
{
	return fabs(share * 100 - pct) < 5e-13;
}

bool has(const struct bench *b, uint32_t node, double min, double max)
{
	const struct graph_figure *f = figure(b, node);

	return is(f ? f->min : 0, min) && is(f ? f->max : 0, max);
}

struct bench ring(uint32_t members, double share)
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

/* Look-through in process on a random scale-free graph: graph_lookthrough [NODES [QUESTIONS]].
 *
 * Half again as many stakes as nodes: holders are older nodes, chosen in proportion to what they hold already; one node in a
 * hundred and one of the next fifty hold shares of one another. One stake in ten is a range. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "lodebase/graph/ownership.h"

#define WHOLE UINT64_C(100000000000000)

static uint64_t state = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *left, const void *right)
{
	double l = *(const double *)left, r = *(const double *)right;

	return l < r ? -1 : l > r;
}

static struct graph *make(uint32_t nodes)
{
	size_t stakes = nodes + nodes / 2, count = 0;
	struct graph_builder *b = graph_builder_new(nodes, stakes);
	uint32_t *held = malloc(2 * stakes * sizeof(*held)); /* a node as often as it holds, and once */
	uint32_t *partner = calloc(nodes, sizeof(*partner));
	size_t weight = 0;
	struct graph *g = NULL;
	enum err e = b && held && partner ? OK : ERR_NOMEM;

	for (uint32_t subject = 0; e == OK && subject < nodes; subject++) {
		uint64_t left = WHOLE, holders = subject > 0 ? 1 + draw(2) : 0;

		for (; e == OK && holders > 0 && count < stakes; holders--) {
			uint32_t holder = held[draw(weight)];
			uint64_t share = 1 + draw(left / 2), most = draw(10) ? share : share + draw(left - share);

			if (partner[subject] > 0) {
				holder = partner[subject];
				partner[subject] = 0;
			} else if (subject > 0 && draw(100) == 0 && subject + 50 < nodes) {
				holder = subject + 1 + (uint32_t)draw(49);
				partner[holder] = subject;
			}
			e = graph_builder_stake(b, holder, subject, count++, (struct graph_ratio){ share, WHOLE },
						(struct graph_ratio){ most, WHOLE });
			left -= most;
			held[weight++] = holder;
		}
		held[weight++] = subject;
	}
	if (e == OK)
		e = graph_builder_finish(b, &g);
	free(held);
	free(partner);
	graph_builder_free(b);
	if (e != OK)
		fprintf(stderr, "graph_lookthrough: %s\n", err_name(e));
	return g;
}

static int measure(const struct graph *g, size_t questions, enum graph_method method, bool owners, const char *name)
{
	struct graph_scratch *s = graph_scratch_new(g);
	double *times = malloc(questions * sizeof(*times));
	struct graph_question q = { .method = method, .threshold = { 1, 2 }, .budget = 10000000 };
	size_t figures = 0, declined = 0;

	if (!s || !times)
		return 1;
	for (size_t i = 0; i < questions; i++) {
		struct arena *a = arena_new((size_t)1 << 30);
		struct graph_figures f = { 0 };
		uint32_t node = (uint32_t)draw(graph_nodes(g));
		double start = now();
		enum err e = owners ? graph_owners(g, s, node, &q, a, &f) : graph_holdings(g, s, node, &q, a, &f);

		times[i] = now() - start;
		declined += e != OK;
		figures += f.count;
		arena_free(a);
	}
	qsort(times, questions, sizeof(*times), compare);
	printf("%-8s %-13s p50 %8.1f us  p99 %10.1f us  max %10.1f us  %7.1f figures each, %zu declined\n",
	       owners ? "owners" : "holdings", name, times[questions / 2] * 1e6, times[questions * 99 / 100] * 1e6,
	       times[questions - 1] * 1e6, (double)figures / (double)questions, declined);
	free(times);
	graph_scratch_free(s);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "direct",  "integrated", "simple_paths", "weakest_link",
					     "control", "cascade",    "attribution" };
	uint32_t nodes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
	size_t questions = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000, biggest = 0, count;
	double start = now();
	struct graph *g = make(nodes);
	struct arena *a = arena_new((size_t)1 << 30);
	struct graph_cycle *cycles;

	if (!g || !a || questions == 0 || graph_cycles(g, a, &cycles, &count) != OK)
		return 1;
	for (size_t i = 0; i < count; i++)
		biggest = cycles[i].count > biggest ? cycles[i].count : biggest;
	printf("%" PRIu32 " nodes, %zu links, made in %.2f s, %.1f bytes a link; %zu loops, the greatest of %zu nodes\n", nodes,
	       graph_links(g), now() - start, (double)graph_bytes(g) / (double)graph_links(g), count, biggest);
	for (int method = GRAPH_DIRECT; method <= GRAPH_ATTRIBUTION; method++) {
		if (measure(g, questions, (enum graph_method)method, true, names[method]) != 0 ||
		    measure(g, questions, (enum graph_method)method, false, names[method]) != 0)
			return 1;
	}
	arena_free(a);
	graph_free(g);
	return 0;
}

/* Reads graphs and questions from standard input, and writes one JSON line per question: what tests/graph compares with exact
 * fractions.
 *
 *   graph NODES
 *   stake HOLDER SUBJECT MIN_NUMERATOR MIN_DENOMINATOR MAX_NUMERATOR MAX_DENOMINATOR
 *   build
 *   owners|holdings METHOD NODE OPTION…      option: raw single inclusive threshold=N/D party=NODE budget=N
 *   paths HOLDER SUBJECT LIMIT
 *   cycles */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/graph/ownership.h"

#define ARENA ((size_t)256 << 20)
#define MAX_PARTIES 64

static const char *const methods[] = { "direct",  "integrated", "simple_paths", "weakest_link",
				       "control", "cascade",    "attribution" };

struct state {
	struct graph_builder *builder;
	struct graph *graph;
	struct graph_scratch *scratch;
	uint64_t stakes;
};

static void fail(const char *what)
{
	fprintf(stderr, "graph_answers: %s\n", what);
	exit(1);
}

static void forget(struct state *s)
{
	graph_builder_free(s->builder);
	graph_scratch_free(s->scratch);
	graph_free(s->graph);
	*s = (struct state){ 0 };
}

static void read_graph(struct state *s, const char *rest)
{
	forget(s);
	s->builder = graph_builder_new((uint32_t)strtoul(rest, NULL, 10), 10000000);
	if (!s->builder)
		fail("no memory");
}

static void read_stake(struct state *s, const char *rest)
{
	uint32_t holder, subject;
	struct graph_ratio min, max;
	enum err e;

	if (sscanf(rest, "%" SCNu32 " %" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &holder, &subject,
		   &min.numerator, &min.denominator, &max.numerator, &max.denominator) != 6)
		fail("a stake has six numbers");
	e = graph_builder_stake(s->builder, holder, subject, s->stakes++, min, max);
	if (e != OK)
		fail(err_name(e));
}

static void build(struct state *s)
{
	if (graph_builder_finish(s->builder, &s->graph) != OK)
		fail("no graph");
	s->scratch = graph_scratch_new(s->graph);
	if (!s->scratch)
		fail("no memory");
}

static void print_ids(const char *name, const uint32_t *ids, size_t count)
{
	printf(", \"%s\": [", name);
	for (size_t i = 0; i < count; i++)
		printf("%s%" PRIu32, i ? ", " : "", ids[i]);
	printf("]");
}

static void ask(struct state *s, char *rest, bool owners)
{
	struct arena *a = arena_new(ARENA);
	struct graph_question q = { .threshold = { 1, 2 } };
	struct graph_figures f;
	uint32_t parties[MAX_PARTIES], node;
	char *save, *word = strtok_r(rest, " \n", &save);
	enum err e;

	while (q.method < GRAPH_ATTRIBUTION && strcmp(word, methods[q.method]) != 0)
		q.method++;
	node = (uint32_t)strtoul(strtok_r(NULL, " \n", &save), NULL, 10);
	q.parties = parties;
	while ((word = strtok_r(NULL, " \n", &save))) {
		q.raw |= strcmp(word, "raw") == 0;
		q.single_entity |= strcmp(word, "single") == 0;
		q.inclusive |= strcmp(word, "inclusive") == 0;
		if (sscanf(word, "threshold=%" SCNu64 "/%" SCNu64, &q.threshold.numerator, &q.threshold.denominator) == 2)
			continue;
		if (sscanf(word, "budget=%zu", &q.budget) == 1)
			continue;
		if (q.parties_count < MAX_PARTIES && sscanf(word, "party=%" SCNu32, &parties[q.parties_count]) == 1)
			q.parties_count++;
	}
	if (!a)
		fail("no memory");
	e = owners ? graph_owners(s->graph, s->scratch, node, &q, a, &f)
		   : graph_holdings(s->graph, s->scratch, node, &q, a, &f);
	printf("{\"error\": \"%s\", \"unexplained\": [%.17g, %.17g], \"total\": [%.17g, %.17g], \"coarse\": %s",
	       e == OK ? "" : err_name(e), f.unexplained_min, f.unexplained_max, f.total_min, f.total_max,
	       f.coarse ? "true" : "false");
	print_ids("ring", f.ring, f.ring_count);
	printf(", \"figures\": {");
	for (size_t i = 0; e == OK && i < f.count; i++)
		printf("%s\"%" PRIu32 "\": [%.17g, %.17g, %.17g, %.17g, %s]", i ? ", " : "", f.items[i].node, f.items[i].min,
		       f.items[i].max, f.items[i].direct_min, f.items[i].direct_max, f.items[i].certain ? "true" : "false");
	printf("}}\n");
	arena_free(a);
}

static void paths(struct state *s, const char *rest)
{
	struct arena *a = arena_new(ARENA);
	struct graph_paths found;
	uint32_t holder = 0, subject = 0;
	size_t limit = 0;
	enum err e;

	if (!a || sscanf(rest, "%" SCNu32 " %" SCNu32 " %zu", &holder, &subject, &limit) != 3)
		fail("paths HOLDER SUBJECT LIMIT");
	e = graph_paths(s->graph, s->scratch, holder, subject, limit, 0, a, &found);
	printf("{\"error\": \"%s\", \"truncated\": %s, \"paths\": [", e == OK ? "" : err_name(e),
	       found.truncated ? "true" : "false");
	for (size_t i = 0; e == OK && i < found.count; i++) {
		printf("%s[%.17g, %.17g", i ? ", " : "", found.items[i].min, found.items[i].max);
		for (size_t k = 0; k < found.items[i].count; k++)
			printf(", %" PRIu32, graph_link(s->graph, found.items[i].links[k]).holder);
		printf(", %" PRIu32 "]", subject);
	}
	printf("]}\n");
	arena_free(a);
}

static void cycles(struct state *s)
{
	struct arena *a = arena_new(ARENA);
	struct graph_cycle *found = NULL;
	size_t count = 0;

	if (!a || graph_cycles(s->graph, a, &found, &count) != OK)
		fail("no memory");
	printf("{\"cycles\": [");
	for (size_t i = 0; i < count; i++) {
		printf("%s{\"closed\": %s", i ? ", " : "", found[i].closed ? "true" : "false");
		print_ids("members", found[i].members, found[i].count);
		printf("}");
	}
	printf("]}\n");
	arena_free(a);
}

int main(void)
{
	struct state s = { 0 };
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		char *rest = strchr(line, ' ');

		rest = rest ? rest + 1 : line + strlen(line);
		if (strncmp(line, "graph ", 6) == 0)
			read_graph(&s, rest);
		else if (strncmp(line, "stake ", 6) == 0)
			read_stake(&s, rest);
		else if (strncmp(line, "build", 5) == 0)
			build(&s);
		else if (strncmp(line, "owners ", 7) == 0 || strncmp(line, "holdings ", 9) == 0)
			ask(&s, rest, line[0] == 'o');
		else if (strncmp(line, "paths ", 6) == 0)
			paths(&s, rest);
		else if (strncmp(line, "cycles", 6) == 0)
			cycles(&s);
		else
			fail("a line that is no command");
	}
	forget(&s);
	return 0;
}

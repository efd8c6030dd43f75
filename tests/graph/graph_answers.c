/* Reads graphs and questions from standard input, and writes one JSON line per question: what tests/graph compares with exact
 * fractions.
 *
 *   graph NODES
 *   stake HOLDER SUBJECT MIN_NUMERATOR MIN_DENOMINATOR MAX_NUMERATOR MAX_DENOMINATOR
 *   build
 *   owners|holdings METHOD NODE OPTION…      option: raw single inclusive threshold=N/D party=NODE budget=N
 *   group METHOD NODE OPTION…                option: these, and limit=N/D remainders hidden=NODE
 *   columns                                  every subject's column, and its links
 *   power INDEX NODE QUOTA_NUMERATOR QUOTA_DENOMINATOR
 *   strip NODE
 *   paths HOLDER SUBJECT LIMIT
 *   cycles
 * Figures are [min, max] as doubles, or whole numbers of 10^-12 per cent as printed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/graph/ownership.h"
#include "lodebase/graph/power.h"
#include "lodebase/graph/strip.h"

#define ARENA ((size_t)256 << 20)
#define MAX_PARTIES 64
#define MAX_HIDDEN 64 /* nodes that may count as unexplained */

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

struct asked {
	struct graph_question q;
	struct graph_group_question group;
	uint32_t parties[MAX_PARTIES], node;
	uint8_t hidden[MAX_HIDDEN];
};

static void read_question(char *rest, struct asked *ret)
{
	char *save, *word = strtok_r(rest, " \n", &save);
	struct graph_question *q = &ret->q;
	uint32_t node;

	*ret = (struct asked){ .q.threshold = { 1, 2 }, .group.threshold = { 1, 2 } };
	while (q->method < GRAPH_ATTRIBUTION && strcmp(word, methods[q->method]) != 0)
		q->method++;
	ret->node = (uint32_t)strtoul(strtok_r(NULL, " \n", &save), NULL, 10);
	q->parties = ret->parties;
	ret->group.question = q;
	while ((word = strtok_r(NULL, " \n", &save))) {
		q->raw |= strcmp(word, "raw") == 0;
		q->single_entity |= strcmp(word, "single") == 0;
		q->inclusive |= strcmp(word, "inclusive") == 0;
		ret->group.remainders |= strcmp(word, "remainders") == 0;
		if (sscanf(word, "threshold=%" SCNu64 "/%" SCNu64, &q->threshold.numerator, &q->threshold.denominator) == 2)
			continue;
		if (sscanf(word, "limit=%" SCNu64 "/%" SCNu64, &ret->group.threshold.numerator,
			   &ret->group.threshold.denominator) == 2)
			continue;
		if (sscanf(word, "budget=%zu", &q->budget) == 1)
			continue;
		if (sscanf(word, "hidden=%" SCNu32, &node) == 1 && node < MAX_HIDDEN) {
			ret->hidden[node] = 1;
			ret->group.unexplained = ret->hidden;
			continue;
		}
		if (q->parties_count < MAX_PARTIES && sscanf(word, "party=%" SCNu32, &node) == 1)
			ret->parties[q->parties_count++] = node;
	}
}

static void print_pct(const char *name, struct graph_pct pct)
{
	printf(", \"%s\": [%" PRId64 ", %" PRId64 "]", name, pct.min, pct.max);
}

static void ask(struct state *s, char *rest, bool owners)
{
	struct arena *a = arena_new(ARENA);
	struct asked asked;
	struct graph_figures f;
	enum err e;

	if (!a)
		fail("no memory");
	read_question(rest, &asked);
	e = owners ? graph_owners(s->graph, s->scratch, asked.node, &asked.q, a, &f)
		   : graph_holdings(s->graph, s->scratch, asked.node, &asked.q, a, &f);
	printf("{\"error\": \"%s\", \"unexplained\": [%.17g, %.17g], \"total\": [%.17g, %.17g], \"coarse\": %s, \"rough\": %s",
	       e == OK ? "" : err_name(e), f.unexplained_min, f.unexplained_max, f.total_min, f.total_max,
	       f.coarse ? "true" : "false", f.rough ? "true" : "false");
	print_pct("unexplained_pct", f.unexplained_pct);
	print_pct("total_pct", f.total_pct);
	print_ids("ring", f.ring, f.ring_count);
	printf(", \"figures\": {");
	for (size_t i = 0; e == OK && i < f.count; i++) {
		const struct graph_figure *x = &f.items[i];

		printf("%s\"%" PRIu32 "\": [%.17g, %.17g, %.17g, %.17g, %s, %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
		       "]",
		       i ? ", " : "", x->node, x->min, x->max, x->direct_min, x->direct_max, x->certain ? "true" : "false",
		       x->pct.min, x->pct.max, x->direct_pct.min, x->direct_pct.max);
	}
	printf("}}\n");
	arena_free(a);
}

static void group(struct state *s, char *rest)
{
	struct arena *a = arena_new(ARENA);
	struct asked asked;
	struct graph_group found;
	enum err e;

	if (!a)
		fail("no memory");
	read_question(rest, &asked);
	e = graph_group_share(s->graph, s->scratch, asked.node, &asked.group, a, &found);
	printf("{\"error\": \"%s\", \"min\": %.17g, \"max\": %.17g, \"orders\": [%d, %d], \"exact\": %s, \"coarse\": %s",
	       e == OK ? "" : err_name(e), found.min, found.max, (found.min_order > 0) - (found.min_order < 0),
	       (found.max_order > 0) - (found.max_order < 0), found.exact ? "true" : "false", found.coarse ? "true" : "false");
	print_pct("pct", found.pct);
	print_ids("ring", found.ring, found.ring_count);
	printf("}\n");
	arena_free(a);
}

static void columns(struct state *s)
{
	printf("{\"columns\": [");
	for (uint32_t j = 0; j < graph_nodes(s->graph); j++) {
		struct graph_column column = graph_column(s->graph, j);
		uint32_t first, count = graph_links_of_subject(s->graph, j, &first);

		printf("%s{\"held\": %s", j ? ", " : "", column.held ? "true" : "false");
		print_pct("sum", column.sum_pct);
		print_pct("unexplained", column.unexplained_pct);
		printf(", \"links\": {");
		for (uint32_t l = first; l < first + count; l++) {
			struct graph_link link = graph_link(s->graph, l);

			printf("%s\"%" PRIu32 "\": [%" PRId64 ", %" PRId64 "]", l > first ? ", " : "", link.holder,
			       link.pct.min, link.pct.max);
		}
		printf("}}");
	}
	printf("]}\n");
}

static void print_paths(const struct state *s, enum err e, const struct graph_paths *found)
{
	printf("{\"error\": \"%s\", \"truncated\": %s, \"looped\": %s, \"paths\": [", e == OK ? "" : err_name(e),
	       found->truncated ? "true" : "false", found->looped ? "true" : "false");
	for (size_t i = 0; i < found->count; i++) {
		const struct graph_path *path = &found->items[i];

		printf("%s[%.17g, %.17g, %" PRId64 ", %" PRId64, i ? ", " : "", path->min, path->max, path->pct.min,
		       path->pct.max);
		for (size_t k = 0; k < path->count; k++)
			printf(", %" PRIu32, graph_link(s->graph, path->links[k]).holder);
		printf(", %" PRIu32 "]", graph_link(s->graph, path->links[path->count - 1]).subject);
	}
	printf("]}");
}

static void power(struct state *s, const char *rest)
{
	struct arena *a = arena_new(ARENA);
	struct graph_power_question q = { .index = GRAPH_SHAPLEY_SHUBIK };
	struct graph_powers found;
	char index[20];
	uint32_t node = 0;
	enum err e;

	if (!a ||
	    sscanf(rest, "%19s %" SCNu32 " %" SCNu64 " %" SCNu64, index, &node, &q.quota.numerator, &q.quota.denominator) != 4)
		fail("power INDEX NODE QUOTA_NUMERATOR QUOTA_DENOMINATOR");
	if (strcmp(index, "banzhaf") == 0)
		q.index = GRAPH_BANZHAF;
	e = graph_power(s->graph, node, &q, a, &found);
	printf("{\"error\": \"%s\", \"standard_error\": %.17g, \"ranged\": %s, \"holders\": {", e == OK ? "" : err_name(e),
	       found.standard_error, found.ranged ? "true" : "false");
	for (size_t i = 0; e == OK && i < found.count; i++)
		printf("%s\"%" PRIu32 "\": %.17g", i ? ", " : "", found.items[i].holder, found.items[i].index);
	printf("}}\n");
	arena_free(a);
}

static void strip(struct state *s, const char *rest)
{
	struct arena *a = arena_new(ARENA);
	struct graph_strip found;
	enum err e;

	if (!a)
		fail("no memory");
	e = graph_strip_votes(s->graph, s->scratch, (uint32_t)strtoul(rest, NULL, 10), false, a, &found);
	printf("{\"error\": \"%s\"", e == OK ? "" : err_name(e));
	print_pct("stripped", found.stripped_pct);
	print_pct("total", found.total_pct);
	print_pct("unexplained", found.unexplained_pct);
	printf(", \"rows\": {");
	for (size_t i = 0; e == OK && i < found.count; i++) {
		const struct graph_strip_row *row = &found.rows[i];

		printf("%s\"%" PRIu32 "\": {\"certain\": %s, \"possible\": %s", i ? ", " : "", row->holder,
		       row->certain ? "true" : "false", row->possible ? "true" : "false");
		print_pct("held", row->held);
		print_pct("pct", row->pct);
		printf("}");
	}
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
	print_paths(s, e, &found);
	printf("\n");
	arena_free(a);
}

/* Between one node and all others; with the rank of each node. */
static void finder(struct state *s, char *rest)
{
	struct arena *a = arena_new(ARENA);
	uint32_t n = graph_nodes(s->graph), given = 0, end;
	uint64_t *rank = a ? arena_alloc(a, n * sizeof(*rank)) : NULL;
	struct graph_finder *f;
	char way[8], *word, *state;
	size_t limit, budget;
	int taken = 0;

	if (!rank || sscanf(rest, "%" SCNu32 " %7s %zu %zu%n", &end, way, &limit, &budget, &taken) != 4)
		fail("finder END up|down LIMIT BUDGET RANK...");
	for (word = strtok_r(rest + taken, " \n", &state); word && given < n; word = strtok_r(NULL, " \n", &state))
		rank[given++] = strtoull(word, NULL, 10);
	if (graph_finder_new(s->graph, s->scratch, end, way[0] == 'd', given ? rank : NULL, 0, a, &f) != OK)
		fail("finder");
	printf("{\"nodes\": [");
	for (uint32_t node = 0; node < n; node++) {
		struct graph_paths found;
		enum err e = graph_finder_paths(f, node, limit, budget, &found);

		printf("%s", node ? ", " : "");
		print_paths(s, e, &found);
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
		else if (strncmp(line, "group ", 6) == 0)
			group(&s, rest);
		else if (strncmp(line, "power ", 6) == 0)
			power(&s, rest);
		else if (strncmp(line, "strip ", 6) == 0)
			strip(&s, rest);
		else if (strncmp(line, "columns", 7) == 0)
			columns(&s);
		else if (strncmp(line, "paths ", 6) == 0)
			paths(&s, rest);
		else if (strncmp(line, "finder ", 7) == 0)
			finder(&s, rest);
		else if (strncmp(line, "cycles", 6) == 0)
			cycles(&s);
		else
			fail("a line that is no command");
	}
	forget(&s);
	return 0;
}

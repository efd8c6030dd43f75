/* The register in process, on a random scale-free graph: graph_store [NODES [QUESTIONS]].
 *
 * Half again as many stakes as nodes: holders are older nodes, chosen in proportion to what they hold already; one node in a
 * hundred and one of the next fifty hold shares of one another. One stake in ten is a range. What is measured: loading it, what
 * a stake takes, and questions as the service answers them: a view is cut out, and a method runs on it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lodebase/graph/view.h"

#define WHOLE UINT64_C(100000000000000)

struct draft {
	uint32_t holder, subject;
	uint64_t min, max;
};

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

static size_t draft_stakes(uint32_t nodes, struct draft *ret, size_t max)
{
	uint32_t *held = malloc(2 * max * sizeof(*held)); /* a node as often as it holds, and once */
	uint32_t *partner = calloc(nodes, sizeof(*partner));
	size_t weight = 0, count = 0;

	for (uint32_t subject = 0; held && partner && subject < nodes; subject++) {
		uint64_t left = WHOLE, holders = subject > 0 ? 1 + draw(2) : 0;

		for (; holders > 0 && count < max; holders--) {
			uint32_t holder = held[draw(weight)];
			uint64_t share = 1 + draw(left / 2), most = draw(10) ? share : share + draw(left - share);

			if (partner[subject] > 0) {
				holder = partner[subject];
				partner[subject] = 0;
			} else if (draw(100) == 0 && subject + 50 < nodes) {
				holder = subject + 1 + (uint32_t)draw(49);
				partner[holder] = subject;
			}
			ret[count++] = (struct draft){ holder, subject, share, most };
			left -= most;
			held[weight++] = holder;
		}
		held[weight++] = subject;
	}
	free(held);
	free(partner);
	return count;
}

/* As ids are made by the service: in the order of time, and random behind. */
static struct uuid make_id(uint64_t n, uint64_t salt)
{
	struct uuid id;
	uint64_t x = (n ^ salt) * UINT64_C(0x9e3779b97f4a7c15);

	for (int i = 7; i >= 0; i--, n >>= 8)
		id.bytes[i] = (unsigned char)n;
	x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	memcpy(id.bytes + 8, &x, sizeof(x));
	return id;
}

static enum err load(struct graph_store *s, uint32_t nodes, const struct draft *stakes, size_t n_stakes)
{
	const struct graph_stamp import = { .time_us = 1, .xid = 1, .epoch = 1 };
	char slug[32];
	enum err e = OK;

	for (uint32_t i = 0; e == OK && i < nodes; i++) {
		struct graph_node_version v = { .resource = GRAPH_SHAREHOLDERS,
						.id = make_id(i, 1),
						.slug = slug,
						.name = slug,
						.country = { 'K', 'R' },
						.from = import };

		(void)snprintf(slug, sizeof slug, "entity-%" PRIu32, i);
		e = graph_store_node(s, &v);
	}
	for (size_t i = 0; e == OK && i < n_stakes; i++) {
		struct graph_stake_version v = { .id = make_id(i, 2),
						 .holder = make_id(stakes[i].holder, 1),
						 .subject = make_id(stakes[i].subject, 1),
						 .valid_from = GRAPH_DAY_FIRST,
						 .valid_to = GRAPH_DAY_LAST,
						 .economic = { true, { stakes[i].min, WHOLE }, { stakes[i].max, WHOLE } },
						 .from = import };

		e = graph_store_stake(s, &v);
	}
	return e;
}

static int ask(const struct graph_at *at, size_t questions, enum graph_method method, bool owners, const char *name)
{
	const struct graph_filter filter = { .valid_at = 100, .stages = 1 };
	double *times = malloc(questions * sizeof(*times)), *views = malloc(questions * sizeof(*views));
	struct graph_question q = { .method = method, .threshold = { 1, 2 }, .budget = 10000000 };
	size_t figures = 0, declined = 0, links = 0;

	for (size_t i = 0; times && views && i < questions; i++) {
		struct arena *a = arena_new((size_t)1 << 30);
		struct graph_figures f = { 0 };
		uint32_t root = (uint32_t)draw(at->moment.nodes);
		double start = now();
		struct graph_view *v = NULL;
		struct graph_scratch *s = NULL;
		enum err e = graph_view_new(at, &filter, owners ? GRAPH_ABOVE : GRAPH_BELOW, &root, 1, 0, &v);

		views[i] = now() - start;
		if (e == OK)
			e = (s = graph_scratch_new(v->graph)) ? OK : ERR_NOMEM;
		if (e == OK)
			e = owners ? graph_owners(v->graph, s, v->roots[0], &q, a, &f)
				   : graph_holdings(v->graph, s, v->roots[0], &q, a, &f);
		graph_scratch_free(s);
		links += v ? graph_links(v->graph) : 0;
		graph_view_free(v);
		times[i] = now() - start;
		declined += e != OK;
		figures += f.count;
		arena_free(a);
	}
	if (!times || !views)
		return 1;
	qsort(times, questions, sizeof(*times), compare);
	qsort(views, questions, sizeof(*views), compare);
	printf("%-8s %-13s p50 %8.1f us (view %6.1f)  p99 %9.1f us (view %8.1f)  max %10.1f us  %7.1f links, %6.1f figures "
	       "each, %zu declined\n",
	       owners ? "owners" : "holdings", name, times[questions / 2] * 1e6, views[questions / 2] * 1e6,
	       times[questions * 99 / 100] * 1e6, views[questions * 99 / 100] * 1e6, times[questions - 1] * 1e6,
	       (double)links / (double)questions, (double)figures / (double)questions, declined);
	free(times);
	free(views);
	return 0;
}

/* All of it at once, for what is asked of everything: its loops. */
static int ask_whole(const struct graph_at *at)
{
	const struct graph_filter filter = { .valid_at = 100, .stages = 1 };
	struct arena *a = arena_new((size_t)1 << 30);
	struct graph_cycle *cycles;
	struct graph_view *v;
	size_t count;
	double start = now(), cut;

	if (!a || graph_view_new(at, &filter, GRAPH_WHOLE, NULL, 0, 0, &v) != OK)
		return 1;
	cut = now();
	if (graph_cycles(v->graph, a, &cycles, &count) != OK)
		return 1;
	printf("whole view in %.2f s, its %zu loops in %.2f s\n", cut - start, count, now() - cut);
	graph_view_free(v);
	arena_free(a);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "direct",  "integrated", "simple_paths", "weakest_link",
					     "control", "cascade",    "attribution" };
	uint32_t nodes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	size_t questions = argc > 2 ? strtoul(argv[2], NULL, 10) : 2000, n_stakes = nodes + nodes / 2;
	struct draft *stakes = calloc(n_stakes, sizeof(*stakes));
	struct graph_store *s = graph_store_new();
	struct graph_store_size size;
	struct graph_at at;
	double start;
	enum err e;

	if (!stakes || !s || nodes < 2 || questions == 0)
		return 1;
	n_stakes = draft_stakes(nodes, stakes, n_stakes);
	start = now();
	e = load(s, nodes, stakes, n_stakes);
	if (e != OK) {
		fprintf(stderr, "graph_store: %s\n", err_name(e));
		return 1;
	}
	size = graph_store_size(s);
	printf("%" PRIu32 " nodes and %" PRIu32 " stakes loaded in %.2f s: %.1f MB, %.1f bytes a stake\n", size.nodes,
	       size.stake_versions, now() - start, (double)size.bytes / 1e6, (double)size.stake_bytes / size.stake_versions);
	at = (struct graph_at){ .moment = graph_store_moment(s), .known = { .kind = GRAPH_KNOWN_ALL } };
	for (int method = GRAPH_DIRECT; method <= GRAPH_ATTRIBUTION; method++) {
		if (ask(&at, questions, (enum graph_method)method, true, names[method]) != 0 ||
		    ask(&at, questions, (enum graph_method)method, false, names[method]) != 0)
			return 1;
	}
	if (ask_whole(&at) != 0)
		return 1;
	free(stakes);
	graph_store_free(s);
	return 0;
}

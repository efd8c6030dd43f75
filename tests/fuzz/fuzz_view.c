/* A register written and asked by bytes: whatever was written, every view is sound, what a moment answered it answers again, and
 * shares stay between nothing and the whole. Ten bytes are one act. */
#include "fuzz.h"

#include <string.h>

#include "lodebase/graph/exact.h"
#include "lodebase/graph/view.h"

#define ACT 10
#define MAX_ACTS 400
#define MAX_SEEN 16

struct seen {
	struct graph_at at;
	struct graph_filter filter;
	enum graph_scope scope;
	uint32_t root;
	enum err e;
	size_t nodes, links;
	double sum;
};

static struct uuid id(unsigned n)
{
	struct uuid made = { { 0 } };

	made.bytes[15] = (unsigned char)n;
	return made;
}

/* Mostly percentages, and what is none. */
static struct graph_share share(const uint8_t *b)
{
	static const uint64_t parts[] = { 100, 3, 7, 0, 1, 2305843009213693951, UINT64_C(100000000000000), UINT64_MAX };
	struct graph_share s = { .given = b[0] % 8 != 0 };
	uint64_t whole = parts[b[0] / 8 % 8], unit = whole > 255 ? whole / 255 : 1;

	s.min = (struct graph_ratio){ b[1] * unit, whole };
	s.max = b[0] & 64 ? (struct graph_ratio){ (uint64_t)b[1] * unit + b[2] % 8 * unit, whole } : s.min;
	return s;
}

static bool is_share(struct graph_ratio r)
{
	return r.denominator >= 1 && r.denominator <= INT64_MAX && r.numerator <= r.denominator;
}

static void write_node(struct graph_store *s, const uint8_t *b, unsigned time)
{
	const struct graph_stamp now = { .time_us = time - b[4] % 4, .xid = b[5], .epoch = b[6] % 2 };
	const char slug[] = { (char)('a' + b[2] % 5), '\0' };
	struct graph_node_version v = { .resource = b[1] % 2 ? GRAPH_PROJECTS : GRAPH_SHAREHOLDERS,
					.id = id(b[3] % 12),
					.slug = slug,
					.name = "n",
					.kind = b[7] % 33,
					.has_company = b[8] % 3 == 0,
					.company = id(b[8] % 12),
					.from = now,
					.to = { .time_us = now.time_us + b[9] % 5, .xid = b[9], .epoch = 1 },
					.ended = b[9] % 7 == 0 };

	FUZZ_CHECK(graph_store_node(s, &v) == (v.kind < 32 ? OK : ERR_INVALID));
}

static void write_stake(struct graph_store *s, const uint8_t *b, unsigned time)
{
	const struct graph_stamp now = { .time_us = time, .xid = b[9], .epoch = 1 };
	struct graph_stake_version v = { .id = id(b[1] % 24),
					 .slug = b[1] % 2 ? "d" : NULL,
					 .holder = id(b[2] % 12),
					 .subject_resource = b[2] % 4 == 0 ? GRAPH_PROJECTS : GRAPH_SHAREHOLDERS,
					 .subject = id(b[3] % 12),
					 .has_counterparty = b[4] % 2,
					 .counterparty = id(b[4] % 12),
					 .stage = b[5] % 2,
					 .contingent = b[5] % 3 == 0,
					 .dilutive = b[5] % 5 == 0,
					 .valid_from = b[9] % 4 == 0 ? 5 : GRAPH_DAY_FIRST,
					 .valid_to = b[9] % 5 == 0 ? 9 : GRAPH_DAY_LAST,
					 .economic = share(b + 6),
					 .voting = share(b + 7),
					 .from = now };
	enum err e = graph_store_stake(s, &v);
	bool sound = true;

	if (v.economic.given)
		sound = is_share(v.economic.min) && is_share(v.economic.max);
	if (v.voting.given)
		sound = sound && is_share(v.voting.min) && is_share(v.voting.max);
	FUZZ_CHECK(e == (sound ? OK : ERR_INVALID));
}

/* What any view is, however it came about. */
static void check_view(const struct graph_view *v, struct seen *ret)
{
	mpq_t low, high;

	mpq_inits(low, high, NULL);
	for (uint32_t i = 0; i < v->count; i++)
		FUZZ_CHECK(graph_view_local(v, v->nodes[i]) == i);
	FUZZ_CHECK(graph_nodes(v->graph) == v->count);
	ret->nodes = v->count;
	ret->links = graph_links(v->graph);
	ret->sum = 0;
	for (uint32_t l = 0; l < ret->links; l++) {
		struct graph_link link = graph_link(v->graph, l);

		FUZZ_CHECK(link.min >= 0 && link.min <= link.max);
		ret->sum += link.max * (link.subject + 1) + link.min;
		for (size_t i = 0; i < link.stakes_count; i++) {
			FUZZ_CHECK(link.stakes[i].id < v->n_stakes);
			graph_share_exact(v->graph, link.stakes[i].min, low);
			graph_share_exact(v->graph, link.stakes[i].max, high);
			FUZZ_CHECK(mpq_sgn(low) >= 0 && mpq_cmp(low, high) <= 0 && mpq_cmp_ui(high, 1, 1) <= 0);
		}
	}
	for (size_t i = 0; i < v->n_warnings; i++) {
		FUZZ_CHECK(v->warnings[i].subject < v->count && v->warnings[i].count > 0);
		for (uint32_t k = 0; k < v->warnings[i].count; k++)
			FUZZ_CHECK(v->warned[v->warnings[i].first + k] < v->n_stakes);
	}
	mpq_clears(low, high, NULL);
}

/* A method at the end of it, as the service runs one. */
static void check_method(const struct graph_view *v)
{
	struct graph_scratch *s = graph_scratch_new(v->graph);
	struct arena *a = arena_new((size_t)1 << 24);
	struct graph_question q = { .method = GRAPH_INTEGRATED };
	struct graph_figures figures;
	enum err e;

	FUZZ_CHECK(s && a);
	e = graph_owners(v->graph, s, v->roots[0], &q, a, &figures);
	FUZZ_CHECK(e == OK || e == ERR_CONFLICT);
	for (size_t i = 0; e == OK && i < figures.count; i++)
		FUZZ_CHECK(figures.items[i].min >= 0 && figures.items[i].max <= 1 + 1e-9);
	arena_free(a);
	graph_scratch_free(s);
}

static void look(struct seen *seen)
{
	struct graph_view *v;

	seen->e = graph_view_new(&seen->at, &seen->filter, seen->scope, &seen->root, 1, 0, &v);
	FUZZ_CHECK(seen->e == OK || seen->e == ERR_RANGE);
	FUZZ_CHECK(v && (seen->e == OK) == (v->graph != NULL));
	if (seen->e == OK) {
		check_view(v, seen);
		if (seen->scope != GRAPH_WHOLE)
			check_method(v);
	}
	graph_view_free(v);
}

static bool ask(struct graph_store *s, const uint8_t *b, struct seen *ret)
{
	struct seen seen = { .at.moment = graph_store_moment(s), .filter = { .valid_at = b[1] % 12, .stages = b[2] % 4u } };

	if (seen.at.moment.nodes == 0)
		return false;
	seen.at.known = (struct graph_known){ .kind = b[3] % 3, .time_us = b[4], .epoch = 1, .xmin = b[4], .xmax = b[4] + 1u };
	seen.filter.measure = b[5] % 2 ? GRAPH_VOTING : GRAPH_ECONOMIC;
	seen.filter.exercised = b[6] % 2;
	seen.scope = b[7] % 4;
	seen.root = b[8] % seen.at.moment.nodes;
	look(&seen);
	*ret = seen;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct graph_store *s = graph_store_new();
	struct seen seen[MAX_SEEN];
	size_t n_seen = 0;

	FUZZ_CHECK(s != NULL);
	for (size_t i = 0; i + ACT <= n && i < (size_t)MAX_ACTS * ACT; i += ACT) {
		const uint8_t *b = bytes + i;
		unsigned time = 10 + (unsigned)(i / ACT);
		const struct graph_stamp now = { .time_us = time, .xid = b[9], .epoch = 1 };
		struct uuid which = id(b[2] % 24);

		if (b[0] % 8 < 2)
			write_node(s, b, time);
		else if (b[0] % 8 < 6)
			write_stake(s, b, time);
		else if (b[0] % 8 == 6)
			FUZZ_CHECK(graph_store_deleted(s, b[1] % 3, &which, &now) == OK);
		else if (n_seen < MAX_SEEN)
			n_seen += ask(s, b, &seen[n_seen]);
	}
	for (size_t i = 0; i < n_seen; i++) {
		struct seen again = seen[i];

		look(&again);
		FUZZ_CHECK(again.e == seen[i].e);
		FUZZ_CHECK(again.e != OK ||
			   (again.nodes == seen[i].nodes && again.links == seen[i].links && again.sum == seen[i].sum));
	}
	graph_store_free(s);
	return 0;
}

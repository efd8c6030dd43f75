/* Writes a register and asks it, by lines from standard input; one JSON line per question: what tests/graph compares with a
 * register that is a list. Nodes, stakes and companies are numbers, '-' is none. STAMP is TIME:XID:EPOCH, KNOWN is all,
 * TIME or EPOCH/SNAPSHOT, SHARE is N/D:N/D.
 *
 *   node shareholders|projects ID SLUG COMPANY FROM TO
 *   stake ID SLUG HOLDER shareholders|projects SUBJECT COUNTERPARTY STAGE CONTINGENT DILUTIVE VALID_FROM VALID_TO ECONOMIC VOTING FROM TO
 *   deleted shareholders|projects|stakes ID STAMP
 *   moment                                            moments are numbered from 0 on
 *   made shareholders|projects ID COMPANY             a node of the overlay; COMPANY and the next are numbers of the register
 *   added ID HOLDER SUBJECT COUNTERPARTY STAGE CONTINGENT DILUTIVE VALID_FROM VALID_TO ECONOMIC VOTING EXERCISED
 *   removed VERSION, exercised VERSION                ascending
 *   forget                                            the overlay
 *   find MOMENT KNOWN shareholders|projects|stakes id|slug WHAT
 *   view MOMENT KNOWN above|below|both|whole VALID_AT STAGES economic|voting EXERCISED ROOT… */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/graph/exact.h"
#include "lodebase/graph/view.h"

#define MAX_WORDS 64
#define MAX_MADE 64

struct state {
	struct graph_store *store;
	struct graph_moment moments[1024];
	size_t n_moments;
	struct graph_node nodes[MAX_MADE];
	struct graph_overlay_stake stakes[MAX_MADE];
	uint32_t removed[MAX_MADE], exercised[MAX_MADE];
	struct graph_overlay overlay;
	struct arena *arena; /* of one line */
};

static void fail(const char *what)
{
	fprintf(stderr, "store_answers: %s\n", what);
	exit(1);
}

static const char *word(char **words, size_t i)
{
	if (i >= MAX_WORDS || !words[i])
		fail("a line that is too short");
	return words[i];
}

static long long number(char **words, size_t i)
{
	return strtoll(word(words, i), NULL, 10);
}

static bool is_none(char **words, size_t i)
{
	return strcmp(word(words, i), "-") == 0;
}

/* Ids are in the order of their numbers. */
static struct uuid id(char **words, size_t i)
{
	struct uuid made = { { 0 } };
	uint64_t n = (uint64_t)number(words, i);

	for (int k = 15; k > 7; k--, n >>= 8)
		made.bytes[k] = (unsigned char)n;
	return made;
}

static unsigned id_number(const struct uuid *id)
{
	return id->bytes[14] * 256u + id->bytes[15];
}

static enum graph_resource resource(char **words, size_t i)
{
	return word(words, i)[1] == 'h' ? GRAPH_SHAREHOLDERS : word(words, i)[0] == 'p' ? GRAPH_PROJECTS : GRAPH_STAKES;
}

static struct graph_stamp stamp(char **words, size_t i, bool *ret_ended)
{
	struct graph_stamp s = { 0 };
	char *next;

	*ret_ended = !is_none(words, i);
	if (!*ret_ended)
		return s;
	s.time_us = strtoll(word(words, i), &next, 10);
	s.xid = strtoull(next + 1, &next, 10);
	s.epoch = (uint32_t)strtoul(next + 1, &next, 10);
	return s;
}

static struct graph_share share(char **words, size_t i)
{
	struct graph_share s = { 0 };
	char *next;

	if (is_none(words, i))
		return s;
	s.given = true;
	s.min.numerator = strtoull(word(words, i), &next, 10);
	s.min.denominator = strtoull(next + 1, &next, 10);
	s.max.numerator = strtoull(next + 1, &next, 10);
	s.max.denominator = strtoull(next + 1, &next, 10);
	return s;
}

static uint32_t place(char **words, size_t i)
{
	return is_none(words, i) ? GRAPH_NONE : (uint32_t)number(words, i);
}

static void must(enum err e)
{
	if (e != OK)
		fail(err_name(e));
}

static void write_node(struct state *s, char **w)
{
	bool given;
	struct graph_node_version v = { .resource = resource(w, 1), .slug = word(w, 3), .name = word(w, 3) };

	v.id = id(w, 2);
	v.has_company = !is_none(w, 4);
	if (v.has_company)
		v.company = id(w, 4);
	v.from = stamp(w, 5, &given);
	v.to = stamp(w, 6, &v.ended);
	must(graph_store_node(s->store, &v));
}

static void write_stake(struct state *s, char **w)
{
	bool given;
	struct graph_stake_version v = { .id = id(w, 1), .slug = is_none(w, 2) ? NULL : word(w, 2), .holder = id(w, 3) };

	v.subject_resource = resource(w, 4);
	v.subject = id(w, 5);
	v.has_counterparty = !is_none(w, 6);
	if (v.has_counterparty)
		v.counterparty = id(w, 6);
	v.stage = (uint8_t)number(w, 7);
	v.contingent = number(w, 8) != 0;
	v.dilutive = number(w, 9) != 0;
	v.valid_from = (int32_t)number(w, 10);
	v.valid_to = (int32_t)number(w, 11);
	v.economic = share(w, 12);
	v.voting = share(w, 13);
	v.from = stamp(w, 14, &given);
	v.to = stamp(w, 15, &v.ended);
	must(graph_store_stake(s->store, &v));
}

static void delete_record(struct state *s, char **w)
{
	struct uuid which = id(w, 2);
	bool given;
	struct graph_stamp when = stamp(w, 3, &given);

	must(graph_store_deleted(s->store, resource(w, 1), &which, &when));
}

static void make(struct state *s, char **w)
{
	if (s->overlay.n_nodes == MAX_MADE)
		fail("too many nodes");
	s->nodes[s->overlay.n_nodes++] = (struct graph_node){
		.resource = resource(w, 1), .id = id(w, 2), .slug = "made", .name = "made", .company = place(w, 3)
	};
}

static void add(struct state *s, char **w)
{
	if (s->overlay.n_stakes == MAX_MADE)
		fail("too many stakes");
	s->stakes[s->overlay.n_stakes++] = (struct graph_overlay_stake){
		.stake = { .id = id(w, 1),
			   .holder = place(w, 2),
			   .subject = place(w, 3),
			   .counterparty = place(w, 4),
			   .stage = (uint8_t)number(w, 5),
			   .contingent = number(w, 6) != 0,
			   .dilutive = number(w, 7) != 0,
			   .valid_from = (int32_t)number(w, 8),
			   .valid_to = (int32_t)number(w, 9),
			   .economic = share(w, 10),
			   .voting = share(w, 11) },
		.exercised = number(w, 12) != 0,
	};
}

static struct graph_at at(struct state *s, char **w)
{
	size_t moment = (size_t)number(w, 1);
	const char *known = word(w, 2), *slash = strchr(known, '/');
	struct graph_at at = { .known = { .kind = GRAPH_KNOWN_ALL } };

	if (moment >= s->n_moments)
		fail("no such moment");
	at.moment = s->moments[moment];
	if (slash)
		must(graph_known_snapshot(slash + 1, (uint32_t)strtoul(known, NULL, 10), s->arena, &at.known));
	else if (strcmp(known, "all") != 0)
		at.known = (struct graph_known){ .kind = GRAPH_KNOWN_TIME, .time_us = strtoll(known, NULL, 10) };
	return at;
}

static void find(struct state *s, char **w)
{
	struct graph_at where = at(s, w);
	enum graph_resource r = resource(w, 3);
	bool by_id = strcmp(word(w, 4), "id") == 0;
	const char *what = word(w, 5);
	struct uuid which = { { 0 } };
	struct graph_stake_info stake;
	struct graph_node node;
	uint32_t found;

	if (by_id)
		which = id(w, 5);
	if (r == GRAPH_STAKES) {
		found = by_id ? graph_find_stake_id(&where, &which) : graph_find_stake_slug(&where, what, strlen(what));
		if (found != GRAPH_NONE && !graph_stake_at(&where, found, &stake))
			fail("a version that was found was not known");
		printf("{\"version\": %" PRId64 ", \"id\": %d}\n", found == GRAPH_NONE ? (int64_t)-1 : found,
		       found == GRAPH_NONE ? -1 : (int)id_number(&stake.id));
		return;
	}
	found = by_id ? graph_find_id(&where, r, &which) : graph_find_slug(&where, r, what, strlen(what));
	if (found != GRAPH_NONE && !graph_node_at(&where, found, &node))
		fail("a node that was found was not known");
	if (found == GRAPH_NONE)
		printf("{\"node\": -1}\n");
	else
		printf("{\"node\": %" PRIu32 ", \"id\": %u, \"slug\": \"%s\", \"company\": %" PRId64 "}\n", found,
		       id_number(&node.id), node.slug, node.company == GRAPH_NONE ? (int64_t)-1 : node.company);
}

static const char *fraction(struct state *s, const struct graph *g, struct graph_ratio r)
{
	char *text, *kept;
	mpq_t q;

	mpq_init(q);
	graph_share_exact(g, r, q);
	text = mpq_get_str(NULL, 10, q);
	kept = arena_strdup(s->arena, text);
	free(text);
	mpq_clear(q);
	return kept;
}

static void print_view(struct state *s, const struct graph_view *v)
{
	printf("{\"nodes\": [");
	for (uint32_t i = 0; i < v->count; i++)
		printf("%s%" PRIu32, i ? ", " : "", v->nodes[i]);
	printf("], \"stakes\": [");
	bool comma = false;
	for (uint32_t l = 0; l < graph_links(v->graph); l++) {
		struct graph_link link = graph_link(v->graph, l);

		for (size_t i = 0; i < link.stakes_count; i++) {
			const struct graph_view_stake *stake = &v->stakes[link.stakes[i].id];

			printf("%s[%" PRIu32 ", %" PRIu32 ", %" PRId64 ", %" PRId64 ", \"%s\", \"%s\", %d, %d, %d]",
			       comma ? ", " : "", v->nodes[link.holder], v->nodes[link.subject],
			       stake->version == GRAPH_NONE ? (int64_t)-1 : stake->version,
			       stake->overlay == GRAPH_NONE ? (int64_t)-1 : stake->overlay,
			       fraction(s, v->graph, link.stakes[i].min), fraction(s, v->graph, link.stakes[i].max),
			       stake->assumed, stake->implied, stake->exercised);
			comma = true;
		}
	}
	printf("], \"warnings\": [");
	for (size_t i = 0; i < v->n_warnings; i++) {
		const struct graph_view_warning *warning = &v->warnings[i];

		printf("%s[%d, %" PRIu32, i ? ", " : "", warning->code, v->nodes[warning->subject]);
		for (uint32_t k = warning->first; k < warning->first + warning->count; k++) {
			const struct graph_view_stake *stake = &v->stakes[v->warned[k]];

			printf(", [%" PRId64 ", %" PRId64 "]", stake->version == GRAPH_NONE ? (int64_t)-1 : stake->version,
			       stake->overlay == GRAPH_NONE ? (int64_t)-1 : stake->overlay);
		}
		printf("]");
	}
	printf("]}\n");
}

static void ask_view(struct state *s, char **w)
{
	struct graph_at where = at(s, w);
	struct graph_filter filter = { .valid_at = (int32_t)number(w, 4), .stages = (unsigned)number(w, 5) };
	const char *scope = word(w, 3);
	uint32_t roots[MAX_WORDS];
	size_t n = 0;
	struct graph_view *v;
	enum err e;

	filter.measure = word(w, 6)[0] == 'v' ? GRAPH_VOTING : GRAPH_ECONOMIC;
	filter.exercised = number(w, 7) != 0;
	filter.overlay = s->overlay.n_nodes || s->overlay.n_stakes || s->overlay.n_removed || s->overlay.n_exercised
				 ? &s->overlay
				 : NULL;
	for (size_t i = 8; i < MAX_WORDS && w[i]; i++)
		roots[n++] = (uint32_t)number(w, i);
	e = graph_view_new(&where, &filter,
			   scope[0] == 'a'   ? GRAPH_ABOVE
			   : scope[1] == 'e' ? GRAPH_BELOW
			   : scope[0] == 'b' ? GRAPH_ABOVE_AND_BELOW
					     : GRAPH_WHOLE,
			   roots, n, 0, &v);
	if (e == OK)
		print_view(s, v);
	else if (e == ERR_RANGE)
		printf("{\"over_exercised\": %" PRIu32 "}\n", v->over_exercised);
	else
		fail(err_name(e));
	graph_view_free(v);
}

static void act(struct state *s, char **w)
{
	const char *what = word(w, 0);

	if (strcmp(what, "node") == 0)
		write_node(s, w);
	else if (strcmp(what, "stake") == 0)
		write_stake(s, w);
	else if (strcmp(what, "deleted") == 0)
		delete_record(s, w);
	else if (strcmp(what, "moment") == 0 && s->n_moments < sizeof s->moments / sizeof s->moments[0])
		s->moments[s->n_moments++] = graph_store_moment(s->store);
	else if (strcmp(what, "made") == 0)
		make(s, w);
	else if (strcmp(what, "added") == 0)
		add(s, w);
	else if (strcmp(what, "removed") == 0 && s->overlay.n_removed < MAX_MADE)
		s->removed[s->overlay.n_removed++] = (uint32_t)number(w, 1);
	else if (strcmp(what, "exercised") == 0 && s->overlay.n_exercised < MAX_MADE)
		s->exercised[s->overlay.n_exercised++] = (uint32_t)number(w, 1);
	else if (strcmp(what, "forget") == 0)
		s->overlay.n_nodes = s->overlay.n_stakes = s->overlay.n_removed = s->overlay.n_exercised = 0;
	else if (strcmp(what, "find") == 0)
		find(s, w);
	else if (strcmp(what, "view") == 0)
		ask_view(s, w);
	else
		fail("a line that is no command");
}

int main(void)
{
	static struct state s;
	char line[4096];

	s.store = graph_store_new();
	s.overlay =
		(struct graph_overlay){ .nodes = s.nodes, .stakes = s.stakes, .removed = s.removed, .exercised = s.exercised };
	if (!s.store)
		fail("no memory");
	while (fgets(line, sizeof(line), stdin)) {
		char *words[MAX_WORDS + 1] = { 0 }, *rest = line;
		size_t n = 0;

		line[strcspn(line, "\n")] = '\0';
		for (char *next; n < MAX_WORDS && (next = strsep(&rest, " ")) != NULL;)
			words[n++] = next;
		s.arena = arena_new((size_t)1 << 24);
		if (!s.arena)
			fail("no memory");
		act(&s, words);
		arena_free(s.arena);
	}
	graph_store_free(s.store);
	return 0;
}

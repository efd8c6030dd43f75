#include "harness.h"

#include <stdio.h>

#include "lodebase/graph/store.h"

static struct uuid id(unsigned n)
{
	struct uuid made = { { 0 } };

	memcpy(made.bytes + 4, &n, sizeof n);
	return made;
}

static struct graph_stamp stamp(unsigned n)
{
	return (struct graph_stamp){ .time_us = n * INT64_C(1000), .xid = n, .epoch = 1 };
}

static struct graph_ratio per_cent(unsigned pct)
{
	return (struct graph_ratio){ pct, 100 };
}

static struct graph_share share(unsigned min, unsigned max)
{
	return (struct graph_share){ true, per_cent(min), per_cent(max) };
}

static struct graph_node_version node(unsigned n, const char *slug, unsigned when)
{
	return (struct graph_node_version){ .resource = GRAPH_SHAREHOLDERS,
					    .id = id(n),
					    .slug = slug,
					    .name = slug,
					    .kind = 3,
					    .country = { 'K', 'R' },
					    .from = stamp(when) };
}

static struct graph_stake_version stake(unsigned n, unsigned holder, unsigned subject, unsigned pct, unsigned when)
{
	return (struct graph_stake_version){ .id = id(n),
					     .holder = id(holder),
					     .subject_resource = GRAPH_SHAREHOLDERS,
					     .subject = id(subject),
					     .instrument = 5,
					     .stage = 7,
					     .valid_from = GRAPH_DAY_FIRST,
					     .valid_to = GRAPH_DAY_LAST,
					     .economic = share(pct, pct),
					     .from = stamp(when) };
}

static struct graph_at now(struct graph_store *s)
{
	return (struct graph_at){ .moment = graph_store_moment(s), .known = { .kind = GRAPH_KNOWN_ALL } };
}

static struct graph_at known_at(struct graph_at at, unsigned time)
{
	at.known = (struct graph_known){ .kind = GRAPH_KNOWN_TIME, .time_us = stamp(time).time_us };
	return at;
}

static void put_node(struct graph_store *s, struct graph_node_version v)
{
	CHECK_INT(graph_store_node(s, &v), OK);
}

static void put_stake(struct graph_store *s, struct graph_stake_version v)
{
	CHECK_INT(graph_store_stake(s, &v), OK);
}

static void deleted(struct graph_store *s, enum graph_resource resource, unsigned n, unsigned when)
{
	struct uuid which = id(n);
	struct graph_stamp at = stamp(when);

	CHECK_INT(graph_store_deleted(s, resource, &which, &at), OK);
}

static uint32_t find(const struct graph_at *at, unsigned n)
{
	struct uuid which = id(n);

	return graph_find_id(at, GRAPH_SHAREHOLDERS, &which);
}

static uint32_t find_stake(const struct graph_at *at, unsigned n)
{
	struct uuid which = id(n);

	return graph_find_stake_id(at, &which);
}

static void versions_of_a_node(void)
{
	struct graph_store *s = graph_store_new();
	struct graph_node found;
	struct graph_at empty = now(s), first, second, gone;

	put_node(s, node(1, "alpha", 10));
	first = now(s);
	put_node(s, node(1, "beta", 20));
	put_node(s, node(2, "alpha", 21));
	second = now(s);
	deleted(s, GRAPH_SHAREHOLDERS, 1, 30);
	gone = now(s);

	CHECK_INT(find(&empty, 1), GRAPH_NONE);
	CHECK_INT(find(&first, 1), 0);
	CHECK_INT(graph_find_slug(&first, GRAPH_SHAREHOLDERS, LITERAL("alpha")), 0);
	CHECK_INT(graph_find_slug(&first, GRAPH_PROJECTS, LITERAL("alpha")), GRAPH_NONE);
	CHECK_INT(graph_find_slug(&first, GRAPH_SHAREHOLDERS, LITERAL("alph")), GRAPH_NONE);
	CHECK_INT(graph_find_slug(&first, GRAPH_SHAREHOLDERS, LITERAL("beta")), GRAPH_NONE);
	CHECK_INT(graph_find_slug(&second, GRAPH_SHAREHOLDERS, LITERAL("beta")), 0);
	CHECK_INT(graph_find_slug(&second, GRAPH_SHAREHOLDERS, LITERAL("alpha")), 1);
	CHECK(graph_node_at(&first, 0, &found));
	CHECK_STR(found.slug, "alpha");
	CHECK(graph_node_at(&second, 0, &found));
	CHECK_STR(found.name, "beta");
	CHECK(found.kind == 3 && memcmp(found.country, "KR", 2) == 0 && found.state[0] == '\0' && found.company == GRAPH_NONE);
	CHECK(!graph_node_at(&first, 1, &found));
	/* deleted: no longer found, yet there is something to say of it */
	CHECK_INT(find(&gone, 1), GRAPH_NONE);
	CHECK(!graph_node_at(&gone, 0, &found));
	CHECK_STR(found.slug, "beta");
	/* and a time brings back what was */
	for (unsigned t = 9; t <= 31; t++) {
		struct graph_at at = known_at(gone, t);

		CHECK_INT(find(&at, 1), t >= 10 && t < 30 ? 0 : GRAPH_NONE);
		CHECK_INT(graph_find_slug(&at, GRAPH_SHAREHOLDERS, LITERAL("beta")), t >= 20 && t < 30 ? 0 : GRAPH_NONE);
		CHECK_INT(graph_find_slug(&at, GRAPH_SHAREHOLDERS, LITERAL("alpha")), t < 10   ? GRAPH_NONE
										      : t < 20 ? 0
										      : t < 21 ? GRAPH_NONE
											       : 1);
	}
	graph_store_free(s);
}

static void versions_of_a_stake(void)
{
	struct graph_store *s = graph_store_new();
	struct graph_stake_version v = stake(9, 1, 2, 40, 10);
	struct graph_stake_info found;
	struct graph_at first, second;
	struct uuid unknown = id(77);

	v.slug = "deal";
	v.has_counterparty = true;
	v.counterparty = id(3);
	v.contingent = true;
	v.voting = share(10, 20);
	put_stake(s, v);
	first = now(s);
	put_stake(s, stake(9, 1, 2, 60, 20));
	second = now(s);

	CHECK_INT(first.moment.nodes, 3); /* mentioned */
	CHECK_INT(find(&first, 1), GRAPH_NONE);
	CHECK_INT(find_stake(&first, 9), 0);
	CHECK_INT(find_stake(&second, 9), 1);
	CHECK_INT(graph_find_stake_id(&second, &unknown), GRAPH_NONE);
	CHECK_INT(graph_find_stake_slug(&first, LITERAL("deal")), 0);
	CHECK_INT(graph_find_stake_slug(&second, LITERAL("deal")), GRAPH_NONE);
	CHECK(graph_stake_at(&first, 0, &found));
	CHECK_STR(found.slug, "deal");
	CHECK(memcmp(found.id.bytes, id(9).bytes, 16) == 0);
	CHECK_INT(found.counterparty, 2);
	CHECK(found.contingent && !found.dilutive && found.instrument == 5 && found.stage == 7);
	CHECK(found.valid_from == GRAPH_DAY_FIRST && found.valid_to == GRAPH_DAY_LAST);
	CHECK(found.economic.given && found.economic.min.numerator * 10 == found.economic.min.denominator * 4);
	CHECK(found.voting.min.numerator * 10 == found.voting.min.denominator &&
	      found.voting.max.numerator * 10 == found.voting.max.denominator * 2);
	CHECK(!graph_stake_at(&second, 0, &found));
	CHECK(!graph_stake_at(&first, 1, &found));
	CHECK(graph_stake_at(&second, 1, &found));
	CHECK(!found.slug && found.counterparty == GRAPH_NONE && !found.voting.given);
	CHECK(!graph_stake_at(&second, 2, &found));
	graph_store_free(s);
}

/* A past version that is loaded behind the one that stands changes nothing of it. */
static void any_order(void)
{
	struct graph_store *s = graph_store_new();
	struct graph_stake_version past = stake(9, 1, 2, 40, 10);
	struct graph_node_version old = node(1, "old", 5);
	struct graph_at at, then;

	put_stake(s, stake(9, 1, 2, 60, 20));
	past.ended = true;
	past.to = stamp(20);
	put_stake(s, past);
	put_node(s, node(1, "new", 9));
	old.ended = true;
	old.to = stamp(9);
	put_node(s, old);
	at = now(s);
	CHECK_INT(find_stake(&at, 9), 0);
	CHECK_INT(graph_find_slug(&at, GRAPH_SHAREHOLDERS, LITERAL("new")), 0);
	CHECK_INT(graph_find_slug(&at, GRAPH_SHAREHOLDERS, LITERAL("old")), GRAPH_NONE);
	then = known_at(at, 15);
	CHECK_INT(find_stake(&then, 9), 1);
	then = known_at(at, 7);
	CHECK_INT(graph_find_slug(&then, GRAPH_SHAREHOLDERS, LITERAL("old")), 0);
	CHECK_INT(find_stake(&then, 9), GRAPH_NONE);
	/* one that has ended, but follows the one that stands, ends it */
	past = stake(9, 1, 2, 70, 30);
	past.ended = true;
	past.to = stamp(40);
	put_stake(s, past);
	CHECK_INT(graph_store_size(s).stakes, 0);
	at = now(s);
	CHECK_INT(find_stake(&at, 9), GRAPH_NONE);
	then = known_at(at, 29);
	CHECK_INT(find_stake(&then, 9), 0);
	then = known_at(at, 39);
	CHECK_INT(find_stake(&then, 9), 2);
	deleted(s, GRAPH_STAKES, 9, 50); /* nothing stands */
	deleted(s, GRAPH_STAKES, 10, 50);
	CHECK_INT(graph_store_moment(s).stamps, at.moment.stamps);
	graph_store_free(s);
}

/* What ends at the stamp of a change that a moment has seen already has not ended in that moment. */
static void a_moment_stays(void)
{
	struct graph_store *s = graph_store_new();
	struct graph_at before, after;

	put_stake(s, stake(9, 1, 2, 60, 20));
	before = now(s);
	deleted(s, GRAPH_STAKES, 9, 20);
	after = now(s);
	CHECK_INT(find_stake(&before, 9), 0);
	CHECK_INT(find_stake(&after, 9), GRAPH_NONE);
	graph_store_free(s);
}

static void stakes_at_nodes(void)
{
	struct graph_store *s = graph_store_new();
	struct arena *a = arena_new(1 << 20), *small = arena_new(16);
	struct graph_at at;
	uint32_t *found;
	size_t n;

	put_stake(s, stake(9, 1, 2, 60, 20));
	put_stake(s, stake(10, 3, 2, 10, 20));
	put_stake(s, stake(11, 3, 1, 10, 20));
	put_stake(s, stake(10, 3, 2, 15, 21));
	at = now(s);
	CHECK_INT(graph_stakes_in(&at, 1, a, &found, &n), OK);
	CHECK(n == 2 && found[0] + found[1] == 3 && found[0] * found[1] == 0);
	CHECK_INT(graph_stakes_of(&at, 2, a, &found, &n), OK);
	CHECK(n == 2 && found[0] + found[1] == 5);
	CHECK_INT(graph_stakes_of(&at, 99, a, &found, &n), OK);
	CHECK_INT(n, 0);
	CHECK_INT(graph_stakes_in(&at, 1, small, &found, &n), ERR_NOMEM);
	arena_free(a);
	arena_free(small);
	graph_store_free(s);
}

static void snapshots(void)
{
	struct arena *a = arena_new(1 << 16);
	struct graph_store *s = graph_store_new();
	struct graph_known k, later;
	struct graph_at at;

	CHECK_INT(graph_known_snapshot("10:20:12,15", 1, a, &k), OK);
	CHECK(k.xmin == 10 && k.xmax == 20 && k.n_xip == 2 && k.xip[1] == 15 && k.epoch == 1);
	static const char *const bad[] = { "",          "10",          "10:20",
					   "10:9:",     "0:3:",        "10:20:9",
					   "1:2:",      "10:20:20",    "10:20:,",
					   "10:20:12,", "10:20:15,12", "10:20:12,12",
					   "-1:2:",     "10:20:1 2",   "99999999999999999999999:5:",
					   "10:20:12 " };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK_INT(graph_known_snapshot(bad[i], 1, a, &later), strcmp(bad[i], "1:2:") == 0 ? OK : ERR_INVALID);

	put_stake(s, stake(1, 1, 2, 10, 9)); /* its transaction is its number */
	put_stake(s, stake(2, 1, 2, 10, 12));
	put_stake(s, stake(3, 1, 2, 10, 13));
	put_stake(s, stake(4, 1, 2, 10, 20));
	deleted(s, GRAPH_STAKES, 1, 15);
	deleted(s, GRAPH_STAKES, 3, 19);
	at = now(s);
	at.known = k;
	CHECK(find_stake(&at, 1) == 0 && find_stake(&at, 2) == GRAPH_NONE && find_stake(&at, 3) == GRAPH_NONE &&
	      find_stake(&at, 4) == GRAPH_NONE);
	at.known.epoch = 2; /* all of an earlier epoch */
	CHECK(find_stake(&at, 1) == GRAPH_NONE && find_stake(&at, 2) == 1 && find_stake(&at, 4) == 3);
	at.known.epoch = 0;
	CHECK(find_stake(&at, 1) == GRAPH_NONE && find_stake(&at, 2) == GRAPH_NONE);

	static const struct {
		const char *later, *snapshot;
		bool covers;
	} cases[] = { { "10:20:12,15", "10:20:12,15", true }, { "10:20:12", "10:20:12,15", true },
		      { "10:20:12,15", "10:20:12", false },   { "20:20:", "10:20:12,15", true },
		      { "10:20:12", "13:20:", false },        { "10:20:", "10:21:", false },
		      { "10:20:", "10:21:20", true },         { "10:20:19", "10:19:", true },
		      { "10:20:", "25:25:", false },          { "10:10:", "10:13:10,11,12", true } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK_INT(graph_known_snapshot(cases[i].later, 1, a, &later), OK);
		CHECK_INT(graph_known_snapshot(cases[i].snapshot, 1, a, &k), OK);
		CHECK_INT(graph_known_covers(&later, &k), cases[i].covers);
	}
	k.epoch = 2;
	CHECK(!graph_known_covers(&later, &k) && graph_known_covers(&k, &later));
	arena_free(a);
	graph_store_free(s);
}

static void many(void)
{
	enum { N = 200000 };
	struct graph_store *s = graph_store_new();
	char slug[32];
	struct graph_store_size size;
	struct graph_at at;

	for (unsigned i = 0; i < N; i++) {
		struct graph_stake_version v = stake(i, i, i / 2, 50, 1 + i / 1000);
		struct graph_node_version n = node(i, slug, 1);

		(void)snprintf(slug, sizeof slug, "node-%u", i);
		put_node(s, n);
		(void)snprintf(slug, sizeof slug, "stake-%u", i);
		v.slug = i % 3 == 0 ? slug : NULL;
		put_stake(s, v);
	}
	at = now(s);
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(slug, sizeof slug, "node-%u", i);
		CHECK_INT(graph_find_slug(&at, GRAPH_SHAREHOLDERS, slug, strlen(slug)), i);
		CHECK_INT(find(&at, i), i);
		CHECK_INT(find_stake(&at, i), i);
		(void)snprintf(slug, sizeof slug, "stake-%u", i);
		CHECK_INT(graph_find_stake_slug(&at, slug, strlen(slug)), i % 3 == 0 ? i : GRAPH_NONE);
	}
	size = graph_store_size(s);
	CHECK(size.nodes == N && size.node_versions == N && size.stakes == N && size.stake_versions == N);
	CHECK(size.bytes > size.stake_bytes && size.stake_bytes > (size_t)60 * N);
	CHECK_INT(at.moment.stamps, N / 1000);
	graph_store_free(s);
}

static void refuses(void)
{
	struct graph_store *s = graph_store_new();
	struct graph_stake_version v = stake(1, 1, 2, 10, 1);
	struct graph_node_version n = node(1, "x", 1);

	v.economic.min = (struct graph_ratio){ 2, 1 };
	CHECK_INT(graph_store_stake(s, &v), ERR_INVALID);
	v.economic = share(20, 10);
	CHECK_INT(graph_store_stake(s, &v), ERR_INVALID);
	v.economic = (struct graph_share){ .given = true };
	CHECK_INT(graph_store_stake(s, &v), ERR_INVALID);
	v.economic = share(10, 10);
	v.stage = 16;
	CHECK_INT(graph_store_stake(s, &v), ERR_INVALID);
	n.kind = 32;
	CHECK_INT(graph_store_node(s, &n), ERR_INVALID);
	n.kind = 1;
	n.resource = GRAPH_STAKES;
	CHECK_INT(graph_store_node(s, &n), ERR_INVALID);
	CHECK(graph_store_moment(s).stake_versions == 0 && graph_store_moment(s).node_versions == 0);
	graph_store_free(s);
}

TESTS({ "versions of a node", versions_of_a_node }, { "versions of a stake", versions_of_a_stake }, { "any order", any_order },
      { "a moment stays", a_moment_stays }, { "stakes at nodes", stakes_at_nodes }, { "snapshots", snapshots },
      { "many", many }, { "refuses", refuses })

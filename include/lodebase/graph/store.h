/* The ownership register in memory: every version that the base has ever known of every shareholder, project and stake, with both
 * clocks on each. It only grows: a new version is appended and its predecessor gets an end, so what a reader saw at a *moment* (a
 * few counters) stays as it was for ever. One thread writes; any number read at the same time, without locks.
 *
 * Nodes are numbered from 0 on in the order of their first mention and keep their number; so are versions of stakes.
 * Days are days since 1970-01-01; times are microseconds since 1970-01-01 UTC. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/arena.h"
#include "lodebase/base/err.h"
#include "lodebase/base/uuid.h"
#include "lodebase/graph/graph.h"

#define GRAPH_NONE UINT32_MAX
#define GRAPH_DAY_FIRST INT32_MIN /* an open valid_from */
#define GRAPH_DAY_LAST INT32_MAX /* an open valid_to */

enum graph_resource { GRAPH_SHAREHOLDERS, GRAPH_PROJECTS, GRAPH_STAKES };

/* When the base learned something: the change's time, transaction and epoch. */
struct graph_stamp {
	int64_t time_us;
	uint64_t xid;
	uint32_t epoch;
};

/* One version of a shareholder or project. Texts are copied. */
struct graph_node_version {
	enum graph_resource resource;
	struct uuid id;
	const char *slug, *name;
	uint8_t kind; /* a number of the caller's, below 32 */
	char country[2], state[2]; /* zeros: none; a project has no state */
	bool has_company;
	struct uuid company; /* of a project: the shareholder that is its legal person */
	struct graph_stamp from, to;
	bool ended; /* `to` counts: a later version, or a deletion, is known */
};

/* A share as recorded; not given: nothing is known of it. */
struct graph_share {
	bool given;
	struct graph_ratio min, max; /* equal where it is exact; one bound missing: 0, or 1 */
};

struct graph_stake_version {
	struct uuid id;
	const char *slug; /* NULL: none */
	struct uuid holder;
	enum graph_resource subject_resource;
	struct uuid subject;
	bool has_counterparty;
	struct uuid counterparty;
	uint8_t instrument, stage; /* numbers of the caller's; instrument below 64, stage below 16 */
	bool contingent, dilutive; /* contingent alone: an option on what exists; both: new shares, a warrant */
	int32_t valid_from, valid_to;
	struct graph_share economic, voting; /* votes not given equal the economic share, `assumed` */
	struct graph_stamp from, to;
	bool ended;
};

struct graph_store;
struct graph_store *graph_store_new(void); /* NULL: no memory */
void graph_store_free(struct graph_store *s); /* NULL is fine */

/* The writer's. Each version is written once; those of one record may come in any order. The later of two (by from.time_us) ends
 * the earlier at its own `from`, unless that has ended already. A record that is only mentioned (a stake may come before its
 * holder) has a number and no version. ERR_INVALID: a kind, instrument or stage beyond its bound, a share that is no fraction, or
 * min > max; ERR_NOMEM; ERR_FULL: more than 2^32 - 2 of anything, or 4 GiB of texts. Where an error is returned nothing is
 * written, or only the mention of a record. */
enum err graph_store_node(struct graph_store *s, const struct graph_node_version *v) MUST_CHECK;
enum err graph_store_stake(struct graph_store *s, const struct graph_stake_version *v) MUST_CHECK;
/* The record was deleted. Of a record that has no standing version nothing changes. */
enum err graph_store_deleted(struct graph_store *s, enum graph_resource resource, const struct uuid *id,
			     const struct graph_stamp *when) MUST_CHECK;

/* What is in a store at one moment: a value, to be copied freely while the store lives. */
struct graph_moment {
	const struct graph_store *store;
	uint32_t nodes, node_versions, stake_versions, stamps;
};
/* All that was written so far. The writer's; how it is handed to readers must order memory (release, acquire). A moment is to be
 * taken between transactions, not within one: that a version ended at a stamp is seen from the next moment on. */
struct graph_moment graph_store_moment(struct graph_store *s);

struct graph_store_size {
	uint32_t nodes, node_versions, stakes /* standing */, stake_versions;
	size_t bytes, stake_bytes; /* all of it; what versions of stakes take with their indexes */
};
struct graph_store_size graph_store_size(const struct graph_store *s); /* the writer's */

/* What was known: everything of the moment, or what was known at a time or in a snapshot of the database (as SQL's
 * compose_visible() has it: an earlier epoch counts, a later one does not). */
enum graph_known_kind { GRAPH_KNOWN_ALL, GRAPH_KNOWN_TIME, GRAPH_KNOWN_SNAPSHOT };
struct graph_known {
	enum graph_known_kind kind;
	int64_t time_us;
	uint32_t epoch;
	uint64_t xmin, xmax;
	const uint64_t *xip; /* ascending */
	size_t n_xip;
};
/* PostgreSQL's text of a pg_snapshot ("10:20:12,15"); the list goes to the arena. ERR_INVALID, ERR_NOMEM. */
enum err graph_known_snapshot(const char *text, uint32_t epoch, struct arena *a, struct graph_known *ret) MUST_CHECK;
/* Whether all that is visible in `snapshot` is visible in `later`, too (both GRAPH_KNOWN_SNAPSHOT). */
bool graph_known_covers(const struct graph_known *later, const struct graph_known *snapshot);

/* Where a reader stands. */
struct graph_at {
	struct graph_moment moment;
	struct graph_known known;
};

struct graph_node {
	enum graph_resource resource;
	struct uuid id;
	const char *slug, *name; /* live as long as the store */
	uint8_t kind;
	char country[2], state[2];
	uint32_t company; /* GRAPH_NONE: none */
};
/* false: there is no such node, or it was not known then (*ret then says what is known of it otherwise, if anything; else zeros). */
bool graph_node_at(const struct graph_at *at, uint32_t node, struct graph_node *ret);
/* The node that has this id, or bears this slug, then. GRAPH_NONE: none. */
uint32_t graph_find_id(const struct graph_at *at, enum graph_resource resource, const struct uuid *id);
uint32_t graph_find_slug(const struct graph_at *at, enum graph_resource resource, const char *slug, size_t n);

struct graph_stake_info {
	struct uuid id;
	const char *slug; /* NULL: none */
	uint32_t holder, subject, counterparty /* GRAPH_NONE: none */;
	uint8_t instrument, stage;
	bool contingent, dilutive;
	int32_t valid_from, valid_to;
	struct graph_share economic, voting;
};
/* By the number of its version. false: no such number, or it was not the version known then. */
bool graph_stake_at(const struct graph_at *at, uint32_t version, struct graph_stake_info *ret);
/* The versions of stakes known then in this subject or of this holder, whatever their validity or stage; in no order to rely on.
 * ERR_NOMEM: the arena is full. */
enum err graph_stakes_in(const struct graph_at *at, uint32_t subject, struct arena *a, uint32_t **ret,
			 size_t *ret_n) MUST_CHECK;
enum err graph_stakes_of(const struct graph_at *at, uint32_t holder, struct arena *a, uint32_t **ret, size_t *ret_n) MUST_CHECK;
/* The stake's version known then, by id or slug (`subject_resource` does not matter). GRAPH_NONE: none. */
uint32_t graph_find_stake_id(const struct graph_at *at, const struct uuid *id);
uint32_t graph_find_stake_slug(const struct graph_at *at, const char *slug, size_t n);

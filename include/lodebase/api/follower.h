/* The ownership register (graph/store.h) in step with the database, and moments of it for whoever answers (ADR 0025).
 *
 * One thread of the process loads all versions of shareholders, projects and stakes, then follows the change log by difference of
 * snapshots. What is in the register after each look is a *moment*: exactly what one snapshot of the database shows. It is handed
 * to every worker without locks; a request takes one and keeps it until it has ended. While the database is away the last moment
 * stays. Where the base turns out to be another one (it was restored), all is loaded anew and the old register goes when its last
 * moment does.
 *
 * Numbers in the register's versions: kind, instrument and stage are places in the lists of values of the field tables. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "lodebase/base/clock.h"
#include "lodebase/base/err.h"
#include "lodebase/core/loop.h"
#include "lodebase/graph/store.h"

struct follower;
struct call;

struct moment {
	struct graph_at at; /* all that is known (GRAPH_KNOWN_ALL) */
	struct graph_known covers; /* the same as a snapshot */
	uint32_t epoch;
	char time[CLOCK_TIME_SIZE]; /* the database's, when the snapshot was taken */
	const char *snapshot; /* PostgreSQL's text of it */
	uint64_t complete_to; /* as many of this process's writes (api_shared.writes) are surely in it */
	uint64_t began_us; /* clock_monotonic_us() before the snapshot was taken */

	/* private: */
	_Atomic unsigned references;
	struct register_held *store;
	struct arena *arena;
};
void moment_ref(struct moment *m); /* any thread */
void moment_unref(struct moment *m); /* any thread; NULL is fine */

/* --- the process --- */

struct follower_config {
	unsigned n_workers;
	_Atomic uint64_t *writes; /* as api_shared has it */
	int notify_fd; /* an eventfd, written when it was loaded */
};
enum err follower_new(const struct follower_config *config, struct follower **ret) MUST_CHECK;
/* Starts the thread where it does not run yet: when the schema stands, and the workers were made. role NULL: the account's own. */
enum err follower_start(struct follower *f, const char *conninfo, const char *role) MUST_CHECK;
/* When the workers' threads have ended, and before their loops go: waits for the thread until deadline_ms. false: it did not end
 * (a server that answers nothing). Fine where it never started, and for NULL. */
bool follower_stop(struct follower *f, uint64_t deadline_ms) MUST_CHECK;
void follower_free(struct follower *f); /* after follower_stop() and the last moment_unref(); NULL is fine */

/* What /readyz and /metrics say. Any thread; NULL: nothing was loaded. */
struct follower_state {
	bool loaded; /* once at least */
	uint64_t revision; /* the transaction id before which it has seen all that was committed */
	uint64_t age_us; /* how old the newest moment's snapshot is */
	uint64_t nodes, stakes /* that stand */, bytes, loads;
};
struct follower_state follower_state(const struct follower *f);

/* --- a request; on its worker's thread --- */

/* Gives the call a moment (c->moment, until the call's end) that holds all writes that this process acknowledged before now, all
 * that c->known (resolved) names, and goes on with `ready`. 503 where none comes in time, or nothing was loaded yet. */
void follow_wait(struct call *c, void (*ready)(struct call *c));
/* Where the call's questions stand: its moment, and c->known as the register has it. */
struct graph_at follow_at(const struct call *c);
/* The instant as an answer says it (known_at and revision). false: no memory, answered. */
bool follow_echo(struct call *c, const char **ret_known_at, const char **ret_revision);

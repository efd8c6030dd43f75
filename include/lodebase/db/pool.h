/* The database as one worker sees it: non-blocking connections inside the worker's loop, in lanes. Everything runs on the
 * worker's thread.
 *
 * READ   pipelined several deep; all jobs submitted in one tick share one flush (and, before libpq 17, one Sync per
 *        connection: a failed one's aborted neighbours are run again, each alone). Its sessions are read-only: running a
 *        job again must be harmless.
 * SLOW   the same with its own connections and a longer statement timeout, for shapes without an index
 * WRITE  one transaction in flight per connection: all statements of a job form one implicit transaction under one Sync,
 *        done when it has committed or failed
 *
 * Nothing blocks, not even the look-up of the server's name (a thread of its own). Nothing is ever cancelled on the server:
 * the lane's statement_timeout ends what outlives its request. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/err.h"
#include "lodebase/core/loop.h"
#include "lodebase/db/result.h"

enum db_lane { DB_READ, DB_SLOW, DB_WRITE, DB_N_LANES };

/* How reads of one record each by its key become one read of many: jobs of one statement with the same `batch`, queued in a
 * READ or SLOW lane at the same time, leave as one statement (at most 64 of them; while two such are under way the others wait),
 * and each job gets its row, or none, as if it had been alone. Where that statement is refused, each runs alone. It must stay as long as the jobs. */
struct db_batch {
	const char *name, *sql; /* the read of many; $1 is an array of keys, and rows may come in any order */
	int key_column; /* of its columns, which are those of the read of one: the one that equals $1 there, as text */
};

/* One statement. All memory is the submitter's and stays until the job is done or cancelled. */
struct db_statement {
	const char *name; /* prepared at a connection's first use, known by this name; NULL: sent unprepared. One name always
			      stands for the same SQL. */
	bool shape; /* a composed list: at most 64 such names per connection are prepared, others go unprepared */
	const char *sql; /* one statement, parameters $1 … */
	int n_params;
	const char *const *params; /* text format; a NULL entry is SQL's null */
	const struct db_batch *batch; /* NULL: always sent by itself. Else $1 is the key, the only parameter and not null. */
};

enum { DB_MAX_STATEMENTS = 8 };

struct db_job {
	enum db_lane lane;
	const struct db_statement *statements;
	int n_statements; /* 1-8 */
	/* Called once, from loop dispatch or db_pool_flush(), never from within db_pool_submit(). Results belong to the job: what
	 * `done` did not take (by setting its slot, or error.detail, to NULL) is freed when it returns; or at once, where it
	 * submits the same job again or cancels it (after which it may free the job). */
	void (*done)(struct db_job *job);
	void *data;

	/* Filled when done:
	 *
	 * status  OK
	 *         ERR_TIMEOUT      statement timeout (SQLSTATE 57014)
	 *         ERR_UNAVAILABLE  no connection, or it was lost; or the server cannot serve now: SQLSTATE class 08, class 53
	 *                          (no connections, memory or disk left), 57P.. (it stops or starts), 25006 (a standby, or a
	 *                          database set read-only)
	 *         ERR_SQL          every other refusal: see error and failed_statement
	 *         ERR_NOMEM        out of memory here
	 * sent    with ERR_UNAVAILABLE: of a write the outcome is unknown. false: it certainly changed nothing. */
	enum err status;
	struct db_result *results[DB_MAX_STATEMENTS]; /* per statement, NULL from the failed one on */
	int failed_statement; /* of an error the server reported; n_statements: the commit failed */
	struct db_error error;
	bool sent;
	uint64_t submitted_us, started_us, finished_us; /* clock_monotonic_us(); for Server-Timing */

	void *internal; /* the pool's */
};

struct db_pool_config {
	const char *conninfo; /* a libpq conninfo string or URL of the service's account */
	const char *role; /* the role of every session, or NULL */
	int connections[DB_N_LANES];
	int statement_timeout_ms[DB_N_LANES];
	unsigned max_queued[DB_N_LANES]; /* jobs waiting for a connection; beyond: ERR_FULL */
	unsigned pipeline_depth; /* jobs in flight per READ or SLOW connection */
	unsigned connect_timeout_s;
	const char *application_name;
};

struct db_pool;

/* Opens its connections in the background, and again when they are lost: at once, then with backoff (100 ms doubling to 1 s,
 * jittered, and at once for the first of each lane where another lane got one). The first of each lane opens first, the others when every lane has one, so that a server that gives fewer
 * connections than asked (53300) still serves every lane. `config` is copied.
 *
 * Each new session sets default_transaction_isolation = read committed, TimeZone = UTC, DateStyle = ISO, search_path =
 * lodebase, client_encoding = UTF8, the lane's statement_timeout, idle_in_transaction_session_timeout = 60 s, the role,
 * and synchronous_commit = on where the server's default is weaker: in its start-up options (behind those that conninfo has)
 * and one first statement, never per query. A connection from which nothing came for its lane's statement_timeout and 10 s
 * more, though a statement runs, counts as lost.
 *
 * ERR_INVALID: conninfo is malformed. */
enum err db_pool_new(struct loop *loop, const struct db_pool_config *config, struct db_pool **ret) MUST_CHECK;
void db_pool_free(struct db_pool *p); /* jobs left are finished with ERR_UNAVAILABLE first */

/* Queues a job. Where no connection of its lane is up: ERR_UNAVAILABLE at once (a connection that is just being opened, for
 * the first time or right after it was lost, within connect_timeout, counts as up). ERR_FULL where the queue is full.
 * ERR_INVALID where n_statements is out of range. On an error `done` is not called.
 *
 * A READ or SLOW job whose connection is lost runs once more on another; a WRITE job never. A prepared statement that a
 * migration made stale is prepared afresh and its job run again. */
enum err db_pool_submit(struct db_pool *p, struct db_job *job) MUST_CHECK;
/* The submitter goes away: `done` is not called any more and its memory may go. What was sent runs on and its result is
 * dropped. Fine for a job that is done or was never submitted (zeroed). */
void db_pool_cancel(struct db_pool *p, struct db_job *job);
/* Sends what was submitted since the last call, and what waited for room. Call once per tick, after dispatch and before the
 * next wait; cheap where there is nothing. */
void db_pool_flush(struct db_pool *p);

bool db_pool_is_up(const struct db_pool *p, enum db_lane lane); /* some connection of it works */
/* After this many ms a client may try again: the current backoff, at least 1000. */
unsigned db_pool_retry_after_ms(const struct db_pool *p);
/* Why the last connection could not be opened, or was lost ("" where none was): for the log. No password in it. */
const char *db_pool_problem(const struct db_pool *p);

struct db_pool_stats {
	unsigned open, busy, queued; /* connections that work, of them with a job in flight; jobs waiting */
	uint64_t jobs; /* done (not those cancelled) */
	uint64_t errors; /* of them not OK */
	uint64_t reconnects; /* connections opened, but for each one's first */
};
struct db_pool_stats db_pool_stats(const struct db_pool *p, enum db_lane lane);

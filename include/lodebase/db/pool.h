/* The database as one worker sees it: non-blocking connections inside the worker's loop, in lanes. Everything runs on the
 * worker's thread.
 *
 * READ   pipelined several deep; all jobs submitted in one tick share one flush (and, before libpq 17, one Sync per
 *        connection: a failed one's aborted neighbours are run again, each alone)
 * SLOW   the same with its own connections and a longer statement timeout, for shapes without an index
 * WRITE  one transaction in flight per connection: all statements of a job form one implicit transaction under one Sync */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/err.h"
#include "lodebase/core/loop.h"
#include "lodebase/db/result.h"

enum db_lane { DB_READ, DB_SLOW, DB_WRITE, DB_N_LANES };

/* One statement. All memory is the submitter's and stays until the job is done or cancelled. */
struct db_statement {
	const char *name;  /* prepared under this name at a connection's first use; NULL: sent unprepared */
	bool shape;        /* a composed list: at most 64 such names per connection are prepared, others go unprepared */
	const char *sql;   /* one statement, parameters $1 … */
	int n_params;
	const char *const *params; /* text format; a NULL entry is SQL's null */
};

struct db_job {
	enum db_lane lane;
	const struct db_statement *statements;
	int n_statements; /* 1-8 */
	/* Called once, from loop dispatch or db_pool_flush(), never from within db_pool_submit(). Results belong to the job:
	 * what `done` did not take (by setting its slot, or error.detail, to NULL) is
	 * freed when it returns. */
	void (*done)(struct db_job *job);
	void *data;

	/* Filled when done: */
	enum err status; /* OK; ERR_SQL (see error, failed_statement); ERR_UNAVAILABLE (no connection, or lost: of a write the
			    outcome is then unknown where `sent` is true); ERR_TIMEOUT (statement timeout, SQLSTATE 57014) */
	struct db_result *results[8]; /* per statement, NULL from the failed one on */
	int failed_statement;
	struct db_error error;
	bool sent;            /* it reached a connection */
	uint64_t submitted_us, started_us, finished_us; /* clock_monotonic_us(); for Server-Timing */

	void *internal; /* the pool's */
};

struct db_pool_config {
	const char *conninfo;      /* a libpq conninfo string or URL of the service's account */
	const char *role;          /* `-c role=` of every session, or NULL */
	int connections[DB_N_LANES];
	int statement_timeout_ms[DB_N_LANES];
	unsigned max_queued[DB_N_LANES];   /* jobs waiting for a connection; beyond: ERR_FULL */
	unsigned pipeline_depth;           /* jobs in flight per READ connection */
	unsigned connect_timeout_s;
	const char *application_name;
};

struct db_pool;

/* Opens its connections in the background, and again with backoff (100 ms doubling to 5 s, jittered) when they are lost.
 * Each new session sets default_transaction_isolation = read committed, TimeZone = UTC, DateStyle = ISO, search_path =
 * lodebase, synchronous_commit = on where the server's default is weaker, the lane's statement_timeout,
 * idle_in_transaction_session_timeout and client_encoding, all in its start-up options or first statement, never per query. */
enum err db_pool_new(struct loop *loop, const struct db_pool_config *config, struct db_pool **ret) MUST_CHECK;
void db_pool_free(struct db_pool *p); /* jobs left are finished with ERR_UNAVAILABLE first */

/* Queues a job. Where no connection of its lane is up: ERR_UNAVAILABLE at once (a connection that is just being opened for
 * the first time, within connect_timeout, counts as up). ERR_FULL where the queue is full. On an error `done` is not called. */
enum err db_pool_submit(struct db_pool *p, struct db_job *job) MUST_CHECK;
/* The submitter goes away: `done` is not called any more and its memory may go. What was sent runs on and its result is
 * dropped. Fine for a job that is done or was never submitted (zeroed). */
void db_pool_cancel(struct db_pool *p, struct db_job *job);
/* Sends what was submitted since the last call. Call once per tick; cheap where there is nothing. */
void db_pool_flush(struct db_pool *p);

bool db_pool_is_up(const struct db_pool *p, enum db_lane lane); /* some connection of it works */
/* After this many ms a client may try again: the current backoff, at least 1000. */
unsigned db_pool_retry_after_ms(const struct db_pool *p);

struct db_pool_stats {
	unsigned open, busy, queued; /* per lane */
	uint64_t jobs, errors, reconnects;
};
struct db_pool_stats db_pool_stats(const struct db_pool *p, enum db_lane lane);

/* Imports: JSON bundles and NDJSON into the base, streamed with bounded memory, all or nothing, idempotent, every fault with
 * its position (contract section 1). One blocking code serves POST /v1/import, `lodebase import` and --seed. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "lodebase/base/buf.h"
#include "lodebase/core/loop.h"
#include "lodebase/db/session.h"

enum import_format { IMPORT_BUNDLE, IMPORT_NDJSON };

struct import_source {
	int fd; /* read from its present offset to its end; stays open */
	enum import_format format;
	const char *name; /* the file's, for faults of the command line; NULL over HTTP */
};

struct import_request {
	const struct import_source *sources; /* all of them are one import */
	size_t n_sources;
	bool dry_run;
	const char *actor; /* the key's name, NULL: none */
	const char *key_id; /* checked in the import's own last transaction, NULL: none */
	const char *request_id; /* NULL: none */
	/* The caller's Idempotency-Key with the digest of its request (hex): the answer is kept with what is written. NULL: none.
	 * Needs key_id. 409 where another request with it runs, or has ended since the caller looked. */
	const char *idempotency_key, *idempotency_request;
	const atomic_bool *cancelled; /* looked at often; true rolls back (503). May be NULL */
	_Atomic uint64_t *progress; /* set to clock_monotonic_ms() when something moved. May be NULL */
	_Atomic uint64_t *patience; /* set to the clock_monotonic_ms() until which the statement under way may well take. May be
					 NULL; the lane makes progress of it */
};

struct import_answer {
	int status; /* 200, 400, 401, 403, 409, 422, 500, 503, 504 */
	const char *problem; /* the problem type's slug where status >= 400 ("invalid") */
	const char *detail; /* static English, or NULL */
	struct buf errors; /* JSON array of fault objects where status >= 400 */
	struct buf extra; /* further members of the problem object as JSON members without braces, or empty */
	struct buf body; /* the answer's JSON where status is 200 */
	bool truncated;
	bool passing; /* of this moment alone: the same request may be answered otherwise, so an Idempotency-Key does not keep it */
};

/* Runs it on a session of the service's account, blocking. Always fills *ret (import_answer_done() frees). */
void import_run(struct db_session *session, const struct import_request *request, struct import_answer *ret);
void import_answer_done(struct import_answer *a);

/* The process's import lane: one thread with one session, a bounded queue. While a job waits its progress_ms goes on; while a
 * long statement of it runs too, for as long as that may well take. */
struct import_lane;
struct import_job {
	struct import_source source;
	struct import_request request; /* sources, cancelled, progress and patience are set by the lane */
	struct loop *notify; /* woken by loop_wake() when done turns true */
	struct import_answer answer;
	atomic_bool done, cancelled;
	_Atomic uint64_t progress_ms;
	struct import_job *next;
};
enum err import_lane_new(const char *conninfo, const char *role, unsigned max_queued, struct import_lane **ret) MUST_CHECK;
/* The job and what it points to stay until `done`. ERR_FULL: the queue is full. Any thread. */
enum err import_lane_submit(struct import_lane *lane, struct import_job *job) MUST_CHECK;
/* Gives up a job: it ends soon, `done` is still set (and its loop woken). Any thread. */
void import_lane_cancel(struct import_lane *lane, struct import_job *job);
/* Cancels what is left and waits for the lane's threads until deadline_ms. false: they did not end (a server that answers
 * nothing); the lane then stays as it is, and the process should end without it. */
bool import_lane_free(struct import_lane *lane, uint64_t deadline_ms) MUST_CHECK;

/* One API call: what the handlers of a request share, from its headers to its log line. Handlers of layers above (analysis) are
 * written against this as those of the api layer are.
 *
 * A call runs as a chain of steps on its worker's thread. A step either answers (call_answer, call_fail and friends) or
 * starts one database job and names the step that goes on with its results (call_query). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "lodebase/api/api.h"
#include "lodebase/api/known.h"
#include "lodebase/api/problem.h"
#include "lodebase/api/validate.h"
#include "lodebase/base/digest.h"
#include "lodebase/base/json_document.h"
#include "lodebase/base/json_writer.h"
#include "lodebase/base/uuid.h"

enum scope { SCOPE_NONE, SCOPE_READ, SCOPE_WRITE, SCOPE_ADMIN };

struct call;

enum body_kind { BODY_NONE, BODY_RECORD, BODY_PATCH, BODY_IMPORT };

/* What one method does at one route. */
struct operation {
	enum http_method method;
	enum scope scope; /* SCOPE_NONE never needs a key; SCOPE_READ needs none while anonymous reading is on */
	enum body_kind body;
	const char *
		produces; /* the media types of which Accept must take one (406), best first, with ", " between; NULL: nobody is
				 refused for it */
	/* Looks at parameters and header values, adding faults; NULL: takes no parameters. */
	void (*check)(struct call *c);
	/* Runs with everything above checked and the body parsed. */
	void (*run)(struct call *c);
	const int *statuses; /* those its answers can have, 0-terminated, for the contract */
};

struct route {
	const char *pattern;
	bool per_resource;
	const struct operation *operations;
	size_t n_operations;
};

/* The routes of the analysis layer, which stands above this one; defined there, as resources[] is above, too. */
extern const struct route analysis_routes[];
extern const size_t n_analysis_routes;

struct key {
	char id[API_KEY_ID_LENGTH + 1];
	char *name;
	enum scope scope;
	uint64_t checked_ms; /* when the question that found it was asked */
};

enum call_stream { CALL_NO_STREAM, CALL_STREAMING, CALL_STREAM_OVER };

#define CALL_HEADERS_MAX 24
#define CALL_STATEMENTS_MAX 8
#define CALL_RETRIES 3 /* how often a write that lost a race is tried again */

struct call {
	struct api *api;
	struct http_request *request;
	struct arena *arena;

	const struct route *route; /* NULL: no such address */
	const struct operation *operation;
	const char *media_type; /* of those that the operation produces the one that Accept likes best */
	unsigned route_id;
	const struct resource *resource;
	size_t resource_index;
	const char *segment; /* the {id} or {type} of the path */

	struct key key;
	bool has_key;
	bool dry_run;
	struct idempotency *idempotency; /* its Idempotency-Key (idempotency.h); NULL: none */
	struct faults faults;
	struct json_document document;
	bool has_document;
	void *state; /* the operation's own, in the arena */
	void (*after_secret)(struct call *c);
	struct known known; /* the known_at asked for */
	struct waiting *known_wait; /* known_resolve() under way */
	struct moment *moment; /* of the ownership register (follower.h); NULL: none was asked for */
	struct follow_state *follow; /* follow_wait() */
	const void *conditions; /* If-Match and If-None-Match as checked, of a write */
	struct feed_reader *reader; /* of the change stream (feed_hub.h) */
	struct feed *feed; /* the page of the feed under way (feed.h) */
	struct versions_state *versions; /* bodies that were fetched (versions.h) */
	struct stored_reading *stored; /* records to judge others beside (stored.h) */
	struct db_result *kept; /* a row that the answer may need; freed with the call */

	/* the database job under way */
	struct db_job job;
	struct db_statement statements[CALL_STATEMENTS_MAX];
	bool job_active;
	bool sees_errors; /* next wants SQL errors too */
	void (*next)(struct call *c);
	uint64_t db_us;
	unsigned attempts;
	bool writing; /* a write was sent: its outcome is unknown until it is answered */
	bool written; /* one was sent, be it answered or not */

	/* the answer */
	struct loop_timer deadline;
	struct loop_timer pause; /* until a step goes on */
	struct http_header_line headers[CALL_HEADERS_MAX];
	size_t n_headers;
	struct buf out;
	int status;
	bool answered;
	bool gated; /* the checks run before the body was let in: an answer is held back until it was drained */
	bool checked;
	bool close;

	/* an answer in parts (stream.h) */
	enum call_stream stream;
	bool stream_busy; /* a part is being made */
	bool is_whole; /* one of api->n_whole */
	void (*stream_more)(struct call *c);
	struct arena *stream_arena; /* of the part */
	struct buf carry; /* what one part leaves to the next */

	/* an import under way: outlives the call where the client goes */
	struct import_task *import;

	struct compute_job *compute; /* its computation (compute.h); may outlive it, too */
};

/* Answering. */
void call_header(struct call *c, const char *name, const char *value);
/* Sends status with what was written to c->out (content_type NULL: no body). */
void call_answer(struct call *c, int status, const char *content_type);
/* Sends 200 and the headers of an answer in parts; room as in http_response. */
void call_stream_answer(struct call *c, const char *content_type, void (*room)(struct http_request *r));
/* Answers a problem with the call's faults. detail may be NULL. */
void call_fail(struct call *c, int status, const char *type, const char *detail);
void call_fail_with(struct call *c, const struct problem *p);
void call_unavailable(struct call *c, const char *detail);
void call_out_of_memory(struct call *c); /* 503; says whether something may have changed */
/* The Link header of a page: this address with its cursor exchanged. */
void call_next_link(struct call *c, const char *cursor);
/* What the call changed stands: who follows the changes looks for it soon. */
void call_committed(struct call *c);
/* If there are faults of parameters or headers: 400; true where it answered. */
bool call_failed_early(struct call *c);
void call_invalid(struct call *c); /* 422 of the call's faults */
/* Starts c->statements[0..n) as one job; `next` goes on. Failures are answered here unless sees_errors and it is the
 * server's refusal (job.status ERR_SQL). */
void call_query(struct call *c, enum db_lane lane, int n, bool sees_errors, void (*next)(struct call *c));
void call_statement(struct call *c, int i, const char *name, const char *sql, const char *const *params, int n_params);
/* Answers a database failure that the step does not know better. */
void call_database_failed(struct call *c);

const char *call_format(struct call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* check.c: the checks before the body, in the contract's order; then the operation runs */
bool check_media_type(struct call *c); /* 415; false: answered */
bool check_body(struct call *c); /* 415, 413, syntax; false: answered */
void check_no_parameters(struct call *c);
bool check_repeated(struct call *c, size_t i); /* whether parameter i came before; adds the fault */
void check_unknown(struct call *c, const struct http_field *p); /* adds the fault */
void check_limit(struct call *c, const struct http_field *p, unsigned max, unsigned *ret);

/* Asks for the base's secret once per worker, without which no revision can be read or told; then `ready` goes on. Where a GET's
 * parameters bring one it was done before `check`. */
void cursor_secret_load(struct call *c, void (*ready)(struct call *c));
void record_not_found(struct call *c); /* 404: what the path names */

/* One API call: what the handlers of a request share, from its headers to its log line. Private to the api layer.
 *
 * A call runs as a chain of steps on its worker's thread. A step either answers (call_answer, call_fail and friends) or
 * starts one database job and names the step that goes on with its results (call_query). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "compose.h"
#include "lodebase/api/api.h"
#include "lodebase/api/import.h"
#include "lodebase/api/problem.h"
#include "lodebase/api/validate.h"
#include "lodebase/base/digest.h"
#include "lodebase/base/hmap.h"
#include "lodebase/base/json_writer.h"
#include "lodebase/base/uuid.h"
#include "known.h"

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
	const void *conditions; /* If-Match and If-None-Match as checked, of a write */
	struct feed_reader *reader; /* of the change stream (feed_hub.h) */
	struct feed *feed; /* the page of the feed under way (feed.h) */
	struct versions_state *versions; /* bodies that were fetched (versions.h) */
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
};

struct resource_state {
	struct statements sql;
	struct db_batch by_ids, by_slugs; /* reads by key, many at once */
	char names[4][64]; /* of the statements by id, slug, ids, slugs */
	char *find_by_id, *find_by_slug, *lock_many;
};

struct api {
	const struct api_shared *shared;
	struct loop *loop;
	struct db_pool *pool;
	unsigned worker;
	struct resource_state *resources; /* in the order of resources[] */
	size_t n_resources;
	struct hmap *keys; /* SHA-256 hex of a key -> struct key, no older than a second */
	struct hmap *unknown; /* SHA-256 hex of unknown keys -> when asked */
	uint8_t cursor_secret[32];
	bool has_cursor_secret;
	struct uuid_source ids;
	struct import_task *imports; /* under way on this worker */
	struct feed_hub *hub;
	unsigned n_whole; /* whole lists and exports under way */
	char *search; /* the statement over all resources */
};

/* route.c */
const struct route *route_find(struct call *c);
extern const struct route routes[];
extern const size_t n_routes;
bool route_allows(const struct route *r, enum http_method m, const struct operation **ret);
const char *route_allow_header(struct arena *arena, const struct route *r);

/* call.c: answering */
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
/* In `serve` of a call that was refused at its gate: sends what was held back. */
void call_send_held(struct call *c);

/* Starts c->statements[0..n) as one job; `next` goes on. Failures are answered here unless sees_errors and it is the
 * server's refusal (job.status ERR_SQL). */
void call_query(struct call *c, enum db_lane lane, int n, bool sees_errors, void (*next)(struct call *c));
void call_statement(struct call *c, int i, const char *name, const char *sql, const char *const *params, int n_params);
/* Answers a database failure that the step does not know better. */
void call_database_failed(struct call *c);

/* Whether a statement failed because the server's procedural language no longer loads, as after an upgrade of its package
 * under the running server; and what is to be said then. */
bool call_language_is_gone(const struct db_error *error);
#define CALL_LANGUAGE_IS_GONE "PostgreSQL was upgraded under the running service: restart the service; nothing was changed"
const char *call_format(struct call *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* check.c: the checks before the body, in the contract's order; then the operation runs */
void check_call(struct call *c);
bool check_media_type(struct call *c); /* 415; false: answered */
bool check_body(struct call *c); /* 415, 413, syntax; false: answered */
void check_no_parameters(struct call *c);
bool check_repeated(struct call *c, size_t i); /* whether parameter i came before; adds the fault */
void check_unknown(struct call *c, const struct http_field *p); /* adds the fault */
bool *check_resources(struct call *c, const struct http_field *p); /* names with commas between: which, per resource */
void check_limit(struct call *c, const struct http_field *p, unsigned max, unsigned *ret);
void check_dry_run(struct call *c);

/* auth.c */
void auth_check(struct call *c, void (*passed)(struct call *c));
void auth_forget(struct api *api); /* frees the caches */

/* the operations */
void record_get(struct call *c);
void record_get_check(struct call *c);
void list_check(struct call *c);
const struct list_query *list_query(const struct call *c); /* what list_check made of the parameters; NULL: no memory */
bool list_has_media_type(const struct resource *r, const char *type); /* whether lists of it come as that */
bool list_takes_valid_at(const struct resource *r);
bool list_operator_applies(const struct field *f, const char *suffix); /* whether "field.suffix" filters */
void list_run(struct call *c);
void history_check(struct call *c);
void history_run(struct call *c);
const char *search_text(struct call *c, const struct http_field *p); /* the value of q; NULL: a fault was added */
void search_check(struct call *c);
void search_run(struct call *c);
void provenance_check(struct call *c);
void provenance_run(struct call *c);
void export_run(struct call *c);
void changes_check(struct call *c);
void changes_run(struct call *c);
void changes_stream_check(struct call *c);
void changes_stream_run(struct call *c);
void create_check(struct call *c);
void create_run(struct call *c);
void put_check(struct call *c);
void put_run(struct call *c);
void patch_check(struct call *c);
void patch_run(struct call *c);
void delete_check(struct call *c);
void delete_run(struct call *c);
void import_check(struct call *c);
void import_http_run(struct call *c);
void import_call_done(struct call *c);

/* service.c */
void service_index(struct call *c);
void service_key(struct call *c);
void service_livez(struct call *c);
void service_readyz(struct call *c);
void service_metrics(struct call *c);
void service_version(struct call *c);
void service_openapi_yaml(struct call *c);
void service_openapi_json(struct call *c);
void service_problem(struct call *c);

/* conditional.c: If-Match and If-None-Match */
enum etag_match { ETAG_ABSENT, ETAG_MALFORMED, ETAG_ANY, ETAG_LIST };
struct etag_condition {
	enum etag_match kind;
	const char *list; /* as sent */
};
struct etag_condition etag_parse(const struct call *c, const char *header); /* adds a fault where malformed */
const char *etag_of(struct call *c, const char *version); /* "" where memory is out */
bool etag_strong_match(const struct etag_condition *e, const char *version);
bool etag_weak_match(const struct etag_condition *e, const char *version);

/* encode.c: rows of get, list and write statements as JSON */
struct projection { /* which members to write; all NULL: every one */
	bool *fields; /* per field */
	bool *summaries; /* per reference field, by field index */
};
void encode_record(struct buf *out, const struct resource *r, const struct db_result *result, int row,
		   const struct projection *p);
/* The summary of a reference field, whose slug and name stand at column. */
void encode_summary(struct json_writer *w, const struct field *f, const struct db_result *result, int row, int field_column,
		    int summary_column);
/* One cell, null included; whether two cells of one column say the same; a time as PostgreSQL prints it (NULL: null). */
void encode_cell(struct json_writer *w, const struct field *f, const struct db_result *result, int row, int column);
bool encode_same(const struct field *f, const struct db_result *a, int row_a, const struct db_result *b, int row_b, int column);
void encode_time(struct json_writer *w, const char *text);
/* The row as a record in canonical text. NULL: no memory. */
struct record *encode_to_record(struct arena *arena, const struct resource *r, const struct db_result *result, int row);
/* JSON text of PostgreSQL's without the blanks that it puts around ',' and ':' outside strings. */
void encode_compact(struct buf *out, const char *s, size_t n);
/* One value as PostgreSQL prints it in canonical text. NULL: no memory. */
const char *encode_value(struct arena *arena, const struct field *f, const char *text, size_t n);

/* fields.c: the fields= parameter */
bool projection_parse(struct call *c, const char *value, struct projection *ret);
bool projection_plain(struct call *c, struct projection *ret); /* all fields, no summaries; false: no memory */

/* csv.c: RFC 4180, the members of a projection; lists and objects as JSON, null empty. A text that a spreadsheet would take for a
 * formula gets an apostrophe in front. */
void encode_csv_header(struct buf *out, const struct resource *r, const struct projection *p);
void encode_csv_row(struct buf *out, const struct resource *r, const struct db_result *result, int row,
		    const struct projection *p);

/* record.c: what an address can name (record.h has what writes share) */
bool record_path_is_id(const struct call *c);
void record_not_found(struct call *c);
/* Sets statement i to read the record that the path names, as it stands or as c->known (resolved) says. false: no memory, or
 * the path's text can be neither id nor slug. */
bool record_statement_known(struct call *c, int i);
const struct resource_state *record_sql(const struct call *c);
const char *record_statement_name(struct call *c, const char *what);

/* cursor.c: the secret is asked for once per worker, then `ready` goes on */
void cursor_secret_load(struct call *c, void (*ready)(struct call *c));
const char *cursor_make(struct call *c, const struct list_query *q, const struct db_result *result, int row);
bool cursor_read(struct call *c, const char *text, size_t n, struct list_query *q);

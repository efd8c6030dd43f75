/* What the files of the api layer share beside lodebase/api/call.h: the worker's state, routes, and the operations. */
#pragma once

#include "compose.h"
#include "lodebase/api/call.h"
#include "lodebase/api/import.h"
#include "lodebase/base/digest.h"
#include "lodebase/base/hmap.h"

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
	struct compute_job *computing; /* of this worker, on compute threads */
	struct feed_hub *hub;
	struct follow *follow;
	unsigned n_whole; /* whole lists and exports under way */
	char *search; /* the statement over all resources */
};

/* route.c */
const struct route *route_find(struct call *c);
size_t route_count(void); /* those of the api and of analysis */
const struct route *route_at(size_t i);
bool route_allows(const struct route *r, enum http_method m, const struct operation **ret);
const char *route_allow_header(struct arena *arena, const struct route *r);

/* In `serve` of a call that was refused at its gate: sends what was held back. */
void call_send_held(struct call *c);

/* Whether a statement failed because the server's procedural language no longer loads, as after an upgrade of its package
 * under the running server; and what is to be said then. */
bool call_language_is_gone(const struct db_error *error);
#define CALL_LANGUAGE_IS_GONE "PostgreSQL was upgraded under the running service: restart the service; nothing was changed"
/* check.c: the checks before the body, in the contract's order; then the operation runs */
void check_call(struct call *c);
bool *check_resources(struct call *c, const struct http_field *p); /* names with commas between: which, per resource */
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
void import_woken(struct api *api);

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
/* Sets statement i to read the record that the path names, as it stands or as c->known (resolved) says. false: no memory, or
 * the path's text can be neither id nor slug. */
bool record_statement_known(struct call *c, int i);
const struct resource_state *record_sql(const struct call *c);
const char *record_statement_name(struct call *c, const char *what);

/* cursor.c: the secret is asked for once per worker, then `ready` goes on */
const char *cursor_make(struct call *c, const struct list_query *q, const struct db_result *result, int row);
bool cursor_read(struct call *c, const char *text, size_t n, struct list_query *q);

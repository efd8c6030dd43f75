#include "idempotency.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/db/migrate.h"
#include "versions.h"

#define KEY_MAX 255

/* 1-255 visible characters, bare or as a quoted string (RFC 9110 section 5.6.4). NULL: neither. */
static const char *read_key(struct call *c, const char *value)
{
	size_t n = strlen(value), len = 0;
	bool quoted = n >= 2 && value[0] == '"' && value[n - 1] == '"';
	const char *s = quoted ? value + 1 : value, *end = quoted ? value + n - 1 : value + n;
	char *key = arena_alloc(c->arena, n + 1);

	for (; key && s < end; s++) {
		if (quoted && *s == '"')
			return NULL;
		if (quoted && *s == '\\' && ++s == end)
			return NULL;
		if (*s <= ' ' || *s > '~')
			return NULL;
		key[len++] = *s;
	}
	return len >= 1 && len <= KEY_MAX ? key : NULL;
}

void idempotency_check(struct call *c)
{
	const char *value = http_header(c->request, "Idempotency-Key");
	struct idempotency *i;
	const char *key;

	if (!value)
		return;
	key = read_key(c, value);
	i = arena_alloc(c->arena, sizeof(*i));
	if (!key || !i) {
		faults_add(&c->faults, FAULT_HEADER, "Idempotency-Key", "format",
			   "must have 1 to 255 visible ASCII characters, bare or between double quotes");
		return;
	}
	i->key = key;
	c->idempotency = i;
}

bool idempotency_is_on(const struct call *c)
{
	return c->idempotency && !c->dry_run && c->has_key;
}

/* The digest of the body came with it, so this is short whatever the body's size. */
static const char *digest_of(struct call *c)
{
	char hex[65];
	uint8_t digest[32];
	struct buf b;

	buf_init(&b, 1u << 20);
	buf_printf(&b, "%s %s?%s\n", c->request->method_name, c->request->raw_path,
		   c->request->raw_query ? c->request->raw_query : "");
	buf_put(&b, c->request->body_sha256, sizeof(c->request->body_sha256));
	if (!b.failed)
		digest_sha256(b.data, b.len, digest);
	digest_hex(digest, sizeof(digest), hex);
	buf_done(&b);
	return arena_strdup(c->arena, hex);
}

static void refuse(struct call *c, int status, const char *type, const char *code, const char *detail)
{
	c->idempotency->settled = true;
	faults_init(&c->faults, c->arena);
	faults_add(&c->faults, FAULT_HEADER, "Idempotency-Key", code, "%s", detail);
	call_fail(c, status, type, detail);
}

static void still_runs(struct call *c)
{
	refuse(c, 409, "conflict", "repeated",
	       "the first request with this Idempotency-Key still runs: ask again for its answer");
}

static void tell_record(struct call *c)
{
	const struct version *v = c->idempotency->version;

	if (!v->body) {
		call_fail(c, 500, "internal", NULL);
		return;
	}
	call_header(c, "ETag", call_format(c, "\"%s\"", v->number));
	call_header(c, "Location", call_format(c, "/v1/%s/%s", c->resource->name, v->id));
	call_header(c, "Cache-Control", "no-cache");
	encode_record(&c->out, c->resource, v->body, v->row, NULL);
	buf_putc(&c->out, '\n');
	versions_done(c);
	call_answer(c, c->idempotency->status, "application/json");
}

/* Columns: request, status, resource, id, version, body, the version's time, whether one runs. */
static void tell_again(struct call *c, const struct db_result *r)
{
	struct idempotency *i = c->idempotency;

	i->settled = true;
	i->status = atoi(db_result_value(r, 0, 1));
	call_header(c, "Idempotency-Replayed", "true");
	if (db_result_is_null(r, 0, 3)) {
		bool problem = i->status >= 400;

		call_header(c, "Cache-Control", "no-store");
		buf_put(&c->out, db_result_value(r, 0, 5), db_result_length(r, 0, 5));
		call_answer(c, i->status, problem ? "application/problem+json" : "application/json");
		return;
	}
	i->version = arena_alloc(c->arena, sizeof(*i->version));
	if (!i->version) {
		call_out_of_memory(c);
		return;
	}
	*i->version = (struct version){
		.resource = c->resource_index,
		.id = arena_strdup(c->arena, db_result_value(r, 0, 3)),
		.number = arena_strdup(c->arena, db_result_value(r, 0, 4)),
		.at = arena_strdup(c->arena, db_result_value(r, 0, 6)),
		.action = "created",
	};
	versions_fetch(c, i->version, 1, tell_record);
}

static void looked(struct call *c)
{
	const struct db_result *r = c->job.results[0];
	struct idempotency *i = c->idempotency;
	const char *stored = db_result_value(r, 0, 0);

	if (db_result_is_null(r, 0, 0)) {
		if (*db_result_value(r, 0, 7) == 't')
			still_runs(c);
		else
			i->proceed(c);
	} else if (strncmp(stored, "\\x", 2) != 0 || strcmp(stored + 2, i->request) != 0) {
		refuse(c, 422, "invalid", "taken",
		       "this Idempotency-Key was sent with another request: another path, query or body needs a key of its "
		       "own");
	} else {
		tell_again(c, r);
	}
}

void idempotency_run(struct call *c, void (*proceed)(struct call *c))
{
	struct idempotency *i = c->idempotency;

	if (!idempotency_is_on(c)) {
		proceed(c);
		return;
	}
	i->proceed = proceed;
	i->request = digest_of(c);
	i->params[0] = c->key.id;
	i->params[1] = i->key;
	if (!i->request) {
		call_out_of_memory(c);
		return;
	}
	call_statement(c, 0, "idempotency_look", db_query("idempotency_look"), i->params, 2);
	call_query(c, DB_READ, 1, false, looked);
}

int idempotency_before(struct call *c, int n)
{
	if (!idempotency_is_on(c))
		return 0;
	call_statement(c, n, "idempotency_begin", db_query("idempotency_begin"), c->idempotency->params, 2);
	return 1;
}

static void keep_statement(struct call *c, int n, const char *status, const char *id, const char *body)
{
	struct idempotency *i = c->idempotency;

	i->params[2] = i->request;
	i->params[3] = status;
	i->params[4] = id ? c->resource->name : NULL;
	i->params[5] = id;
	i->params[6] = id ? "1" : NULL; /* what POST creates is new */
	i->params[7] = body;
	call_statement(c, n, "idempotency_keep", db_query("idempotency_keep"), i->params, 8);
}

int idempotency_behind(struct call *c, int n, const char *id)
{
	if (!idempotency_is_on(c))
		return 0;
	keep_statement(c, n, "201", id, NULL);
	return 1;
}

bool idempotency_refused(struct call *c)
{
	if (!idempotency_is_on(c) || c->job.status != ERR_SQL)
		return false;
	if (strcmp(c->job.error.sqlstate, "LD423") == 0)
		still_runs(c);
	else if (strcmp(c->job.error.sqlstate, "LD208") == 0) /* it ended since we looked */
		idempotency_run(c, c->idempotency->proceed);
	else
		return false;
	return true;
}

/* Kept, or not: another request was faster, or the database went. The answer is right either way. */
static void kept(struct call *c)
{
	call_header(c, "Cache-Control", "no-store");
	call_answer(c, c->idempotency->status, "application/problem+json");
}

bool idempotency_keeps(struct call *c, int status)
{
	struct idempotency *i = c->idempotency;
	const char **begin = NULL;
	const char *body;

	if (!idempotency_is_on(c) || !i->request || i->settled || status >= 500 || status < 400 || status == 401 ||
	    status == 403)
		return false;
	i->settled = true;
	i->status = status;
	begin = arena_alloc(c->arena, 4 * sizeof(*begin));
	body = c->out.failed ? NULL : arena_strndup(c->arena, c->out.data, c->out.len);
	if (!begin || !body)
		return false;
	begin[0] = c->key.name;
	begin[1] = c->request->request_id;
	begin[2] = c->key.id;
	begin[3] = "write";
	call_statement(c, 0, "write_begin", "select write_begin($1::text, $2::text, $3::text, $4::text)", begin, 4);
	call_statement(c, 1, "idempotency_begin", db_query("idempotency_begin"), i->params, 2);
	keep_statement(c, 2, call_format(c, "%d", status), NULL, body);
	loop_timer_cancel(c->api->loop, &c->deadline); /* the lane's timeout bounds this */
	call_query(c, DB_WRITE, 3, true, kept);
	return true;
}

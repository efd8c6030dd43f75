/* Answers and database steps of a call. */
#include "internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"
#include "lodebase/core/log.h"
#include "follow.h"
#include "idempotency.h"
#include "stream.h"

const char *call_format(struct call *c, const char *format, ...)
{
	va_list args;
	const char *s;

	va_start(args, format);
	s = arena_vprintf(c->arena, format, args);
	va_end(args);
	return s ? s : "";
}

void call_header(struct call *c, const char *name, const char *value)
{
	if (!value || !*value) /* there was no memory for it */
		return;
	if (c->stream != CALL_NO_STREAM)
		return; /* they have left */
	assert(c->n_headers < CALL_HEADERS_MAX);
	c->headers[c->n_headers++] = (struct http_header_line){ name, value };
}

static bool origin_allowed(const struct call *c, const char *origin, bool *ret_any)
{
	*ret_any = false;
	for (const char *const *o = c->api->shared->cors_origins; o && *o; o++) {
		if (strcmp(*o, "*") == 0)
			*ret_any = true;
		if (strcmp(*o, "*") == 0 || strcmp(*o, origin) == 0)
			return true;
	}
	return false;
}

static void cors_headers(struct call *c)
{
	const char *origin = http_header(c->request, "Origin");
	bool any;

	if (!origin || !origin_allowed(c, origin, &any))
		return;
	call_header(c, "Access-Control-Allow-Origin", any ? "*" : origin);
	call_header(c, "Access-Control-Expose-Headers",
		    "ETag, Link, Location, Retry-After, Server-Timing, X-Request-Id, Allow, Accept-Patch, WWW-Authenticate, "
		    "Known-At, Revision, Idempotency-Replayed");
	if (c->request->method == HTTP_OPTIONS && http_header(c->request, "Access-Control-Request-Method")) {
		call_header(c, "Access-Control-Allow-Methods",
			    c->route ? route_allow_header(c->arena, c->route) : "GET, HEAD, OPTIONS");
		call_header(
			c, "Access-Control-Allow-Headers",
			"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-Id, "
			"traceparent");
		call_header(c, "Access-Control-Max-Age", "600");
	}
}

/* Milliseconds with three decimals. Every answer has two of them, and a format costs more than all else in a header. */
static char *put_ms(char *to, uint64_t us)
{
	char digits[24];
	size_t n = sizeof(digits);

	for (int i = 0; i < 4 || us > 0; i++) {
		if (i == 3)
			digits[--n] = '.';
		digits[--n] = (char)('0' + us % 10);
		us /= 10;
	}
	memcpy(to, digits + n, sizeof(digits) - n);
	return to + (sizeof(digits) - n);
}

static const char *server_timing(struct call *c, uint64_t total_us)
{
	char *text = arena_alloc(c->arena, 80), *at = text;

	if (!text)
		return "";
	memcpy(at, "db;dur=", 7);
	at = put_ms(at + 7, c->db_us);
	memcpy(at, ", total;dur=", 12);
	*put_ms(at + 12, total_us) = '\0';
	return text;
}

/* What every answer carries (contract section 1). */
static void common_headers(struct call *c, const char *content_type)
{
	uint64_t total = clock_monotonic_us() - c->request->started_us;

	if (content_type)
		call_header(c, "Content-Type", content_type);
	call_header(c, "X-Request-Id", c->request->request_id);
	call_header(c, "Server-Timing", server_timing(c, total));
	call_header(c, "Vary", "Accept, Authorization, Origin");
	cors_headers(c);
}

static void send(struct call *c)
{
	struct http_response response = {
		.status = c->status,
		.headers = c->headers,
		.n_headers = c->n_headers,
		.body = c->out.data,
		.body_len = c->out.len,
		.close = c->close,
	};

	http_respond(c->request, &response);
}

void call_stream_answer(struct call *c, const char *content_type, void (*room)(struct http_request *r))
{
	struct http_response response = { .status = 200, .headers = c->headers, .room = room };

	assert(!c->answered);
	c->answered = true;
	c->status = 200;
	loop_timer_cancel(c->api->loop, &c->deadline);
	common_headers(c, content_type);
	response.n_headers = c->n_headers;
	http_respond(c->request, &response);
}

void call_answer(struct call *c, int status, const char *content_type)
{
	if (c->stream != CALL_NO_STREAM) { /* the headers have left: only an answer that breaks off tells of a failure */
		stream_end(c, false);
		return;
	}
	assert(!c->answered);
	/* Where the arena is full a value may be missing anywhere in what was judged, written or is about to be said. */
	if (arena_failed(c->arena) && status < 500) {
		buf_reset(&c->out);
		c->n_headers = 0;
		call_out_of_memory(c);
		return;
	}
	if (c->out.failed && status < 500) {
		buf_reset(&c->out);
		c->n_headers = 0;
		call_unavailable(c, "the answer is larger than the service sends at once: ask for fewer records by limit, or "
				    "fewer members by fields");
		return;
	}
	c->answered = true;
	c->status = status;
	loop_timer_cancel(c->api->loop, &c->deadline);
	if (!content_type)
		buf_reset(&c->out);
	common_headers(c, content_type);
	if (c->gated && !c->checked)
		http_gate_open(c->request, false); /* sent when the body has gone by */
	else
		send(c);
}

void call_send_held(struct call *c)
{
	send(c);
}

void call_fail_with(struct call *c, const struct problem *p)
{
	buf_reset(&c->out);
	problem_write(&c->out, p, c->request->raw_path, c->request->request_id);
	if (idempotency_keeps(c, p->status))
		return;
	if (p->status >= 400)
		call_header(c, "Cache-Control", "no-store");
	call_answer(c, p->status, "application/problem+json");
}

void call_fail(struct call *c, int status, const char *type, const char *detail)
{
	struct problem p = { .status = status, .type = type, .detail = detail, .faults = &c->faults };

	call_fail_with(c, &p);
}

void call_unavailable(struct call *c, const char *detail)
{
	unsigned ms = db_pool_retry_after_ms(c->api->pool);
	const char *seconds = call_format(c, "%u", (ms + 999) / 1000);

	call_header(c, "Retry-After", *seconds ? seconds : "1");
	call_fail(c, 503, "unavailable", detail);
}

void call_out_of_memory(struct call *c)
{
	call_unavailable(c, c->written
				    ? "there is no memory for the answer: whether the change took place is not known, read the "
				      "record before trying again"
				    : "there is no memory for this request; nothing was changed");
}

void call_next_link(struct call *c, const char *cursor)
{
	const char *query = c->request->raw_query ? c->request->raw_query : "";
	struct buf b;
	const char *text;

	buf_init(&b, 1u << 20);
	buf_printf(&b, "<%s?", c->request->raw_path);
	while (*query) {
		size_t n = strcspn(query, "&");

		if (n > 0 && strncmp(query, "cursor=", 7) != 0) {
			for (size_t i = 0; i < n; i++) /* what would end the link or the header is escaped */
				if (query[i] == '>' || query[i] == '<' || query[i] == '"' || (unsigned char)query[i] >= 0x7f)
					buf_printf(&b, "%%%02X", (unsigned char)query[i]);
				else
					buf_putc(&b, query[i]);
			buf_putc(&b, '&');
		}
		query += n + (query[n] == '&');
	}
	buf_printf(&b, "cursor=%s>; rel=\"next\"", cursor);
	text = b.failed ? NULL : arena_strndup(c->arena, b.data, b.len);
	buf_done(&b);
	if (text)
		call_header(c, "Link", text);
}

void call_committed(struct call *c)
{
	if (!c->dry_run && c->api->shared->writes)
		atomic_fetch_add_explicit(c->api->shared->writes, 1, memory_order_release);
	if (!c->dry_run)
		follow_wrote(c->api);
}

bool call_failed_early(struct call *c)
{
	if (c->faults.n == 0)
		return false;
	call_fail(c, 400, "malformed",
		  c->faults.n == 1 ? c->faults.items[0].detail
				   : "several parameters or headers are wrong; errors lists them all");
	return true;
}

void call_invalid(struct call *c)
{
	call_fail(c, 422, "invalid",
		  c->faults.n == 1 ? c->faults.items[0].detail : "several members are wrong; errors lists them all");
}

bool call_language_is_gone(const struct db_error *error)
{
	/* a library that is not there, or does not load or fit; the rest of the message is in the server's language */
	return (strcmp(error->sqlstate, "58P01") == 0 || strcmp(error->sqlstate, "XX000") == 0) &&
	       strstr(error->message, "plpgsql");
}

void call_database_failed(struct call *c)
{
	const struct db_job *job = &c->job;

	if (job->status == ERR_SQL && (strcmp(job->error.sqlstate, "42P01") == 0 || strcmp(job->error.sqlstate, "3F000") == 0 ||
				       strcmp(job->error.sqlstate, "42883") == 0)) {
		call_unavailable(c, "the base is not prepared yet, or no longer: run lodebase migrate");
		return;
	}
	switch (job->status) {
	case ERR_UNAVAILABLE:
		call_unavailable(c, c->writing && job->sent
					    ? "the database went away while the change was under way: whether it took place is "
					      "not known, read the record before trying again"
					    : "the database is away or cannot take this now; nothing was changed");
		return;
	case ERR_FULL:
		call_unavailable(c, "too many requests are waiting; nothing was changed");
		return;
	case ERR_TIMEOUT:
		call_fail(c, 504, "timeout",
			  c->writing ? "the database took too long; the change was given up" : "the database took too long");
		return;
	case ERR_SQL:
		if (strcmp(job->error.sqlstate, "LD401") == 0) {
			call_header(c, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
			call_fail(c, 401, "unauthenticated", "this API key was revoked");
			return;
		}
		if (strcmp(job->error.sqlstate, "LD403") == 0) {
			call_fail(c, 403, "forbidden", "the scope of this API key does not allow it");
			return;
		}
		if (call_language_is_gone(&job->error)) {
			call_unavailable(c, CALL_LANGUAGE_IS_GONE);
			return;
		}
		break;
	default:
		break;
	}
	log_event(LOG_LEVEL_ERROR, "internal", "request %s: %s: %s %s", c->request->request_id, err_name(job->status),
		  job->error.sqlstate, job->error.message);
	call_fail(c, 500, "internal", NULL);
}

static void job_done(struct db_job *job)
{
	struct call *c = job->data;

	c->job_active = false;
	if (job->finished_us > job->submitted_us)
		c->db_us += job->finished_us - job->submitted_us;
	if (job->status == OK || (job->status == ERR_SQL && c->sees_errors))
		c->next(c);
	else
		call_database_failed(c);
}

void call_statement(struct call *c, int i, const char *name, const char *sql, const char *const *params, int n_params)
{
	assert(i < CALL_STATEMENTS_MAX);
	/* where memory for the name was out, it goes unprepared rather than under another statement's name */
	c->statements[i] = (struct db_statement){
		.name = name && *name ? name : NULL, .sql = sql, .params = params, .n_params = n_params
	};
}

void call_query(struct call *c, enum db_lane lane, int n, bool sees_errors, void (*next)(struct call *c))
{
	enum err e;

	if (arena_failed(c->arena)) { /* a value among those to be sent may be missing */
		call_out_of_memory(c);
		return;
	}
	c->written |= c->writing;
	/* member by member: where `done` of one job starts the next, the pool still holds the job by its internal part */
	c->job.lane = lane;
	c->job.statements = c->statements;
	c->job.n_statements = n;
	c->job.done = job_done;
	c->job.data = c;
	c->next = next;
	c->sees_errors = sees_errors;
	c->job_active = true;
	e = db_pool_submit(c->api->pool, &c->job);
	if (e != OK) {
		c->job_active = false;
		c->job.status = e;
		c->job.sent = false;
		call_database_failed(c);
	}
}

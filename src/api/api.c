/* The life of a call: made when a request's headers are in, gone when the request is over. */
#include "lodebase/api/api.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"
#include "lodebase/base/clock.h"
#include "lodebase/core/log.h"
#include "compute.h"
#include "feed_hub.h"
#include "follow.h"
#include "stream.h"
#include "versions.h"

#define RECORD_BODY_MAX (1u << 20)
#define ANSWER_MAX (64u << 20)
#define CACHE_MAX 4096

static bool name_reads(struct resource_state *s, const struct resource *r)
{
	static const char *const what[] = { "by_id", "by_slug", "by_ids", "by_slugs" };

	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		int n = snprintf(s->names[i], sizeof(s->names[i]), "%s_%s", r->table, what[i]);

		if (n < 0 || (size_t)n >= sizeof(s->names[i]))
			return false;
	}
	s->by_ids = (struct db_batch){ .name = s->names[2], .sql = s->sql.get_by_ids, .key_column = RESOURCE_ID };
	s->by_slugs = (struct db_batch){ .name = s->names[3], .sql = s->sql.get_by_slugs, .key_column = RESOURCE_SLUG };
	return true;
}

enum err api_new(const struct api_shared *shared, struct loop *loop, struct db_pool *pool, unsigned worker, struct api **ret)
{
	struct api *api = calloc(1, sizeof(*api));
	bool ok;

	*ret = NULL;
	if (!api)
		return ERR_NOMEM;
	*api = (struct api){ .shared = shared, .loop = loop, .pool = pool, .worker = worker };
	while (resources[api->n_resources])
		api->n_resources++;
	api->resources = calloc(api->n_resources, sizeof(*api->resources));
	api->keys = hmap_new(CACHE_MAX);
	api->unknown = hmap_new(CACHE_MAX);
	ok = api->resources && api->keys && api->unknown && feed_hub_new(api, &api->hub) == OK &&
	     follow_new(api, &api->follow) == OK && (api->search = compose_search(NULL)) != NULL;
	for (size_t i = 0; ok && i < api->n_resources; i++) {
		struct resource_state *s = &api->resources[i];

		ok = compose_statements(resources[i], &s->sql) && name_reads(s, resources[i]);
		s->find_by_id = compose_find(resources[i], false);
		s->find_by_slug = compose_find(resources[i], true);
		s->lock_many = compose_lock_many(resources[i]);
		ok = ok && s->find_by_id && s->find_by_slug && s->lock_many;
	}
	if (!ok) {
		api_free(api);
		return ERR_NOMEM;
	}
	*ret = api;
	return OK;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	assert(!api->imports && !api->computing);
	feed_hub_free(api->hub);
	follow_free(api->follow);
	free(api->search);
	for (size_t i = 0; api->resources && i < api->n_resources; i++) {
		compose_statements_done(&api->resources[i].sql);
		free(api->resources[i].find_by_id);
		free(api->resources[i].find_by_slug);
		free(api->resources[i].lock_many);
	}
	free(api->resources);
	auth_forget(api);
	free(api);
}

static void deadline_passed(struct loop_timer *t)
{
	struct call *c = t->data;

	loop_timer_cancel(c->api->loop, &c->pause);
	follow_leave(c);
	db_pool_cancel(c->api->pool, &c->job);
	c->job_active = false;
	if (c->compute)
		atomic_store(&c->compute->cancelled, true);
	call_fail(c, 504, "timeout",
		  c->writing ? "the time for this change ran out; whether it took place is not known, read the record before "
			       "trying again"
			     : "the time for this request ran out");
}

static struct call *call_new(struct api *api, struct http_request *r)
{
	struct call *c = arena_alloc(r->arena, sizeof(*c));

	if (!c)
		return NULL;
	c->api = api;
	c->request = r;
	c->arena = r->arena;
	c->deadline.fire = deadline_passed;
	c->deadline.data = c;
	c->route_id = (unsigned)route_count();
	buf_init(&c->out, ANSWER_MAX);
	buf_init(&c->carry, ANSWER_MAX);
	faults_init(&c->faults, r->arena);
	r->user = c;
	return c;
}

static void out_of_memory(struct http_request *r)
{
	static const char body[] =
		"{\"type\":\"/problems/unavailable\",\"title\":\"Unavailable for the moment\",\"status\":503,"
		"\"detail\":\"out of memory\",\"instance\":\"\",\"request_id\":\"\",\"errors\":[]}\n";
	static const struct http_header_line headers[] = { { "Content-Type", "application/problem+json" },
							   { "Retry-After", "1" } };
	struct http_response response = {
		.status = 503, .headers = headers, .n_headers = 2, .body = body, .body_len = sizeof(body) - 1, .close = true
	};

	http_respond(r, &response);
}

static void head(void *data, struct http_request *r, struct http_body_plan *plan)
{
	struct call *c = call_new(data, r);

	if (!c) {
		out_of_memory(r);
		return;
	}
	c->route = route_find(c);
	if (c->route)
		route_allows(c->route, r->method, &c->operation);
	if (!c->operation)
		return;
	plan->digest = r->method == HTTP_POST && http_header_count(r, "Idempotency-Key") > 0;
	switch (c->operation->body) {
	case BODY_RECORD:
	case BODY_PATCH:
		plan->max = RECORD_BODY_MAX;
		plan->gate = true;
		break;
	case BODY_IMPORT:
		plan->max = UINT64_MAX;
		plan->spool = true;
		plan->gate = true;
		break;
	case BODY_NONE:
		break;
	}
}

static bool start_deadline(struct call *c)
{
	bool slow = c->operation && c->operation->run == list_run;
	unsigned ms = slow ? c->api->shared->slow_timeout_ms : c->api->shared->request_timeout_ms;

	if (loop_timer_set(c->api->loop, &c->deadline, clock_monotonic_ms() + ms) == OK)
		return true;
	call_unavailable(c, "out of memory");
	return false;
}

/* A write is checked before the first byte of its body is taken: nobody fills memory or disk without a key. */
static void gate(void *data, struct http_request *r)
{
	struct call *c = r->user;

	(void)data;
	c->gated = true;
	if (start_deadline(c))
		check_call(c);
}

static void serve(void *data, struct http_request *r)
{
	struct call *c = r->user;

	(void)data;
	if (c->gated) {
		c->checked = true;
		if (c->answered)
			call_send_held(c);
		else if (c->operation->body == BODY_IMPORT || start_deadline(c)) /* an import has one of its own */
			c->operation->run(c);
		return;
	}
	c->checked = true;
	if (start_deadline(c))
		check_call(c);
}

/* Lets go of all that a call holds outside its arena; fine to repeat. */
static void release(struct call *c)
{
	loop_timer_cancel(c->api->loop, &c->deadline);
	loop_timer_cancel(c->api->loop, &c->pause);
	if (c->job_active)
		db_pool_cancel(c->api->pool, &c->job);
	c->job_active = false;
	import_call_done(c);
	compute_done(c);
	db_result_free(c->kept);
	c->kept = NULL;
	feed_hub_leave(c);
	follow_done(c);
	versions_done(c);
	stream_done(c);
	buf_done(&c->carry);
	if (c->has_document)
		json_document_done(&c->document);
	c->has_document = false;
	buf_done(&c->out);
}

/* The guard refuses a request, or the server gives one up that waits: its call, if it had one, is over here. */
static void refuse(void *data, struct http_request *r, const struct http_refusal *why)
{
	const char *type = why->status == 413 ? "too-large" : why->status == 408 ? "timeout" : "malformed";
	struct call *c;

	if (r->user)
		release(r->user);
	c = call_new(data, r);
	if (!c) {
		out_of_memory(r);
		return;
	}
	c->close = true;
	if (why->status == 503)
		call_unavailable(c, why->detail);
	else
		call_fail(c, why->status, type, why->detail);
}

static void write_log(const struct call *c, int status, uint64_t bytes, enum http_end end)
{
	char actor[sizeof("lode_") + API_KEY_ID_LENGTH] = "lode_", trace[33];
	const char *trace_parent = http_header(c->request, "traceparent");
	bool traced = trace_parent && strlen(trace_parent) >= 55 && trace_parent[2] == '-' && trace_parent[35] == '-' &&
		      strspn(trace_parent + 3, "0123456789abcdef") == 32 && strncmp(trace_parent, "ff", 2) != 0 &&
		      strspn(trace_parent + 3, "0") < 32;
	uint64_t total = clock_monotonic_us() - c->request->started_us;
	struct log_request line = {
		.request_id = c->request->request_id,
		.peer = c->request->peer,
		/* a method of one's own invention may be of any length and bytes */
		.method = c->request->method == HTTP_OTHER ? "other" : c->request->method_name,
		.route = c->route ? c->route->pattern : "other",
		.status = status,
		.bytes = bytes,
		.total_us = total,
		.db_us = c->db_us,
		.aborted = end == HTTP_ABORTED,
	};

	if (traced) {
		memcpy(trace, trace_parent + 3, 32);
		trace[32] = '\0';
		line.trace_id = trace;
	}
	if (c->has_key) {
		memcpy(actor + 5, c->key.id, sizeof(c->key.id));
		line.actor = actor;
	}
	log_request(&line);
	metrics_request(c->api->shared->metrics, c->api->worker, c->route_id, status, total);
}

static void done(void *data, struct http_request *r, int status, uint64_t body_bytes, enum http_end end)
{
	struct call *c = r->user;

	(void)data;
	if (!c)
		return;
	write_log(c, status, body_bytes, end);
	release(c);
}

void api_woken(struct api *api)
{
	import_woken(api);
	compute_woken(api);
	follow_woken(api);
}

const struct http_handlers *api_handlers(void)
{
	static const struct http_handlers handlers = {
		.head = head, .gate = gate, .serve = serve, .refuse = refuse, .done = done
	};

	return &handlers;
}

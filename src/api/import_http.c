/* POST /v1/import: checked before its body is let in, spooled to disk, then run by the import lane's thread. */
#include "idempotency.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "lodebase/base/clock.h"

/* What the lane needs; it outlives the call where that ends first. */
struct import_task {
	struct import_job job;
	struct api *api;
	struct call *call; /* NULL: nobody waits for it any more */
	char *actor, *request_id, *idempotency_key, *idempotency_request;
	char key_id[API_KEY_ID_LENGTH + 1];
	struct import_task *next;
};

static void task_free(struct import_task *t)
{
	if (t->job.source.fd >= 0)
		close(t->job.source.fd);
	free(t->actor);
	free(t->request_id);
	free(t->idempotency_key);
	free(t->idempotency_request);
	import_answer_done(&t->job.answer);
	free(t);
}

void import_check(struct call *c)
{
	check_dry_run(c);
	idempotency_check(c);
}

static struct import_task *task_new(struct call *c)
{
	struct import_task *t = calloc(1, sizeof(*t));
	const char *type = http_header(c->request, "Content-Type");
	bool lost = false;

	if (!t)
		return NULL;
	t->api = c->api;
	t->call = c;
	t->actor = c->has_key ? strdup(c->key.name) : NULL;
	t->request_id = strdup(c->request->request_id);
	if (idempotency_is_on(c)) {
		t->idempotency_key = strdup(c->idempotency->key);
		t->idempotency_request = strdup(c->idempotency->request);
		lost = !t->idempotency_key || !t->idempotency_request;
	}
	memcpy(t->key_id, c->key.id, sizeof(t->key_id));
	t->job.source = (struct import_source){
		.fd = c->request->body_fd >= 0 ? dup(c->request->body_fd) : -1,
		.format = type && strncasecmp(type, "application/x-ndjson", 20) == 0 ? IMPORT_NDJSON : IMPORT_BUNDLE,
	};
	t->job.request = (struct import_request){
		.dry_run = c->dry_run,
		.actor = t->actor,
		.key_id = c->has_key ? t->key_id : NULL,
		.idempotency_key = t->idempotency_key,
		.idempotency_request = t->idempotency_request,
		.request_id = t->request_id,
	};
	t->job.notify = c->api->loop;
	atomic_store(&t->job.progress_ms, clock_monotonic_ms());
	if (lost || !t->request_id || (c->has_key && !t->actor) || t->job.source.fd < 0) {
		task_free(t);
		return NULL;
	}
	return t;
}

/* Looks once a second whether the import still moves; its deadline runs from its last progress. */
static void watch_progress(struct loop_timer *timer)
{
	struct call *c = timer->data;
	uint64_t now = clock_monotonic_ms(), last = atomic_load(&c->import->job.progress_ms);

	/* the lane may have stamped it since `now` was taken */
	if (now < last + c->api->shared->import_timeout_ms && loop_timer_set(c->api->loop, timer, now + 1000) == OK)
		return;
	import_call_done(c);
	call_fail(c, 504, "timeout", "the import made no progress for too long and was given up; nothing of it was kept");
}

static void submit(struct call *c)
{
	struct import_task *t;
	enum err e;

	t = task_new(c);
	if (!t) {
		call_out_of_memory(c);
		return;
	}
	e = import_lane_submit(c->api->shared->imports, &t->job);
	if (e != OK) {
		task_free(t);
		call_unavailable(c, "too many imports are waiting; nothing was changed");
		return;
	}
	c->import = t;
	c->written = true;
	t->next = c->api->imports;
	c->api->imports = t;
	c->deadline.fire = watch_progress;
	if (loop_timer_set(c->api->loop, &c->deadline, clock_monotonic_ms() + 1000) != OK) {
		import_call_done(c);
		call_out_of_memory(c);
	}
}

void import_http_run(struct call *c)
{
	if (!c->api->shared->imports) {
		call_unavailable(c, "imports are switched off");
		return;
	}
	if (!check_body(c))
		return;
	if (c->request->body_failed) {
		call_unavailable(c, "there is no room to keep the import while it is checked; nothing was changed");
		return;
	}
	if (c->request->body_fd < 0) {
		faults_add(&c->faults, FAULT_POINTER, "", "format", "there is no body");
		call_fail(c, 400, "malformed", "an import needs a body, and there is none");
		return;
	}
	idempotency_run(c, submit);
}

void import_call_done(struct call *c)
{
	if (!c->import)
		return;
	c->import->call = NULL;
	import_lane_cancel(c->api->shared->imports, &c->import->job);
	c->import = NULL;
}

static void answer(struct call *c, struct import_answer *a)
{
	if (a->status == 200) {
		buf_put(&c->out, a->body.data, a->body.len);
		buf_putc(&c->out, '\n');
		call_header(c, "Cache-Control", "no-store");
		call_answer(c, 200, "application/json");
	} else {
		struct problem p = {
			.status = a->status,
			.type = a->problem,
			.detail = a->detail,
			.errors_json = a->errors.len ? a->errors.data : "[]",
			.errors_json_len = a->errors.len ? a->errors.len : 2,
			.extra = a->extra.data,
			.extra_len = a->extra.len,
			.truncated = a->truncated,
		};

		if (a->passing && c->idempotency)
			c->idempotency->settled = true;
		if (a->status == 503)
			call_header(c, "Retry-After", "1");
		if (a->status == 401)
			call_header(c, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
		call_fail_with(c, &p);
	}
}

void import_woken(struct api *api)
{
	struct import_task **link = &api->imports;

	while (*link) {
		struct import_task *t = *link;

		if (!atomic_load_explicit(&t->job.done, memory_order_acquire)) {
			link = &t->next;
			continue;
		}
		*link = t->next;
		if (t->call) {
			t->call->import = NULL;
			if (t->job.answer.status == 200)
				call_committed(t->call);
			answer(t->call, &t->job.answer);
		}
		task_free(t);
	}
}

/* A call's computation: run at once, or handed to a compute thread, and answered. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include "compute.h"
#include "lodebase/core/log.h"

#define ARENA_MAX ((size_t)4 << 30) /* a question about the whole of a great register */
#define BODY_MAX ((size_t)512 << 20)
#define EXTRA_MAX ((size_t)64 << 20)

void answer_init(struct answer *a, struct arena *arena)
{
	*a = (struct answer){ .arena = arena, .status = 200 };
	buf_init(&a->body, BODY_MAX);
	buf_init(&a->extra, EXTRA_MAX);
	faults_init(&a->faults, arena);
}

void answer_reset(struct answer *a)
{
	a->status = 200;
	a->content_type = a->problem = a->detail = NULL;
	buf_reset(&a->body);
	buf_reset(&a->extra);
	faults_init(&a->faults, a->arena);
}

void answer_done(struct answer *a)
{
	buf_done(&a->body);
	buf_done(&a->extra);
}

enum err answer_problem(struct answer *a, int status, const char *type, const char *detail, ...)
{
	va_list args;

	a->status = status;
	a->problem = type;
	va_start(args, detail);
	a->detail = detail ? arena_vprintf(a->arena, detail, args) : NULL;
	va_end(args);
	return OK;
}

enum err answer_faults(struct answer *a, int status)
{
	return answer_problem(a, status, status == 400 ? "malformed" : "invalid", "%s",
			      a->faults.n == 1 ? a->faults.items[0].detail : "several things are wrong; errors lists them all");
}

static void job_free(struct compute_job *job)
{
	if (job->release)
		job->release(job->held);
	answer_done(&job->answer);
	arena_free(job->arena);
	free(job);
}

struct compute_job *compute_job(struct call *c)
{
	struct compute_job *job;

	if (c->compute)
		return c->compute;
	job = calloc(1, sizeof(*job));
	if (job)
		job->arena = arena_new(ARENA_MAX);
	if (!job || !job->arena) {
		free(job);
		call_out_of_memory(c);
		return NULL;
	}
	answer_init(&job->answer, job->arena);
	job->call = c;
	job->notify = c->api->loop;
	c->compute = job;
	return job;
}

static void answer_call(struct call *c, struct compute_job *job)
{
	struct answer *a = &job->answer;
	struct problem p = {
		.status = a->status,
		.type = a->problem,
		.detail = a->detail,
		.faults = &a->faults,
	};

	if (job->result == ERR_UNAVAILABLE) {
		call_unavailable(c, "the service is shutting down");
	} else if (job->result == ERR_NOMEM || arena_failed(job->arena) || a->body.failed || a->extra.failed) {
		call_unavailable(c, "there is no memory for this answer: ask for less");
	} else if (job->result != OK) {
		log_event(LOG_LEVEL_ERROR, "internal", "request %s: a computation failed: %s", c->request->request_id,
			  err_name(job->result));
		call_fail(c, 500, "internal", NULL);
	} else if (a->status == 200) {
		struct buf body = a->body;

		a->body = c->out; /* exchanged: the job frees what the call had */
		c->out = body;
		call_header(c, "Cache-Control", "no-cache");
		call_answer(c, 200, a->content_type ? a->content_type : "application/json");
	} else {
		p.extra = a->extra.len ? a->extra.data : NULL;
		p.extra_len = a->extra.len;
		if (a->status == 503)
			call_header(c, "Retry-After", "1");
		call_fail_with(c, &p);
	}
}

static void hand_over(struct call *c, struct compute_job *job)
{
	answer_reset(&job->answer);
	job->inline_only = false;
	job->steps = COMPUTE_STEPS_MOST;
	if (!c->api->shared->compute || compute_pool_submit(c->api->shared->compute, job) != OK) {
		call_unavailable(c, "too many computations are waiting");
		return;
	}
	job->next_of_worker = c->api->computing;
	c->api->computing = job;
	job->submitted = true;
}

void compute_start(struct call *c)
{
	struct compute_job *job = c->compute;

	job->inline_only = true;
	job->steps = COMPUTE_STEPS_INLINE;
	job->result = job->run(job, &job->answer);
	if (job->result == ERR_FULL)
		hand_over(c, job);
	else
		answer_call(c, job);
}

void compute_done(struct call *c)
{
	struct compute_job *job = c->compute;

	if (!job)
		return;
	c->compute = NULL;
	job->call = NULL;
	atomic_store(&job->cancelled, true);
	if (!job->submitted)
		job_free(job);
}

void compute_woken(struct api *api)
{
	struct compute_job **link = &api->computing;

	while (*link) {
		struct compute_job *job = *link;

		if (!atomic_load_explicit(&job->done, memory_order_acquire)) {
			link = &job->next_of_worker;
			continue;
		}
		*link = job->next_of_worker;
		job->submitted = false;
		if (job->call && !job->call->answered) /* it may have had its 504 */
			answer_call(job->call, job);
		else if (!job->call)
			job_free(job); /* else the call frees it at its end */
	}
}

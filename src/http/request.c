/* A request's begin, its serving and its end; head.c has what lies between. */
#include "internal.h"

#include <string.h>
#include "lodebase/base/clock.h"

struct request *request_new(struct http_conn *c, const char *target)
{
	struct arena *arena = arena_new(c->server->config.arena_bytes);
	struct request *r = arena ? arena_alloc(arena, sizeof *r) : NULL;

	if (!r) {
		arena_free(arena);
		return NULL;
	}
	r->server = c->server;
	r->conn = c;
	r->public.arena = arena;
	r->public.body_fd = -1;
	r->public.peer = c->peer;
	r->public.peer_is_loopback = c->loopback;
	r->public.method_name = r->public.path = r->public.raw_path = r->public.request_id = "";
	r->target_at = target;
	r->target_len = target ? strlen(target) : 0;
	r->target = arena_strndup(arena, target ? target : "", r->target_len);
	if (!r->target) {
		arena_free(arena);
		return NULL;
	}
	c->request = r;
	c->server->n_requests++;
	return r;
}

void request_refuse(struct request *r, int status, const char *detail)
{
	const struct http_refusal why = { .status = status, .detail = detail };

	r->seen = true;
	r->conn->linger = true;
	r->server->handlers->refuse(r->server->data, &r->public, &why);
	r->refused = true;
}

struct request *request_of_fragment(struct http_conn *c)
{
	struct request *r = c->request ? c->request : request_new(c, NULL);
	struct guard_target target;

	if (!r)
		return NULL;
	r->public.started_us = clock_monotonic_us();
	r->public.method = HTTP_OTHER;
	r->public.method_name = "-";
	r->public.path = r->public.raw_path = "/";
	if (guard_target(r->public.arena, "", r->target, r->target_len, &target) && !target.fault) {
		r->public.path = target.path;
		r->public.raw_path = target.raw_path;
	}
	if (!request_name(r)) {
		if (!r->target_at)
			request_free(r, HTTP_ABORTED);
		return NULL;
	}
	return r;
}

enum MHD_Result request_serve(struct request *r)
{
	r->phase = PHASE_SERVE;
	r->server->handlers->serve(r->server->data, &r->public);
	if (r->status)
		return respond_queue(r);
	r->phase = PHASE_WAITING;
	request_suspend(r);
	return MHD_YES;
}

void request_free(struct request *r, enum http_end end)
{
	struct http_server *s = r->server;
	struct http_conn *c = r->conn;

	if (r->sent_past)
		end = HTTP_COMPLETED;
	if (r->seen)
		s->handlers->done(s->data, &r->public, r->status, end == HTTP_COMPLETED ? r->answer_bytes : 0, end);
	body_free(r);
	if (r->answer)
		MHD_destroy_response(r->answer);
	if (r->free_body)
		r->free_body(r->free_body_arg);
	c->request = NULL;
	s->n_requests--;
	arena_free(r->public.arena);
}

#include "stream.h"

#include "lodebase/db/migrate.h"
#include "versions.h"

#define PART_ARENA ((size_t)64 << 20)
#define PLACES 64 /* for whole lists and exports at a time, per worker: each holds a part, and asks for the next */

static void free_part(struct call *c)
{
	if (c->stream_arena && c->arena == c->stream_arena) {
		c->arena = c->request->arena;
		arena_free(c->stream_arena);
		c->stream_arena = NULL;
	}
}

void stream_end(struct call *c, bool whole)
{
	if (c->stream == CALL_STREAM_OVER)
		return;
	c->stream = CALL_STREAM_OVER;
	c->stream_busy = false;
	http_stream_end(c->request, whole);
}

void stream_start_part(struct call *c, void (*step)(struct call *c))
{
	c->stream_arena = arena_new(PART_ARENA);
	if (!c->stream_arena) {
		stream_end(c, false);
		return;
	}
	c->arena = c->stream_arena;
	c->stream_busy = true;
	buf_reset(&c->out);
	step(c);
}

static void room(struct http_request *r)
{
	struct call *c = r->user;

	if (c->stream == CALL_STREAMING && !c->stream_busy)
		c->stream_more(c);
}

bool stream_take_place(struct call *c)
{
	if (c->api->n_whole == PLACES) {
		call_unavailable(c, "too many whole lists and exports are being read at the moment");
		return false;
	}
	c->api->n_whole++;
	c->is_whole = true;
	return true;
}

void stream_begin(struct call *c, const char *content_type, void (*more)(struct call *c))
{
	c->stream_more = more;
	call_stream_answer(c, content_type, room);
	if (c->request->method != HTTP_HEAD)
		c->stream = CALL_STREAMING;
}

void stream_part(struct call *c, bool last)
{
	bool put = !c->out.failed && http_stream_put(c->request, c->out.data, c->out.len);

	versions_done(c);
	buf_done(&c->out);
	c->stream_busy = false;
	free_part(c);
	if (!put)
		stream_end(c, false);
	else if (last)
		stream_end(c, true);
	else if (http_stream_waiting(c->request) == 0)
		room(c->request); /* an empty part wakes nobody */
}

int stream_ask_key(struct call *c, int i)
{
	const char *id = c->key.id, **params;

	if (!c->has_key || c->stream != CALL_STREAMING)
		return 0;
	params = arena_alloc(c->arena, sizeof(*params)); /* where it is full nothing is sent */
	if (params)
		params[0] = compose_array(c->arena, &id, 1);
	call_statement(c, i, "keys_revoked", db_query("keys_revoked"), params, 1);
	return 1;
}

bool stream_key_is_over(struct call *c, int i)
{
	if (!c->job.results[i] || db_result_rows(c->job.results[i]) == 0)
		return false;
	stream_end(c, false);
	return true;
}

bool stream_push(struct call *c, const void *bytes, size_t n)
{
	return c->stream == CALL_STREAMING && http_stream_put(c->request, bytes, n);
}

void stream_done(struct call *c)
{
	c->stream = c->stream == CALL_NO_STREAM ? CALL_NO_STREAM : CALL_STREAM_OVER;
	if (c->is_whole)
		c->api->n_whole--;
	c->is_whole = false;
	free_part(c);
}

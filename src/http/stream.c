/* Answers whose body comes in parts: what is put in leaves as the client takes it; while nothing waits the connection sleeps. */
#include "internal.h"

#include <assert.h>
#include <string.h>

/* Put in but not taken yet lies from `stream_at` on. */
static size_t waiting(const struct request *r)
{
	return r->body.len - r->stream_at;
}

static void take(struct request *r, char *to, size_t n)
{
	memcpy(to, r->body.data + r->stream_at, n);
	r->stream_at += n;
	r->answer_bytes += n;
	if (waiting(r) > 0)
		return;
	r->stream_at = 0;
	if (r->body.capacity > HTTP_STREAM_LOW)
		buf_done(&r->body); /* an idle stream holds little */
	else
		buf_reset(&r->body);
}

static ssize_t read_part(void *data, uint64_t at, char *to, size_t max)
{
	struct request *r = data;
	size_t n;

	(void)at;
	if (waiting(r) < HTTP_STREAM_LOW && r->stream == STREAM_OPEN && !r->server->aborting)
		r->room(&r->public);
	if (r->stream == STREAM_CUT || (r->stream == STREAM_OPEN && r->server->aborting))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = waiting(r) < max ? waiting(r) : max;
	if (n > 0) {
		take(r, to, n);
		return (ssize_t)n;
	}
	if (r->stream == STREAM_ENDED)
		return MHD_CONTENT_READER_END_OF_STREAM;
	request_suspend(r);
	return 0;
}

struct MHD_Response *stream_response(struct request *r, const struct http_response *response)
{
	r->room = response->room;
	r->stream = STREAM_OPEN;
	r->answer_bytes = 0;
	buf_done(&r->body);
	buf_init(&r->body, HTTP_STREAM_MAX);
	r->stream_at = 0;
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_STREAM_BLOCK, read_part, r, NULL);
}

bool http_stream_put(struct http_request *public, const void *bytes, size_t n)
{
	struct request *r = (struct request *)public;

	if (r->stream != STREAM_OPEN)
		return r->stream != STREAM_NONE;
	if (r->stream_at > 0 && (r->stream_at >= HTTP_STREAM_LOW || r->body.capacity - r->body.len < n)) {
		memmove(r->body.data, r->body.data + r->stream_at, waiting(r));
		r->body.len -= r->stream_at;
		r->stream_at = 0;
	}
	if (n > HTTP_STREAM_MAX - r->body.len)
		return false;
	buf_put(&r->body, bytes, n);
	if (r->body.failed)
		return false;
	if (r->phase == PHASE_SENDING)
		request_resume(r);
	return true;
}

size_t http_stream_waiting(const struct http_request *public)
{
	return waiting((const struct request *)public);
}

void http_stream_end(struct http_request *public, bool whole)
{
	struct request *r = (struct request *)public;

	if (r->stream != STREAM_OPEN)
		return;
	r->stream = whole ? STREAM_ENDED : STREAM_CUT;
	if (r->phase == PHASE_SENDING)
		request_resume(r);
}

void stream_abort(struct request *r)
{
	if (r->stream == STREAM_OPEN)
		r->stream = STREAM_CUT;
	request_resume(r);
}

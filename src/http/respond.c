/* Answers: through the daemon, or past it where it cannot be made to send one (during a body, before a head's end). */
#include "compat.h"
#include "internal.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define PAST_DAEMON_BYTES ((size_t)256 * 1024) /* what a socket's empty buffer takes is less */

/* A connection that was resumed is read from before its handler is called, and where the client has shut its sending side
 * the daemon takes that for an abort and drops the answer: unless its timeout is not the common one, for then it is looked
 * at first. (So in 0.9.75 and 1.0.1, but for the connection that was silent longest, which is always looked at first.) */
void request_suspend(struct request *r)
{
	MHD_set_connection_option(r->conn->mhd, MHD_CONNECTION_OPTION_TIMEOUT, r->server->daemon_timeout_s + 1);
	MHD_suspend_connection(r->conn->mhd);
	r->suspended = true;
}

void request_resume(struct request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->conn->mhd);
	r->server->resumed = true;
}

static struct MHD_Response *make(struct request *r, const struct http_response *response)
{
	/* To HEAD the daemon sends a stream's last chunk, which its client takes for the next answer. */
	const bool bodyless = response->status == 304 || (response->room && r->public.method == HTTP_HEAD);
	/* The daemon never writes to it, and request_free() outlives its last read of it. */
	struct MHD_Response *answer =
		response->room && !bodyless
			? stream_response(r, response)
			: MHD_create_response_from_buffer(bodyless ? 0 : response->body_len, (void *)(uintptr_t)response->body,
							  MHD_RESPMEM_PERSISTENT);

	if (!answer)
		return NULL;
	if (bodyless)
		compat_no_length(answer);
	/* The daemon refuses what HTTP does not allow in a header (a line end in a value): such a one is left out. */
	for (size_t i = 0; i < response->n_headers; i++)
		MHD_add_response_header(answer, response->headers[i].name, response->headers[i].value);
	if ((response->close || r->last || r->server->draining) &&
	    MHD_add_response_header(answer, "Connection", "close") != MHD_YES) {
		MHD_destroy_response(answer);
		return NULL;
	}
	return answer;
}

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if (*s == '\r' || *s == '\n')
			return false;
	return true;
}

#define HTTP_DATE_SIZE 32

static const char *http_date(char to[HTTP_DATE_SIZE])
{
	const time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm) || !strftime(to, HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return "";
	return to;
}

/* Nothing was sent for this request and nothing of an earlier one waits, so the socket's buffer is empty and takes the whole
 * or the client gets none. */
static void send_past_daemon(struct request *r, const struct http_response *response)
{
	struct buf out;

	buf_init(&out, PAST_DAEMON_BYTES);
	buf_printf(&out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", response->status,
		   MHD_get_reason_phrase_for((unsigned)response->status), http_date((char[HTTP_DATE_SIZE]){ 0 }));
	for (size_t i = 0; i < response->n_headers; i++)
		if (is_plain(response->headers[i].name) && is_plain(response->headers[i].value))
			buf_printf(&out, "%s: %s\r\n", response->headers[i].name, response->headers[i].value);
	buf_printf(&out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", response->body_len);
	buf_put(&out, response->body, r->public.method == HTTP_HEAD ? 0 : response->body_len);
	if (!out.failed)
		r->sent_past = send(r->conn->fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)out.len;
	buf_done(&out);
	conn_cut(r->conn);
}

enum MHD_Result respond_queue(struct request *r)
{
	if (!r->answer)
		return MHD_NO;
	if (r->phase == PHASE_ANSWERED)
		MHD_set_connection_option(r->conn->mhd, MHD_CONNECTION_OPTION_TIMEOUT, r->server->daemon_timeout_s);
	const enum MHD_Result queued = MHD_queue_response(r->conn->mhd, (unsigned)r->status, r->answer);
	MHD_destroy_response(r->answer);
	r->answer = NULL;
	r->phase = PHASE_SENDING;
	return queued;
}

void http_respond(struct http_request *public, const struct http_response *response)
{
	struct request *r = (struct request *)public;

	if (r->status) {
		assert(r->refused);
		if (response->free_body)
			response->free_body((void *)(uintptr_t)response->body);
		return;
	}
	r->status = response->status;
	r->answer_bytes = r->public.method == HTTP_HEAD || response->status == 304 ? 0 : response->body_len;
	r->free_body = response->free_body;
	r->free_body_arg = (void *)(uintptr_t)response->body;
	if (r->phase == PHASE_BODY) {
		r->phase = PHASE_CUT;
		send_past_daemon(r, response);
		request_resume(r);
		return;
	}
	r->answer = make(r, response);
	if (r->phase == PHASE_WAITING) {
		r->phase = PHASE_ANSWERED;
		request_resume(r);
	}
}

/* One HTTP/1.1 server of one worker: a libmicrohttpd daemon inside the worker's loop, a framing guard in front of the
 * handlers, suspend and resume, body limits, header and idle deadlines, drain. Everything runs on the worker's thread.
 * The process ignores SIGPIPE. Only src/http includes microhttpd.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/arena.h"
#include "lodebase/base/err.h"
#include "lodebase/core/loop.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER };

struct http_field { /* a query parameter or a header, in the order received, duplicates kept */
	const char *name;
	const char *value; /* NUL-terminated; a query parameter's is percent-decoded, "+" is a blank */
	size_t value_len;
};

/* A request as its handlers see it. Everything lives in its arena or in the server until `done` was called. */
struct http_request {
	struct arena *arena;
	enum http_method method;
	const char *method_name; /* as sent */
	const char *path; /* percent-decoded, no NUL, begins with '/'; "*" for `OPTIONS *`, "/" for CONNECT */
	const char *raw_path; /* as sent, without the query: a problem's `instance`; what is not printable is percent-encoded */
	const char *raw_query; /* as sent, behind '?'; NULL where there is none */
	const struct http_field *params;
	size_t n_params;
	const char *param_fault; /* what was malformed in the query (bad escape, %00, not UTF-8), or NULL */
	const char *request_id; /* the request's own X-Request-Id where it is well-formed, else a new one */
	const char *peer; /* the client's address, for the log */
	bool peer_is_loopback;

	/* The body, once complete. Exactly one of them, or neither where there is none. */
	const char *body; /* not NUL-terminated */
	size_t body_len;
	int body_fd; /* >= 0: spooled to an unlinked temporary file, offset 0; closed by the server */
	uint64_t spooled; /* bytes in it */
	bool has_body; /* a body was announced, be it empty */
	bool body_too_large; /* it passed its bound and was thrown away */
	uint8_t body_sha256[32]; /* where plan.digest was set */
	bool body_failed; /* it could not be kept: disk full, or no memory */

	uint64_t started_us; /* clock_monotonic_us() when its headers were complete */
	void *user; /* the handlers' own */
};

/* All values of a header joined by ", " (as RFC 9110 5.3 allows), or NULL. The name in any case. */
const char *http_header(const struct http_request *r, const char *name);
size_t http_header_count(const struct http_request *r, const char *name);

struct http_body_plan {
	uint64_t max; /* bytes kept at most; a longer body is drained, not kept, and marked too large */
	bool spool; /* into a temporary file instead of memory; then it may take as long as it makes progress */
	bool digest; /* wants body_sha256 */
	bool gate; /* ask `gate` before the first byte is read */
};

/* Why the server itself refuses a request: its framing or its target (400, 417, 431, 501), a body far longer than planned
 * (413), a head or a body that did not come in time (408), the end of a drain (503). */
struct http_refusal {
	int status;
	const char *detail; /* one English sentence for the client */
};

enum http_end { HTTP_COMPLETED, HTTP_ABORTED }; /* sent whole; or the client went, a deadline passed, or shutdown */

struct http_handlers {
	/* The headers are in and passed the guard. Say how the body is to be taken; or http_respond() at once, which closes
	 * the connection without reading the body. `plan` comes zeroed: no byte of a body kept. */
	void (*head)(void *data, struct http_request *r, struct http_body_plan *plan);
	/* Asked where plan.gate was set and a body follows: http_gate_open(r, true) lets it in, false drains it unkept
	 * (then `serve` is called with body_too_large false, has_body true, no body). May be answered later. */
	void (*gate)(void *data, struct http_request *r);
	/* The body is complete (or there is none). http_respond() now, or return and do it later from the same thread:
	 * the request is suspended until then. Called once. */
	void (*serve)(void *data, struct http_request *r);
	/* The server refuses: http_respond() at once with status and a body of your own; the connection closes. It may be the
	 * first that is seen of a request (then its params are empty; of one that never came whole, method_name is "-"), or
	 * come at any time before it is answered; what the handlers answer after that is thrown away. */
	void (*refuse)(void *data, struct http_request *r, const struct http_refusal *why);
	/* The request is over; its arena dies after this. Called once for every request that any of the above saw. Nothing of
	 * r may be touched later: cancel timers and database jobs here. status is 0 where nothing was sent. */
	void (*done)(void *data, struct http_request *r, int status, uint64_t body_bytes, enum http_end end);
};

struct http_header_line {
	const char *name, *value;
};

struct http_response {
	int status;
	const struct http_header_line *headers;
	size_t n_headers;
	const char *body; /* must stay until `done` (the arena, static memory, or free_body set) */
	size_t body_len;
	void (*free_body)(void *body); /* called when it was sent or given up; NULL: not the server's to free */
	bool close; /* close the connection after it */
	/* Not NULL: a stream. Its body is put in by http_stream_put(), body and body_len stay empty; the headers leave at once.
	 * Called whenever little waits and the client would take more: put in more, now or later, or end it. */
	void (*room)(struct http_request *r);
};

/* Answers a request, from head, refuse, serve or later. For HEAD the server drops the body and keeps its length. A 304
 * is sent without the body given here. Answering twice is a bug (asserted). While the body is still on its
 * way the answer leaves at once and the connection ends. A header that HTTP does not allow (a line end in it) is left out. */
void http_respond(struct http_request *r, const struct http_response *response);
void http_gate_open(struct http_request *r, bool let_in);

#define HTTP_STREAM_BLOCK ((size_t)16 * 1024) /* what one write to the client has at most */
#define HTTP_STREAM_LOW ((size_t)64 * 1024) /* below it there is room */
#define HTTP_STREAM_MAX ((size_t)8 * 1024 * 1024) /* waits at most */

/* Adds to a stream's body (copied). false: too much waits, or no memory; nothing was added. What comes after its end is
 * thrown away. */
bool http_stream_put(struct http_request *r, const void *bytes, size_t n);
size_t http_stream_waiting(const struct http_request *r); /* bytes put in and not yet taken */
/* Ends it: whole, so that the client sees its end; or cut, so that it sees that more was to come. */
void http_stream_end(struct http_request *r, bool whole);

/* Who sends a body or takes an answer slower than this is given up, `slow_grace_s` after he began to be. */
#define HTTP_SLOWEST_RATE 16384 /* bytes a second */

/* The descriptors that a server may hold beside one for each connection: sockets that are closed softly, spooled bodies
 * (more of them at a time have body_failed), its own few. */
#define HTTP_LINGERING_MAX 128
#define HTTP_SPOOLED_MAX 64
#define HTTP_DESCRIPTORS (HTTP_LINGERING_MAX + HTTP_SPOOLED_MAX + 8)

struct http_config {
	unsigned max_connections; /* per server */
	size_t max_header_bytes; /* request line and headers */
	unsigned header_timeout_s; /* from a request's first byte to the end of its headers (design section 6: 10) */
	unsigned idle_timeout_s; /* keep-alive without a request, or a body without progress */
	unsigned slow_grace_s; /* see HTTP_SLOWEST_RATE; a sixth of it, for heads too, while there is no room for others */
	size_t arena_bytes; /* cap of a request's arena */
	const char *spool_dir; /* where bodies are spooled */
};

struct http_server;

/* A socket bound to address:port with SO_REUSEPORT, listening, non-blocking, close-on-exec. address is a numeric IPv4 or
 * IPv6 address ("127.0.0.1", "::1"); port 0 picks a free one, said in *ret_port. `exclusive` first tries it without
 * SO_REUSEPORT, so that a second service on the same port is noticed (ERR_CONFLICT). ERR_INVALID: no such address;
 * ERR_DENIED: not allowed; ERR_IO: errno tells. */
enum err http_listen(const char *address, uint16_t port, bool exclusive, int *ret_fd, uint16_t *ret_port) MUST_CHECK;

/* Starts serving listen_fd (-1: none yet; owned by the server from here, also on failure). The loop, config strings and handlers must
 * outlive the server. */
enum err http_server_new(struct loop *loop, int listen_fd, const struct http_config *config,
			 const struct http_handlers *handlers, void *data, struct http_server **ret) MUST_CHECK;

/* Serves a connected stream socket besides those that the listening one gives (a socketpair in tests; listen_fd -1 is a server
 * with nothing else). The socket is the server's from here, also on failure. */
enum err http_server_adopt(struct http_server *s, int fd) MUST_CHECK;

/* To be called after every loop_wait() and after anything else that may have answered a request: runs the daemon until
 * nothing that was answered waits for it. */
void http_server_tick(struct http_server *s);
/* How long loop_wait() may sleep as far as HTTP is concerned: ms, 0 (call http_server_tick at once) or -1. */
int http_server_timeout(struct http_server *s);

/* Drain: takes what is in the accept queue, closes the listening socket, answers what comes on open connections with
 * Connection: close, and closes those that were idle for a second. Idempotent. */
void http_server_drain(struct http_server *s);
/* Open ones; while a drain has the listening socket still open, it counts too. */
unsigned http_server_connections(const struct http_server *s);
unsigned http_server_requests(const struct http_server *s); /* being read, served or sent */
/* The drain's end: whatever still waits is answered by 503 and closed. Call until http_server_connections() is 0 or
 * patience ends, then free. */
void http_server_abort_waiting(struct http_server *s);
void http_server_free(struct http_server *s);

/* Inside the HTTP server: connections, requests, and what its files call of each other.
 *
 * The way of a request: uri_log (server.c) makes it when the request line is in; request_head() (head.c) guards it and
 * asks the handlers how to take the body; body.c takes it; request_serve() hands it over; respond.c answers; finish
 * (server.c) ends it. The rules of libmicrohttpd that shape this: a response queued in the handler's first call closes the
 * connection, and so does suspending there; during a body nothing can be queued; a suspended connection is resumed by
 * our own thread and the daemon must run once more after that; the daemon must not be stopped while one is suspended. */
#pragma once

#include <microhttpd.h>
#include <netinet/in.h>
#include "lodebase/base/buf.h"
#include "lodebase/base/digest.h"
#include "lodebase/base/uuid.h"
#include "lodebase/http/server.h"
#include "guard.h"

/* Thrown away of a body beyond its bound, so that its sender reads the answer on a connection that goes on. */
#define HTTP_DRAIN_BYTES ((uint64_t)16 * 1024 * 1024)

struct http_conn {
	struct http_conn *previous, *next; /* of the server, longest without a request first */
	struct http_server *server;
	struct MHD_Connection *mhd;
	int fd;
	char peer[INET6_ADDRSTRLEN];
	bool loopback;
	struct request *request; /* the one being read, served or sent */
	uint64_t idle_since_ms; /* the end of the last answer, or the connection's begin */
	uint64_t begun_ms; /* when the first bytes of a request without a complete head were noticed; 0: none */
	uint64_t consumed; /* bytes of the requests so far; what the socket received beyond them is a request's begin */
	struct loop_watch gone; /* for the end of what the client sends */
	bool peer_done; /* it came */
	struct http_conn *next_gone;
	bool linger; /* input may be left unread: close softly, lest the answer is lost */
	bool asked_off; /* idle and told so: what is in its socket is still served */
	uint64_t cut_ms; /* when it was cut; 0: it was not */
	uint64_t owed_ms,
		owed_from; /* since when, and from which byte on, the client has not taken all of an answer; 0: it has */
};

enum phase {
	PHASE_NEW, /* the request line is in */
	PHASE_HEAD, /* inside the first call of the handler: an answer closes */
	PHASE_BODY, /* being read, or waiting at the gate */
	PHASE_SERVE, /* inside the final call */
	PHASE_WAITING, /* suspended until it is answered */
	PHASE_ANSWERED, /* the answer is made, not queued yet */
	PHASE_SENDING, /* queued */
	PHASE_CUT, /* answered past the daemon or given up: the connection is to end */
};

enum stream { STREAM_NONE, STREAM_OPEN, STREAM_ENDED, STREAM_CUT };

enum gate { GATE_NONE, GATE_ASKED, GATE_OPEN, GATE_SHUT };

struct request {
	struct http_request public; /* first: the handlers' pointer is this one */
	struct http_server *server;
	struct http_conn *conn;
	enum phase phase;
	const char *target; /* as sent */
	size_t target_len;
	const char *target_at; /* where it stood in the daemon's memory */
	struct guard_header *headers; /* copies */
	size_t n_headers;
	bool seen; /* by a handler: `done` is due */
	bool refused; /* the guard, a deadline or the drain answered: what the handlers say later is thrown away */
	bool suspended;
	bool chunked;
	bool framed; /* chunked, and seen to be framed to the letter */
	bool last; /* the connection closes after its answer */
	uint64_t content_length;

	struct http_body_plan plan;
	enum gate gate;
	uint64_t body_seen; /* bytes that came */
	struct buf body;
	struct digest *digest; /* of what came, where it is wanted */
	uint64_t body_since_ms; /* when the client was first free to send it */
	uint64_t progress_ms; /* when the last of them came */

	struct MHD_Response *answer;
	int status; /* 0: nothing answered yet */
	uint64_t answer_bytes;
	void (*free_body)(void *body);
	void *free_body_arg;
	enum stream stream; /* its body comes in parts, which wait in `body` */
	size_t stream_at;
	void (*room)(struct http_request *r);
	bool sent_past; /* written to the socket by ourselves, completely */
};

struct http_lingering {
	struct http_lingering *previous, *next;
	struct http_server *server;
	struct loop_watch watch;
	uint64_t until_ms, bytes;
};

struct http_server {
	struct loop *loop;
	struct http_config config;
	const struct http_handlers *handlers;
	void *data;
	struct MHD_Daemon *daemon;
	unsigned daemon_timeout_s;
	int listen_fd; /* -1 once closed; the daemon's until quiesced */
	struct loop_watch watch; /* the daemon's epoll */
	struct loop_timer sweep;
	uint64_t swept_ms;
	struct uuid_source ids; /* for requests that bring none */
	struct http_conn *first, *last;
	struct http_conn *gone; /* since the daemon last ran */
	unsigned n_connections, n_requests, n_lingering, n_spooled;
	struct http_lingering *lingering;
	bool resumed; /* something was since the daemon last ran */
	bool draining;
	uint64_t draining_since_ms;
	bool aborting; /* the drain's end came: nothing is begun any more */
	bool stopping; /* the daemon is being stopped */
};

/* head.c */
enum MHD_Result request_head(struct request *r, const char *method, const char *version);
bool request_name(struct request *r); /* fills request_id; false: no memory */

/* request.c */
struct request *request_new(struct http_conn *c, const char *target);
enum MHD_Result request_serve(struct request *r);
/* Refuses: has the handlers answer by `status`. */
void request_refuse(struct request *r, int status, const char *detail);
/* For a client that never sent a whole head: enough of a request for the handlers to answer it. */
struct request *request_of_fragment(struct http_conn *c);
void request_free(struct request *r, enum http_end end);

/* query.c: fills params and param_fault from raw_query. false: no memory. */
bool query_parse(struct request *r);

/* body.c */
bool body_begin(struct request *r); /* false: the body is too long to be read at all */
enum MHD_Result body_data(struct request *r, const char *data, size_t *size);
void body_end(struct request *r);
void body_free(struct request *r);

/* respond.c */
enum MHD_Result respond_queue(struct request *r);
/* Suspends and resumes with the book-keeping that the daemon needs. */
void request_suspend(struct request *r);
void request_resume(struct request *r);

/* stream.c */
struct MHD_Response *stream_response(struct request *r, const struct http_response *response);
void stream_abort(struct request *r); /* cuts it where it has not ended, and wakes it */

/* sweep.c */
void sweep_fire(struct loop_timer *t);
void sweep_arm(struct http_server *s);
/* After a chunked body nobody knows how many bytes were the request's: all that came are taken for it. */
void conn_count_all(struct http_conn *c);
/* The bytes that the daemon has read beyond those of the requests so far; 0 where that cannot be told. */
uint64_t conn_read_beyond(const struct http_conn *c);
/* Whoever has nothing in its socket is closed; whoever has is served, and then closed. */
void conn_ask_off(struct http_conn *c);
/* Nothing more is sent on it, and the daemon is made to close it. */
void conn_cut(struct http_conn *c);

/* drain.c */
void drain_step(struct http_server *s, uint64_t now_ms);
void drain_close_listener(struct http_server *s);

/* linger.c */
void linger_begin(struct http_server *s, int fd);
void linger_sweep(struct http_server *s, uint64_t now_ms);
void linger_end_all(struct http_server *s);

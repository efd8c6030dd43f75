#include "lodebase/http/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "compat.h"
#include "internal.h"
#include "lodebase/base/clock.h"

static struct http_conn *conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void link_last(struct http_conn *c)
{
	struct http_server *s = c->server;

	c->next = NULL;
	c->previous = s->last;
	if (s->last)
		s->last->next = c;
	else
		s->first = c;
	s->last = c;
}

static void unlink_conn(struct http_conn *c)
{
	struct http_server *s = c->server;

	if (c->previous)
		c->previous->next = c->next;
	else
		s->first = c->next;
	if (c->next)
		c->next->previous = c->previous;
	else
		s->last = c->previous;
}

static void describe_peer(struct http_conn *c, const struct sockaddr *from)
{
	const void *address = NULL;
	int family = AF_INET;

	if (from && from->sa_family == AF_INET) {
		address = &((const struct sockaddr_in *)from)->sin_addr;
	} else if (from && from->sa_family == AF_INET6) {
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *)from)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(v6)) {
			address = &v6->s6_addr[12];
		} else {
			family = AF_INET6;
			address = v6;
			c->loopback = IN6_IS_ADDR_LOOPBACK(v6);
		}
	}
	if (!address || !inet_ntop(family, address, c->peer, sizeof c->peer))
		memcpy(c->peer, "local", sizeof "local");
	if (address && family == AF_INET)
		c->loopback = *(const unsigned char *)address == 127;
}

/* The daemon overlooks the end of the client's sending where it came together with the last request: it stops reading at a
 * short read, and its edge-triggered epoll tells once. Shutting the reading side makes another edge. */
static void on_gone(struct loop_watch *w, uint32_t events)
{
	struct http_conn *c = w->data;

	(void)events;
	if (c->peer_done)
		return;
	c->peer_done = true;
	c->next_gone = c->server->gone;
	c->server->gone = c;
}

static void forget_gone(struct http_conn *c)
{
	struct http_conn **at = &c->server->gone;

	while (*at && *at != c)
		at = &(*at)->next_gone;
	if (*at)
		*at = c->next_gone;
}

/* Those that the daemon has not closed in its last run, again after each run until it has: an edge may be spent on bytes that
 * came before the end. Who is being served is left alone until then. */
static void ask_off_gone(struct http_server *s)
{
	for (struct http_conn *c = s->gone; c; c = c->next_gone)
		if (!c->request || c->request->phase == PHASE_NEW ||
		    (c->request->phase == PHASE_BODY && !c->request->suspended))
			conn_ask_off(c);
}

static void conn_started(struct http_server *s, struct MHD_Connection *mhd, void **ret)
{
	struct http_conn *c = calloc(1, sizeof *c);

	*ret = c; /* NULL: its first request closes it */
	if (!c)
		return;
	c->server = s;
	c->mhd = mhd;
	c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	c->idle_since_ms = clock_monotonic_ms();
	describe_peer(c, MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	link_last(c);
	s->n_connections++;
	if (s->n_connections >= s->config.max_connections)
		sweep_arm(s);
	c->gone = (struct loop_watch){ .fd = c->fd, .events = EPOLLRDHUP | EPOLLET, .ready = on_gone, .data = c };
	if (loop_watch_add(s->loop, &c->gone) != OK)
		shutdown(c->fd, SHUT_RDWR);
}

static void on_connection(void *data, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = data;
	struct http_conn *c = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		conn_started(s, mhd, context);
		return;
	}
	if (!c)
		return;
	if (c->request)
		request_free(c->request, HTTP_ABORTED);
	if (c->linger && !s->stopping)
		linger_begin(s, c->fd);
	loop_watch_remove(s->loop, &c->gone);
	forget_gone(c);
	unlink_conn(c);
	s->n_connections--;
	free(c);
	*context = NULL;
}

static void *on_uri(void *data, const char *uri, struct MHD_Connection *mhd)
{
	struct http_conn *c = conn_of(mhd);

	(void)data;
	struct request *r = c && !c->cut_ms && !c->request ? request_new(c, uri) : NULL;

	compat_hide_query(uri);
	return r;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *mhd, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_size, void **context)
{
	struct request *r = *context;

	(void)data, (void)mhd, (void)url;
	switch (r ? r->phase : PHASE_CUT) {
	case PHASE_NEW:
		return request_head(r, method, version);
	case PHASE_BODY:
		if (*upload_size)
			return body_data(r, upload, upload_size);
		body_end(r);
		return request_serve(r);
	case PHASE_ANSWERED:
		return respond_queue(r);
	case PHASE_WAITING: /* never before it is answered; but if so, asleep again */
		request_suspend(r);
		return MHD_YES;
	default:
		return MHD_NO;
	}
}

/* Nor shall the kernel keep for minutes what a client does not take. */
static void reset_at_close(const struct http_conn *c)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void on_completed(void *data, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	/* Not *context: where the daemon stumbles over a head it may have been reset. */
	struct http_conn *c = conn_of(mhd);
	struct request *r = c ? c->request : NULL;

	(void)data;
	*context = NULL;
	if (!r)
		return;
	const bool whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK && r->phase == PHASE_SENDING;

	if (r->phase == PHASE_SENDING && !whole)
		reset_at_close(c);
	request_free(r, whole ? HTTP_COMPLETED : HTTP_ABORTED);
	c->idle_since_ms = clock_monotonic_ms();
	c->owed_ms = 0;
	unlink_conn(c);
	link_last(c);
	if (c->asked_off)
		conn_ask_off(c); /* again: the edge may have been spent on this request */
}

/* The daemon's epoll woke the loop: http_server_tick() comes after each wait. */
static void on_ready(struct loop_watch *w, uint32_t events)
{
	(void)w, (void)events;
}

enum err http_server_new(struct loop *loop, int listen_fd, const struct http_config *config,
			 const struct http_handlers *handlers, void *data, struct http_server **ret)
{
	struct http_server *s = calloc(1, sizeof *s);

	if (!s) {
		if (listen_fd >= 0)
			close(listen_fd);
		return ERR_NOMEM;
	}
	s->loop = loop;
	s->listen_fd = listen_fd;
	s->config = *config;
	s->handlers = handlers;
	s->data = data;
	s->daemon_timeout_s = config->idle_timeout_s + 2; /* the sweep is to come first */
	s->sweep = (struct loop_timer){ .fire = sweep_fire, .data = s };
	s->daemon = compat_start(listen_fd, config->max_connections, config->max_header_bytes, s->daemon_timeout_s,
				 &(struct compat_callbacks){ on_request, on_completed, on_connection, on_uri, s });
	if (!s->daemon) {
		free(s);
		return ERR_NOMEM;
	}
	s->watch = (struct loop_watch){ .fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
					.events = EPOLLIN,
					.ready = on_ready };
	const enum err e = loop_watch_add(loop, &s->watch);
	if (e) {
		MHD_stop_daemon(s->daemon);
		free(s);
		return e;
	}
	*ret = s;
	return OK;
}

enum err http_server_adopt(struct http_server *s, int fd)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNIX };
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		close(fd);
		return ERR_IO;
	}
	return MHD_add_connection(s->daemon, fd, &nowhere, sizeof nowhere) == MHD_YES ? OK : ERR_FULL;
}

void http_server_tick(struct http_server *s)
{
	/* What was resumed since its last run the daemon does not see otherwise: it would sleep over it. */
	do {
		s->resumed = false;
		MHD_run(s->daemon);
	} while (s->resumed);
	ask_off_gone(s);
	if (s->n_connections && !s->sweep.heap_index)
		sweep_arm(s);
}

int http_server_timeout(struct http_server *s)
{
	return s->resumed ? 0 : compat_timeout(s->daemon);
}

unsigned http_server_connections(const struct http_server *s)
{
	return s->n_connections + (s->draining && s->listen_fd >= 0);
}

unsigned http_server_requests(const struct http_server *s)
{
	return s->n_requests;
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	/* The daemon aborts the process where it is stopped over a suspended connection. */
	http_server_abort_waiting(s);
	s->stopping = true;
	loop_watch_remove(s->loop, &s->watch);
	MHD_stop_daemon(s->daemon);
	linger_end_all(s);
	loop_timer_cancel(s->loop, &s->sweep);
	free(s);
}

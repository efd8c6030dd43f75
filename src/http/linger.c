/* Soft closing. A socket closed with input unread resets its connection, and the client may lose the answer it was about to
 * read. So of a connection that is closed in the middle of its client's sending we keep a copy of the socket, already shut
 * for writing, and read on for a moment. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lodebase/base/clock.h"

#define LINGER_MS 2000

static void end(struct http_lingering *g)
{
	struct http_server *s = g->server;

	loop_watch_remove(s->loop, &g->watch);
	close(g->watch.fd);
	if (g->previous)
		g->previous->next = g->next;
	else
		s->lingering = g->next;
	if (g->next)
		g->next->previous = g->previous;
	s->n_lingering--;
	free(g);
}

static void ready(struct loop_watch *w, uint32_t events)
{
	struct http_lingering *g = w->data;
	char waste[16384];
	ssize_t n;

	(void)events;
	n = recv(w->fd, waste, sizeof waste, MSG_DONTWAIT);
	if (n > 0)
		g->bytes += (uint64_t)n;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || g->bytes > HTTP_DRAIN_BYTES)
		end(g);
}

void linger_begin(struct http_server *s, int fd)
{
	struct http_lingering *g = s->n_lingering < HTTP_LINGERING_MAX ? calloc(1, sizeof *g) : NULL;

	if (!g)
		return;
	g->server = s;
	g->until_ms = clock_monotonic_ms() + LINGER_MS;
	g->watch = (struct loop_watch){ .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0), .events = EPOLLIN, .ready = ready, .data = g };
	if (g->watch.fd < 0 || shutdown(g->watch.fd, SHUT_WR) < 0 || loop_watch_add(s->loop, &g->watch) != OK) {
		if (g->watch.fd >= 0)
			close(g->watch.fd);
		free(g);
		return;
	}
	g->next = s->lingering;
	if (g->next)
		g->next->previous = g;
	s->lingering = g;
	s->n_lingering++;
}

void linger_sweep(struct http_server *s, uint64_t now_ms)
{
	for (struct http_lingering *g = s->lingering, *next; g; g = next) {
		next = g->next;
		if (g->until_ms <= now_ms)
			end(g);
	}
}

void linger_end_all(struct http_server *s)
{
	while (s->lingering)
		end(s->lingering);
}

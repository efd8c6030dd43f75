#include "lodebase/core/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "lodebase/base/clock.h"
#include "loop_timers.h"

#define BATCH 64

struct loop {
	int epoll_fd;
	struct loop_watch wake; /* the eventfd */
	void (*woken)(void *data);
	void *woken_data;
	struct loop_timers timers;

	/* The batch being dispatched: what a callback removes must not be called any more. */
	struct epoll_event events[BATCH];
	int n_events, next_event;
};

static void wake_ready(struct loop_watch *w, uint32_t events)
{
	struct loop *l = w->data;
	uint64_t count;

	(void)events;
	if (read(w->fd, &count, sizeof count) < 0)
		return; /* somebody else's wake was taken together with ours */
	if (l->woken)
		l->woken(l->woken_data);
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->wake = (struct loop_watch){
		.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .events = EPOLLIN, .ready = wake_ready, .data = l
	};
	if (l->epoll_fd < 0 || l->wake.fd < 0 || loop_watch_add(l, &l->wake) != OK) {
		loop_free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	if (l->wake.fd >= 0)
		close(l->wake.fd);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	loop_timers_done(&l->timers);
	free(l);
}

static enum err control(struct loop *l, int operation, struct loop_watch *w, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = w };

	if (epoll_ctl(l->epoll_fd, operation, w->fd, &event) < 0)
		return errno == ENOMEM || errno == ENOSPC ? ERR_NOMEM : ERR_IO;
	w->events = events;
	w->active = true;
	return OK;
}

enum err loop_watch_add(struct loop *l, struct loop_watch *w)
{
	return w->active ? ERR_STATE : control(l, EPOLL_CTL_ADD, w, w->events);
}

enum err loop_watch_set(struct loop *l, struct loop_watch *w, uint32_t events)
{
	if (!w->active)
		return ERR_STATE;
	return w->events == events ? OK : control(l, EPOLL_CTL_MOD, w, events);
}

void loop_watch_remove(struct loop *l, struct loop_watch *w)
{
	if (!w->active)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, &(struct epoll_event){ 0 });
	w->active = false;
	for (int i = l->next_event; i < l->n_events; i++)
		if (l->events[i].data.ptr == w)
			l->events[i].data.ptr = NULL;
}

enum err loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t at_ms)
{
	return loop_timers_set(&l->timers, t, at_ms);
}

void loop_timer_cancel(struct loop *l, struct loop_timer *t)
{
	loop_timers_cancel(&l->timers, t);
}

void loop_on_wake(struct loop *l, void (*woken)(void *data), void *data)
{
	l->woken = woken;
	l->woken_data = data;
}

void loop_wake(struct loop *l)
{
	const uint64_t one = 1;
	const int saved = errno; /* this may be a signal handler */

	/* It fails only where the counter is full: then a wake is on its way. */
	if (write(l->wake.fd, &one, sizeof one) < 0)
		errno = saved;
	errno = saved;
}

enum err loop_wait(struct loop *l, int timeout_ms)
{
	const int n = epoll_wait(l->epoll_fd, l->events, BATCH, loop_timers_wait(&l->timers, clock_monotonic_ms(), timeout_ms));

	if (n < 0 && errno != EINTR)
		return ERR_IO;
	l->n_events = n < 0 ? 0 : n;
	for (l->next_event = 0; l->next_event < l->n_events;) {
		const struct epoll_event *event = &l->events[l->next_event++];
		struct loop_watch *w = event->data.ptr;

		if (w)
			w->ready(w, event->events);
	}
	l->n_events = 0;
	loop_timers_fire(&l->timers, clock_monotonic_ms());
	return OK;
}

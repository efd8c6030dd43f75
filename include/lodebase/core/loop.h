/* The event loop of one thread: epoll, timers, one eventfd. Only loop_wake() may be called from another thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "lodebase/base/err.h"

struct loop;

struct loop *loop_new(void); /* NULL: no memory or file descriptors */
void loop_free(struct loop *l);

/* A file descriptor watched for EPOLLIN / EPOLLOUT (level-triggered). The struct is the caller's and stays put while
 * watched. `ready` gets the epoll events. Watches may be added, changed and removed from within any callback. */
struct loop_watch {
	int fd;
	uint32_t events;
	void (*ready)(struct loop_watch *w, uint32_t events);
	void *data;
	bool active;
};
enum err loop_watch_add(struct loop *l, struct loop_watch *w) MUST_CHECK;
enum err loop_watch_set(struct loop *l, struct loop_watch *w, uint32_t events) MUST_CHECK; /* no-op where unchanged */
void loop_watch_remove(struct loop *l, struct loop_watch *w); /* before the fd is closed; fine where not active */

/* A one-shot timer, the caller's memory. Firing removes it first. All in ms of clock_monotonic_ms(). */
struct loop_timer {
	uint64_t at_ms;
	void (*fire)(struct loop_timer *t);
	void *data;
	unsigned heap_index; /* 0: not set */
};
enum err loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t at_ms) MUST_CHECK; /* sets or moves */
void loop_timer_cancel(struct loop *l, struct loop_timer *t); /* fine where not set */

/* Makes the loop's next or current wait return and calls `woken` there. Async-signal-safe, any thread. */
void loop_on_wake(struct loop *l, void (*woken)(void *data), void *data);
void loop_wake(struct loop *l);

/* Waits at most timeout_ms (-1: for ever; timers shorten it), then dispatches what is ready: watches, wake, timers. */
enum err loop_wait(struct loop *l, int timeout_ms) MUST_CHECK;

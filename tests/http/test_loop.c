/* The event loop: timers in order, and callbacks that change what is being dispatched. */
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "../unit/harness.h"
#include "lodebase/base/clock.h"
#include "lodebase/core/loop.h"

#define TIMERS 500

struct clocked {
	struct loop_timer timer; /* first */
	struct loop *loop;
	unsigned fired;
};

static uint64_t last_at;
static unsigned n_fired, n_late;

static void in_order(struct loop_timer *t)
{
	n_late += t->at_ms < last_at;
	last_at = t->at_ms;
	n_fired++;
}

static void turn_until(struct loop *l, const unsigned *count, unsigned wanted)
{
	const uint64_t deadline = clock_monotonic_ms() + 5000;

	while (*count < wanted && clock_monotonic_ms() < deadline)
		CHECK(loop_wait(l, 100) == OK);
	CHECK_INT(*count, wanted);
}

static void timers_fire_in_order(void)
{
	static struct loop_timer timers[TIMERS];
	struct loop *l = loop_new();
	const uint64_t now = clock_monotonic_ms();
	unsigned cancelled = 0;

	last_at = n_fired = n_late = 0;
	for (unsigned i = 0; i < TIMERS; i++) {
		timers[i] = (struct loop_timer){ .fire = in_order };
		CHECK(loop_timer_set(l, &timers[i], now + (i * 7919) % 97) == OK);
	}
	for (unsigned i = 0; i < TIMERS; i += 3)
		CHECK(loop_timer_set(l, &timers[i], now + (i * 104729) % 89) == OK);
	for (unsigned i = 0; i < TIMERS; i += 7, cancelled++)
		loop_timer_cancel(l, &timers[i]);
	loop_timer_cancel(l, &timers[0]);
	turn_until(l, &n_fired, TIMERS - cancelled);
	CHECK_INT(n_late, 0);
	for (unsigned i = 0; i < TIMERS; i++)
		CHECK(timers[i].heap_index == 0);
	loop_free(l);
}

static void again(struct loop_timer *t)
{
	struct clocked *c = t->data;

	c->fired++;
	CHECK(loop_timer_set(c->loop, t, 0) == OK);
}

static void a_timer_that_sets_itself_keeps_nobody(void)
{
	struct clocked c = { .timer = { .fire = again, .data = &c }, .loop = loop_new() };

	CHECK(loop_timer_set(c.loop, &c.timer, 0) == OK);
	for (unsigned i = 1; i <= 3; i++) {
		CHECK(loop_wait(c.loop, -1) == OK);
		CHECK_INT(c.fired, i);
	}
	loop_timer_cancel(c.loop, &c.timer);
	CHECK(loop_wait(c.loop, 0) == OK);
	CHECK_INT(c.fired, 3);
	loop_free(c.loop);
}

static void a_timer_bounds_the_wait(void)
{
	struct loop *l = loop_new();
	struct loop_timer t = { .fire = in_order };
	const uint64_t began = clock_monotonic_ms();

	last_at = n_fired = n_late = 0;
	CHECK(loop_timer_set(l, &t, began + 30) == OK);
	turn_until(l, &n_fired, 1);
	CHECK(clock_monotonic_ms() - began >= 30);
	CHECK(loop_wait(l, 0) == OK);
	loop_free(l);
}

struct pair {
	struct loop *loop;
	struct loop_watch watches[2];
	int pipes[2][2];
	unsigned called;
};

static void take_both_away(struct loop_watch *w, uint32_t events)
{
	struct pair *p = w->data;

	CHECK(events & EPOLLIN);
	p->called++;
	for (unsigned i = 0; i < 2; i++)
		loop_watch_remove(p->loop, &p->watches[i]);
}

static void a_watch_removed_in_the_same_batch_is_not_called(void)
{
	struct pair p = { .loop = loop_new() };

	for (unsigned i = 0; i < 2; i++) {
		CHECK(pipe(p.pipes[i]) == 0 && write(p.pipes[i][1], "x", 1) == 1);
		p.watches[i] =
			(struct loop_watch){ .fd = p.pipes[i][0], .events = EPOLLIN, .ready = take_both_away, .data = &p };
		CHECK(loop_watch_add(p.loop, &p.watches[i]) == OK);
		CHECK(loop_watch_add(p.loop, &p.watches[i]) == ERR_STATE);
	}
	CHECK(loop_wait(p.loop, 1000) == OK);
	CHECK(loop_wait(p.loop, 0) == OK);
	CHECK_INT(p.called, 1);
	CHECK(!p.watches[0].active && !p.watches[1].active);
	CHECK(loop_watch_set(p.loop, &p.watches[0], EPOLLIN) == ERR_STATE);
	for (unsigned i = 0; i < 4; i++)
		close(p.pipes[i / 2][i % 2]);
	loop_free(p.loop);
}

static void count_ready(struct loop_watch *w, uint32_t events)
{
	(void)events;
	++*(unsigned *)w->data;
}

static void a_watch_changes_what_it_waits_for(void)
{
	struct loop *l = loop_new();
	unsigned called = 0;
	int fds[2];

	CHECK(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
	struct loop_watch w = { .fd = fds[0], .events = 0, .ready = count_ready, .data = &called };
	CHECK(loop_watch_add(l, &w) == OK && loop_wait(l, 0) == OK);
	CHECK_INT(called, 0);
	CHECK(loop_watch_set(l, &w, EPOLLIN) == OK && loop_watch_set(l, &w, EPOLLIN) == OK && loop_wait(l, 1000) == OK);
	CHECK_INT(called, 1);
	loop_watch_remove(l, &w);
	loop_watch_remove(l, &w);
	close(fds[0]);
	close(fds[1]);
	loop_free(l);
}

static void count_wake(void *data)
{
	++*(unsigned *)data;
}

static void *wake(void *data)
{
	loop_wake(data);
	return NULL;
}

static void another_thread_wakes_it(void)
{
	struct loop *l = loop_new();
	unsigned woken = 0;
	pthread_t thread;

	loop_on_wake(l, count_wake, &woken);
	CHECK(pthread_create(&thread, NULL, wake, l) == 0);
	turn_until(l, &woken, 1);
	CHECK(pthread_join(thread, NULL) == 0);
	loop_wake(l);
	loop_wake(l);
	CHECK(loop_wait(l, -1) == OK && loop_wait(l, 0) == OK);
	CHECK_INT(woken, 2);
	loop_free(l);
}

TESTS({ "timers fire in order", timers_fire_in_order },
      { "a timer that sets itself keeps nobody", a_timer_that_sets_itself_keeps_nobody },
      { "a timer bounds the wait", a_timer_bounds_the_wait },
      { "a watch removed in the same batch is not called", a_watch_removed_in_the_same_batch_is_not_called },
      { "a watch changes what it waits for", a_watch_changes_what_it_waits_for },
      { "another thread wakes it", another_thread_wakes_it })

#include "loop_timers.h"

#include <limits.h>
#include <stdlib.h>

void loop_timers_done(struct loop_timers *h)
{
	free(h->heap);
	*h = (struct loop_timers){ 0 };
}

static void put(struct loop_timers *h, unsigned at, struct loop_timer *t)
{
	h->heap[at] = t;
	t->heap_index = at;
}

static void move_up(struct loop_timers *h, unsigned at, struct loop_timer *t)
{
	for (; at > 1 && h->heap[at / 2]->at_ms > t->at_ms; at /= 2)
		put(h, at, h->heap[at / 2]);
	put(h, at, t);
}

static void move_down(struct loop_timers *h, unsigned at, struct loop_timer *t)
{
	for (unsigned child; (child = 2 * at) <= h->n; at = child) {
		if (child < h->n && h->heap[child + 1]->at_ms < h->heap[child]->at_ms)
			child++;
		if (h->heap[child]->at_ms >= t->at_ms)
			break;
		put(h, at, h->heap[child]);
	}
	put(h, at, t);
}

static void settle(struct loop_timers *h, unsigned at, struct loop_timer *t)
{
	if (at > 1 && h->heap[at / 2]->at_ms > t->at_ms)
		move_up(h, at, t);
	else
		move_down(h, at, t);
}

enum err loop_timers_set(struct loop_timers *h, struct loop_timer *t, uint64_t at_ms)
{
	if (t->heap_index) {
		t->at_ms = at_ms;
		settle(h, t->heap_index, t);
		return OK;
	}
	if (h->n + 1 >= h->capacity) {
		const unsigned capacity = h->capacity ? 2 * h->capacity : 64;
		struct loop_timer **heap = realloc(h->heap, capacity * sizeof *heap);

		if (!heap)
			return ERR_NOMEM;
		h->heap = heap;
		h->capacity = capacity;
	}
	t->at_ms = at_ms;
	move_up(h, ++h->n, t);
	return OK;
}

void loop_timers_cancel(struct loop_timers *h, struct loop_timer *t)
{
	const unsigned at = t->heap_index;

	if (!at)
		return;
	t->heap_index = 0;
	struct loop_timer *last = h->heap[h->n--];
	if (last != t)
		settle(h, at, last);
}

int loop_timers_wait(const struct loop_timers *h, uint64_t now_ms, int timeout_ms)
{
	if (!h->n)
		return timeout_ms;
	const uint64_t at_ms = h->heap[1]->at_ms;
	const uint64_t left = at_ms > now_ms ? at_ms - now_ms : 0;

	if (timeout_ms >= 0 && left >= (uint64_t)timeout_ms)
		return timeout_ms;
	return left > INT_MAX ? INT_MAX : (int)left;
}

void loop_timers_fire(struct loop_timers *h, uint64_t now_ms)
{
	/* Each pass takes one away, so no more than were there at the start are fired, whatever their callbacks set. */
	for (unsigned left = h->n; left && h->n && h->heap[1]->at_ms <= now_ms; left--) {
		struct loop_timer *t = h->heap[1];

		loop_timers_cancel(h, t);
		t->fire(t);
	}
}

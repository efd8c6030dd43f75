/* The timers of a loop: a binary heap of the callers' structs, the earliest first. Positions count from 1. */
#pragma once

#include "lodebase/core/loop.h"

struct loop_timers {
	struct loop_timer **heap; /* heap[0] is unused */
	unsigned n, capacity;
};

void loop_timers_done(struct loop_timers *h);
enum err loop_timers_set(struct loop_timers *h, struct loop_timer *t, uint64_t at_ms) MUST_CHECK;
void loop_timers_cancel(struct loop_timers *h, struct loop_timer *t);
/* The smaller of timeout_ms (-1: for ever) and the time to the first timer. */
int loop_timers_wait(const struct loop_timers *h, uint64_t now_ms, int timeout_ms);
/* Fires what is due at now_ms, but no more timers than were set when it began: one that sets itself cannot keep it here. */
void loop_timers_fire(struct loop_timers *h, uint64_t now_ms);

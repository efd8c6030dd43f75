/* The loop of a worker. Its hard rules:
 *
 *  - The HTTP library is run after every wake, whatever woke us: it gets edges, not levels, and its timeout is asked before
 *    every sleep (http_server_timeout, http_server_tick).
 *  - Only the worker's own requests are resumed, and only on its thread; others reach it by loop_wake() alone.
 *  - After the last resume of a tick the library runs once more before the loop sleeps: a resume wakes nobody.
 *  - Nothing blocks: no lock another worker holds, no file, no name service.
 *  - Every request has a deadline timer. Every queue is bounded.
 *  - A graph snapshot is taken once per request. */
#include "lodebase/app/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "lodebase/base/clock.h"
#include "lodebase/core/log.h"
#include "lodebase/core/loop.h"

#define GAUGES_EVERY_MS 1000
#define ABORT_MS 1000 /* after the drain's end, how long its 503s may take to leave */
#define ROUNDS_PER_TICK 8 /* then sockets and timers get their turn again */
#define ABORT_STEP_MS 20

enum stage { SERVING, DRAINING, ABORTING };

struct worker {
	struct worker_config config;
	pthread_t thread;
	struct loop *loop;
	struct db_pool *pool;
	struct api *api;
	struct http_server *server;
	struct loop_timer gauges;
	atomic_bool drain, hurry;
	enum stage stage;
	uint64_t stage_ends_ms;
};

static void publish_gauges(struct loop_timer *t)
{
	static const enum metrics_gauge open[] = { METRICS_DB_OPEN_READ, METRICS_DB_OPEN_SLOW, METRICS_DB_OPEN_WRITE };
	static const enum metrics_gauge busy[] = { METRICS_DB_BUSY_READ, METRICS_DB_BUSY_SLOW, METRICS_DB_BUSY_WRITE };
	static const enum metrics_gauge queued[] = { METRICS_DB_QUEUED_READ, METRICS_DB_QUEUED_SLOW, METRICS_DB_QUEUED_WRITE };
	struct worker *w = t->data;
	struct metrics *m = w->config.shared->metrics;
	for (int lane = 0; lane < DB_N_LANES; lane++) {
		struct db_pool_stats s = db_pool_stats(w->pool, (enum db_lane)lane);
		metrics_gauge_set(m, w->config.index, open[lane], s.open);
		metrics_gauge_set(m, w->config.index, busy[lane], s.busy);
		metrics_gauge_set(m, w->config.index, queued[lane], s.queued);
	}
	metrics_gauge_set(m, w->config.index, METRICS_CONNECTIONS, http_server_connections(w->server));
	metrics_gauge_set(m, w->config.index, METRICS_REQUESTS_IN_FLIGHT, http_server_requests(w->server));
	/* Where memory is out the gauges stand still, and that is all. */
	if (loop_timer_set(w->loop, t, clock_monotonic_ms() + GAUGES_EVERY_MS) != OK)
		return;
}

static void woken(void *data)
{
	struct worker *w = data;
	api_woken(w->api);
}

/* SERVING -> DRAINING: nobody new, those here may finish -> ABORTING: 503 to who still waits. True: over. */
static bool step_drain(struct worker *w)
{
	uint64_t now = clock_monotonic_ms();
	if (w->stage == SERVING) {
		if (!atomic_load(&w->drain))
			return false;
		w->stage = DRAINING;
		w->stage_ends_ms = now + w->config.drain_ms;
		http_server_drain(w->server);
		http_server_tick(w->server);
	}
	if (w->stage == DRAINING && http_server_connections(w->server) && (now >= w->stage_ends_ms || atomic_load(&w->hurry))) {
		w->stage = ABORTING;
		w->stage_ends_ms = now + ABORT_MS;
	}
	if (w->stage == ABORTING) {
		http_server_abort_waiting(w->server);
		http_server_tick(w->server);
	}
	return !http_server_connections(w->server) || (w->stage == ABORTING && now >= w->stage_ends_ms);
}

/* How long to sleep: as HTTP wants, but no longer than to the drain's next step. */
static int patience(struct worker *w)
{
	int timeout = http_server_timeout(w->server);
	if (w->stage == SERVING)
		return timeout;
	uint64_t now = clock_monotonic_ms();
	int left = w->stage == ABORTING ? ABORT_STEP_MS : now >= w->stage_ends_ms ? 0 : (int)(w->stage_ends_ms - now);
	return timeout < 0 || timeout > left ? left : timeout;
}

static void *worker_main(void *data)
{
	struct worker *w = data;
	char name[16];
	snprintf(name, sizeof(name), "worker %u", w->config.index % 1000);
	pthread_setname_np(pthread_self(), name);
	publish_gauges(&w->gauges);
	for (;;) {
		enum err e = loop_wait(w->loop, patience(w)); /* database sockets, wake-ups, timers: may finish requests */
		if (e != OK) {
			log_event(LOG_LEVEL_ERROR, "worker", "worker %u: its loop failed: %s; it ends", w->config.index,
				  err_name(e));
			break;
		}
		int rounds = 0;
		do {
			http_server_tick(w->server);
			db_pool_flush(w->pool);
		} while (http_server_timeout(w->server) == 0 && ++rounds < ROUNDS_PER_TICK); /* something was resumed */
		if (step_drain(w))
			break;
		log_flush();
	}
	loop_timer_cancel(w->loop, &w->gauges);
	http_server_free(w->server); /* every request's end is told to the API here */
	w->server = NULL;
	log_flush();
	return NULL;
}

enum err worker_start(const struct worker_config *config, struct worker **ret)
{
	struct worker *w = calloc(1, sizeof(*w));
	if (!w) {
		close(config->listen_fd);
		return ERR_NOMEM;
	}
	w->config = *config;
	w->gauges = (struct loop_timer){ .fire = publish_gauges, .data = w };
	w->loop = loop_new();
	enum err e = w->loop ? db_pool_new(w->loop, &config->db, &w->pool) : ERR_NOMEM;
	if (e == OK)
		e = api_new(config->shared, w->loop, w->pool, config->index, &w->api);
	if (e != OK) {
		close(config->listen_fd);
	} else {
		loop_on_wake(w->loop, woken, w);
		e = http_server_new(w->loop, config->listen_fd, &w->config.http, api_handlers(), w->api, &w->server);
	}
	if (e == OK && pthread_create(&w->thread, NULL, worker_main, w) != 0)
		e = ERR_NOMEM;
	if (e != OK) {
		if (w->server)
			http_server_free(w->server);
		worker_free(w);
		return e;
	}
	*ret = w;
	return OK;
}

void worker_drain(struct worker *w)
{
	atomic_store(&w->drain, true);
	loop_wake(w->loop);
}

void worker_hurry(struct worker *w)
{
	atomic_store(&w->hurry, true);
	worker_drain(w);
}

enum err worker_join(struct worker *w, uint64_t deadline_ms)
{
	struct timespec until = { .tv_sec = (time_t)(deadline_ms / 1000), .tv_nsec = (long)(deadline_ms % 1000) * 1000000 };
	return pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &until) == 0 ? OK : ERR_TIMEOUT;
}

void worker_free(struct worker *w)
{
	if (w->api) {
		api_woken(w->api); /* takes leave of imports that the lane gave up */
		api_free(w->api);
	}
	if (w->pool)
		db_pool_free(w->pool);
	if (w->loop)
		loop_free(w->loop);
	free(w);
}

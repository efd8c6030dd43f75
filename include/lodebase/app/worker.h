/* One thread that serves: a loop, an HTTP server, a database pool and the API in it. */
#pragma once

#include <stdint.h>
#include "lodebase/api/api.h"
#include "lodebase/base/err.h"
#include "lodebase/db/pool.h"
#include "lodebase/http/server.h"

struct worker;

struct worker_config {
	unsigned index;
	int listen_fd; /* the worker's from here, also on failure */
	struct http_config http;
	struct db_pool_config db;
	struct api_shared *shared;
	unsigned drain_ms; /* how long requests may take to finish */
};

/* Makes all of it and starts the thread. */
enum err worker_start(const struct worker_config *config, struct worker **ret) MUST_CHECK;
/* Any thread. Finish what was accepted within drain_ms, then end. */
void worker_drain(struct worker *w);
/* Any thread. Do not wait any longer. */
void worker_hurry(struct worker *w);
/* Waits for its end until then (clock_monotonic_ms()). ERR_TIMEOUT. */
enum err worker_join(struct worker *w, uint64_t deadline_ms) MUST_CHECK;
/* After worker_join(), and after the import lane was freed: its jobs report to the worker's loop. */
void worker_free(struct worker *w);

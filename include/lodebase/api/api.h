/* The HTTP API as one worker runs it: routes, access, resources, problems. Everything on the worker's thread, but what says
 * otherwise. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "lodebase/core/loop.h"
#include "lodebase/core/metrics.h"
#include "lodebase/db/pool.h"
#include "lodebase/http/server.h"

struct compute_pool;
struct import_lane;
struct follower;

/* What all workers share; immutable once they run, but the atomics. */
struct api_shared {
	bool anonymous_read;
	bool loopback; /* the listener is on loopback */
	const char *const *cors_origins; /* NULL-terminated; "*" means any */
	unsigned request_timeout_ms, slow_timeout_ms, import_timeout_ms;
	struct metrics *metrics; /* made with api_route_names() */
	struct import_lane *imports; /* NULL: no imports */
	struct compute_pool *compute; /* NULL: only short computations */
	struct follower *follower; /* NULL: no ownership register */
	_Atomic uint64_t *writes; /* counted up whenever this instance has committed a change */
	atomic_bool migrated; /* the schema stands at this program's version */
	atomic_bool seeding; /* --seed is still being loaded */
	atomic_bool history_protected; /* the service's role cannot rewrite history */
	atomic_bool draining;
	atomic_bool plpgsql_broken; /* the embedded server's procedural language no longer loads: restart it */
};

struct api;

enum err api_new(const struct api_shared *shared, struct loop *loop, struct db_pool *pool, unsigned worker,
		 struct api **ret) MUST_CHECK;
void api_free(struct api *api);
/* Handlers for http_server_new() with the api as their data. */
const struct http_handlers *api_handlers(void);
/* To be called when the worker's loop was woken: answers imports and computations that ended. */
void api_woken(struct api *api);

const char *const *api_route_names(unsigned *ret_n);
/* `lodebase contract`: resources, fields, operations, statuses and problem types as JSON on stdout. */
enum err api_print_contract(void) MUST_CHECK;

/* Counters for /metrics (Prometheus text format). Each worker counts into a slot of its own with relaxed atomics; the
 * scrape adds the slots up. */
#pragma once

#include <stdint.h>
#include "lodebase/base/buf.h"
#include "lodebase/base/err.h"

struct metrics;

/* route_names: patterns such as "/v1/{resource}/{id}", n_routes of them, static memory. */
struct metrics *metrics_new(const char *const *route_names, unsigned n_routes, unsigned n_workers);
void metrics_free(struct metrics *m);

/* One answered request: counts by route and status and into the duration histogram of the route. */
void metrics_request(struct metrics *m, unsigned worker, unsigned route, int status, uint64_t total_us);

/* Gauges and counters of a worker by a small fixed enumeration. */
enum metrics_gauge {
	METRICS_DB_OPEN_READ,
	METRICS_DB_OPEN_SLOW,
	METRICS_DB_OPEN_WRITE,
	METRICS_DB_BUSY_READ,
	METRICS_DB_BUSY_SLOW,
	METRICS_DB_BUSY_WRITE,
	METRICS_DB_QUEUED_READ,
	METRICS_DB_QUEUED_SLOW,
	METRICS_DB_QUEUED_WRITE,
	METRICS_CONNECTIONS,
	METRICS_REQUESTS_IN_FLIGHT,
	METRICS_IMPORTS_QUEUED,
	METRICS_N_GAUGES
};
void metrics_gauge_set(struct metrics *m, unsigned worker, enum metrics_gauge g, uint64_t value);

/* The lines before the values of a metric that is written elsewhere; its name without "lodebase_". */
void metrics_head(struct buf *out, const char *name, const char *type, const char *help);
/* All of it as Prometheus text, build info included; names begin with lodebase_. */
void metrics_write(const struct metrics *m, struct buf *out);

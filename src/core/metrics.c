/* Counters in slots: one per worker, so that no two threads write one cache line; summed up by the scrape. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"
#include "lodebase/core/metrics.h"
#include "lodebase/core/version.h"

/* Statuses the service answers with (contract section 1); anything else counts under its class's last row. */
static const int statuses[] = { 200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 412,
				413, 414, 415, 417, 422, 428, 429, 431, 500, 501, 503, 504, 505, 0 };
#define N_STATUSES (sizeof(statuses) / sizeof(statuses[0]))

/* Upper bounds of the histogram in µs; one more bucket has none. */
static const uint64_t bounds_us[] = { 100,   250,    500,    1000,   2500,    5000,    10000,   25000,
				      50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000 };
static const char *const bound_names[] = { "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
					   "0.05",   "0.1",     "0.25",   "0.5",   "1",      "2.5",   "5",    "10" };
#define N_BOUNDS (sizeof(bounds_us) / sizeof(bounds_us[0]))

struct route_counts {
	_Atomic uint64_t by_status[N_STATUSES];
	_Atomic uint64_t buckets[N_BOUNDS + 1];
	_Atomic uint64_t total_us;
};

struct slot {
	_Atomic uint64_t gauges[METRICS_N_GAUGES];
	struct route_counts routes[];
};

struct metrics {
	const char *const *route_names;
	unsigned n_routes, n_workers;
	int64_t started_us;
	struct slot *slots[];
};

struct metrics *metrics_new(const char *const *route_names, unsigned n_routes, unsigned n_workers)
{
	struct metrics *m = calloc(1, sizeof(*m) + n_workers * sizeof(m->slots[0]));
	if (!m)
		return NULL;
	m->route_names = route_names;
	m->n_routes = n_routes;
	m->started_us = clock_wall_us();
	for (unsigned i = 0; i < n_workers; i++) {
		/* Whole cache lines, so that neighbours do not share one. */
		size_t size = (sizeof(struct slot) + n_routes * sizeof(struct route_counts) + 127) & ~(size_t)127;
		m->slots[i] = aligned_alloc(128, size);
		if (!m->slots[i]) {
			metrics_free(m);
			return NULL;
		}
		memset(m->slots[i], 0, size);
		m->n_workers++;
	}
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < m->n_workers; i++)
		free(m->slots[i]);
	free(m);
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_request(struct metrics *m, unsigned worker, unsigned route, int status, uint64_t total_us)
{
	if (worker >= m->n_workers || route >= m->n_routes)
		return;
	struct route_counts *r = &m->slots[worker]->routes[route];
	size_t s = 0, b = 0;
	while (s < N_STATUSES - 1 && statuses[s] != status)
		s++;
	while (b < N_BOUNDS && total_us > bounds_us[b])
		b++;
	count(&r->by_status[s], 1);
	count(&r->buckets[b], 1);
	count(&r->total_us, total_us);
}

void metrics_gauge_set(struct metrics *m, unsigned worker, enum metrics_gauge g, uint64_t value)
{
	if (worker < m->n_workers && g < METRICS_N_GAUGES)
		atomic_store_explicit(&m->slots[worker]->gauges[g], value, memory_order_relaxed);
}

static void write_label(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *value);
	}
}

void metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP lodebase_%s %s\n# TYPE lodebase_%s %s\n", name, help, name, type);
}

static void write_requests(const struct metrics *m, struct buf *out)
{
	metrics_head(out, "requests_total", "counter", "Requests answered, by route and status (0: nothing was sent).");
	for (unsigned route = 0; route < m->n_routes; route++)
		for (size_t s = 0; s < N_STATUSES; s++) {
			uint64_t n = 0;
			for (unsigned w = 0; w < m->n_workers; w++)
				n += read_counter(&m->slots[w]->routes[route].by_status[s]);
			if (!n)
				continue;
			buf_puts(out, "lodebase_requests_total{route=\"");
			write_label(out, m->route_names[route]);
			buf_printf(out, "\",status=\"%d\"} %" PRIu64 "\n", statuses[s], n);
		}
}

static void write_durations(const struct metrics *m, struct buf *out)
{
	metrics_head(out, "request_duration_seconds", "histogram",
		     "Time from a request's headers to its answer's end, by route.");
	for (unsigned route = 0; route < m->n_routes; route++) {
		uint64_t below[N_BOUNDS + 1] = { 0 }, total_us = 0, n = 0;
		for (unsigned w = 0; w < m->n_workers; w++) {
			const struct route_counts *r = &m->slots[w]->routes[route];
			for (size_t b = 0; b <= N_BOUNDS; b++)
				below[b] += read_counter(&r->buckets[b]);
			total_us += read_counter(&r->total_us);
		}
		for (size_t b = 0; b <= N_BOUNDS; b++)
			below[b] = n += below[b];
		if (!n)
			continue;
		for (size_t b = 0; b <= N_BOUNDS; b++) {
			buf_puts(out, "lodebase_request_duration_seconds_bucket{route=\"");
			write_label(out, m->route_names[route]);
			buf_printf(out, "\",le=\"%s\"} %" PRIu64 "\n", b < N_BOUNDS ? bound_names[b] : "+Inf", below[b]);
		}
		buf_puts(out, "lodebase_request_duration_seconds_sum{route=\"");
		write_label(out, m->route_names[route]);
		buf_printf(out, "\"} %" PRIu64 ".%06" PRIu64 "\n", total_us / 1000000, total_us % 1000000);
		buf_puts(out, "lodebase_request_duration_seconds_count{route=\"");
		write_label(out, m->route_names[route]);
		buf_printf(out, "\"} %" PRIu64 "\n", n);
	}
}

/* Families of gauges: consecutive rows of the same name are one family with a label. */
static const struct {
	const char *name, *lane, *help;
} gauges[METRICS_N_GAUGES] = {
	[METRICS_DB_OPEN_READ] = { "db_connections_open", "read", "Database connections that work, by lane." },
	[METRICS_DB_OPEN_SLOW] = { "db_connections_open", "slow", NULL },
	[METRICS_DB_OPEN_WRITE] = { "db_connections_open", "write", NULL },
	[METRICS_DB_BUSY_READ] = { "db_connections_busy", "read", "Database connections with statements under way, by lane." },
	[METRICS_DB_BUSY_SLOW] = { "db_connections_busy", "slow", NULL },
	[METRICS_DB_BUSY_WRITE] = { "db_connections_busy", "write", NULL },
	[METRICS_DB_QUEUED_READ] = { "db_jobs_queued", "read", "Jobs that wait for a database connection, by lane." },
	[METRICS_DB_QUEUED_SLOW] = { "db_jobs_queued", "slow", NULL },
	[METRICS_DB_QUEUED_WRITE] = { "db_jobs_queued", "write", NULL },
	[METRICS_CONNECTIONS] = { "http_connections", NULL, "Open client connections." },
	[METRICS_REQUESTS_IN_FLIGHT] = { "requests_in_flight", NULL, "Requests being read, served or sent." },
	[METRICS_IMPORTS_QUEUED] = { "imports_queued", NULL, "Imports that run or wait." },
};

static void write_gauges(const struct metrics *m, struct buf *out)
{
	for (unsigned g = 0; g < METRICS_N_GAUGES; g++) {
		uint64_t n = 0;
		for (unsigned w = 0; w < m->n_workers; w++)
			n += read_counter(&m->slots[w]->gauges[g]);
		if (gauges[g].help)
			metrics_head(out, gauges[g].name, "gauge", gauges[g].help);
		if (gauges[g].lane)
			buf_printf(out, "lodebase_%s{lane=\"%s\"} %" PRIu64 "\n", gauges[g].name, gauges[g].lane, n);
		else
			buf_printf(out, "lodebase_%s %" PRIu64 "\n", gauges[g].name, n);
	}
}

void metrics_write(const struct metrics *m, struct buf *out)
{
	write_requests(m, out);
	write_durations(m, out);
	write_gauges(m, out);
	metrics_head(out, "start_time_seconds", "gauge", "When the service started, in seconds since 1970.");
	buf_printf(out, "lodebase_start_time_seconds %" PRId64 ".%03" PRId64 "\n", m->started_us / 1000000,
		   m->started_us / 1000 % 1000);
	metrics_head(out, "workers", "gauge", "Threads that serve requests.");
	buf_printf(out, "lodebase_workers %u\n", m->n_workers);
	metrics_head(out, "build_info", "gauge", "The program's version, always 1.");
	buf_printf(out, "lodebase_build_info{version=\"%s\"} 1\n", core_version());
}

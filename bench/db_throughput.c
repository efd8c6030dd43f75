/* How many primary-key reads and small writes per second one thread gets through the pool.
 *
 *     db_throughput CONNINFO [SECONDS]
 *
 * Makes and drops a schema `lodebase` of its own: give it an empty database (tests/cluster.py makes one). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"
#include "lodebase/core/loop.h"
#include "lodebase/db/pool.h"
#include "lodebase/db/session.h"

enum { ROWS = 10000, MAX_OUTSTANDING = 256 };

static struct loop *loop;
static struct db_pool *pool;
static uint64_t finished, failed, end_us;

struct client {
	struct db_job job;
	struct db_statement statement;
	const char *params[1];
	char key[16];
	unsigned seed;
};

static void ask(struct client *c)
{
	snprintf(c->key, sizeof c->key, "%d", rand_r(&c->seed) % ROWS);
	if (db_pool_submit(pool, &c->job) != OK)
		failed++;
}

static void done(struct db_job *job)
{
	finished++;
	failed += job->status != OK;
	if (clock_monotonic_us() < end_us)
		ask(job->data);
}

static void measure(const char *what, enum db_lane lane, const char *sql, unsigned outstanding, int seconds)
{
	static struct client clients[MAX_OUTSTANDING];
	uint64_t start = clock_monotonic_us();

	finished = failed = 0;
	end_us = start + (uint64_t)seconds * 1000000;
	memset(clients, 0, sizeof clients);
	for (unsigned i = 0; i < outstanding; i++) {
		struct client *c = &clients[i];

		c->params[0] = c->key;
		c->seed = i + 1;
		c->statement = (struct db_statement){ .name = what, .sql = sql, .n_params = 1, .params = c->params };
		c->job = (struct db_job){
			.lane = lane, .statements = &c->statement, .n_statements = 1, .done = done, .data = c
		};
		ask(c);
	}
	for (;;) {
		struct db_pool_stats stats;

		db_pool_flush(pool);
		stats = db_pool_stats(pool, lane);
		if (stats.busy == 0 && stats.queued == 0)
			break;
		if (loop_wait(loop, -1) != OK)
			exit(1);
	}
	printf("%-22s %4u outstanding %9.0f/s%s\n", what, outstanding,
	       (double)finished * 1e6 / (double)(clock_monotonic_us() - start), failed ? "  (some failed)" : "");
}

static void in_base(const char *conninfo, const char *sql)
{
	struct db_session *s = NULL;
	struct db_error problem;

	if (db_session_open(conninfo, NULL, 0, "bench", &s, &problem) != OK || db_session_script(s, sql, &problem) != OK) {
		fprintf(stderr, "%s\n", problem.message);
		exit(1);
	}
	db_session_close(s);
}

int main(int argc, char **argv)
{
	struct db_pool_config config = {
		.connections = { 2, 1, 16 },
		.statement_timeout_ms = { 5000, 5000, 5000 },
		.max_queued = { 1000, 1000, 1000 },
		.pipeline_depth = 128,
		.connect_timeout_s = 5,
		.application_name = "bench",
	};
	const char *read = "select id, body from bench where id = $1::int";
	const char *write = "update bench set body = body where id = $1::int";
	int seconds = argc > 2 ? atoi(argv[2]) : 2;

	if (argc < 2)
		return 2;
	config.conninfo = argv[1];
	in_base(argv[1], "create schema lodebase; create table bench (id int primary key, body text);"
			 "insert into bench select i, repeat('x', 200) from generate_series(0, 9999) i; analyze bench");
	loop = loop_new();
	if (!loop || db_pool_new(loop, &config, &pool) != OK)
		return 1;
	while (!(db_pool_stats(pool, DB_READ).open == 2 && db_pool_stats(pool, DB_WRITE).open == 16))
		if (loop_wait(loop, 1000) != OK)
			return 1;
	measure("read", DB_READ, read, 1, seconds);
	measure("read", DB_READ, read, 8, seconds);
	measure("read", DB_READ, read, 64, seconds);
	measure("read", DB_READ, read, 256, seconds);
	measure("write", DB_WRITE, write, 1, seconds);
	measure("write", DB_WRITE, write, 16, seconds);
	db_pool_free(pool);
	loop_free(loop);
	in_base(argv[1], "drop schema lodebase cascade");
	return 0;
}

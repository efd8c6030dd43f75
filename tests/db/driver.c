/* Runs a pool in a loop, told what to do by lines of JSON on stdin; each job that is done gives a line of JSON on stdout.
 * test_pool.py writes the scripts.
 *
 *   {"op": "open", "conninfo": …, "connections": [r, s, w], "timeouts": [r, s, w], "max_queued": […], "depth": n, "role": …,
 *            "connect_timeout": s}
 *   {"op": "submit", "jobs": [{"id": …, "lane": "read", "statements": [{"sql": …, "params": […], "name": …, "shape": true,
 *            "batch": {"name": …, "sql": …, "key_column": n}}],
 *            "brief": true, "again": n}]}     one tick; "again": `done` submits it n times more
 *   {"op": "cancel", "ids": […]}              also frees them
 *   {"op": "stats"}  {"op": "close"}  {"op": "ping"} */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "lodebase/core/loop.h"
#include "lodebase/db/pool.h"

enum { MAX_JOBS = 4096, MAX_BATCHES = 16 };

struct work {
	struct db_job job;
	struct db_statement statements[DB_MAX_STATEMENTS];
	json_t *spec; /* owns every text */
	const char **params[DB_MAX_STATEMENTS];
	int again;
};

static struct loop *loop;
static struct db_pool *pool;
static struct work *works[MAX_JOBS];
static struct db_batch batches[MAX_BATCHES];
static json_t *batch_specs[MAX_BATCHES];
static bool finished;

static const char *const lane_names[DB_N_LANES] = { "read", "slow", "write" };

static void say(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT);
	(void)putchar('\n');
	(void)fflush(stdout);
	json_decref(line);
}

static void work_free(struct work *w)
{
	for (int i = 0; i < MAX_JOBS; i++)
		if (works[i] == w)
			works[i] = NULL;
	for (int i = 0; i < DB_MAX_STATEMENTS; i++)
		free(w->params[i]);
	json_decref(w->spec);
	free(w);
}

static json_t *rows_of(const struct db_result *r, bool brief)
{
	json_t *rows;
	size_t bytes = 0;

	if (!r)
		return json_null();
	rows = json_array();
	for (int i = 0; i < db_result_rows(r); i++) {
		json_t *row = json_array();

		for (int k = 0; k < db_result_columns(r); k++) {
			bytes += db_result_length(r, i, k);
			json_array_append_new(row,
					      db_result_is_null(r, i, k) ? json_null() : json_string(db_result_value(r, i, k)));
		}
		json_array_append_new(rows, row);
	}
	if (!brief)
		return json_pack("{s:o, s:i}", "rows", rows, "affected", (int)db_result_affected(r));
	json_decref(rows);
	return json_pack("{s:i, s:I}", "n_rows", db_result_rows(r), "bytes", (json_int_t)bytes);
}

static void done(struct db_job *job)
{
	struct work *w = job->data;
	json_t *results = json_array();

	for (int i = 0; i < job->n_statements; i++)
		json_array_append_new(results, rows_of(job->results[i], json_is_true(json_object_get(w->spec, "brief"))));
	say(json_pack("{s:O, s:s, s:o, s:i, s:b, s:s, s:s, s:s, s:s?, s:b}", "id", json_object_get(w->spec, "id"), "status",
		      err_name(job->status), "results", results, "failed", job->failed_statement, "sent", job->sent, "sqlstate",
		      job->error.sqlstate, "constraint", job->error.constraint, "message", job->error.message, "detail",
		      job->error.detail, "timed",
		      job->finished_us >= job->started_us && (job->started_us >= job->submitted_us || !job->sent)));
	if (w->again-- > 0) {
		if (db_pool_submit(pool, job) == OK)
			return;
		say(json_pack("{s:O, s:s}", "id", json_object_get(w->spec, "id"), "submit", "failed again"));
	}
	/* Results are not taken and the job is gone: allowed after a cancel. */
	db_pool_cancel(pool, job);
	work_free(w);
}

/* One per name, as the pool tells them apart by their address. */
static const struct db_batch *batch_of(json_t *spec)
{
	const char *name = json_string_value(json_object_get(spec, "name"));
	int i = 0;

	if (!name)
		return NULL;
	while (batches[i].name && strcmp(batches[i].name, name) != 0)
		i++;
	if (!batches[i].name) {
		json_incref(spec); /* for good: it has the texts */
		batch_specs[i] = spec;
		batches[i] = (struct db_batch){ .name = name,
						.sql = json_string_value(json_object_get(spec, "sql")),
						.key_column = (int)json_integer_value(json_object_get(spec, "key_column")) };
	}
	return &batches[i];
}

static void submit(json_t *spec)
{
	struct work *w = calloc(1, sizeof *w);
	const char *lane = json_string_value(json_object_get(spec, "lane"));
	json_t *statement, *param;
	size_t i, k;
	enum err e;
	int place = 0;

	w->spec = json_incref(spec);
	w->again = (int)json_integer_value(json_object_get(spec, "again"));
	for (int l = 0; l < DB_N_LANES; l++)
		if (strcmp(lane, lane_names[l]) == 0)
			w->job.lane = (enum db_lane)l;
	json_array_foreach(json_object_get(spec, "statements"), i, statement)
	{
		json_t *params = json_object_get(statement, "params");

		w->params[i] = calloc(json_array_size(params) + 1, sizeof *w->params[i]);
		json_array_foreach(params, k, param) w->params[i][k] = json_string_value(param);
		w->statements[i] = (struct db_statement){
			.name = json_string_value(json_object_get(statement, "name")),
			.shape = json_is_true(json_object_get(statement, "shape")),
			.sql = json_string_value(json_object_get(statement, "sql")),
			.n_params = (int)json_array_size(params),
			.params = w->params[i],
			.batch = batch_of(json_object_get(statement, "batch")),
		};
	}
	w->job.statements = w->statements;
	w->job.n_statements = (int)i;
	w->job.done = done;
	w->job.data = w;
	e = db_pool_submit(pool, &w->job);
	if (e != OK) {
		say(json_pack("{s:O, s:s}", "id", json_object_get(spec, "id"), "submit", err_name(e)));
		work_free(w);
		return;
	}
	while (works[place])
		place++;
	works[place] = w;
}

static void cancel(json_t *ids)
{
	size_t i;
	json_t *id;

	json_array_foreach(ids, i, id) for (int k = 0; k < MAX_JOBS;
					    k++) if (works[k] && json_equal(json_object_get(works[k]->spec, "id"), id))
	{
		struct work *w = works[k];

		db_pool_cancel(pool, &w->job);
		work_free(w);
	}
}

static void open_pool(json_t *o)
{
	struct db_pool_config config = {
		.conninfo = json_string_value(json_object_get(o, "conninfo")),
		.role = json_string_value(json_object_get(o, "role")),
		.pipeline_depth = (unsigned)json_integer_value(json_object_get(o, "depth")),
		.connect_timeout_s = (unsigned)json_integer_value(json_object_get(o, "connect_timeout")),
		.application_name = "driver",
	};
	enum err e;

	for (size_t i = 0; i < DB_N_LANES; i++) {
		config.connections[i] = (int)json_integer_value(json_array_get(json_object_get(o, "connections"), i));
		config.statement_timeout_ms[i] = (int)json_integer_value(json_array_get(json_object_get(o, "timeouts"), i));
		config.max_queued[i] = (unsigned)json_integer_value(json_array_get(json_object_get(o, "max_queued"), i));
	}
	e = db_pool_new(loop, &config, &pool);
	say(json_pack("{s:s, s:s}", "op", "open", "status", err_name(e)));
}

static void tell_stats(void)
{
	json_t *lanes = json_object();

	for (int i = 0; i < DB_N_LANES; i++) {
		struct db_pool_stats s = db_pool_stats(pool, (enum db_lane)i);

		json_object_set_new(lanes, lane_names[i],
				    json_pack("{s:i, s:i, s:i, s:I, s:I, s:I, s:b}", "open", (int)s.open, "busy", (int)s.busy,
					      "queued", (int)s.queued, "jobs", (json_int_t)s.jobs, "errors",
					      (json_int_t)s.errors, "reconnects", (json_int_t)s.reconnects, "up",
					      db_pool_is_up(pool, (enum db_lane)i)));
	}
	say(json_pack("{s:s, s:o, s:i, s:s}", "op", "stats", "lanes", lanes, "retry_after", (int)db_pool_retry_after_ms(pool),
		      "problem", db_pool_problem(pool)));
}

static void obey(const char *line)
{
	json_error_t problem;
	json_t *command = json_loads(line, 0, &problem);
	const char *op = json_string_value(json_object_get(command, "op"));
	json_t *job;
	size_t i;

	if (!op) {
		(void)fprintf(stderr, "not a command: %s\n", line);
		exit(2); // NOLINT(concurrency-mt-unsafe)
	}
	if (strcmp(op, "open") == 0) {
		open_pool(command);
	} else if (strcmp(op, "submit") == 0) {
		json_array_foreach(json_object_get(command, "jobs"), i, job) submit(job);
	} else if (strcmp(op, "cancel") == 0) {
		cancel(json_object_get(command, "ids"));
	} else if (strcmp(op, "stats") == 0) {
		tell_stats();
	} else if (strcmp(op, "close") == 0) {
		db_pool_free(pool);
		pool = NULL;
		say(json_pack("{s:s}", "op", "close"));
	} else if (strcmp(op, "ping") == 0) {
		say(json_pack("{s:s}", "op", "ping"));
	}
	json_decref(command);
}

static void on_input(struct loop_watch *w, uint32_t events)
{
	static char *buffer;
	static size_t used, size;
	char *end;
	ssize_t n;

	(void)w;
	(void)events;
	if (used + 65536 > size) {
		size = used + (size_t)2 * 65536;
		char *larger = realloc(buffer, size);
		if (!larger)
			abort();
		buffer = larger;
	}
	n = read(0, buffer + used, size - used - 1);
	if (n <= 0) {
		free(buffer);
		finished = true;
		return;
	}
	used += (size_t)n;
	while ((end = memchr(buffer, '\n', used))) {
		size_t length = (size_t)(end - buffer) + 1;

		*end = '\0';
		obey(buffer);
		memmove(buffer, buffer + length, used - length);
		used -= length;
	}
}

int main(void)
{
	struct loop_watch input = { .fd = 0, .events = EPOLLIN, .ready = on_input };

	loop = loop_new();
	if (!loop || loop_watch_add(loop, &input) != OK)
		return 1;
	while (!finished) {
		if (loop_wait(loop, -1) != OK)
			return 1;
		if (pool)
			db_pool_flush(pool);
	}
	if (pool)
		db_pool_free(pool);
	loop_watch_remove(loop, &input);
	loop_free(loop);
	for (int i = 0; i < MAX_BATCHES; i++)
		json_decref(batch_specs[i]);
	return 0;
}

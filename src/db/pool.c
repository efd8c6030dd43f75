#include "pool_internal.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"
#include "result_internal.h"

unsigned pool_jitter(struct db_pool *p, unsigned ms)
{
	/* xorshift64: spreads the attempts of many instances, nothing secret. */
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return ms / 2 + (unsigned)(p->random % (ms / 2 + 1));
}

static enum err lane_open(struct lane *lane, const struct db_pool_config *config)
{
	struct session_settings settings = {
		.role = config->role,
		.application_name = config->application_name,
		.statement_timeout_ms = config->statement_timeout_ms[lane->id],
	};
	unsigned n = (unsigned)config->connections[lane->id];
	enum err e = session_parameters_init(&lane->parameters, config->conninfo, &settings);

	if (e != OK)
		return e;
	lane->connections = calloc(n ? n : 1, sizeof *lane->connections);
	if (!lane->connections)
		return ERR_NOMEM;
	for (; lane->n_connections < n; lane->n_connections++) {
		e = connection_init(&lane->connections[lane->n_connections], lane, lane->n_connections);
		if (e != OK)
			return e;
	}
	return OK;
}

enum err db_pool_new(struct loop *loop, const struct db_pool_config *config, struct db_pool **ret)
{
	struct db_pool *p;

	for (int i = 0; i < DB_N_LANES; i++)
		if (config->connections[i] < 0 || config->statement_timeout_ms[i] < 0)
			return ERR_INVALID;
	p = calloc(1, sizeof *p);
	if (!p)
		return ERR_NOMEM;
	p->loop = loop;
	p->connect_timeout_ms = (config->connect_timeout_s ? config->connect_timeout_s : 5) * 1000;
	p->random = clock_monotonic_us() ^ (uint64_t)(uintptr_t)p ^ UINT64_C(0x9e3779b97f4a7c15);
	for (int i = 0; i < DB_N_LANES; i++)
		lane_init(&p->lanes[i], p, (enum db_lane)i, config);
	for (int i = 0; i < DB_N_LANES; i++) {
		enum err e = lane_open(&p->lanes[i], config);

		if (e != OK) {
			db_pool_free(p);
			return e;
		}
	}
	if (!resolver_init(&p->resolver, &p->lanes[0].parameters)) {
		db_pool_free(p);
		return ERR_NOMEM;
	}
	/* Opened from the loop, so that nothing is called back from here. */
	for (int i = 0; i < DB_N_LANES; i++)
		if (p->lanes[i].n_connections > 0) {
			p->lanes[i].connections[0].hopeful = true;
			connection_schedule(&p->lanes[i].connections[0], 0);
		}
	*ret = p;
	return OK;
}

void db_pool_free(struct db_pool *p)
{
	static const struct db_error closing = { .message = "the service is stopping" };

	if (!p)
		return;
	p->closing = true;
	for (int i = 0; i < DB_N_LANES; i++) {
		struct lane *lane = &p->lanes[i];

		for (unsigned k = 0; k < lane->n_connections; k++) {
			connection_fail(&lane->connections[k], &closing);
			connection_done(&lane->connections[k]);
		}
		lane_check(lane);
		free(lane->connections);
		session_parameters_done(&lane->parameters);
	}
	resolver_done(&p->resolver, p->loop);
	db_error_done(&p->problem);
	free(p);
}

void pool_connection_up(struct db_pool *p)
{
	/* The server is back: who looks for it in another lane need not wait any longer. */
	for (int i = 0; i < DB_N_LANES; i++)
		if (p->lanes[i].n_connections > 0 && !lane_is_up(&p->lanes[i]) &&
		    p->lanes[i].connections[0].state == CONNECTION_BACKOFF)
			connection_schedule(&p->lanes[i].connections[0], 0);
	for (int i = 0; i < DB_N_LANES; i++)
		if (p->lanes[i].n_connections > 0 && !lane_is_up(&p->lanes[i]))
			return;
	for (int i = 0; i < DB_N_LANES; i++)
		for (unsigned k = 0; k < p->lanes[i].n_connections; k++)
			if (p->lanes[i].connections[k].state == CONNECTION_WAITING)
				connection_schedule(&p->lanes[i].connections[k], 0);
}

enum err db_pool_submit(struct db_pool *p, struct db_job *job)
{
	struct ticket *t = job->internal;
	struct lane *lane;

	if (t && t->state != TICKET_FINISHING)
		return ERR_STATE;
	if ((unsigned)job->lane >= DB_N_LANES || job->n_statements < 1 || job->n_statements > DB_MAX_STATEMENTS || !job->done)
		return ERR_INVALID;
	if (t) { /* submitted again by its own `done` */
		job_clear(job);
		t->job = NULL;
		job->internal = NULL;
	}
	lane = &p->lanes[job->lane];
	if (p->closing || !lane_is_open(lane))
		return ERR_UNAVAILABLE;
	if (!lane_has_room(lane))
		return ERR_FULL;
	t = calloc(1, sizeof *t);
	if (!t)
		return ERR_NOMEM;
	t->job = job;
	t->n_statements = (unsigned char)job->n_statements;
	job->internal = t;
	job->status = OK;
	memset(job->results, 0, sizeof job->results);
	memset(&job->error, 0, sizeof job->error);
	job->failed_statement = 0;
	job->sent = false;
	job->submitted_us = clock_monotonic_us();
	job->started_us = job->finished_us = 0;
	if (lane->id != DB_WRITE && job->n_statements == 1)
		t->kind = job->statements[0].batch;
	ticket_append(t->kind ? &lane->keyed : &lane->queue, t);
	return OK;
}

void db_pool_cancel(struct db_pool *p, struct db_job *job)
{
	struct ticket *t = job->internal;
	struct lane *lane;

	if (!t)
		return;
	lane = &p->lanes[job->lane];
	job_clear(job);
	job->internal = NULL;
	t->job = NULL;
	if (t->state == TICKET_QUEUED) {
		ticket_remove(t->retried ? &lane->retry : t->kind ? &lane->keyed : &lane->queue, t);
		free(t);
	}
}

void db_pool_flush(struct db_pool *p)
{
	if (p->timer_lost) {
		p->timer_lost = false;
		for (int i = 0; i < DB_N_LANES; i++)
			for (unsigned k = 0; k < p->lanes[i].n_connections; k++) {
				struct connection *c = &p->lanes[i].connections[k];

				if (c->state == CONNECTION_BACKOFF && !c->timer.heap_index)
					connection_schedule(c, c->backoff_ms);
			}
	}
	for (int i = 0; i < DB_N_LANES; i++)
		if (lane_waiting(&p->lanes[i]) > 0)
			lane_dispatch(&p->lanes[i]);
}

bool db_pool_is_up(const struct db_pool *p, enum db_lane lane)
{
	return lane_is_up(&p->lanes[lane]);
}

unsigned db_pool_retry_after_ms(const struct db_pool *p)
{
	unsigned longest = 1000;

	for (int i = 0; i < DB_N_LANES; i++) {
		const struct lane *lane = &p->lanes[i];

		if (lane->n_connections > 0 && !lane_is_up(lane) && lane->connections[0].backoff_ms > longest)
			longest = lane->connections[0].backoff_ms;
	}
	return longest;
}

const char *db_pool_problem(const struct db_pool *p)
{
	return p->problem.message;
}

struct db_pool_stats db_pool_stats(const struct db_pool *p, enum db_lane id)
{
	const struct lane *lane = &p->lanes[id];
	struct db_pool_stats stats = {
		.queued = lane_waiting(lane),
		.jobs = lane->n_jobs,
		.errors = lane->n_errors,
		.reconnects = lane->n_reconnects,
	};

	for (unsigned i = 0; i < lane->n_connections; i++) {
		stats.open += lane->connections[i].state == CONNECTION_READY;
		stats.busy += lane->connections[i].in_flight.n > 0;
	}
	return stats;
}

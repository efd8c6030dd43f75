#include "pool_internal.h"

#include <stdlib.h>
#include "lodebase/base/clock.h"
#include "result_internal.h"

void ticket_append(struct ticket_list *list, struct ticket *t)
{
	t->next = NULL;
	t->previous = list->last;
	if (list->last)
		list->last->next = t;
	else
		list->first = t;
	list->last = t;
	list->n++;
}

void ticket_remove(struct ticket_list *list, struct ticket *t)
{
	if (t->previous)
		t->previous->next = t->next;
	else
		list->first = t->next;
	if (t->next)
		t->next->previous = t->previous;
	else
		list->last = t->previous;
	t->previous = t->next = NULL;
	list->n--;
}

void job_clear(struct db_job *job)
{
	for (int i = 0; i < DB_MAX_STATEMENTS; i++) {
		db_result_free(job->results[i]);
		job->results[i] = NULL;
	}
	db_error_done(&job->error);
	job->failed_statement = 0;
}

/* `done` may free the job after db_pool_cancel(), or submit it again: the ticket lives until it returns and both cut the
 * tie to the job. */
void ticket_finish(struct lane *lane, struct ticket *t, enum err status)
{
	struct db_job *job = t->job;

	if (t->batch) {
		batch_finish(lane, t, status);
		return;
	}
	if (job) {
		t->state = TICKET_FINISHING;
		job->status = status;
		job->finished_us = clock_monotonic_us();
		lane->n_jobs++;
		lane->n_errors += status != OK;
		job->done(job);
	}
	if (t->job) {
		job_clear(job);
		job->internal = NULL;
	}
	free(t);
}

void lane_init(struct lane *lane, struct db_pool *p, enum db_lane id, const struct db_pool_config *config)
{
	lane->pool = p;
	lane->id = id;
	/* behind a slow list nothing should wait in its pipeline */
	lane->depth = id != DB_READ || !config->pipeline_depth ? 1 : config->pipeline_depth;
	lane->max_queued = config->max_queued[id];
	lane->statement_timeout_ms = (unsigned)config->statement_timeout_ms[id];
}

bool lane_is_up(const struct lane *lane)
{
	for (unsigned i = 0; i < lane->n_connections; i++)
		if (lane->connections[i].state == CONNECTION_READY)
			return true;
	return false;
}

bool lane_is_open(const struct lane *lane)
{
	for (unsigned i = 0; i < lane->n_connections; i++)
		if (lane->connections[i].state == CONNECTION_READY || lane->connections[i].hopeful)
			return true;
	return false;
}

static bool takes(const struct connection *c)
{
	return c->state == CONNECTION_READY && !c->retire && c->in_flight.n < c->lane->depth;
}

unsigned lane_waiting(const struct lane *lane)
{
	return lane->queue.n + lane->keyed.n + lane->retry.n;
}

bool lane_has_room(const struct lane *lane)
{
	unsigned waiting = lane_waiting(lane);
	unsigned free_places = 0;

	if (waiting < lane->max_queued)
		return true;
	/* What the next flush will send does not wait for a connection. */
	for (unsigned i = 0; i < lane->n_connections; i++)
		if (takes(&lane->connections[i]))
			free_places += lane->depth - lane->connections[i].in_flight.n;
	return waiting < lane->max_queued + free_places;
}

static struct connection *least_loaded(struct lane *lane)
{
	struct connection *best = NULL;

	for (unsigned i = 0; i < lane->n_connections; i++) {
		struct connection *c = &lane->connections[i];

		if (takes(c) && (!best || c->in_flight.n < best->in_flight.n))
			best = c;
	}
	return best;
}

void lane_dispatch(struct lane *lane)
{
	struct connection *c;
	struct ticket *t;

	while ((lane->retry.first || lane->queue.first) && (c = least_loaded(lane))) {
		struct ticket_list *from = lane->retry.first ? &lane->retry : &lane->queue;

		t = from->first;
		ticket_remove(from, t);
		connection_send(c, t);
	}
	while (lane->keyed.first && (c = least_loaded(lane)) && (t = batch_take(lane)))
		connection_send(c, t);
	for (unsigned i = 0; i < lane->n_connections; i++)
		if (lane->connections[i].batch_open || lane->connections[i].unflushed)
			connection_flush(&lane->connections[i]);
}

void lane_check(struct lane *lane)
{
	while (!lane_is_open(lane) && lane_waiting(lane) > 0) {
		struct ticket_list *from = lane->retry.first ? &lane->retry : lane->queue.first ? &lane->queue : &lane->keyed;
		struct ticket *t = from->first;

		ticket_remove(from, t);
		db_error_from_text("", lane->pool->problem.message, &t->job->error);
		ticket_finish(lane, t, ERR_UNAVAILABLE);
	}
}

void lane_retry(struct lane *lane, struct ticket *t)
{
	if (!t->job) {
		free(t);
		return;
	}
	job_clear(t->job);
	t->state = TICKET_QUEUED;
	t->retried = true;
	t->failed = t->aborted = t->stale = false;
	t->job->sent = false; /* it changed nothing */
	ticket_append(&lane->retry, t);
}

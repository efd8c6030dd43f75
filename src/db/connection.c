/* The life of a connection: opening, setting up, losing and opening again. */
#include "pool_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "lodebase/base/clock.h"
#include "result_internal.h"

enum {
	FIRST_BACKOFF_MS = 100,
	MAX_BACKOFF_MS = 1000, /* so that all workers are back within a second of each other */
	PATIENT_BACKOFF_MS = 400, /* jobs wait for a connection that comes back within it */
	STABLE_MS = 5000, /* who lived that long starts over with its backoff */
	WATCHDOG_EXTRA_MS = 10000,
};

static void fail_with(struct connection *c, const char *message)
{
	struct db_error reason;

	db_error_from_text("", message, &reason);
	connection_fail(c, &reason);
}

void connection_watch(struct connection *c, uint32_t events)
{
	enum err e;

	if (c->watch.active) {
		e = loop_watch_set(c->lane->pool->loop, &c->watch, events);
	} else {
		c->watch.fd = PQsocket(c->pg);
		c->watch.events = events;
		e = c->watch.fd < 0 ? ERR_IO : loop_watch_add(c->lane->pool->loop, &c->watch);
	}
	if (e != OK)
		fail_with(c, "the connection's socket cannot be watched");
}

static void become_ready(struct connection *c)
{
	struct lane *lane = c->lane;

	if (!PQenterPipelineMode(c->pg)) {
		connection_fail(c, NULL);
		return;
	}
	loop_timer_cancel(lane->pool->loop, &c->timer);
	c->state = CONNECTION_READY;
	c->hopeful = false;
	c->retire = false;
	c->ready_since_ms = clock_monotonic_ms();
	if (c->opened_before)
		lane->n_reconnects++;
	c->opened_before = true;
	connection_watch(c, EPOLLIN);
	pool_connection_up(lane->pool);
}

/* The first statement's answer. */
static void set_up(struct connection *c)
{
	int unsent;

	if (!PQconsumeInput(c->pg) || (unsent = PQflush(c->pg)) < 0) {
		connection_fail(c, NULL);
		return;
	}
	while (!PQisBusy(c->pg)) {
		PGresult *r = PQgetResult(c->pg);
		ExecStatusType status = PQresultStatus(r);

		if (!r) {
			become_ready(c);
			return;
		}
		if (status != PGRES_TUPLES_OK) {
			struct db_error reason;

			db_error_from_result(r, &reason);
			PQclear(r);
			connection_fail(c, &reason);
			db_error_done(&reason);
			return;
		}
		PQclear(r);
	}
	connection_watch(c, unsent ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void begin_set_up(struct connection *c)
{
	if (PQsetnonblocking(c->pg, 1) != 0 || prepared_init(&c->prepared) != OK ||
	    !PQsendQuery(c->pg, session_first_statement(c->lane->id != DB_WRITE))) {
		connection_fail(c, NULL);
		return;
	}
	c->state = CONNECTION_SETTING_UP;
	connection_watch(c, EPOLLIN | EPOLLOUT);
}

static void poll_connect(struct connection *c)
{
	/* libpq may close this socket and open another one, for the next address or without TLS. */
	loop_watch_remove(c->lane->pool->loop, &c->watch);
	switch (PQconnectPoll(c->pg)) {
	case PGRES_POLLING_READING:
		connection_watch(c, EPOLLIN);
		break;
	case PGRES_POLLING_WRITING:
		connection_watch(c, EPOLLOUT);
		break;
	case PGRES_POLLING_OK:
		begin_set_up(c);
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		connection_fail(c, NULL);
		break;
	}
}

void connection_connect(struct connection *c)
{
	c->state = CONNECTION_CONNECTING;
	c->pg = PQconnectStartParams((const char *const *)c->lane->parameters.keywords,
				     (const char *const *)c->lane->parameters.values, 0);
	if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD) {
		connection_fail(c, NULL);
		return;
	}
	db_ignore_notices(c->pg);
	connection_watch(c, EPOLLOUT);
}

static void open_now(struct connection *c)
{
	struct db_pool *p = c->lane->pool;
	bool ready;

	c->state = CONNECTION_RESOLVING;
	if (loop_timer_set(p->loop, &c->timer, clock_monotonic_ms() + p->connect_timeout_ms) != OK ||
	    resolver_start(p, &ready) != OK)
		fail_with(c, "out of memory");
	else if (ready)
		connection_connect(c);
}

/* A server (or what lies between) that is silent for longer than a statement may take will not answer any more. */
static void watch_over(struct connection *c)
{
	uint64_t limit = c->lane->statement_timeout_ms + (uint64_t)WATCHDOG_EXTRA_MS;
	uint64_t now = clock_monotonic_ms();

	if (c->n_expected == 0)
		return;
	if (now >= c->progress_ms + limit || loop_timer_set(c->lane->pool->loop, &c->timer, c->progress_ms + limit) != OK)
		fail_with(c, "the server stopped answering");
}

void connection_expects(struct connection *c)
{
	c->progress_ms = clock_monotonic_ms();
	if (c->lane->statement_timeout_ms && !c->timer.heap_index)
		/* Without memory for a timer there is just no watchdog this time. */
		(void)!loop_timer_set(c->lane->pool->loop, &c->timer,
				      c->progress_ms + c->lane->statement_timeout_ms + WATCHDOG_EXTRA_MS);
}

static void on_timer(struct loop_timer *timer)
{
	struct connection *c = timer->data;

	switch (c->state) {
	case CONNECTION_WAITING:
		break;
	case CONNECTION_BACKOFF:
		open_now(c);
		break;
	case CONNECTION_RESOLVING:
	case CONNECTION_CONNECTING:
	case CONNECTION_SETTING_UP:
		fail_with(c, "no connection within the connect timeout");
		break;
	case CONNECTION_READY:
		watch_over(c);
		break;
	}
}

static void on_ready(struct loop_watch *watch, uint32_t events)
{
	struct connection *c = watch->data;

	(void)events; /* libpq finds out itself, errors too */
	switch (c->state) {
	case CONNECTION_WAITING:
	case CONNECTION_BACKOFF:
	case CONNECTION_RESOLVING:
		break;
	case CONNECTION_CONNECTING:
		poll_connect(c);
		break;
	case CONNECTION_SETTING_UP:
		set_up(c);
		break;
	case CONNECTION_READY:
		connection_receive(c);
		break;
	}
}

void connection_schedule(struct connection *c, unsigned delay_ms)
{
	struct db_pool *p = c->lane->pool;

	c->state = CONNECTION_BACKOFF;
	if (loop_timer_set(p->loop, &c->timer, clock_monotonic_ms() + delay_ms) != OK)
		p->timer_lost = true;
}

static unsigned longer(unsigned backoff_ms)
{
	if (backoff_ms == 0)
		return FIRST_BACKOFF_MS;
	return backoff_ms * 2 < MAX_BACKOFF_MS ? backoff_ms * 2 : MAX_BACKOFF_MS;
}

static void plan_next_attempt(struct connection *c, bool was_ready)
{
	struct db_pool *p = c->lane->pool;

	c->hopeful = false;
	c->state = CONNECTION_WAITING;
	if (p->closing)
		return;
	if (was_ready && (c->backoff_ms == 0 || clock_monotonic_ms() - c->ready_since_ms >= STABLE_MS)) {
		c->hopeful = true;
		c->backoff_ms = FIRST_BACKOFF_MS;
		connection_schedule(c, 0);
	} else if (was_ready) { /* lost again soon */
		c->hopeful = c->backoff_ms <= PATIENT_BACKOFF_MS;
		connection_schedule(c, pool_jitter(p, c->backoff_ms));
		c->backoff_ms = longer(c->backoff_ms);
	} else {
		c->backoff_ms = longer(c->backoff_ms);
		if (c->index == 0 || lane_is_up(c->lane))
			connection_schedule(c, pool_jitter(p, c->backoff_ms));
	}
}

static void let_go(struct connection *c)
{
	loop_watch_remove(c->lane->pool->loop, &c->watch);
	loop_timer_cancel(c->lane->pool->loop, &c->timer);
	PQfinish(c->pg);
	c->pg = NULL;
	prepared_done(&c->prepared);
	c->n_expected = c->expected_first = 0;
	c->batch_open = c->unflushed = c->got_result = false;
}

static void note_problem(struct db_pool *p, const struct connection *c, const struct db_error *reason)
{
	struct db_error problem;

	if (reason)
		db_error_from_text(reason->sqlstate, reason->message, &problem);
	else
		db_error_from_text("", c->pg ? PQerrorMessage(c->pg) : "out of memory", &problem);
	if (!problem.message[0])
		db_error_from_text("", "the connection was lost", &problem);
	db_error_done(&p->problem);
	p->problem = problem;
}

void connection_fail(struct connection *c, const struct db_error *reason)
{
	struct lane *lane = c->lane;
	bool was_ready = c->state == CONNECTION_READY;
	struct ticket *t;

	note_problem(lane->pool, c, reason);
	let_go(c);
	plan_next_attempt(c, was_ready);
	while ((t = c->in_flight.first)) {
		ticket_remove(&c->in_flight, t);
		if (t->failed) {
			/* The server had refused it already. */
			connection_conclude(c, t);
		} else if (lane->id != DB_WRITE && !t->moved && !lane->pool->closing) {
			t->moved = true;
			lane_retry(lane, t);
		} else {
			if (t->job) {
				job_clear(t->job);
				db_error_from_text(lane->pool->problem.sqlstate, lane->pool->problem.message, &t->job->error);
			}
			ticket_finish(lane, t, ERR_UNAVAILABLE);
		}
	}
	lane_check(lane);
}

enum err connection_init(struct connection *c, struct lane *lane, unsigned index)
{
	c->lane = lane;
	c->index = index;
	c->watch.ready = on_ready;
	c->watch.data = c;
	c->timer.fire = on_timer;
	c->timer.data = c;
	c->expected_size = 16;
	c->expected = calloc(c->expected_size, sizeof *c->expected);
	return c->expected ? OK : ERR_NOMEM;
}

void connection_done(struct connection *c)
{
	free(c->expected);
	c->expected = NULL;
}

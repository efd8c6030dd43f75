/* What goes over a connection: jobs out, results in. */
#include "pool_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include "lodebase/base/clock.h"
#include "result_internal.h"

/* An aborted job runs again alone; it can be aborted again only by an error that is nobody's. */
enum { MAX_ABORTED_TIMES = 3 };

/* libpq 17 can give every job its own Sync without a system call for each. Before it, jobs of a tick share one. */
#ifdef HAVE_PQSENDPIPELINESYNC
static const bool always_alone = true;
#define send_sync PQsendPipelineSync
#else
static const bool always_alone = false;
#define send_sync PQpipelineSync
#endif

/* -- what is expected */

static bool make_room(struct connection *c, size_t n)
{
	size_t size = c->expected_size;
	struct expected *ring;

	while (size < c->n_expected + n)
		size *= 2;
	if (size == c->expected_size)
		return true;
	ring = calloc(size, sizeof *ring);
	if (!ring)
		return false;
	for (size_t i = 0; i < c->n_expected; i++)
		ring[i] = c->expected[(c->expected_first + i) & (c->expected_size - 1)];
	free(c->expected);
	c->expected = ring;
	c->expected_size = size;
	c->expected_first = 0;
	return true;
}

/* make_room() came before. */
static void expect(struct connection *c, struct expected e)
{
	if (c->n_expected == 0)
		connection_expects(c);
	c->expected[(c->expected_first + c->n_expected++) & (c->expected_size - 1)] = e;
}

static struct expected take_expected(struct connection *c)
{
	struct expected e = c->expected[c->expected_first];

	c->expected_first = (c->expected_first + 1) & (c->expected_size - 1);
	c->n_expected--;
	c->got_result = false;
	return e;
}

/* -- out */

static bool end_batch(struct connection *c)
{
	struct ticket *t = c->lane->id == DB_WRITE ? c->in_flight.last : NULL;

	expect(c, (struct expected){ .kind = EXPECT_SYNC, .t = t });
	c->batch_open = false;
	c->unflushed = true;
	return send_sync(c->pg);
}

static bool send_prepared(struct connection *c, struct ticket *t, int i, const struct db_statement *s, unsigned number)
{
	char server_name[PREPARED_NAME_SIZE];

	prepared_server_name(s->name, number, server_name);
	if (t->fresh >> i & 1) {
		expect(c, (struct expected){ .kind = EXPECT_PREPARE, .statement = (unsigned char)i, .number = number, .t = t });
		if (!PQsendPrepare(c->pg, server_name, s->sql, 0, NULL))
			return false;
	}
	expect(c, (struct expected){ .kind = EXPECT_STATEMENT, .statement = (unsigned char)i, .t = t });
	return PQsendQueryPrepared(c->pg, server_name, s->n_params, s->params, NULL, NULL, 0);
}

static bool send_statement(struct connection *c, struct ticket *t, int i)
{
	const struct db_statement *s = &t->job->statements[i];
	/* A job that met a stale statement once runs again without one: its neighbour's preparation, which it would lean on, may
	 * fail in its turn (a locked table that every Parse waits for, and times out on). */
	bool prepare = s->name && !t->replanned;
	unsigned number = prepare ? prepared_find(&c->prepared, s->name) : 0;

	if (prepare && !number) {
		number = prepared_add(&c->prepared, s->name, s->shape);
		if (number)
			t->fresh |= (unsigned char)(1 << i);
	}
	t->prepared[i] = number;
	if (number)
		return send_prepared(c, t, i, s, number);
	expect(c, (struct expected){ .kind = EXPECT_STATEMENT, .statement = (unsigned char)i, .t = t });
	return PQsendQueryParams(c->pg, s->sql, s->n_params, NULL, s->params, NULL, NULL, 0);
}

static bool send_all(struct connection *c, struct ticket *t)
{
	bool alone = always_alone || t->alone;

	if (alone && c->batch_open && !end_batch(c))
		return false;
	c->batch_open = c->unflushed = true;
	for (int i = 0; i < t->n_statements; i++)
		if (!send_statement(c, t, i))
			return false;
	return !alone || end_batch(c);
}

void connection_send(struct connection *c, struct ticket *t)
{
	/* A preparation and an execution each, and a Sync before, behind, and at the flush. */
	if (!make_room(c, 2 * (size_t)t->n_statements + 3)) {
		ticket_finish(c->lane, t, ERR_NOMEM);
		return;
	}
	t->state = TICKET_IN_FLIGHT;
	t->fresh = 0;
	t->job->sent = true;
	t->job->started_us = clock_monotonic_us();
	ticket_append(&c->in_flight, t);
	if (!send_all(c, t))
		connection_fail(c, NULL);
}

void connection_flush(struct connection *c)
{
	int unsent;

	if ((c->batch_open && !end_batch(c)) || (unsent = PQflush(c->pg)) < 0) {
		connection_fail(c, NULL);
		return;
	}
	c->unflushed = unsent > 0;
	connection_watch(c, unsent > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Frees a stale prepared statement on the server; whether that works does not matter. */
static void deallocate(struct connection *c, const char *server_name)
{
	char *quoted = PQescapeIdentifier(c->pg, server_name, strlen(server_name));
	char sql[2 * PREPARED_NAME_SIZE + 16];

	if (quoted && make_room(c, 3)) {
		(void)snprintf(sql, sizeof sql, "deallocate %s", quoted);
		expect(c, (struct expected){ .kind = EXPECT_IGNORED });
		expect(c, (struct expected){ .kind = EXPECT_SYNC });
		c->unflushed = true;
		/* Where sending fails the connection is broken, which reading from it will tell. */
		(void)!(PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 0) && send_sync(c->pg));
	}
	PQfreemem(quoted);
}

/* -- in */

static void forget_stale(struct connection *c, const struct ticket *t, bool still_there)
{
	char server_name[PREPARED_NAME_SIZE];

	for (int i = 0; i < t->n_statements; i++)
		if (t->prepared[i] && !(t->fresh >> i & 1) && c->pg &&
		    prepared_forget(&c->prepared, t->prepared[i], server_name) && still_there)
			deallocate(c, server_name);
}

void connection_conclude(struct connection *c, struct ticket *t)
{
	struct lane *lane = c->lane;
	struct db_job *job = t->job;
	enum err status = OK;

	if (!job) {
		free(t);
		return;
	}
	if (t->failed) {
		if (t->stale && !t->replanned && !lane->pool->closing) {
			forget_stale(c, t, strcmp(job->error.sqlstate, "26000") != 0);
			t->replanned = t->alone = true;
			lane_retry(lane, t);
			return;
		}
		status = db_err_from_sqlstate(job->error.sqlstate);
		/* The server itself refused: the transaction is rolled back. */
		job->sent = false;
		if (lane->id == DB_WRITE && strcmp(job->error.sqlstate, "25006") == 0)
			c->retire = true;
	} else if (t->aborted) {
		if (++t->aborted_times < MAX_ABORTED_TIMES && !lane->pool->closing) {
			t->alone = true;
			lane_retry(lane, t);
			return;
		}
		status = ERR_UNAVAILABLE;
		job_clear(job);
		db_error_from_text("", "aborted together with other statements", &job->error);
	}
	ticket_finish(lane, t, status);
}

static void take_error(struct ticket *t, int statement, const PGresult *r)
{
	if (t->failed || t->aborted)
		return;
	t->failed = true;
	if (!t->job)
		return;
	t->job->failed_statement = statement;
	db_error_from_result(r, &t->job->error);
	t->stale = statement < t->n_statements && t->prepared[statement] && !(t->fresh >> statement & 1) &&
		   db_sqlstate_tells_stale(t->job->error.sqlstate);
}

/* One result of the first expected. false: nothing we know how to go on from. */
static bool take_result(struct connection *c, const struct expected *e, PGresult *r)
{
	struct ticket *t = e->t;
	bool kept = false;

	switch (PQresultStatus(r)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
	case PGRES_EMPTY_QUERY:
		if (e->kind == EXPECT_STATEMENT && t->job && !t->job->results[e->statement]) {
			t->job->results[e->statement] = db_result_wrap(r);
			if (!t->job->results[e->statement])
				return false; /* no memory: as good as lost */
			kept = true;
		}
		break;
	case PGRES_FATAL_ERROR:
		if (e->kind == EXPECT_PREPARE)
			(void)prepared_forget(&c->prepared, e->number, NULL);
		if (t) /* at a Sync: the commit failed */
			take_error(t, e->kind == EXPECT_SYNC ? t->n_statements : e->statement, r);
		break;
	case PGRES_PIPELINE_ABORTED:
		if (e->kind == EXPECT_PREPARE)
			(void)prepared_forget(&c->prepared, e->number, NULL);
		if (t && !t->failed)
			t->aborted = true;
		break;
	default: /* COPY: not for a pipeline */
		PQclear(r);
		return false;
	}
	if (!kept)
		PQclear(r);
	return true;
}

/* The first expected is complete. */
static void finish_expected(struct connection *c)
{
	struct expected e = take_expected(c);
	struct ticket *t = e.t;

	/* Reads are done with their last statement, writes when they have committed. */
	if (!t || !(e.kind == EXPECT_SYNC ||
		    (e.kind == EXPECT_STATEMENT && e.statement == t->n_statements - 1 && c->lane->id != DB_WRITE)))
		return;
	ticket_remove(&c->in_flight, t);
	connection_conclude(c, t);
}

/* Whether the server, or the network, ended the session with this result. */
static bool is_last_word(const struct connection *c, const PGresult *r)
{
	return PQresultStatus(r) == PGRES_FATAL_ERROR &&
	       (db_result_is_fatal(r) || (!*db_result_sqlstate(r) && PQstatus(c->pg) == CONNECTION_BAD));
}

/* `done` may flush, and so lose this connection, any time: c->pg is NULL then. */
static void take_results(struct connection *c)
{
	bool idle = false; /* libpq had nothing to say */

	while (c->pg && c->n_expected > 0 && !PQisBusy(c->pg)) {
		const struct expected *e = &c->expected[c->expected_first];
		PGresult *r = PQgetResult(c->pg);
		struct db_error reason;

		if (!r && !c->got_result) {
			if (idle)
				return;
			idle = true;
			continue;
		}
		idle = false;
		if (!r) {
			c->got_result = false;
			if (e->kind != EXPECT_SYNC) /* its error came first, it will follow */
				finish_expected(c);
		} else if (is_last_word(c, r)) {
			db_error_from_result(r, &reason);
			PQclear(r);
			connection_fail(c, &reason);
			db_error_done(&reason);
		} else if (PQresultStatus(r) == PGRES_PIPELINE_SYNC && e->kind == EXPECT_SYNC) {
			PQclear(r);
			finish_expected(c);
		} else {
			c->got_result = true;
			if (!take_result(c, e, r)) {
				db_error_from_text("", "the server's answer was not expected, or memory ran out", &reason);
				connection_fail(c, &reason);
			}
		}
	}
}

void connection_receive(struct connection *c)
{
	static const struct db_error read_only = { .sqlstate = "25006", .message = "the server became read-only" };
	int alive = PQconsumeInput(c->pg);

	c->progress_ms = clock_monotonic_ms();
	take_results(c);
	if (!c->pg)
		return;
	if (!alive || PQstatus(c->pg) == CONNECTION_BAD)
		connection_fail(c, NULL);
	else if (c->retire && c->in_flight.n == 0)
		connection_fail(c, &read_only);
	else if (c->unflushed)
		connection_flush(c);
	else if (c->n_expected == 0)
		(void)PQisBusy(c->pg); /* parses what nobody asked for: notices, parameter changes */
}

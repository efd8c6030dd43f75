/* The inside of a pool: lanes, which queue tickets, and connections, which carry them.
 *
 * A ticket is the pool's record of one submitted job. It outlives the job where that is cancelled in flight: its results are
 * then dropped. Its memory is never the submitter's. */
#pragma once

#include <libpq-fe.h>
#include "connection_prepared.h"
#include "lodebase/db/pool.h"
#include "session_settings.h"

enum ticket_state { TICKET_QUEUED, TICKET_IN_FLIGHT, TICKET_FINISHING };

struct ticket {
	struct db_job *job; /* NULL: cancelled */
	struct ticket *previous, *next; /* in its lane's queue or its connection's list */
	enum ticket_state state;
	bool retried; /* queued in the lane's `retry` */
	bool alone; /* under a Sync of its own */
	bool moved; /* its connection was lost once */
	bool replanned; /* its prepared statements were stale once */
	const struct db_batch *kind; /* a read by key waits in the lane's `keyed` and may be carried with others; else NULL */
	struct batch *batch; /* this ticket carries several others, its job is the pool's own; else NULL */
	unsigned char aborted_times;
	unsigned char n_statements;

	/* In flight: */
	bool failed; /* job->error tells why */
	bool aborted; /* a neighbour under the same Sync failed, or (also) a statement of its own before */
	bool stale; /* a prepared statement of its own was the reason, perhaps */
	unsigned char fresh; /* bit i: statement i was prepared with this sending */
	unsigned prepared[DB_MAX_STATEMENTS]; /* their numbers; 0: unprepared */
};

struct ticket_list {
	struct ticket *first, *last;
	unsigned n;
};

void ticket_append(struct ticket_list *list, struct ticket *t);
void ticket_remove(struct ticket_list *list, struct ticket *t);

/* What the server still has to answer, in order. */
enum expected_kind { EXPECT_PREPARE, EXPECT_STATEMENT, EXPECT_IGNORED, EXPECT_SYNC };

struct expected {
	enum expected_kind kind;
	unsigned char statement;
	unsigned number; /* of the prepared statement */
	struct ticket *t; /* NULL: nobody's. A SYNC has the ticket of a WRITE job. */
};

enum connection_state {
	CONNECTION_WAITING, /* until its lane's first and those of the other lanes are there */
	CONNECTION_BACKOFF, /* until its timer */
	CONNECTION_RESOLVING, /* until the server's address is known */
	CONNECTION_CONNECTING,
	CONNECTION_SETTING_UP, /* runs the first statement */
	CONNECTION_READY,
};

struct connection {
	struct lane *lane;
	unsigned index; /* in its lane; 0 is the one that looks whether the server is back */
	enum connection_state state;
	bool hopeful; /* this attempt is the first since the start or since it was lost: jobs wait for it */
	bool opened_before;
	bool retire; /* to be closed when nothing is in flight: it leads to a read-only server */
	unsigned backoff_ms;
	uint64_t ready_since_ms, progress_ms;

	PGconn *pg;
	struct loop_watch watch;
	struct loop_timer timer; /* backoff, connect timeout or watchdog, by state */
	struct prepared prepared;

	struct ticket_list in_flight;
	bool batch_open; /* something was sent since the last Sync */
	bool unflushed; /* something is buffered that the socket has not taken */
	bool got_result; /* of the first expected */
	struct expected *expected; /* a ring of `expected_size` (a power of two) entries */
	size_t expected_size, expected_first, n_expected;
};

struct lane {
	struct db_pool *pool;
	enum db_lane id;
	struct connection *connections;
	unsigned n_connections;
	unsigned depth; /* jobs in flight per connection */
	unsigned max_queued;
	struct session_parameters parameters;
	unsigned statement_timeout_ms;
	struct ticket_list queue, keyed, retry; /* `retry` goes first, reads by key last */
	uint64_t n_jobs, n_errors, n_reconnects;
};

struct lookup;

struct resolver {
	bool needed;
	char *hosts, *ports; /* as the conninfo has them; NULL: none */
	struct lookup *lookup; /* running, or NULL */
	struct loop_watch watch;
	uint64_t fresh_until_ms;
};

struct db_pool {
	struct loop *loop;
	struct lane lanes[DB_N_LANES];
	unsigned connect_timeout_ms;
	struct resolver resolver;
	uint64_t random; /* for jitter */
	bool closing;
	bool timer_lost; /* some connection's timer could not be set: memory ran out */
	struct db_error problem; /* of the last connection that failed */
};

/* -- connection.c: its life */
enum err connection_init(struct connection *c, struct lane *lane, unsigned index) MUST_CHECK;
void connection_done(struct connection *c); /* nothing may be in flight */
/* Opens it soon: at once, or after its backoff. */
void connection_schedule(struct connection *c, unsigned delay_ms);
/* It failed or is lost (reason NULL: c->pg tells). What was in flight is queued again or finished. */
void connection_fail(struct connection *c, const struct db_error *reason);
void connection_watch(struct connection *c, uint32_t events);
/* Connects to where the lane's parameters lead. */
void connection_connect(struct connection *c);
/* From now on an answer is expected. */
void connection_expects(struct connection *c);

/* -- connection_pipeline.c: what goes over it */
/* Sends a ticket's statements. The connection may be lost by it. */
void connection_send(struct connection *c, struct ticket *t);
/* Ends the batch with a Sync and sends what is buffered. */
void connection_flush(struct connection *c);
/* Takes in what has arrived. */
void connection_receive(struct connection *c);
/* All of a ticket has been answered (it is in no list any more): finishes it, or queues it to run again. */
void connection_conclude(struct connection *c, struct ticket *t);

/* -- lane.c */
void lane_init(struct lane *lane, struct db_pool *p, enum db_lane id, const struct db_pool_config *config);
bool lane_is_up(const struct lane *lane);
bool lane_is_open(const struct lane *lane); /* up, or about to be */
/* Whether one more job may wait. */
bool lane_has_room(const struct lane *lane);
unsigned lane_waiting(const struct lane *lane); /* jobs that wait for a connection */
void lane_dispatch(struct lane *lane);
/* Fails what waits where nothing will serve it. */
void lane_check(struct lane *lane);
/* Queues a ticket again that was in flight. */
void lane_retry(struct lane *lane, struct ticket *t);
/* Tells the submitter, if there is one still; the ticket is gone then. It must be in no list. */
void ticket_finish(struct lane *lane, struct ticket *t, enum err status);
/* Frees the job's results and error. */
void job_clear(struct db_job *job);

/* -- pool_resolve.c */
/* false: no memory. */
bool resolver_init(struct resolver *r, const struct session_parameters *parameters);
void resolver_done(struct resolver *r, struct loop *loop);
/* Starts looking up the server's addresses, where that is needed and not under way. *ret_ready: the lanes' parameters have
 * them; else connections in CONNECTION_RESOLVING go on when they do. */
enum err resolver_start(struct db_pool *p, bool *ret_ready) MUST_CHECK;

/* -- batch.c: reads by key that leave together */
/* Takes reads by key of the lane that may leave now, together, and gives the ticket to be sent for them all. NULL: none may. */
struct ticket *batch_take(struct lane *lane);
/* The end of a ticket that carries others: each of them gets its rows or its error, or is queued again; it is gone then. */
void batch_finish(struct lane *lane, struct ticket *carrier, enum err status);

/* -- pool.c */
/* A connection has come up: the others may try, too. */
void pool_connection_up(struct db_pool *p);
unsigned pool_jitter(struct db_pool *p, unsigned ms); /* between half of it and all of it */

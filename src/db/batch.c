/* Reads by key that leave together: one statement, one answer, and each gets its row of it.
 *
 * Their tickets stay what they are, in flight but in no list, and are carried by one more ticket, whose job is the pool's own
 * and goes the way of any other: it moves when its connection is lost, and is prepared afresh. */
#include "pool_internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/buf.h"
#include "lodebase/base/clock.h"
#include "result_internal.h"

enum {
	MAX_MEMBERS = 64,
	SLOTS = 4 * MAX_MEMBERS, /* a power of two */
	MAX_LOOK = 4 * MAX_MEMBERS, /* how far among those that wait it looks for more */
	MAX_UNDER_WAY = 2, /* statements of one kind in a lane */
	MAX_KEYS_BYTES = 1 << 20,
};

struct batch {
	struct ticket ticket;
	struct db_job job;
	struct db_statement statement;
	const struct db_batch *kind;
	const char *params[1];
	char *keys; /* the array, $1 */
	unsigned n_members;
	struct ticket *members[MAX_MEMBERS];
	short rows[MAX_MEMBERS]; /* their rows in the answer, -1: none */
	short slots[SLOTS]; /* by the hash of a key: 1 + its first member */
	short same[MAX_MEMBERS]; /* 1 + the next one with the same slot */
};

static const char *key_of(const struct ticket *t)
{
	return t->job->statements[0].params[0];
}

static unsigned slot_of(const char *key)
{
	unsigned hash = 2166136261u;

	while (*key)
		hash = (hash ^ (unsigned char)*key++) * 16777619u;
	return (hash ^ hash >> 16) & (SLOTS - 1);
}

static void put_key(struct buf *b, const char *key)
{
	buf_putc(b, b->len ? ',' : '{');
	buf_putc(b, '"');
	for (; *key; key++) {
		if (*key == '"' || *key == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *key);
	}
	buf_putc(b, '"');
}

static void add_member(struct batch *b, struct ticket *t)
{
	unsigned slot = slot_of(key_of(t));

	b->rows[b->n_members] = -1;
	b->same[b->n_members] = b->slots[slot];
	b->members[b->n_members++] = t;
	b->slots[slot] = (short)b->n_members;
	t->state = TICKET_IN_FLIGHT;
	t->job->sent = true;
	t->job->started_us = clock_monotonic_us();
}

/* The next ticket from t on that may go with those of a kind. */
static struct ticket *next_of(const struct db_batch *kind, struct ticket *t, unsigned *look)
{
	for (; t && *look > 0; t = t->next, --*look)
		if (t->kind == kind)
			return t;
	return NULL;
}

/* While so many statements of a kind are under way the next one waits and gathers, which costs less than it saves: each takes
 * as long as many rows. */
static bool may_go(const struct lane *lane, const struct db_batch *kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < lane->n_connections; i++)
		for (const struct ticket *t = lane->connections[i].in_flight.first; t; t = t->next)
			n += t->kind == kind;
	return n < MAX_UNDER_WAY;
}

static struct ticket *first_that_may_go(const struct lane *lane)
{
	const struct db_batch *refused = NULL;
	unsigned look = MAX_LOOK;

	for (struct ticket *t = lane->keyed.first; t && look > 0; t = t->next, look--) {
		if (t->kind == refused)
			continue;
		if (may_go(lane, t->kind))
			return t;
		refused = t->kind;
	}
	return NULL;
}

static struct batch *batch_new(const struct db_batch *kind)
{
	struct batch *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->kind = kind;
	b->ticket.batch = b;
	b->ticket.kind = kind;
	b->ticket.job = &b->job;
	b->ticket.n_statements = 1;
	b->job.internal = &b->ticket;
	b->job.statements = &b->statement;
	b->job.n_statements = 1;
	b->statement = (struct db_statement){ .name = kind->name, .sql = kind->sql, .n_params = 1, .params = b->params };
	return b;
}

struct ticket *batch_take(struct lane *lane)
{
	struct ticket *first = first_that_may_go(lane), *other;
	unsigned look = MAX_LOOK;
	struct batch *b;
	struct buf keys;

	if (!first)
		return NULL;
	other = next_of(first->kind, first->next, &look);
	ticket_remove(&lane->keyed, first);
	b = other ? batch_new(first->kind) : NULL; /* no memory: alone is as good */
	if (!b)
		return first;
	buf_init(&keys, MAX_KEYS_BYTES);
	add_member(b, first);
	put_key(&keys, key_of(first));
	while (other && b->n_members < MAX_MEMBERS) {
		struct ticket *t = other;

		other = next_of(first->kind, t->next, &look);
		ticket_remove(&lane->keyed, t);
		add_member(b, t);
		put_key(&keys, key_of(t));
	}
	buf_putc(&keys, '}');
	b->params[0] = b->keys = buf_steal(&keys, NULL);
	b->job.lane = lane->id;
	if (b->keys)
		return &b->ticket;
	batch_finish(lane, &b->ticket, ERR_NOMEM);
	return NULL;
}

static void find_rows(struct batch *b, const struct db_result *result)
{
	for (int row = 0; row < db_result_rows(result) && row <= SHRT_MAX; row++) {
		const char *key = db_result_value(result, row, b->kind->key_column);

		for (int m = b->slots[slot_of(key)]; m > 0; m = b->same[m - 1]) {
			const struct ticket *t = b->members[m - 1];

			if (t->job && strcmp(key_of(t), key) == 0)
				b->rows[m - 1] = (short)row;
		}
	}
}

static void give_row(struct lane *lane, struct ticket *t, struct db_result *whole, int row)
{
	t->job->results[0] = db_result_view(whole, row < 0 ? 0 : row, row >= 0);
	ticket_finish(lane, t, t->job->results[0] ? OK : ERR_NOMEM);
}

static void give_error(struct lane *lane, struct ticket *t, const struct batch *b, enum err status)
{
	t->job->error = b->job.error;
	t->job->error.detail = NULL;
	t->job->sent = b->job.sent;
	ticket_finish(lane, t, status);
}

void batch_finish(struct lane *lane, struct ticket *carrier, enum err status)
{
	struct batch *b = carrier->batch;
	struct db_result *whole = status == OK ? b->job.results[0] : NULL;
	/* One key may be what the server refuses; a time that ran out has run out for all. */
	bool again = (status == ERR_SQL || status == ERR_NOMEM) && !lane->pool->closing;

	if (whole)
		find_rows(b, whole);
	/* What a member's `done` does may cancel those behind it. */
	for (unsigned i = 0; i < b->n_members; i++) {
		struct ticket *t = b->members[i];

		if (!t->job) {
			free(t);
		} else if (whole) {
			give_row(lane, t, whole, b->rows[i]);
		} else if (again) {
			t->alone = true;
			lane_retry(lane, t);
		} else {
			give_error(lane, t, b, status);
		}
	}
	job_clear(&b->job);
	free(b->keys);
	free(b);
}

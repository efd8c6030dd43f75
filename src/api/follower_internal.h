/* What the follower's files share. Private to them. */
#pragma once

#include <pthread.h>
#include "lodebase/api/follower.h"
#include "lodebase/base/arena.h"
#include "lodebase/db/session.h"

/* A register and who still needs it: the follower while it writes it, and every moment of it. */
struct register_held {
	_Atomic unsigned references;
	struct graph_store *store;
	struct follower *follower;
	struct register_held *next; /* among those that nobody needs */
};

/* Where a worker finds the newest moment. */
struct mailbox {
	_Alignas(128) _Atomic(struct moment *) slot; /* with a reference; NULL: it has it already */
	atomic_bool waiting; /* wake its loop at the next one */
	struct loop *loop;
};

/* The lists of values whose places the register's numbers are. */
struct row_values {
	const char *const *kinds[2]; /* of shareholders, of projects */
	const char *const *instruments, *const *stages;
};
void row_values_init(struct row_values *ret);

struct follower {
	struct follower_config config;
	char *conninfo, *role;
	struct row_values values;
	pthread_t thread;
	bool started;
	int event_fd; /* written where `asked`, `wrote` or `stop` turn true */
	atomic_bool asked, wrote, stop;

	pthread_mutex_t lock; /* around `session`: who interrupts it must not meet its closing */
	struct db_session *session;

	/* the thread's: */
	struct register_held *held; /* being followed; NULL: to be loaded */
	struct moment *last; /* the newest, with a reference */
	uint64_t looked_us; /* when the last look began */
	uint64_t failing_since_us, told_us; /* 0: all is well */

	/* what others see of it */
	atomic_bool loaded;
	_Atomic uint64_t revision, taken_us, nodes, stakes, bytes, loads;
	_Atomic(struct register_held *) left; /* registers that nobody needs, for the thread to free */

	struct mailbox boxes[]; /* per worker */
};

/* follower.c, for workers */
void follower_ask(struct follower *f); /* somebody waits: look at once */
void follower_wrote(struct follower *f); /* look soon; NULL is fine */

/* follower_moment.c */
struct register_held *register_new(struct follower *f); /* NULL: no memory */
void register_unref(struct register_held *h); /* any thread; NULL is fine */
void register_free_left(struct follower *f); /* the thread's: frees those that nobody needs */

/* Where a look stood. */
struct look {
	uint32_t epoch;
	char *snapshot; /* malloc'ed */
	int64_t clock_us;
	uint64_t complete_to, began_us;
};
/* Makes a moment of what is in the register now, and hands it to everybody. ERR_INVALID: that is no snapshot;
 * ERR_STATE: it is no later one than the last, so this is another base. */
enum err moment_publish(struct follower *f, const struct look *look);
void moment_drop_all(struct follower *f); /* from the mailboxes */

/* follower_rows.c: what the columns of sql/queries/graph.sql hold */
#define FOLLOWER_COLUMNS_MAX 34
struct row {
	const struct row_values *values;
	const struct db_field *fields;
	int n, at; /* the next to be read */
	bool failed; /* something was of another form than expected */
};
bool row_is_null(const struct row *r);
bool row_is(struct row *r, const char *text); /* whether the next one is that text; advances */
int64_t row_integer(struct row *r, int bytes);
int64_t row_time(struct row *r);
struct uuid row_uuid(struct row *r);
bool row_look(struct row *r, struct look *ret); /* false: no form of it, or no memory */
/* A version as it is loaded, and a change of the delta, from its resource on. */
enum err row_load_node(struct graph_store *s, struct row *r, enum graph_resource resource);
enum err row_load_stake(struct graph_store *s, struct row *r);
enum err row_apply_change(struct graph_store *s, struct row *r);

/* follower_load.c: all of it into a new register. follower_delta.c: what is new since f->last; ERR_STATE: load anew. The look
 * comes with what the caller put into complete_to and began_us; its snapshot is to be freed. */
enum err follower_load(struct follower *f, struct look *look, struct db_error *error);
enum err follower_delta(struct follower *f, struct look *look, struct db_error *error);

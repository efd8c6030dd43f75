/* The private PostgreSQL cluster in the data directory: initialised, started, watched, started again and stopped. All calls
 * from the process's main thread, on the account it stays on: the server is told to stop when the thread that forked it ends.
 *
 *   <data-dir>/lock       flock'ed by whoever runs the cluster; says who
 *   <data-dir>/postgres/  the cluster
 *   <data-dir>/run/       its socket, unless the path would be too long for one */
#pragma once

#include <stdbool.h>
#include "lodebase/app/account.h"
#include "lodebase/base/err.h"

struct embedded_postgres;

struct embedded_postgres_options {
	const char *data_dir; /* absolute, exists */
	const char *postgres_bin; /* NULL: the one below /usr/lib/postgresql that fits */
	const char *holder; /* the command, for messages: "serve", "import" */
	unsigned patience_ms; /* how long to wait where a command (not a service) holds the directory */
	int stop_fd; /* waiting ends when this becomes readable (ERR_TIMEOUT); -1: none */
	/* A line of the server's log worth telling (any thread); NULL: kept for problems only. */
	void (*log)(bool serious, const char *line);
};

/* Takes the directory and, the first time, makes the cluster in it: with checksums, UTF-8 and C.UTF-8, the roles lodebase_owner
 * and lodebase_service, the database lodebase. Waits for a server that a killed service left behind to end. Makes the process
 * the reaper of orphans. ERR_CONFLICT: in use; ERR_INVALID: a cluster of another PostgreSQL major than is installed;
 * ERR_NOT_FOUND: no PostgreSQL here; *problem says it, and what to do. */
enum err embedded_postgres_new(const struct embedded_postgres_options *options, struct embedded_postgres **ret,
			       char problem[APP_PROBLEM_SIZE]) MUST_CHECK;
/* Starts the server and returns at once; connect until it answers. */
enum err embedded_postgres_start(struct embedded_postgres *e, char problem[APP_PROBLEM_SIZE]) MUST_CHECK;
/* Reaps, and starts a server that died again (100 ms later, doubling to 5 s). Call after SIGCHLD and when the time it returns
 * (ms, -1: none) is over. */
int embedded_postgres_tick(struct embedded_postgres *e);
/* Whether embedded_postgres_new() found no cluster, and made one. */
bool embedded_postgres_is_new(const struct embedded_postgres *e);
bool embedded_postgres_is_running(struct embedded_postgres *e);
/* The files of the server or its procedural language are no longer those it was started with: a package was upgraded under
 * it. */
bool embedded_postgres_is_replaced(const struct embedded_postgres *e);
/* The last lines of the server's log, for a problem's text. */
void embedded_postgres_last_words(struct embedded_postgres *e, char *ret_text, size_t size);
/* Stops the server: fast, or where it has clients of others, `gentle_ms` later; at the deadline at once, without a checkpoint
 * (it recovers at its next start). */
void embedded_postgres_stop(struct embedded_postgres *e, unsigned gentle_ms, unsigned deadline_ms);
void embedded_postgres_free(struct embedded_postgres *e); /* stopped; lets the directory go */

/* A conninfo for one of the two roles, malloc'ed. */
char *embedded_postgres_conninfo(const struct embedded_postgres *e, const char *role);
/* The same for a cluster that a running service holds. ERR_NOT_FOUND: nobody holds the directory (now); ERR_CONFLICT: a
 * command holds it, not a service; ERR_UNAVAILABLE: held by a service, but its server is not up (yet). */
enum err embedded_postgres_find(const char *data_dir, const char *role, char **ret_conninfo) MUST_CHECK;

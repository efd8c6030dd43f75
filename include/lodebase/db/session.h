/* One blocking connection, for what runs on a thread of its own: migrations, imports, the command line. Errors as of a job
 * (pool.h); `ret_error` is always written and its owner calls db_error_done(). */
#pragma once

#include "lodebase/base/err.h"
#include "lodebase/db/pool.h"
#include "lodebase/db/result.h"

struct db_session;

/* Connects, with the session settings of db_pool_new(). statement_timeout_ms 0: none. ERR_UNAVAILABLE with a message in
 * ret_error (no password in it); ERR_INVALID: conninfo is malformed. */
enum err db_session_open(const char *conninfo, const char *role, int statement_timeout_ms, const char *application_name,
			 struct db_session **ret, struct db_error *ret_error) MUST_CHECK;
void db_session_close(struct db_session *s); /* NULL is fine */

/* Several statements without parameters, separated by semicolons (one simple query: one implicit transaction). */
enum err db_session_script(struct db_session *s, const char *sql, struct db_error *ret_error) MUST_CHECK;
/* One statement with text parameters. *ret_result may be NULL; else the caller frees it. A statement with a name is
 * prepared at first use, and again where a migration made it stale (but not inside an open transaction). */
enum err db_session_run(struct db_session *s, const struct db_statement *statement, struct db_result **ret_result,
			struct db_error *ret_error) MUST_CHECK;
/* Shorthand: sql with n text parameters (at most 32; const char *, NULL is null). */
enum err db_session_query(struct db_session *s, struct db_result **ret_result, struct db_error *ret_error, const char *sql,
			  int n_params, ...) MUST_CHECK;
/* COPY … FROM STDIN (text format): begin, put any number of bytes, end (abort: reason != NULL). */
enum err db_session_copy_begin(struct db_session *s, const char *sql, struct db_error *ret_error) MUST_CHECK;
enum err db_session_copy_put(struct db_session *s, const char *bytes, size_t n) MUST_CHECK;
enum err db_session_copy_end(struct db_session *s, const char *abort_reason, struct db_error *ret_error) MUST_CHECK;
/* Rows that are handed out one by one, in PostgreSQL's binary forms (integers big-endian): of any number, in bounded memory. Begin
 * by COPY (…) TO STDOUT (format binary), or by a statement with parameters (with a name it is prepared, once: where a migration
 * made it stale it fails); then ask for rows until there is none. Who leaves early, or got an error, closes the session. */
struct db_field {
	const unsigned char *bytes; /* until the next row is asked for */
	int n; /* -1: null */
};
enum err db_session_copy_out(struct db_session *s, const char *sql, struct db_error *ret_error) MUST_CHECK;
enum err db_session_stream(struct db_session *s, const struct db_statement *statement, struct db_error *ret_error) MUST_CHECK;
/* *ret_n: how many fields; 0: that was all. ERR_STATE: more than max, or no form of a row. */
enum err db_session_row(struct db_session *s, struct db_field *fields, int max, int *ret_n,
			struct db_error *ret_error) MUST_CHECK;
/* From any thread, before db_session_close() begins: asks the server to give up what s runs, and refuses what comes after
 * (ERR_UNAVAILABLE). For a shutdown. It may hit nothing where a statement was just about to start: call it again while the
 * thread has not ended. Blocks for a round trip. */
void db_session_interrupt(struct db_session *s);

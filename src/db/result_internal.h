/* What src/db knows about results beyond the public header. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include "lodebase/base/err.h"
#include "lodebase/db/result.h"

/* Rows of one of libpq's results: all of them, or (a view) some that somebody else asked for with others. */
struct db_result {
	PGresult *pg;
	int first, rows;
	struct db_result *whole; /* of a view */
	unsigned held; /* of a whole: by whom it was given to, and by its views; the last one frees it */
};

/* NULL: no memory; r is cleared then. */
struct db_result *db_result_wrap(PGresult *r);
/* NULL: no memory. Views and whole may be freed in any order. */
struct db_result *db_result_view(struct db_result *whole, int first, int rows);

/* What an SQLSTATE means to a caller: ERR_TIMEOUT, ERR_UNAVAILABLE or ERR_SQL ("" and NULL: ERR_UNAVAILABLE, the server
 * did not speak). */
enum err db_err_from_sqlstate(const char *sqlstate);

/* Whether running a prepared statement may have failed so only because it is stale: a migration changed what it refers to
 * (any instance may migrate), or a pooler between gave us a session that never saw it. */
bool db_sqlstate_tells_stale(const char *sqlstate);

/* Fills *ret (which holds nothing) from a failed result. The detail is left NULL where there is no memory for it. */
void db_error_from_result(const PGresult *r, struct db_error *ret);
/* Fills *ret (which holds nothing) with a text of ours or of libpq's; cut to its size between characters. */
void db_error_from_text(const char *sqlstate, const char *message, struct db_error *ret);
/* Copies text into a buffer, cut between UTF-8 characters, without trailing line ends. */
void db_copy_text(char *to, size_t size, const char *text);

/* Whether the server ended the session with this error (FATAL or PANIC). */
bool db_result_is_fatal(const PGresult *r);
/* "" where the server gave none; never NULL. */
const char *db_result_sqlstate(const PGresult *r);

/* Drops what the server remarks: nothing is written to stderr. */
void db_ignore_notices(PGconn *pg);

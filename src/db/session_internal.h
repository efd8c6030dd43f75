/* What a session's files share. Private to db. */
#pragma once

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "connection_prepared.h"
#include "lodebase/db/session.h"

struct db_session {
	PGconn *pg;
	PGcancel *cancel; /* never changes: any thread may use it */
	atomic_bool interrupted;
	struct prepared prepared;

	/* rows under way (session_rows.c) */
	enum { NO_ROWS, ROWS_OF_COPY, ROWS_OF_STATEMENT } rows;
	bool begun; /* the first row of a COPY came, and the header before it */
	char *copied; /* the row that was handed out; libpq's */
	PGresult *row;
};

/* The status of a failed result (NULL: there is none), its error in *ret. */
enum err session_failure(const struct db_session *s, const PGresult *r, struct db_error *ret);
enum err session_refuse_interrupted(const struct db_session *s, struct db_error *ret);
/* The number under which a statement is prepared now, 0 for unprepared; an error where preparing failed. */
enum err session_prepare(struct db_session *s, const struct db_statement *statement, unsigned *ret_number, bool *ret_fresh,
			 struct db_error *ret_error);
void session_rows_done(struct db_session *s);

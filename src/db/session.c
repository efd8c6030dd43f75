#include "session_internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "result_internal.h"
#include "session_settings.h"

enum { CONNECT_TIMEOUT_S = 10, MAX_QUERY_PARAMS = 32 };

enum err session_failure(const struct db_session *s, const PGresult *r, struct db_error *ret)
{
	enum err status;

	if (r) {
		db_error_from_result(r, ret);
		if (db_result_is_fatal(r) || PQstatus(s->pg) == CONNECTION_BAD)
			return ERR_UNAVAILABLE;
		status = db_err_from_sqlstate(ret->sqlstate);
		return status == ERR_TIMEOUT && atomic_load(&s->interrupted) ? ERR_UNAVAILABLE : status;
	}
	db_error_from_text("", PQerrorMessage(s->pg), ret);
	return PQstatus(s->pg) == CONNECTION_BAD ? ERR_UNAVAILABLE : ERR_NOMEM;
}

static bool succeeded(const PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

enum err session_refuse_interrupted(const struct db_session *s, struct db_error *ret)
{
	memset(ret, 0, sizeof *ret);
	if (!atomic_load(&s->interrupted))
		return OK;
	db_error_from_text("", "interrupted", ret);
	return ERR_UNAVAILABLE;
}

static enum err connect_and_set_up(struct db_session *s, const struct session_parameters *p, struct db_error *ret)
{
	enum err e;

	s->pg = PQconnectdbParams((const char *const *)p->keywords, (const char *const *)p->values, 0);
	if (!s->pg)
		return ERR_NOMEM;
	if (PQstatus(s->pg) != CONNECTION_OK) {
		db_error_from_text("", PQerrorMessage(s->pg), ret);
		return ERR_UNAVAILABLE;
	}
	db_ignore_notices(s->pg);
	s->cancel = PQgetCancel(s->pg);
	e = s->cancel ? prepared_init(&s->prepared) : ERR_NOMEM;
	if (e == OK)
		e = db_session_script(s, session_first_statement(false), ret);
	return e;
}

enum err db_session_open(const char *conninfo, const char *role, int statement_timeout_ms, const char *application_name,
			 struct db_session **ret, struct db_error *ret_error)
{
	struct session_settings settings = {
		.role = role,
		.application_name = application_name,
		.statement_timeout_ms = statement_timeout_ms,
		.connect_timeout_s = CONNECT_TIMEOUT_S,
	};
	struct session_parameters parameters;
	struct db_session *s;
	enum err e;

	memset(ret_error, 0, sizeof *ret_error);
	e = session_parameters_init(&parameters, conninfo, &settings);
	if (e != OK) {
		db_error_from_text("", e == ERR_INVALID ? "the database's conninfo or URL is malformed" : "out of memory",
				   ret_error);
		return e;
	}
	s = calloc(1, sizeof *s);
	e = s ? connect_and_set_up(s, &parameters, ret_error) : ERR_NOMEM;
	session_parameters_done(&parameters);
	if (e == ERR_NOMEM && !ret_error->message[0])
		db_error_from_text("", "out of memory", ret_error);
	if (e != OK) {
		db_session_close(s);
		/* Whatever the server said, there is no session. */
		return e == ERR_NOMEM ? e : ERR_UNAVAILABLE;
	}
	*ret = s;
	return OK;
}

void db_session_close(struct db_session *s)
{
	if (!s)
		return;
	session_rows_done(s);
	PQfinish(s->pg);
	PQfreeCancel(s->cancel);
	prepared_done(&s->prepared);
	free(s);
}

enum err db_session_script(struct db_session *s, const char *sql, struct db_error *ret_error)
{
	enum err e = session_refuse_interrupted(s, ret_error);
	PGresult *r;

	if (e != OK)
		return e;
	r = PQexec(s->pg, sql);
	if (!succeeded(r))
		e = session_failure(s, r, ret_error);
	PQclear(r);
	return e;
}

enum err session_prepare(struct db_session *s, const struct db_statement *statement, unsigned *ret_number, bool *ret_fresh,
			 struct db_error *ret_error)
{
	char server_name[PREPARED_NAME_SIZE];
	enum err e = OK;
	PGresult *r;

	*ret_fresh = false;
	*ret_number = statement->name ? prepared_find(&s->prepared, statement->name) : 0;
	if (!statement->name || *ret_number)
		return OK;
	*ret_number = prepared_add(&s->prepared, statement->name, statement->shape);
	if (!*ret_number)
		return OK;
	*ret_fresh = true;
	prepared_server_name(statement->name, *ret_number, server_name);
	r = PQprepare(s->pg, server_name, statement->sql, 0, NULL);
	if (!succeeded(r)) {
		e = session_failure(s, r, ret_error);
		(void)prepared_forget(&s->prepared, *ret_number, NULL);
	}
	PQclear(r);
	return e;
}

static PGresult *execute(struct db_session *s, const struct db_statement *statement, unsigned number)
{
	char server_name[PREPARED_NAME_SIZE];

	if (!number)
		return PQexecParams(s->pg, statement->sql, statement->n_params, NULL, statement->params, NULL, NULL, 0);
	prepared_server_name(statement->name, number, server_name);
	return PQexecPrepared(s->pg, server_name, statement->n_params, statement->params, NULL, NULL, 0);
}

enum err db_session_run(struct db_session *s, const struct db_statement *statement, struct db_result **ret_result,
			struct db_error *ret_error)
{
	bool may_repeat = PQtransactionStatus(s->pg) == PQTRANS_IDLE;
	enum err e = session_refuse_interrupted(s, ret_error);

	if (ret_result)
		*ret_result = NULL;
	if (e != OK)
		return e;
	for (;; may_repeat = false) {
		unsigned number;
		bool fresh;
		PGresult *r;

		e = session_prepare(s, statement, &number, &fresh, ret_error);
		if (e != OK)
			return e;
		r = execute(s, statement, number);
		if (succeeded(r)) {
			if (!ret_result)
				PQclear(r);
			else if (!(*ret_result = db_result_wrap(r)))
				db_error_from_text("", "out of memory", ret_error);
			return ret_result && !*ret_result ? ERR_NOMEM : OK;
		}
		if (number && !fresh && db_sqlstate_tells_stale(db_result_sqlstate(r)))
			(void)prepared_forget(&s->prepared, number, NULL);
		else
			may_repeat = false;
		if (!may_repeat) {
			e = session_failure(s, r, ret_error);
			PQclear(r);
			return e;
		}
		PQclear(r);
	}
}

enum err db_session_query(struct db_session *s, struct db_result **ret_result, struct db_error *ret_error, const char *sql,
			  int n_params, ...)
{
	const char *params[MAX_QUERY_PARAMS];
	struct db_statement statement = { .sql = sql, .n_params = n_params, .params = params };
	va_list args;

	if (n_params < 0 || n_params > MAX_QUERY_PARAMS) {
		if (ret_result)
			*ret_result = NULL;
		db_error_from_text("", "too many parameters", ret_error);
		return ERR_INVALID;
	}
	va_start(args, n_params);
	for (int i = 0; i < n_params; i++)
		params[i] = va_arg(args, const char *);
	va_end(args);
	return db_session_run(s, &statement, ret_result, ret_error);
}

enum err db_session_copy_begin(struct db_session *s, const char *sql, struct db_error *ret_error)
{
	enum err e = session_refuse_interrupted(s, ret_error);
	PGresult *r;

	if (e != OK)
		return e;
	r = PQexec(s->pg, sql);
	if (PQresultStatus(r) == PGRES_COPY_IN) {
		PQclear(r);
		return OK;
	}
	if (succeeded(r)) {
		db_error_from_text("", "not a COPY FROM STDIN", ret_error);
		e = ERR_STATE;
	} else {
		e = session_failure(s, r, ret_error);
	}
	PQclear(r);
	return e;
}

enum err db_session_copy_put(struct db_session *s, const char *bytes, size_t n)
{
	enum { PIECE = 1 << 20 }; /* libpq counts in int */

	if (atomic_load(&s->interrupted))
		return ERR_UNAVAILABLE;
	while (n > 0) {
		int piece = n < PIECE ? (int)n : PIECE;

		if (PQputCopyData(s->pg, bytes, piece) != 1)
			return PQstatus(s->pg) == CONNECTION_BAD ? ERR_UNAVAILABLE : ERR_STATE;
		bytes += piece;
		n -= (size_t)piece;
	}
	return OK;
}

enum err db_session_copy_end(struct db_session *s, const char *abort_reason, struct db_error *ret_error)
{
	enum err e = OK;
	PGresult *r;

	memset(ret_error, 0, sizeof *ret_error);
	if (PQputCopyEnd(s->pg, abort_reason) != 1)
		return session_failure(s, NULL, ret_error);
	while ((r = PQgetResult(s->pg))) {
		if (!succeeded(r) && e == OK)
			e = session_failure(s, r, ret_error);
		PQclear(r);
	}
	return e;
}

void db_session_interrupt(struct db_session *s)
{
	char problem[256]; /* where it cannot be asked, the server is away and the statement fails anyway */

	atomic_store(&s->interrupted, true);
	(void)!PQcancel(s->cancel, problem, sizeof problem);
}

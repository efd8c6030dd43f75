/* Rows one by one. */
#include "session_internal.h"

#include <stdint.h>
#include <string.h>
#include "result_internal.h"

static const unsigned char signature[] = "PGCOPY\n\377\r\n"; /* and its NUL */
#define HEADER (sizeof signature + 8) /* flags, and the length of what else it holds */

enum err db_session_copy_out(struct db_session *s, const char *sql, struct db_error *ret_error)
{
	enum err e = session_refuse_interrupted(s, ret_error);
	PGresult *r;

	if (e != OK)
		return e;
	r = PQexec(s->pg, sql);
	if (PQresultStatus(r) == PGRES_COPY_OUT && PQbinaryTuples(r)) {
		s->rows = ROWS_OF_COPY;
		s->begun = false;
	} else if (r && PQresultStatus(r) != PGRES_FATAL_ERROR) {
		db_error_from_text("", "not a COPY TO STDOUT (format binary)", ret_error);
		e = ERR_STATE;
	} else {
		e = session_failure(s, r, ret_error);
	}
	PQclear(r);
	return e;
}

enum err db_session_stream(struct db_session *s, const struct db_statement *statement, struct db_error *ret_error)
{
	char server_name[PREPARED_NAME_SIZE];
	unsigned number;
	bool fresh;
	int sent;
	enum err e = session_refuse_interrupted(s, ret_error);

	if (e == OK)
		e = session_prepare(s, statement, &number, &fresh, ret_error);
	if (e != OK)
		return e;
	if (number) {
		prepared_server_name(statement->name, number, server_name);
		sent = PQsendQueryPrepared(s->pg, server_name, statement->n_params, statement->params, NULL, NULL, 1);
	} else {
		sent = PQsendQueryParams(s->pg, statement->sql, statement->n_params, NULL, statement->params, NULL, NULL, 1);
	}
	if (!sent)
		return session_failure(s, NULL, ret_error);
	s->rows = ROWS_OF_STATEMENT;
	return PQsetSingleRowMode(s->pg) ? OK : ERR_STATE;
}

/* Takes what libpq still has of the command that ended. */
static enum err finish(struct db_session *s, struct db_error *ret_error)
{
	enum err e = OK;
	PGresult *r;

	s->rows = NO_ROWS;
	while ((r = PQgetResult(s->pg))) {
		if (PQresultStatus(r) == PGRES_FATAL_ERROR && e == OK)
			e = session_failure(s, r, ret_error);
		PQclear(r);
	}
	return e;
}

static bool take(const unsigned char **p, int *left, unsigned size, int32_t *ret)
{
	uint32_t value = 0;

	if (*left < (int)size)
		return false;
	for (unsigned i = 0; i < size; i++)
		value = value << 8 | (*p)[i];
	*p += size;
	*left -= (int)size;
	*ret = size == 2 ? (int16_t)value : (int32_t)value;
	return true;
}

/* One message of the server's is one row, the first with the header before it; the last says -1. */
static enum err read_copied(struct db_session *s, int left, struct db_field *fields, int max, int *ret_n)
{
	const unsigned char *p = (const unsigned char *)s->copied;
	int32_t n, size;

	if (!s->begun) {
		if (left < (int)HEADER || memcmp(p, signature, sizeof signature) != 0)
			return ERR_STATE;
		p += sizeof signature;
		left -= (int)sizeof signature;
		if (!take(&p, &left, 4, &n) || n != 0 || !take(&p, &left, 4, &n) || n < 0 || n > left)
			return ERR_STATE;
		p += n;
		left -= n;
		s->begun = true;
	}
	if (!take(&p, &left, 2, &n) || n < -1 || n > max)
		return ERR_STATE;
	for (int i = 0; i < n; i++) {
		if (!take(&p, &left, 4, &size) || size < -1 || size > left)
			return ERR_STATE;
		fields[i] = (struct db_field){ .bytes = p, .n = size };
		if (size > 0) {
			p += size;
			left -= size;
		}
	}
	*ret_n = n < 0 ? 0 : n;
	return left == 0 ? OK : ERR_STATE;
}

static enum err row_of_copy(struct db_session *s, struct db_field *fields, int max, int *ret_n, struct db_error *ret_error)
{
	int n;

	PQfreemem(s->copied);
	s->copied = NULL;
	n = PQgetCopyData(s->pg, &s->copied, 0);
	if (n == -1)
		return finish(s, ret_error);
	if (n < 0)
		return session_failure(s, NULL, ret_error);
	return read_copied(s, n, fields, max, ret_n);
}

static enum err row_of_statement(struct db_session *s, struct db_field *fields, int max, int *ret_n, struct db_error *ret_error)
{
	int columns;
	enum err e;

	PQclear(s->row);
	s->row = PQgetResult(s->pg);
	switch (PQresultStatus(s->row)) {
	case PGRES_SINGLE_TUPLE:
		break;
	case PGRES_TUPLES_OK: /* no more of them */
	case PGRES_COMMAND_OK:
		return finish(s, ret_error);
	default:
		e = session_failure(s, s->row, ret_error);
		(void)finish(s, &(struct db_error){ 0 });
		return e;
	}
	columns = PQnfields(s->row);
	if (columns > max)
		return ERR_STATE;
	for (int i = 0; i < columns; i++)
		fields[i] = (struct db_field){
			.bytes = (const unsigned char *)PQgetvalue(s->row, 0, i),
			.n = PQgetisnull(s->row, 0, i) ? -1 : PQgetlength(s->row, 0, i),
		};
	*ret_n = columns;
	return OK;
}

enum err db_session_row(struct db_session *s, struct db_field *fields, int max, int *ret_n, struct db_error *ret_error)
{
	enum err e = session_refuse_interrupted(s, ret_error);

	*ret_n = 0;
	if (e != OK)
		return e;
	e = s->rows == ROWS_OF_COPY        ? row_of_copy(s, fields, max, ret_n, ret_error)
	    : s->rows == ROWS_OF_STATEMENT ? row_of_statement(s, fields, max, ret_n, ret_error)
					   : ERR_STATE;
	if (e == ERR_STATE && !ret_error->message[0])
		db_error_from_text("", "the rows are not of the form that was asked for", ret_error);
	return e;
}

void session_rows_done(struct db_session *s)
{
	PQfreemem(s->copied);
	PQclear(s->row);
	s->copied = NULL;
	s->row = NULL;
}

#include "result_internal.h"

#include <stdlib.h>
#include <string.h>

struct db_result *db_result_wrap(PGresult *pg)
{
	struct db_result *r = malloc(sizeof *r);

	if (!r) {
		PQclear(pg);
		return NULL;
	}
	*r = (struct db_result){ .pg = pg, .rows = PQntuples(pg), .held = 1 };
	return r;
}

struct db_result *db_result_view(struct db_result *whole, int first, int rows)
{
	struct db_result *r = malloc(sizeof *r);

	if (!r)
		return NULL;
	*r = (struct db_result){ .pg = whole->pg, .first = first, .rows = rows, .whole = whole };
	whole->held++;
	return r;
}

int db_result_rows(const struct db_result *r)
{
	return r->rows;
}

int db_result_columns(const struct db_result *r)
{
	return PQnfields(r->pg);
}

const char *db_result_column_name(const struct db_result *r, int column)
{
	const char *name = PQfname(r->pg, column);
	return name ? name : "";
}

unsigned db_result_column_type(const struct db_result *r, int column)
{
	return PQftype(r->pg, column);
}

const char *db_result_value(const struct db_result *r, int row, int column)
{
	return PQgetvalue(r->pg, r->first + row, column);
}

size_t db_result_length(const struct db_result *r, int row, int column)
{
	return (size_t)PQgetlength(r->pg, r->first + row, column);
}

bool db_result_is_null(const struct db_result *r, int row, int column)
{
	return PQgetisnull(r->pg, r->first + row, column);
}

struct db_cell db_result_cell(const struct db_result *r, int row, int column)
{
	struct db_cell cell = { .text = PQgetvalue(r->pg, r->first + row, column),
				.n = (size_t)PQgetlength(r->pg, r->first + row, column) };

	cell.null = cell.n == 0 && PQgetisnull(r->pg, r->first + row, column);
	return cell;
}

long db_result_affected(const struct db_result *r)
{
	return r->whole ? r->rows : strtol(PQcmdTuples(r->pg), NULL, 10);
}

void db_result_free(struct db_result *r)
{
	struct db_result *whole;

	if (!r)
		return;
	whole = r->whole ? r->whole : r;
	if (r->whole)
		free(r);
	if (--whole->held == 0) {
		PQclear(whole->pg);
		free(whole);
	}
}

void db_error_done(struct db_error *e)
{
	free(e->detail);
	memset(e, 0, sizeof *e);
}

void db_copy_text(char *to, size_t size, const char *text)
{
	size_t n = strlen(text);
	if (n >= size) {
		n = size - 1;
		while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
			n--;
	}
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	memcpy(to, text, n);
	to[n] = '\0';
}

void db_error_from_text(const char *sqlstate, const char *message, struct db_error *ret)
{
	memset(ret, 0, sizeof *ret);
	db_copy_text(ret->sqlstate, sizeof ret->sqlstate, sqlstate);
	db_copy_text(ret->message, sizeof ret->message, message);
}

const char *db_result_sqlstate(const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	return state ? state : "";
}

void db_error_from_result(const PGresult *r, struct db_error *ret)
{
	const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	const char *constraint = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);
	const char *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);

	db_error_from_text(db_result_sqlstate(r), message ? message : PQresultErrorMessage(r), ret);
	if (constraint)
		db_copy_text(ret->constraint, sizeof ret->constraint, constraint);
	if (detail)
		ret->detail = strdup(detail);
}

bool db_result_is_fatal(const PGresult *r)
{
	const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
	return severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

enum err db_err_from_sqlstate(const char *sqlstate)
{
	if (!sqlstate || !*sqlstate)
		return ERR_UNAVAILABLE;
	if (strcmp(sqlstate, "57014") == 0)
		return ERR_TIMEOUT;
	if (strcmp(sqlstate, "08P01") == 0) /* a wrong number of parameters: our own mistake */
		return ERR_SQL;
	if (strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "53", 2) == 0 || strncmp(sqlstate, "57P", 3) == 0 ||
	    strcmp(sqlstate, "25006") == 0)
		return ERR_UNAVAILABLE;
	return ERR_SQL;
}

bool db_sqlstate_tells_stale(const char *sqlstate)
{
	return strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "0A000") == 0 ||
	       (strncmp(sqlstate, "42", 2) == 0 && strcmp(sqlstate, "42501") != 0);
}

static void drop_notice(void *data, const PGresult *r)
{
	(void)data;
	(void)r;
}

void db_ignore_notices(PGconn *pg)
{
	PQsetNoticeReceiver(pg, drop_notice, NULL);
}

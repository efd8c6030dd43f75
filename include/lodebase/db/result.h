/* What a statement gave: rows of text, or an error. Reference: libpq's text format. Only src/db includes libpq-fe.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct db_result;

int db_result_rows(const struct db_result *r);
int db_result_columns(const struct db_result *r);
const char *db_result_column_name(const struct db_result *r, int column);
unsigned db_result_column_type(const struct db_result *r, int column); /* PostgreSQL's type OID */
const char *db_result_value(const struct db_result *r, int row, int column); /* NUL-terminated; "" where null */
size_t db_result_length(const struct db_result *r, int row, int column);
bool db_result_is_null(const struct db_result *r, int row, int column);
/* All of the above in one. */
struct db_cell {
	const char *text;
	size_t n;
	bool null;
};
struct db_cell db_result_cell(const struct db_result *r, int row, int column);
long db_result_affected(const struct db_result *r); /* rows that a change touched or a select gave; 0 where it tells none */
void db_result_free(struct db_result *r); /* NULL is fine */

/* Why a statement failed. Texts of the server's are for the log, never for a client. */
struct db_error {
	char sqlstate[6]; /* "" where the server did not speak (connection lost, timeout of ours) */
	char constraint[64]; /* the constraint's name, or "" */
	char message[512]; /* primary message */
	char *detail; /* the server's DETAIL, malloc'ed, or NULL: functions of our own put JSON there, of any length */
};
void db_error_done(struct db_error *e); /* frees the detail and clears */

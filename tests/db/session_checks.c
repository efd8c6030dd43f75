/* The blocking session, against the empty database that DATABASE leads to (test_session.py makes it). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "../unit/harness.h"
#include "lodebase/db/session.h"

static struct db_error problem; /* of the last call */

static struct db_session *open_session(int timeout_ms)
{
	struct db_session *s = NULL;

	if (db_session_open(getenv("DATABASE") /* NOLINT(concurrency-mt-unsafe) */, NULL, timeout_ms, "checks", &s, &problem) !=
	    OK)
		test_fail(__FILE__, __LINE__, "no session: %s", problem.message);
	return s;
}

static enum err script(struct db_session *s, const char *sql)
{
	db_error_done(&problem);
	return db_session_script(s, sql, &problem);
}

/* The first value of a query that must succeed; the caller frees it. */
static char *value(struct db_session *s, const char *sql)
{
	struct db_result *r = NULL;
	char *copy = NULL;

	db_error_done(&problem);
	if (db_session_query(s, &r, &problem, sql, 0) != OK)
		test_fail(__FILE__, __LINE__, "%s: %s", sql, problem.message);
	else if (db_result_rows(r) > 0)
		copy = strdup(db_result_value(r, 0, 0));
	db_result_free(r);
	return copy;
}

#define CHECK_VALUE(session, sql, wanted)           \
	do {                                        \
		char *got_ = value((session), sql); \
		CHECK_STR(got_, wanted);            \
		free(got_);                         \
	} while (0)

static void queries(void)
{
	struct db_session *s = open_session(0);
	struct db_result *r = NULL;

	if (!s)
		return;
	CHECK_INT(db_session_query(s, &r, &problem, "select $1::text as a, $2::int as b, $3::text", 3, "é", "7", NULL), OK);
	CHECK_INT(db_result_rows(r), 1);
	CHECK_INT(db_result_columns(r), 3);
	CHECK_STR(db_result_column_name(r, 1), "b");
	CHECK_INT(db_result_column_type(r, 1), 23);
	CHECK_STR(db_result_value(r, 0, 0), "é");
	CHECK_INT(db_result_length(r, 0, 0), 2);
	CHECK(!db_result_is_null(r, 0, 1));
	CHECK(db_result_is_null(r, 0, 2));
	CHECK_STR(db_result_value(r, 0, 2), "");
	db_result_free(r);
	CHECK_VALUE(s, "show search_path", "lodebase");
	CHECK_VALUE(s, "show TimeZone", "UTC");
	CHECK_VALUE(s, "show synchronous_commit", "on");
	CHECK_VALUE(s, "show statement_timeout", "0");
	CHECK_INT(script(s, "create schema if not exists lodebase; create table q (id int); insert into q values (1), (2)"),
		  OK);
	CHECK_INT(db_session_query(s, &r, &problem, "update q set id = id + $1", 1, "1"), OK);
	CHECK_INT(db_result_affected(r), 2);
	db_result_free(r);
	db_session_close(s);
}

static void failures(void)
{
	struct db_session *s = open_session(200);
	struct db_result *r = NULL;

	if (!s)
		return;
	CHECK_INT(script(s, "create table f (id int); select 1/0; create table g (id int)"), ERR_SQL);
	CHECK_STR(problem.sqlstate, "22012");
	CHECK_VALUE(s, "select to_regclass('f') is null", "t");
	CHECK_INT(script(s, "select pg_sleep(5)"), ERR_TIMEOUT);
	CHECK_INT(script(s, "do $$ begin raise exception using errcode = '53100', detail = repeat('x', 5000); end $$"),
		  ERR_UNAVAILABLE);
	CHECK_INT(problem.detail ? (int)strlen(problem.detail) : 0, 5000);
	db_error_done(&problem);
	CHECK_INT(db_session_query(s, &r, &problem, "select pg_terminate_backend(pg_backend_pid())", 0), ERR_UNAVAILABLE);
	CHECK(r == NULL);
	CHECK(problem.message[0] != '\0');
	CHECK_INT(script(s, "select 1"), ERR_UNAVAILABLE);
	CHECK(problem.message[0] != '\0');
	db_session_close(s);
	db_error_done(&problem);
}

static void prepared(void)
{
	struct db_session *s = open_session(0);
	const char *params[] = { "4" };
	struct db_statement star = { .name = "star", .sql = "select * from p" };
	struct db_statement half = { .name = "half", .sql = "select $1::int / 2", .n_params = 1, .params = params };
	struct db_result *r = NULL;

	if (!s)
		return;
	CHECK_INT(db_session_run(s, &star, &r, &problem), ERR_SQL);
	CHECK(r == NULL);
	CHECK_INT(script(s, "create schema if not exists lodebase; create table p (id int)"), OK);
	for (int i = 0; i < 3; i++) {
		static const char *const changes[] = { "alter table p add a int", "deallocate all; alter table p add b int",
						       "alter table p add d int" };

		CHECK_INT(db_session_run(s, &star, &r, &problem), OK);
		CHECK_INT(r ? db_result_columns(r) : 0, i + 1);
		db_result_free(r);
		CHECK_INT(db_session_run(s, &half, &r, &problem), OK);
		CHECK_STR(r ? db_result_value(r, 0, 0) : "", "2");
		db_result_free(r);
		CHECK_INT(script(s, changes[i]), OK);
	}
	CHECK_INT(db_session_run(s, &star, NULL, &problem), OK);
	/* Inside a transaction nothing can be tried again: it has failed. */
	CHECK_INT(script(s, "begin; alter table p add c int"), OK);
	CHECK_INT(db_session_run(s, &star, NULL, &problem), ERR_SQL);
	CHECK_STR(problem.sqlstate, "0A000");
	CHECK_INT(script(s, "rollback"), OK);
	CHECK_INT(db_session_run(s, &star, NULL, &problem), OK);
	db_session_close(s);
}

static void copies(void)
{
	struct db_session *s = open_session(0);
	size_t size = 3 << 20;
	char *big = malloc(size);

	if (!s || !big) {
		free(big);
		return;
	}
	memset(big, 'x', size);
	CHECK_INT(script(s, "create schema if not exists lodebase; create table c (id int, text text)"), OK);
	CHECK_INT(db_session_copy_begin(s, "copy c from stdin", &problem), OK);
	CHECK_INT(db_session_copy_put(s, LITERAL("1\ta\n2\t\\N\n3")), OK);
	CHECK_INT(db_session_copy_put(s, LITERAL("\t")), OK);
	CHECK_INT(db_session_copy_put(s, big, size), OK);
	CHECK_INT(db_session_copy_end(s, NULL, &problem), OK);
	CHECK_VALUE(s, "select string_agg(coalesce(length(text)::text, '-'), ' ' order by id) from c", "1 - 3145728");
	CHECK_INT(db_session_copy_begin(s, "copy c from stdin", &problem), OK);
	CHECK_INT(db_session_copy_put(s, LITERAL("4\ta\n")), OK);
	CHECK_INT(db_session_copy_end(s, "changed our mind", &problem), ERR_TIMEOUT);
	CHECK_INT(db_session_copy_begin(s, "copy c from stdin", &problem), OK);
	CHECK_INT(db_session_copy_put(s, LITERAL("four\ta\n")), OK);
	CHECK_INT(db_session_copy_end(s, NULL, &problem), ERR_SQL);
	CHECK_STR(problem.sqlstate, "22P02");
	CHECK_INT(db_session_copy_begin(s, "select 1", &problem), ERR_STATE);
	CHECK_INT(db_session_copy_begin(s, "copy nosuch from stdin", &problem), ERR_SQL);
	CHECK_VALUE(s, "select count(*) from c", "3");
	free(big);
	db_session_close(s);
	db_error_done(&problem);
}

/* All rows of what was begun: how many, and the sum of their first column, an integer of 4 bytes (null: 0). */
static enum err drain(struct db_session *s, int columns, int *ret_rows, int *ret_sum)
{
	struct db_field fields[4];
	enum err e;
	int n;

	*ret_rows = 0;
	*ret_sum = 0;
	while ((e = db_session_row(s, fields, 4, &n, &problem)) == OK && n > 0) {
		CHECK_INT(n, columns);
		(*ret_rows)++;
		for (int i = 0, value = 0; i < fields[0].n; i++) {
			value = value << 8 | fields[0].bytes[i];
			*ret_sum += i == fields[0].n - 1 ? value : 0;
		}
	}
	return e;
}

static void rows(void)
{
	struct db_session *s = open_session(0);
	const char *params[] = { "3" };
	struct db_statement series = { .name = "series",
				       .sql = "select g, 'x'::text, null from generate_series(1, $1::int) g",
				       .n_params = 1,
				       .params = params };
	struct db_statement broken = { .sql = "select 10 / (4 - g) from generate_series(1, 9) g" };
	struct db_field fields[4];
	int n, sum;

	if (!s)
		return;
	for (int i = 0; i < 3; i++) {
		CHECK_INT(db_session_stream(s, &series, &problem), OK);
		CHECK_INT(drain(s, 3, &n, &sum), OK);
		CHECK_INT(n, 3);
		CHECK_INT(sum, 6);
	}
	params[0] = "0";
	CHECK_INT(db_session_stream(s, &series, &problem), OK);
	CHECK_INT(drain(s, 3, &n, &sum), OK);
	CHECK_INT(n, 0);
	CHECK_INT(db_session_copy_out(
			  s,
			  "copy (select g, repeat('x', 100000), null from generate_series(1, 50) g) to stdout (format "
			  "binary)",
			  &problem),
		  OK);
	CHECK_INT(drain(s, 3, &n, &sum), OK);
	CHECK_INT(n, 50);
	CHECK_INT(sum, 1275);
	CHECK_INT(db_session_copy_out(s, "copy (select 1 where false) to stdout (format binary)", &problem), OK);
	CHECK_INT(db_session_row(s, fields, 4, &n, &problem), OK);
	CHECK_INT(n, 0);
	/* null, an empty text */
	CHECK_INT(db_session_copy_out(s, "copy (select null::int, '') to stdout (format binary)", &problem), OK);
	CHECK_INT(db_session_row(s, fields, 4, &n, &problem), OK);
	CHECK_INT(n, 2);
	CHECK_INT(fields[0].n, -1);
	CHECK_INT(fields[1].n, 0);
	CHECK_INT(db_session_row(s, fields, 4, &n, &problem), OK);
	CHECK_INT(n, 0);
	/* Errors on the way; afterwards the session is as before. */
	CHECK_INT(db_session_copy_out(s, "copy (select 10 / (4 - g) from generate_series(1, 9) g) to stdout (format binary)",
				      &problem),
		  OK);
	CHECK_INT(drain(s, 1, &n, &sum), ERR_SQL);
	CHECK_INT(n, 3);
	CHECK_STR(problem.sqlstate, "22012");
	CHECK_INT(db_session_stream(s, &broken, &problem), OK);
	CHECK_INT(drain(s, 1, &n, &sum), ERR_SQL);
	CHECK_INT(n, 3);
	CHECK_STR(problem.sqlstate, "22012");
	CHECK_INT(db_session_copy_out(s, "copy (select 1) to stdout", &problem), ERR_STATE);
	db_session_close(s);
	s = open_session(0);
	CHECK_INT(db_session_row(s, fields, 4, &n, &problem), ERR_STATE);
	CHECK_INT(db_session_copy_out(s, "select 1", &problem), ERR_STATE);
	CHECK_INT(db_session_copy_out(s, "copy nosuch to stdout (format binary)", &problem), ERR_SQL);
	CHECK_INT(db_session_stream(s, &(struct db_statement){ .sql = "select 1, 2, 3, 4, 5" }, &problem), OK);
	CHECK_INT(db_session_row(s, fields, 4, &n, &problem), ERR_STATE);
	CHECK(problem.message[0]);
	db_session_close(s);
	/* Who leaves early, or loses its server. */
	s = open_session(0);
	CHECK_INT(
		db_session_copy_out(s, "copy (select g from generate_series(1, 100000) g) to stdout (format binary)", &problem),
		OK);
	CHECK_INT(db_session_row(s, fields, 4, &n, &problem), OK);
	db_session_close(s);
	s = open_session(0);
	CHECK_INT(db_session_stream(s, &(struct db_statement){ .sql = "select pg_terminate_backend(pg_backend_pid())" },
				    &problem),
		  OK);
	CHECK_INT(drain(s, 1, &n, &sum), ERR_UNAVAILABLE);
	CHECK_INT(db_session_stream(s, &broken, &problem), ERR_UNAVAILABLE);
	db_session_close(s);
	db_error_done(&problem);
}

static atomic_bool ended;

static void *interrupt(void *session)
{
	/* It may hit nothing until the statement has begun. */
	while (!atomic_load(&ended))
		db_session_interrupt(session);
	return NULL;
}

static void interruption(void)
{
	struct db_session *s = open_session(0);
	pthread_t thread;

	if (!s)
		return;
	CHECK_INT(pthread_create(&thread, NULL, interrupt, s), 0);
	while (script(s, "select pg_sleep(60)") == OK)
		;
	CHECK_INT(script(s, "select 1"), ERR_UNAVAILABLE);
	CHECK_INT(db_session_copy_begin(s, "copy c from stdin", &problem), ERR_UNAVAILABLE);
	CHECK_INT(db_session_copy_out(s, "copy c to stdout (format binary)", &problem), ERR_UNAVAILABLE);
	atomic_store(&ended, true);
	pthread_join(thread, NULL);
	db_session_close(s);
}

static void not_opened(void)
{
	struct db_session *s = NULL;

	CHECK_INT(db_session_open("postgresql://a:geheim@[::1", NULL, 0, "checks", &s, &problem), ERR_INVALID);
	CHECK(strstr(problem.message, "geheim") == NULL && problem.message[0]);
	CHECK_INT(db_session_open("host=/nosuch user=a password=geheim dbname=b", NULL, 0, "checks", &s, &problem),
		  ERR_UNAVAILABLE);
	CHECK(strstr(problem.message, "geheim") == NULL && problem.message[0]);
	CHECK_INT(db_session_open(getenv("DATABASE") /* NOLINT(concurrency-mt-unsafe) */, "no such role", 0, "checks", &s,
				  &problem),
		  ERR_UNAVAILABLE);
	CHECK(strstr(problem.message, "no such role") != NULL);
	CHECK(s == NULL);
	db_session_close(NULL);
}

TESTS({ "queries", queries }, { "failures", failures }, { "prepared", prepared }, { "copies", copies }, { "rows", rows },
      { "interruption", interruption }, { "not_opened", not_opened })

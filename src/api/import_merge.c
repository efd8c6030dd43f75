/* The second half of an import: what only all of it together shows, and the one transaction that writes it. Everything before
 * that transaction runs in others, so that its id is young: the feed and times near now wait for it (design section 3). */
#include "import_internal.h"
#include "lodebase/db/migrate.h"

#include <stdlib.h>
#include <string.h>

#define RACES_MAX 3

static bool compose_and_run(struct import *im, char *sql, uint64_t *ret_value)
{
	struct db_error error = { 0 };
	bool fine = sql ? import_run_sql(im, sql, ret_value) : import_sql_failed(im, ERR_NOMEM, &error);

	free(sql);
	return fine;
}

/* The next faults are those of a row's record: n, source, place, … */
static void place_at_row(struct import *im, const struct import_table *t, const struct db_result *rows, int row)
{
	import_place(im, &im->faults, im->fault_arena, (unsigned)atoi(db_result_value(rows, row, 1)), t,
		     strtoull(db_result_value(rows, row, 2), NULL, 10));
}

/* Adds a fault for each row. */
static bool row_faults(struct import *im, const struct import_table *t, char *sql,
		       void (*say)(struct import *im, const struct db_result *rows, int row, const void *data),
		       const void *data)
{
	struct db_result *rows = NULL;
	struct db_error error = { 0 };
	enum err e = sql ? db_session_query(im->session, &rows, &error, sql, 0) : ERR_NOMEM;

	free(sql);
	for (int i = 0; e == OK && i < db_result_rows(rows); i++) {
		place_at_row(im, t, rows, i);
		say(im, rows, i, data);
		import_faults_of(im, im->faults.first, strtoull(db_result_value(rows, i, 0), NULL, 10));
	}
	db_result_free(rows);
	return e == OK || import_sql_failed(im, e, &error);
}

static void say_repeated_slug(struct import *im, const struct db_result *rows, int row, const void *data)
{
	(void)rows;
	(void)row;
	(void)data;
	faults_member(&im->faults, "slug", "repeated", "this slug comes twice in the import");
}

static void say_repeated_id(struct import *im, const struct db_result *rows, int row, const void *data)
{
	(void)data;
	faults_member(&im->faults, db_result_value(rows, row, 3)[0] == 't' ? "id" : "slug", "repeated",
		      "the import speaks of this record twice");
}

static void say_lost(struct import *im, const struct db_result *rows, int row, const void *data)
{
	const struct field *f = data;

	faults_member(&im->faults, f->name, "reference",
		      "there is no %s with the id or slug \"%s\", neither stored nor in this import",
		      resource_find(f->type == FIELD_SUBJECT ? db_result_value(rows, row, 4) : f->target)->singular,
		      db_result_value(rows, row, 3));
}

/* Resolves all tables into those of what changes something. */
static bool resolve(struct import *im)
{
	char sql[300];

	for (size_t k = 0; k < im->n_tables; k++) {
		struct import_table *t = &im->tables[k];

		if (t->staged == 0)
			continue;
		snprintf(sql, sizeof(sql), "analyze staged_%s; drop table if exists merge_%s", t->resource->table,
			 t->resource->table);
		if (!import_moves_slowly(im, t->staged) || !import_run_sql(im, sql, NULL) ||
		    !row_faults(im, t, import_sql_repeated(t, true), say_repeated_slug, NULL) ||
		    !row_faults(im, t, import_sql_repeated(t, false), say_repeated_id, NULL))
			return false;
	}
	for (size_t k = 0; k < im->n_tables; k++) {
		struct import_table *t = &im->tables[k];

		t->merged = 0;
		if (t->staged == 0)
			continue;
		snprintf(sql, sizeof(sql), "analyze merge_%s", t->resource->table);
		if (!import_moves_slowly(im, t->staged) || !compose_and_run(im, import_sql_merge(im, t), NULL) ||
		    !import_run_sql(im, sql, NULL))
			return false;
		snprintf(sql, sizeof(sql), "select count(*) from merge_%s", t->resource->table);
		if (!import_run_sql(im, sql, &t->merged))
			return false;
		for (size_t i = RESOURCE_COMMON_FIELDS; i < t->resource->n_fields; i++)
			if (import_refers(im, t, i) &&
			    !row_faults(im, t, import_sql_lost(t, i), say_lost, &t->resource->fields[i]))
				return false;
	}
	return true;
}

/* --- the transaction ----------------------------------------------------------------------------------------------- */

enum outcome { WRITTEN, RACE, ANSWERED };

static bool is_race(const struct db_error *error)
{
	/* a slug or id taken meanwhile, a reference deleted meanwhile, a deadlock, a record created under its id meanwhile */
	static const char *const states[] = { "23505", "23503", "40P01", "40001", "LD500" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(error->sqlstate, states[i]) == 0)
			return true;
	return false;
}

/* The detail of LD409 lists those who are too many together; the records of this import among them are at fault. */
static void over_allocated(struct import *im, struct db_error *error)
{
	const char *detail = error->detail;
	size_t n = detail ? strlen(detail) : 0;

	for (size_t k = 0; k < im->n_tables && n > 0; k++) {
		const struct import_table *t = &im->tables[k];
		struct db_result *rows = NULL;
		struct db_error ignored = { 0 };
		char sql[400];

		if (t->merged == 0)
			continue;
		snprintf(sql, sizeof(sql),
			 "select m._n, m._source, m._place from merge_%s m join json_array_elements($1::json -> '%s') s "
			 "on (s ->> 'id')::uuid = m.id order by m._n",
			 t->resource->table, t->resource->name);
		if (db_session_query(im->session, &rows, &ignored, sql, 1, detail) == OK)
			for (int i = 0; i < db_result_rows(rows); i++) {
				place_at_row(im, t, rows, i);
				faults_member(&im->faults, "economic_pct", "range",
					      "with it the closed, non-contingent shares of the subject would sum to more than "
					      "100 %%");
				import_faults_of(im, im->faults.first, strtoull(db_result_value(rows, i, 0), NULL, 10));
			}
		db_result_free(rows);
		db_error_done(&ignored);
	}
	if (n > 2 && detail[0] == '{' && detail[n - 1] == '}')
		buf_put(&im->answer->extra, detail + 1, n - 2);
	db_error_done(error);
	import_fail(im, 409, "over-allocated",
		    "the closed, non-contingent economic shares of one subject would sum to more than 100 % at one time");
}

/* What a failed statement of the transaction means. The transaction is over then. */
static enum outcome undone(struct import *im, enum err e, struct db_error *error)
{
	struct db_error ignored = { 0 };

	if (e != ERR_UNAVAILABLE && db_session_script(im->session, "rollback", &ignored) != OK)
		db_error_done(&ignored); /* the session is lost, which the next statement notices */
	if (e == ERR_SQL && is_race(error)) {
		db_error_done(error);
		return RACE;
	}
	if (e == ERR_SQL && strcmp(error->sqlstate, "LD401") == 0) {
		db_error_done(error);
		import_fail(im, 401, "unauthenticated", "the key was revoked; nothing was changed");
	} else if (e == ERR_SQL && strcmp(error->sqlstate, "LD403") == 0) {
		db_error_done(error);
		import_fail(im, 403, "forbidden", "the key's scope does not allow to import");
	} else if (e == ERR_SQL && (strcmp(error->sqlstate, "LD423") == 0 || strcmp(error->sqlstate, "LD208") == 0)) {
		db_error_done(error);
		im->answer->passing = true;
		faults_add(&im->faults, FAULT_HEADER, "Idempotency-Key", "repeated",
			   "another request with this Idempotency-Key was under way: ask again for its answer");
		import_fail(im, 409, "conflict",
			    "another request with this Idempotency-Key was under way: ask again for its answer");
	} else if (e == ERR_SQL && strcmp(error->sqlstate, "LD409") == 0) {
		over_allocated(im, error);
	} else {
		import_sql_failed(im, e, error);
	}
	return ANSWERED;
}

/* Statement without a value wanted, or with its first row in ret. */
static enum err step(struct import *im, char *sql, struct db_result **ret, struct db_error *error, const char *a, const char *b)
{
	enum err e = sql ? db_session_query(im->session, ret, error, sql, b ? 2 : 0, a, b) : ERR_NOMEM;

	free(sql);
	return e;
}

/* Rows that have subjects first, then what can be a subject, as single writes do; among those the order of resources[]. */
static enum err lock(struct import *im, struct db_error *error)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t k = 0; k < im->n_tables; k++) {
			const struct import_table *t = &im->tables[k];
			enum err e;

			if (!t->resource->locks == (pass == 0) || !import_sql_locks(im, t))
				continue;
			e = step(im, import_sql_lock(im, t), NULL, error, NULL, NULL);
			if (e != OK)
				return e;
		}
	return OK;
}

static enum err write_tables(struct import *im, struct db_error *error)
{
	struct db_result *latest = NULL, *counts = NULL;
	enum err e = step(im, import_sql_latest(im), &latest, error, NULL, NULL);

	for (size_t k = 0; e == OK && k < im->n_tables; k++) {
		struct import_table *t = &im->tables[k];

		t->created = t->updated = 0;
		if (t->merged == 0)
			continue;
		if (!import_moves_slowly(im, t->merged)) {
			e = ERR_STATE;
			break;
		}
		e = step(im, import_sql_write(t), &counts, error, db_result_value(latest, 0, 0), db_result_value(latest, 0, 1));
		if (e == OK) {
			t->created = strtoull(db_result_value(counts, 0, 0), NULL, 10);
			t->updated = strtoull(db_result_value(counts, 0, 1), NULL, 10);
		}
		db_result_free(counts);
		counts = NULL;
	}
	db_result_free(latest);
	return e;
}

/* What the caller's Idempotency-Key will be answered from now on, in the transaction of what it speaks of. */
static enum err keep_answer(struct import *im, struct db_error *error)
{
	const struct import_request *q = im->request;
	enum err e = ERR_NOMEM;
	struct buf body;

	buf_init(&body, 1u << 20);
	import_write_counts(im, &body);
	buf_putc(&body, '\n');
	if (!body.failed)
		e = db_session_query(im->session, NULL, error, db_query("idempotency_keep"), 8, q->key_id, q->idempotency_key,
				     q->idempotency_request, "200", NULL, NULL, NULL, body.data);
	buf_done(&body);
	return e;
}

static enum outcome transact(struct import *im)
{
	const struct import_request *q = im->request;
	struct db_error error = { 0 };
	enum err e = db_session_script(im->session, "begin isolation level read committed", &error);

	if (e == OK)
		e = db_session_query(im->session, NULL, &error, "select lodebase.write_begin($1, $2, $3, 'write')", 3, q->actor,
				     q->request_id, q->key_id);
	if (e == OK && q->idempotency_key && !q->dry_run)
		e = db_session_query(im->session, NULL, &error, db_query("idempotency_begin"), 2, q->key_id,
				     q->idempotency_key);
	if (e == OK)
		e = lock(im, &error);
	if (e == OK)
		e = write_tables(im, &error);
	if (e == OK && q->idempotency_key && !q->dry_run)
		e = keep_answer(im, &error);
	if (e == OK)
		e = db_session_script(im->session, q->dry_run ? "rollback" : "commit", &error);
	return e == OK ? WRITTEN : undone(im, e, &error);
}

bool import_merge(struct import *im)
{
	for (int races = 0;; races++) {
		enum outcome outcome;

		for (size_t k = 0; races > 0 && k < im->n_tables; k++)
			if (im->tables[k].staged > 0 && !compose_and_run(im, import_sql_follow(&im->tables[k]), NULL))
				return false;
		if (!resolve(im))
			return false;
		if (im->faults.n > 0 || im->faults.truncated)
			return true;
		outcome = transact(im);
		if (outcome != RACE)
			return outcome == WRITTEN;
		if (races == RACES_MAX) {
			import_fail(im, 503, "unavailable",
				    "others kept changing the same records at the same time; nothing was changed, try again");
			return false;
		}
	}
}

#include "lodebase/db/migrate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/buf.h"
#include "lodebase/base/digest.h"

/* "lodebase migrate" as a number: advisory locks are per database. */
#define MIGRATE_LOCK "7165911034528391"
#define SCRIPT_MAX (16u << 20)

const char *db_query(const char *name)
{
	for (size_t i = 0; i < db_n_queries; i++)
		if (strcmp(db_queries[i].name, name) == 0)
			return db_queries[i].sql;
	return NULL;
}

static enum err failed(struct migrate_report *report, const char *what, enum err e, const struct db_error *error)
{
	const char *why = error->message[0] ? error->message : err_name(e);

	if (strcmp(error->sqlstate, "42501") == 0)
		snprintf(report->problem, sizeof(report->problem), "%s: the database account may not do that (%.300s)", what,
			 why);
	else
		snprintf(report->problem, sizeof(report->problem), "%s: %.400s", what, why);
	return e;
}

/* The schema and the table of what was applied; made here, because the first migration is recorded in it. */
static enum err prepare(struct db_session *owner, struct migrate_report *report)
{
	struct db_error error = { 0 };
	struct db_result *result = NULL;
	bool schema, table;
	enum err e;

	e = db_session_query(owner, &result, &error,
			     "select to_regnamespace('lodebase') is not null, to_regclass('lodebase.migration') is not null",
			     0);
	if (e != OK) {
		failed(report, "looking for the schema", e, &error);
		goto out;
	}
	schema = db_result_value(result, 0, 0)[0] == 't';
	table = db_result_value(result, 0, 1)[0] == 't';
	if (!schema) {
		e = db_session_script(owner, "create schema lodebase", &error);
		if (e != OK) {
			failed(report, "creating the schema lodebase", e, &error);
			goto out;
		}
	}
	if (!table) {
		e = db_session_script(owner,
				      "create table lodebase.migration (number integer primary key, name text not null, "
				      "sha256 text not null, applied_at timestamptz not null default clock_timestamp())",
				      &error);
		if (e != OK)
			failed(report, "creating the table of migrations", e, &error);
	}
out:
	db_result_free(result);
	db_error_done(&error);
	return e;
}

/* What was applied must be the beginning of what this program knows, to the byte. */
static enum err compare(struct db_session *owner, struct migrate_report *report)
{
	struct db_error error = { 0 };
	struct db_result *result = NULL;
	int rows;
	enum err e;

	e = db_session_query(owner, &result, &error, "select number, name, sha256 from lodebase.migration order by number", 0);
	if (e != OK) {
		failed(report, "reading which migrations were applied", e, &error);
		goto out;
	}
	rows = db_result_rows(result);
	if (rows > 0)
		report->version = atoi(db_result_value(result, rows - 1, 0));
	if (report->version > db_migrations[db_n_migrations - 1].number) {
		snprintf(report->problem, sizeof(report->problem),
			 "the database was migrated by a newer Lodebase: its schema is at %d, this program knows up to %d. "
			 "Run that version or a newer one; nothing was changed",
			 report->version, db_migrations[db_n_migrations - 1].number);
		e = ERR_CONFLICT;
		goto out;
	}
	for (int i = 0; i < rows; i++) {
		const struct migration *known = &db_migrations[(size_t)i < db_n_migrations ? (size_t)i : db_n_migrations - 1];

		if (atoi(db_result_value(result, i, 0)) == known->number &&
		    strcmp(db_result_value(result, i, 2), known->sha256) == 0)
			continue;
		snprintf(report->problem, sizeof(report->problem),
			 "migration %s_%s in the database is not this program's %04d_%s (their checksums differ): the database "
			 "was "
			 "built by another Lodebase; nothing was changed",
			 db_result_value(result, i, 0), db_result_value(result, i, 1), known->number, known->name);
		e = ERR_CONFLICT;
		goto out;
	}
out:
	db_result_free(result);
	db_error_done(&error);
	return e;
}

/* One migration and its record, in one implicit transaction. */
static enum err apply(struct db_session *owner, const struct migration *m, struct migrate_report *report)
{
	struct db_error error = { 0 };
	struct buf script;
	char what[128];
	enum err e = ERR_NOMEM;

	buf_init(&script, SCRIPT_MAX);
	buf_puts(&script, "set local search_path = lodebase, pg_temp;\n");
	buf_puts(&script, m->sql);
	buf_printf(&script, "\n;insert into lodebase.migration (number, name, sha256) values (%d, '%s', '%s')", m->number,
		   m->name, m->sha256);
	if (!script.failed)
		e = db_session_script(owner, script.data, &error);
	if (e != OK) {
		snprintf(what, sizeof(what), "migration %04d_%.80s", m->number, m->name);
		failed(report, what, e, &error);
	} else {
		report->applied++;
		report->version = m->number;
	}
	buf_done(&script);
	db_error_done(&error);
	return e;
}

/* What is composed from the field tables, laid again only where its text changed. */
static enum err lay_composed(struct db_session *owner, const char *sql, struct migrate_report *report)
{
	struct db_error error = { 0 };
	struct db_result *result = NULL;
	struct buf script;
	unsigned char digest[32];
	char hex[65];
	enum err e;

	digest_sha256(sql, strlen(sql), digest);
	digest_hex(digest, sizeof(digest), hex);
	buf_init(&script, SCRIPT_MAX);
	e = db_session_query(owner, &result, &error,
			     "select 1 from lodebase.setting where name = 'composed_sha256' and value = $1", 1, hex);
	if (e == OK && db_result_rows(result) == 0) {
		buf_puts(&script, "set local search_path = lodebase, pg_temp;\n");
		buf_puts(&script, sql);
		buf_printf(&script,
			   "\n;insert into lodebase.setting (name, value) values ('composed_sha256', '%s') "
			   "on conflict (name) do update set value = excluded.value",
			   hex);
		e = script.failed ? ERR_NOMEM : db_session_script(owner, script.data, &error);
	}
	if (e != OK)
		failed(report, "laying the history triggers", e, &error);
	buf_done(&script);
	db_result_free(result);
	db_error_done(&error);
	return e;
}

static enum err migrate_locked(struct db_session *owner, const char *composed_sql, struct migrate_report *report)
{
	struct db_error error = { 0 };
	enum err e;

	e = prepare(owner, report);
	if (e == OK)
		e = compare(owner, report);
	for (size_t i = 0; e == OK && i < db_n_migrations; i++)
		if (db_migrations[i].number > report->version)
			e = apply(owner, &db_migrations[i], report);
	if (e == OK)
		e = lay_composed(owner, composed_sql, report);
	if (e == OK) {
		e = db_session_query(owner, NULL, &error, "select lodebase.check_epoch(), lodebase.grant_service()", 0);
		if (e != OK)
			failed(report, "giving the service's role its rights", e, &error);
	}
	db_error_done(&error);
	return e;
}

/* Of the session, not of a transaction: each migration is a transaction of its own. */
enum err db_migrate_lock(struct db_session *owner, struct db_error *ret_error)
{
	return db_session_query(owner, NULL, ret_error, "select pg_advisory_lock(" MIGRATE_LOCK ")", 0);
}

enum err db_migrate(struct db_session *owner, const char *composed_sql, struct migrate_report *ret)
{
	struct db_error error = { 0 };
	enum err e, unlocked;

	assert(owner && composed_sql && ret);
	*ret = (struct migrate_report){ 0 };
	e = db_migrate_lock(owner, &error);
	if (e != OK) {
		failed(ret, "waiting for other migrations", e, &error);
		db_error_done(&error);
		return e;
	}
	e = migrate_locked(owner, composed_sql, ret);
	db_error_done(&error);
	unlocked = db_session_query(owner, NULL, &error, "select pg_advisory_unlock(" MIGRATE_LOCK ")", 0);
	if (e == OK && unlocked != OK)
		e = failed(ret, "letting other migrations go", unlocked, &error);
	db_error_done(&error);
	return e;
}

enum err db_migrate_check(struct db_session *service, int *ret_version, struct db_error *ret_error)
{
	struct db_result *result = NULL;
	enum err e;

	*ret_version = -1;
	/* to_regclass() is null also where the schema may not be used: it is then not this account's base. */
	e = db_session_query(
		service, &result, ret_error,
		"select case when has_schema_privilege(n.oid, 'usage') and to_regclass('lodebase.migration') is not null "
		"then 1 else 0 end from pg_namespace n where n.nspname = 'lodebase'",
		0);
	if (e == OK && db_result_rows(result) == 1 && db_result_value(result, 0, 0)[0] == '1') {
		db_result_free(result);
		result = NULL;
		e = db_session_query(service, &result, ret_error, "select coalesce(max(number), -1) from lodebase.migration",
				     0);
		if (e == OK)
			*ret_version = atoi(db_result_value(result, 0, 0));
	}
	db_result_free(result);
	return e;
}

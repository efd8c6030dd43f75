#include "lodebase/app/database.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/api/schema.h"
#include "lodebase/base/clock.h"

#define PROBLEM(...) snprintf(problem, APP_PROBLEM_SIZE, __VA_ARGS__)

#define APPLICATION "lodebase"
#define OWNER_ROLE "lodebase_owner"
#define START_PATIENCE_MS 60000 /* a running service's server may just be coming up */
#define HOLDER_PATIENCE_MS 60000
#define STOP_GENTLE_MS 2000
#define STOP_DEADLINE_MS 60000

static enum err enter_external(const struct config *c, struct database *d, char problem[APP_PROBLEM_SIZE])
{
	enum err e = account_settle(c, false, false, problem);
	if (e != OK)
		return e;
	d->service = strdup(c->database);
	d->owner = strdup(c->owner_database ? c->owner_database : c->database);
	d->one_account = !c->owner_database;
	return d->service && d->owner ? OK : ERR_NOMEM;
}

static enum err start_own(const struct config *c, const char *holder, struct database *d, char problem[APP_PROBLEM_SIZE])
{
	struct embedded_postgres_options o = {
		.data_dir = c->data_dir,
		.postgres_bin = c->postgres_bin,
		.holder = holder,
		.patience_ms = HOLDER_PATIENCE_MS,
		.stop_fd = -1,
	};
	enum err e = embedded_postgres_new(&o, &d->own, problem);
	if (e == OK && embedded_postgres_is_new(d->own)) /* --data-dir may have been mistyped */
		fprintf(stderr, "lodebase %s: there was no base in %s: a new, empty one is made\n", holder, c->data_dir);
	if (e == OK)
		e = embedded_postgres_start(d->own, problem);
	if (e == OK) {
		d->service = embedded_postgres_conninfo(d->own, DATABASE_SERVICE_ROLE);
		d->owner = embedded_postgres_conninfo(d->own, OWNER_ROLE);
	}
	return e != OK ? e : d->service && d->owner ? OK : ERR_NOMEM;
}

/* A service may come or go while we look. */
static enum err enter_embedded(const struct config *c, const char *holder, bool create, struct database *d,
			       char problem[APP_PROBLEM_SIZE])
{
	uint64_t deadline = clock_monotonic_ms() + START_PATIENCE_MS;
	enum err e = account_settle(c, true, create, problem);
	if (e != OK)
		return e;
	d->embedded = true;
	for (;;) {
		e = embedded_postgres_find(c->data_dir, DATABASE_SERVICE_ROLE, &d->service);
		if (e == OK)
			e = embedded_postgres_find(c->data_dir, OWNER_ROLE, &d->owner);
		if (e == ERR_NOT_FOUND || e == ERR_CONFLICT) {
			free(d->service);
			d->service = NULL;
			e = start_own(c, holder, d, problem);
			if (e != ERR_CONFLICT || embedded_postgres_find(c->data_dir, OWNER_ROLE, &d->owner) == ERR_NOT_FOUND)
				return e;
			free(d->owner);
			d->owner = NULL;
		} else if (e != ERR_UNAVAILABLE) {
			return e;
		}
		if (clock_monotonic_ms() >= deadline) {
			PROBLEM("the PostgreSQL of the service that runs on %s does not come up", c->data_dir);
			return ERR_UNAVAILABLE;
		}
		poll(NULL, 0, 100);
	}
}

enum err database_enter(const struct config *c, const char *holder, bool create, struct database *ret,
			char problem[APP_PROBLEM_SIZE])
{
	memset(ret, 0, sizeof(*ret));
	problem[0] = '\0';
	enum err e = c->database ? enter_external(c, ret, problem) : enter_embedded(c, holder, create, ret, problem);
	if (e != OK) {
		if (!problem[0])
			PROBLEM("%s", err_name(e));
		database_leave(ret);
	}
	return e;
}

void database_leave(struct database *d)
{
	if (d->own) {
		embedded_postgres_stop(d->own, STOP_GENTLE_MS, STOP_DEADLINE_MS);
		embedded_postgres_free(d->own);
	}
	free(d->service);
	free(d->owner);
	memset(d, 0, sizeof(*d));
}

static enum err unreachable(struct database *d, enum err e, const struct db_error *error, char problem[APP_PROBLEM_SIZE])
{
	char words[300] = "";
	if (d->own)
		embedded_postgres_last_words(d->own, words, sizeof(words));
	PROBLEM("the database cannot be reached: %.300s%s%s", error->message[0] ? error->message : err_name(e),
		words[0] ? ". PostgreSQL said last: " : "", words);
	return e;
}

/* Our own server needs a moment, or after a crash much longer: as long as it runs. */
static enum err connect_patiently(struct database *d, const char *conninfo, const char *role, struct db_session **ret,
				  char problem[APP_PROBLEM_SIZE])
{
	struct db_error error = { 0 };
	for (;;) {
		enum err e = db_session_open(conninfo, role, 0, APPLICATION, ret, &error);
		if (e == ERR_UNAVAILABLE && d->own && embedded_postgres_is_running(d->own)) {
			db_error_done(&error);
			poll(NULL, 0, 50);
			continue;
		}
		if (e != OK)
			(void)unreachable(d, e, &error, problem);
		db_error_done(&error);
		return e;
	}
}

static enum err ask(struct db_session *s, const char *sql, bool *ret, char problem[APP_PROBLEM_SIZE])
{
	struct db_error error = { 0 };
	struct db_result *r = NULL;
	enum err e = db_session_query(s, &r, &error, sql, 0);
	if (e == OK)
		*ret = strcmp(db_result_value(r, 0, 0), "t") == 0;
	else
		PROBLEM("looking at the account's rights: %.300s", error.message[0] ? error.message : err_name(e));
	db_result_free(r);
	db_error_done(&error);
	return e;
}

/* The account may not even look at the schema. */
static enum err say_what_to_grant(struct db_session *s, char problem[APP_PROBLEM_SIZE])
{
	bool is_there = false;
	enum err e = ask(s, "select to_regrole('" DATABASE_SERVICE_ROLE "') is not null", &is_there, problem);
	if (e == OK && is_there)
		PROBLEM("the account of --database may not use the schema lodebase: as its owner, run "
			"`grant " DATABASE_SERVICE_ROLE " to` that account");
	else if (e == OK)
		PROBLEM("the account of --database may not use the schema lodebase, and the role that would let it is missing: "
			"as an account with CREATEROLE run `create role " DATABASE_SERVICE_ROLE
			" nologin; grant " DATABASE_SERVICE_ROLE
			" to` that account, then start again, or run `lodebase migrate`, with --owner-database");
	return e;
}

/* The schema of an embedded base is this program's business, of any other its owner's. */
static enum err prepare(struct database *d, char problem[APP_PROBLEM_SIZE])
{
	struct db_session *s;
	struct db_error error = { 0 };
	struct migrate_report report;
	bool hidden = false;
	int version;
	enum err e = connect_patiently(d, d->own ? d->owner : d->service, NULL, &s, problem);
	if (e != OK)
		return e;
	if (d->own) {
		db_session_close(s);
		e = database_migrate(d->owner, d->service, &report);
		if (e != OK)
			PROBLEM("%s", report.problem);
		return e;
	}
	e = db_migrate_check(s, &version, &error);
	if (e != OK)
		PROBLEM("the schema's version cannot be read: %.400s", error.message[0] ? error.message : err_name(e));
	db_error_done(&error);
	if (e == OK && version < 0)
		e = ask(s, "select to_regnamespace('lodebase') is not null", &hidden, problem);
	if (hidden)
		e = say_what_to_grant(s, problem);
	db_session_close(s);
	if (hidden)
		return e == OK ? ERR_DENIED : e;
	if (e != OK)
		return e;
	if (version == db_migrations[db_n_migrations - 1].number)
		return OK;
	if (version < 0)
		PROBLEM("there is no base in this database yet: run `lodebase migrate` or `lodebase serve` on it first");
	else
		PROBLEM("the base's schema is at %d and this program's at %d: run %s", version,
			db_migrations[db_n_migrations - 1].number,
			version < db_migrations[db_n_migrations - 1].number ? "`lodebase migrate`" : "a newer Lodebase");
	return ERR_STATE;
}

enum err database_open(struct database *d, bool as_owner, bool prepared, struct db_session **ret,
		       char problem[APP_PROBLEM_SIZE])
{
	struct database_role role = { 0 };
	problem[0] = '\0';
	enum err e = prepared ? prepare(d, problem) : OK;
	if (e == OK && !as_owner && prepared && !d->embedded)
		e = database_find_role(d->owner, d->service, &role, problem);
	if (e == OK)
		e = connect_patiently(d, as_owner ? d->owner : d->service, role.name, ret, problem);
	return e;
}

enum err database_migrate(const char *owner, const char *service, struct migrate_report *ret)
{
	struct db_error error = { 0 };
	struct db_session *s = NULL;
	int version = -1;
	memset(ret, 0, sizeof(*ret));
	char *composed = schema_compose();
	enum err e = composed ? db_session_open(owner, NULL, 0, APPLICATION, &s, &error) : ERR_NOMEM;
	if (e != OK)
		snprintf(ret->problem, sizeof(ret->problem), "%.500s", error.message[0] ? error.message : err_name(e));
	db_error_done(&error);
	if (e == OK)
		e = db_migrate(s, composed, ret);
	db_session_close(s);
	free(composed);
	if (e != ERR_SQL || strstr(ret->problem, "may not") == NULL)
		return e;
	/* An account that owns nothing is enough where somebody else has migrated. */
	if (db_session_open(service, NULL, 0, APPLICATION, &s, &error) == OK) {
		if (db_migrate_check(s, &version, &error) == OK && version == db_migrations[db_n_migrations - 1].number) {
			*ret = (struct migrate_report){ .version = version };
			e = OK;
		}
		db_session_close(s);
	}
	db_error_done(&error);
	return e;
}

/* From PostgreSQL 16 on, being a member is not yet being allowed to `set role`. */
static const char may_take_role[] = "select case when to_regrole('" DATABASE_SERVICE_ROLE "') is null then false "
				    "when current_setting('server_version_num')::int >= 160000 "
				    "then pg_has_role('" DATABASE_SERVICE_ROLE "', 'SET') "
				    "else pg_has_role('" DATABASE_SERVICE_ROLE "', 'MEMBER') end";

/* The owner gives the role to the service's account; it may well not be allowed to. */
static void try_grant(const char *owner, struct db_session *service)
{
	struct db_error error = { 0 };
	struct db_session *s = NULL;
	struct db_result *r = NULL;
	if (db_session_query(service, &r, &error, "select format('grant " DATABASE_SERVICE_ROLE " to %I', current_user)", 0) ==
		    OK &&
	    db_session_open(owner, NULL, 5000, APPLICATION, &s, &error) == OK) {
		enum err e = db_session_script(s, db_result_value(r, 0, 0), &error);
		(void)e; /* what came of it is looked at next */
	}
	db_session_close(s);
	db_result_free(r);
	db_error_done(&error);
}

enum err database_find_role(const char *owner, const char *service, struct database_role *ret, char problem[APP_PROBLEM_SIZE])
{
	struct db_error error = { 0 };
	struct db_session *s = NULL;
	bool may = false;
	*ret = (struct database_role){ 0 };
	enum err e = db_session_open(service, NULL, 0, APPLICATION, &s, &error);
	if (e != OK)
		PROBLEM("%.500s", error.message[0] ? error.message : err_name(e));
	if (e == OK)
		e = ask(s, may_take_role, &may, problem);
	if (e == OK && !may && strcmp(owner, service) != 0) {
		try_grant(owner, s);
		e = ask(s, may_take_role, &may, problem);
	}
	if (e == OK && may) {
		ret->name = DATABASE_SERVICE_ROLE;
		db_session_close(s);
		s = NULL;
		db_error_done(&error);
		e = db_session_open(service, ret->name, 0, APPLICATION, &s, &error);
		if (e != OK)
			PROBLEM("%.500s", error.message[0] ? error.message : err_name(e));
	}
	if (e == OK)
		e = ask(s, "select lodebase.history_protected()", &ret->history_protected, problem);
	if (e == ERR_SQL)
		(void)say_what_to_grant(s, problem);
	db_session_close(s);
	db_error_done(&error);
	return e;
}

/* restore: what `lodebase backup` made, into an empty base. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli.h"
#include "lodebase/api/schema.h"
#include "lodebase/app/database.h"
#include "lodebase/core/config.h"
#include "lodebase/db/conninfo.h"
#include "postgres_tools.h"

#define PROBLEM(...) snprintf(problem, APP_PROBLEM_SIZE, __VA_ARGS__)
#define LISTING_MAX ((size_t)1 << 20)

struct restore {
	const struct config *config;
	int dump;
	struct database database;
	struct db_session *session; /* the owner's; holds the lock of migrations */
	char *tool, *conninfo, *password;
};

static enum err open_dump(const char *path, int *ret_fd, char problem[APP_PROBLEM_SIZE])
{
	char magic[5];
	struct stat st;
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0 || fstat(*ret_fd, &st) != 0) {
		PROBLEM("%s: %s", path, strerror(errno));
		return ERR_IO;
	}
	if (!S_ISREG(st.st_mode)) {
		PROBLEM("%s is no plain file", path);
		return ERR_INVALID;
	}
	if (pread(*ret_fd, magic, sizeof(magic), 0) != sizeof(magic) || memcmp(magic, "PGDMP", sizeof(magic)) != 0) {
		PROBLEM("%s is no backup (`lodebase backup` makes them, in pg_dump's custom format); lines of records are for "
			"`lodebase import`",
			path);
		return ERR_INVALID;
	}
	return OK;
}

static enum err ask(struct restore *r, const char *sql, char *ret_text, size_t size, char problem[APP_PROBLEM_SIZE])
{
	struct db_error error = { 0 };
	struct db_result *result = NULL;
	enum err e = db_session_query(r->session, ret_text ? &result : NULL, &error, sql, 0);
	if (e != OK)
		PROBLEM("%.500s", error.message[0] ? error.message : err_name(e));
	else if (ret_text)
		snprintf(ret_text, size, "%s", db_result_rows(result) ? db_result_value(result, 0, 0) : "");
	db_result_free(result);
	db_error_done(&error);
	return e;
}

/* What would be lost is never thrown away: neither records nor keys. */
static enum err check_empty(struct restore *r, bool *ret_schema, char problem[APP_PROBLEM_SIZE])
{
	char seen[32] = "";
	const char *place = r->database.embedded
				    ? "name another --data-dir, or move this one out of the way"
				    : "name another database, or, where nothing of it is needed any more, run `drop "
				      "schema lodebase cascade` in it as the owner";
	enum err e =
		ask(r,
		    "select case when to_regnamespace('lodebase') is null then 'none' "
		    "when to_regclass('lodebase.change') is null or to_regclass('lodebase.api_key') is null then 'foreign' "
		    "else 'base' end",
		    seen, sizeof(seen), problem);
	*ret_schema = strcmp(seen, "none") != 0;
	if (e == OK && strcmp(seen, "base") == 0)
		e = ask(r,
			"select case when exists (select from lodebase.change) then 'records' "
			"when exists (select from lodebase.api_key) then 'keys' else '' end",
			seen, sizeof(seen), problem);
	if (e == OK && strcmp(seen, "foreign") == 0) {
		PROBLEM("the database has a schema lodebase that is none of this program: name another database");
		e = ERR_CONFLICT;
	} else if (e == OK && *ret_schema && *seen) {
		PROBLEM("the base is not empty (it has %s): %s; nothing was changed", seen, place);
		e = ERR_CONFLICT;
	}
	return e;
}

static enum err check_alone(struct restore *r, char problem[APP_PROBLEM_SIZE])
{
	char others[32] = "";
	enum err e = ask(r,
			 "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
			 "and usename is not null",
			 others, sizeof(others), problem);
	if (e == OK && strcmp(others, "0") != 0) {
		PROBLEM("others are connected to the database (%s session%s), a running service perhaps: stop them first; "
			"nothing was "
			"changed",
			others, strcmp(others, "1") == 0 ? "" : "s");
		e = ERR_CONFLICT;
	}
	return e;
}

static enum err check_rights(struct restore *r, char problem[APP_PROBLEM_SIZE])
{
	char may[8] = "";
	enum err e = ask(r, "select has_database_privilege(current_database(), 'create')", may, sizeof(may), problem);
	if (e == OK && strcmp(may, "t") != 0) {
		PROBLEM("the owner's account may not make the schema: grant it `create` on the database; nothing was changed");
		e = ERR_DENIED;
	}
	return e;
}

static enum err run_tool(struct restore *r, char *const argv[], int out_fd, char *words, size_t size)
{
	if (lseek(r->dump, 0, SEEK_SET) < 0) {
		snprintf(words, size, "%s", strerror(errno));
		return ERR_IO;
	}
	return postgres_tool_run(argv, r->password, r->dump, out_fd, words, size);
}

/* The migrations that the dump's base had, as COPY prints them, must be the beginning of this program's. */
static enum err compare_migrations(char *text, char problem[APP_PROBLEM_SIZE])
{
	int found = 0;
	const char *newest = "";
	for (char *line = text, *end; line && *line; line = end) {
		int number, name_at = 0;
		char sha256[65] = "";
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		if (sscanf(line, "%d\t%n%*[^\t]\t%64[0-9a-f]\t", &number, &name_at, sha256) != 2)
			continue;
		const struct migration *m = NULL;
		for (size_t i = 0; !m && i < db_n_migrations; i++)
			if (db_migrations[i].number == number)
				m = &db_migrations[i];
		if (!m && number > db_migrations[db_n_migrations - 1].number) {
			PROBLEM("the backup is of a newer Lodebase: its schema is at %d, this program knows up to %d. Restore "
				"it with "
				"that version or a newer one; nothing was changed",
				number, db_migrations[db_n_migrations - 1].number);
			return ERR_CONFLICT;
		}
		if (!m || strcmp(m->sha256, sha256) != 0) {
			PROBLEM("the backup is of another Lodebase: its migration %d is not this program's; nothing was "
				"changed",
				number);
			return ERR_CONFLICT;
		}
		newest = m->name;
		found++;
	}
	if (found && *newest)
		return OK;
	PROBLEM("the file is a dump, but of no Lodebase; nothing was changed");
	return ERR_INVALID;
}

static enum err check_dump(struct restore *r, char problem[APP_PROBLEM_SIZE])
{
	char words[300] = "", *text = calloc(1, LISTING_MAX);
	char *const argv[] = { r->tool,
			       (char *)"--format=custom",
			       (char *)"--data-only",
			       (char *)"--schema=lodebase",
			       (char *)"--table=migration",
			       (char *)"--file=-",
			       NULL };
	int out = memfd_create("migrations", MFD_CLOEXEC);
	enum err e = text && out >= 0 ? OK : ERR_NOMEM;
	if (e == OK && (e = run_tool(r, argv, out, words, sizeof(words))) != OK)
		PROBLEM("the backup cannot be read: %s; nothing was changed", words);
	if (e == OK && pread(out, text, LISTING_MAX - 1, 0) < 0)
		e = ERR_IO;
	if (e == OK)
		e = compare_migrations(text, problem);
	if (out >= 0)
		close(out);
	free(text);
	return e;
}

/* One transaction: a failure leaves nothing of it. */
static enum err run_restore(struct restore *r, char problem[APP_PROBLEM_SIZE])
{
	char words[300] = "";
	char *const argv[] = { r->tool,
			       (char *)"--dbname",
			       r->conninfo,
			       (char *)"--format=custom",
			       (char *)"--single-transaction",
			       (char *)"--exit-on-error",
			       (char *)"--no-owner",
			       (char *)"--no-privileges",
			       (char *)"--no-comments",
			       (char *)"--no-password",
			       NULL };
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	enum err e = nowhere >= 0 ? run_tool(r, argv, nowhere, words, sizeof(words)) : ERR_IO;
	if (nowhere >= 0)
		close(nowhere);
	if (e != OK)
		PROBLEM("pg_restore failed, and the base is as empty as before: %s", words);
	return e;
}

/* A base from before schema 4 does not notice by itself that it came back into its own cluster. */
static const char begin_old_epoch[] = "do $$ begin if not exists (select from pg_attribute where attrelid = "
				      "'lodebase.epoch'::regclass and attname = 'relation') "
				      "then insert into lodebase.epoch (epoch, system_identifier, timeline) select "
				      "greatest(e.epoch + 1, extract(epoch from clock_timestamp() - timestamptz '2025-01-01 "
				      "00:00Z')::integer), e.system_identifier, e.timeline "
				      "from lodebase.epoch e order by e.epoch desc limit 1; end if; end $$";

/* What a dump without owners and privileges does not bring, the rest of the schema, a new epoch, and statistics. */
static enum err finish(struct restore *r, struct migrate_report *report, char epoch[32], char problem[APP_PROBLEM_SIZE])
{
	char *composed = schema_compose();
	enum err e = composed ? ask(r, begin_old_epoch, NULL, 0, problem) : ERR_NOMEM;
	if (e == OK)
		e = ask(r, "revoke all on function lodebase.grant_service() from public", NULL, 0, problem);
	if (e == OK && (e = db_migrate(r->session, composed, report)) != OK)
		PROBLEM("%.500s", report->problem);
	if (e == OK)
		e = ask(r, "select lodebase.epoch()", epoch, 32, problem);
	if (e == OK)
		e = ask(r, "analyze", NULL, 0, problem);
	free(composed);
	return e;
}

static enum err prepare(struct restore *r, bool *ret_schema, char problem[APP_PROBLEM_SIZE])
{
	struct db_error error = { 0 };
	char major[16] = "";
	enum err e = database_open(&r->database, true, false, &r->session, problem);
	if (e == OK && (e = db_migrate_lock(r->session, &error)) != OK)
		PROBLEM("%.500s", error.message[0] ? error.message : err_name(e));
	db_error_done(&error);
	if (e == OK)
		e = check_empty(r, ret_schema, problem);
	if (e == OK)
		e = check_alone(r, problem);
	if (e == OK)
		e = check_rights(r, problem);
	if (e == OK)
		e = ask(r, "select current_setting('server_version_num')::int / 10000", major, sizeof(major), problem);
	if (e == OK)
		e = postgres_tool_find(r->config->postgres_bin, atoi(major), "pg_restore", &r->tool, problem);
	if (e == OK && (e = db_conninfo_for_child(r->database.owner, &r->conninfo, &r->password)) == ERR_DENIED)
		PROBLEM("pg_restore cannot be given the sslpassword of the database without showing it to others: use a key "
			"without "
			"one");
	if (e == OK)
		e = check_dump(r, problem);
	return e;
}

static enum err restore(struct restore *r, char problem[APP_PROBLEM_SIZE])
{
	struct migrate_report report;
	char epoch[32] = "", why[APP_PROBLEM_SIZE] = "";
	bool schema = false;
	enum err e = prepare(r, &schema, problem);
	if (e == OK && schema)
		e = ask(r, "drop schema lodebase cascade", NULL, 0, problem);
	if (e == OK)
		e = run_restore(r, problem);
	if (e != OK)
		return e;
	e = finish(r, &report, epoch, why);
	if (e != OK)
		PROBLEM("the records are restored, but not ready to be served: %.400s. `lodebase migrate` goes on from here",
			why);
	else
		printf("Restored: the schema is at %d, and epoch %s begins. Positions of the change feed from before are over "
		       "(410); history, keys and cursors are as they were.\n",
		       report.version, epoch);
	return e;
}

static int run(struct restore *r)
{
	char problem[APP_PROBLEM_SIZE] = "";
	enum err e = database_enter(r->config, "restore", true, &r->database, problem);
	if (e != OK)
		return cli_fail("restore", problem);
	if (r->database.embedded && !r->database.own) {
		PROBLEM("a service runs on %s: stop it first; nothing was changed", r->config->data_dir);
		e = ERR_CONFLICT;
	} else {
		e = restore(r, problem);
	}
	db_session_close(r->session);
	database_leave(&r->database);
	free(r->tool);
	free(r->conninfo);
	if (r->password)
		explicit_bzero(r->password, strlen(r->password));
	free(r->password);
	return e == OK ? 0 : cli_fail("restore", problem[0] ? problem : err_name(e));
}

int cli_restore(int argc, char **argv, int first)
{
	struct config c;
	struct restore r = { .config = &c, .dump = -1 };
	char problem[APP_PROBLEM_SIZE];
	int status = EXIT_USAGE;
	if (config_parse(&c, CONFIG_RESTORE, argc, argv, first) == OK) {
		if (c.n_operands != 1)
			(void)cli_fail("restore", "name the file that `lodebase backup` made");
		else if (open_dump(c.operands[0], &r.dump, problem) != OK)
			status = cli_fail("restore", problem);
		else
			status = run(&r);
		if (r.dump >= 0)
			close(r.dump);
	}
	config_done(&c);
	return status;
}

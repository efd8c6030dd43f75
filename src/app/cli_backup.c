/* backup: the base with all of its history, as pg_dump's custom format. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli.h"
#include "lodebase/app/database.h"
#include "lodebase/base/buf.h"
#include "lodebase/core/config.h"
#include "lodebase/db/conninfo.h"
#include "output.h"
#include "postgres_tools.h"

#define PROBLEM(...) snprintf(problem, APP_PROBLEM_SIZE, __VA_ARGS__)
#define EXTENSIONS_MAX 16

/* What is to be known of the base before. */
struct subject {
	int major, version;
	struct db_result *extensions; /* that its objects need: they are no part of the schema's dump by themselves */
};

/* Those in the schema, and those that something in it is made with. */
static const char needed_extensions[] =
	"select e.extname from pg_extension e where e.extnamespace = 'lodebase'::regnamespace or exists (select from pg_depend "
	"m "
	"join pg_depend d on d.refclassid = m.classid and d.refobjid = m.objid and d.deptype <> 'e' "
	"join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid where m.refclassid = 'pg_extension'::regclass "
	"and m.refobjid = e.oid and m.deptype = 'e' and c.relnamespace = 'lodebase'::regnamespace) order by 1 limit 16";

static enum err look(struct db_session *s, struct subject *ret, char problem[APP_PROBLEM_SIZE])
{
	struct db_error error = { 0 };
	struct db_result *r = NULL;
	enum err e = db_session_query(s, &r, &error, "select current_setting('server_version_num')::int / 10000", 0);
	if (e == OK)
		ret->major = atoi(db_result_value(r, 0, 0));
	if (e == OK)
		e = db_migrate_check(s, &ret->version, &error);
	if (e == OK && ret->version < 0) {
		PROBLEM("there is no base in this database");
		e = ERR_NOT_FOUND;
	}
	if (e == OK)
		e = db_session_query(s, &ret->extensions, &error, needed_extensions, 0);
	if (e != OK && !problem[0])
		PROBLEM("%.500s", error.message[0] ? error.message : err_name(e));
	db_result_free(r);
	db_error_done(&error);
	return e;
}

static enum err run_dump(const struct config *c, const struct database *d, const struct subject *base, int fd,
			 char problem[APP_PROBLEM_SIZE])
{
	char *tool = NULL, *conninfo = NULL, *password = NULL, words[400];
	char extensions[EXTENSIONS_MAX][80];
	enum err e = db_conninfo_for_child(d->owner, &conninfo, &password);
	if (e == ERR_DENIED)
		PROBLEM("pg_dump cannot be given the sslpassword of the database without showing it to others: use a key "
			"without one");
	else if (e != OK)
		PROBLEM("the database's conninfo: %s", err_name(e));
	if (e == OK)
		e = postgres_tool_find(c->postgres_bin, base->major, "pg_dump", &tool, problem);
	if (e == OK) {
		char *argv[10 + EXTENSIONS_MAX] = { tool,
						    (char *)"--dbname",
						    conninfo,
						    (char *)"--format=custom",
						    (char *)"--schema=lodebase",
						    (char *)"--no-owner",
						    (char *)"--no-privileges",
						    (char *)"--no-password" };
		for (int i = 0; i < db_result_rows(base->extensions); i++) {
			snprintf(extensions[i], sizeof(extensions[i]), "--extension=%s",
				 db_result_value(base->extensions, i, 0));
			argv[8 + i] = extensions[i];
		}
		e = postgres_tool_run(argv, password, -1, fd, words, sizeof(words));
		if (e != OK)
			PROBLEM("pg_dump failed, and no backup was made: %s", words);
	}
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
	free(conninfo);
	free(tool);
	return e;
}

static enum err dump(const struct config *c, struct database *d, struct output *o, char problem[APP_PROBLEM_SIZE])
{
	struct db_session *s = NULL;
	struct subject base = { 0 };
	struct stat st;
	enum err e = database_open(d, true, false, &s, problem);
	if (e == OK)
		e = look(s, &base, problem);
	db_session_close(s);
	if (e == OK)
		e = run_dump(c, d, &base, o->fd, problem);
	if (e == OK && fstat(o->fd, &st) != 0) {
		PROBLEM("%s", strerror(errno));
		e = ERR_IO;
	}
	if (e == OK)
		e = output_keep(o, problem);
	if (e == OK)
		printf("The base is in %s: %lld bytes, schema %d, from PostgreSQL %d. `lodebase restore` takes it back. It "
		       "holds "
		       "all there is, so keep it from strangers.\n",
		       c->operands[0], (long long)st.st_size, base.version, base.major);
	db_result_free(base.extensions);
	return e;
}

static int backup(const struct config *c, struct output *o)
{
	struct database d;
	char problem[APP_PROBLEM_SIZE] = "";
	enum err e = database_enter(c, "backup", false, &d, problem);
	if (e != OK)
		return cli_fail("backup", problem);
	e = dump(c, &d, o, problem);
	database_leave(&d);
	return e == OK ? 0 : cli_fail("backup", problem);
}

int cli_backup(int argc, char **argv, int first)
{
	struct config c;
	struct output o;
	char problem[APP_PROBLEM_SIZE];
	int status = EXIT_USAGE;
	if (config_parse(&c, CONFIG_BACKUP, argc, argv, first) == OK) {
		if (c.n_operands != 1) {
			(void)cli_fail("backup", "name the file to write");
		} else if (output_open(&o, c.operands[0], 0600, problem) != OK) {
			status = cli_fail("backup", problem);
		} else {
			status = backup(&c, &o);
			output_close(&o);
		}
	}
	config_done(&c);
	return status;
}

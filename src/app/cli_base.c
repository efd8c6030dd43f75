/* migrate and import. */
#include "cli.h"

#include <stdlib.h>
#include "faults.h"
#include "lodebase/api/import.h"
#include "lodebase/app/database.h"
#include "lodebase/app/sources.h"
#include "lodebase/core/config.h"

static int migrate(const struct config *c)
{
	struct database d;
	struct db_session *s;
	struct migrate_report report;
	char problem[APP_PROBLEM_SIZE];
	if (database_enter(c, "migrate", true, &d, problem) != OK)
		return cli_fail("migrate", problem);
	int status = 0;
	/* Opened only to wait until it answers. */
	if (database_open(&d, true, false, &s, problem) != OK) {
		status = cli_fail("migrate", problem);
	} else {
		db_session_close(s);
		if (database_migrate(d.owner, d.service, &report) != OK)
			status = cli_fail("migrate", report.problem);
		else if (report.applied)
			printf("The schema is at %d now, %d migration%s applied.\n", report.version, report.applied,
			       report.applied == 1 ? "" : "s");
		else
			printf("The schema is at %d already.\n", report.version);
	}
	database_leave(&d);
	return status;
}

int cli_migrate(int argc, char **argv, int first)
{
	struct config c;
	int status = EXIT_USAGE;
	if (config_parse(&c, CONFIG_MIGRATE, argc, argv, first) == OK)
		status = migrate(&c);
	config_done(&c);
	return status;
}

static int run_import(struct db_session *s, const struct sources *files)
{
	struct import_request request = { .sources = files->items, .n_sources = files->n };
	struct import_answer answer;
	import_run(s, &request, &answer);
	int status = answer.status == 200 ? 0 : 1;
	if (status == 0)
		faults_print_summary(&answer, stdout);
	else
		faults_print(&answer, stderr);
	import_answer_done(&answer);
	return status;
}

static int import(const struct config *c, const struct sources *files)
{
	struct database d;
	struct db_session *s;
	char problem[APP_PROBLEM_SIZE];
	if (database_enter(c, "import", true, &d, problem) != OK)
		return cli_fail("import", problem);
	int status;
	if (database_open(&d, false, true, &s, problem) != OK) {
		status = cli_fail("import", problem);
	} else {
		status = run_import(s, files);
		db_session_close(s);
	}
	database_leave(&d);
	return status;
}

int cli_import(int argc, char **argv, int first)
{
	struct config c;
	struct sources files = { 0 };
	char problem[APP_PROBLEM_SIZE];
	int status = 0;
	if (config_parse(&c, CONFIG_IMPORT, argc, argv, first) != OK) {
		status = EXIT_USAGE;
	} else if (c.n_operands == 0) {
		(void)cli_fail("import", "name the files to import (.json, .ndjson)");
		status = EXIT_USAGE;
	}
	/* All that cannot be read are told, not just the first. */
	for (int i = 0; status != EXIT_USAGE && i < c.n_operands; i++)
		if (sources_add(&files, c.operands[i], false, problem) != OK)
			status = cli_fail("import", problem);
	if (status == 0)
		status = import(&c, &files);
	sources_done(&files);
	config_done(&c);
	return status;
}

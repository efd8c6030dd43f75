/* export: the base as lines that an import takes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "lodebase/api/export.h"
#include "lodebase/app/database.h"
#include "lodebase/core/config.h"
#include "output.h"

struct writer {
	int fd, error;
};

static bool put(void *data, const char *bytes, size_t n)
{
	struct writer *w = data;
	while (n) {
		ssize_t done = write(w->fd, bytes, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			w->error = errno;
			return false;
		}
		bytes += done;
		n -= (size_t)done;
	}
	return true;
}

static int write_all(struct db_session *s, struct output *o)
{
	struct db_error error = { 0 };
	uint64_t records = 0;
	char problem[APP_PROBLEM_SIZE];
	int status = 0;
	struct writer w = { .fd = o->fd };
	enum err e = export_write(s, put, &w, &records, &error);
	if (e == ERR_IO)
		snprintf(problem, sizeof(problem), "%s: %s", o->path ? o->path : "standard output", strerror(w.error));
	else if (e != OK)
		snprintf(problem, sizeof(problem), "the export ended early: %.500s",
			 error.message[0] ? error.message : err_name(e));
	if (e != OK || output_keep(o, problem) != OK)
		status = cli_fail("export", problem);
	else
		fprintf(stderr, "%llu record%s exported\n", (unsigned long long)records, records == 1 ? "" : "s");
	db_error_done(&error);
	return status;
}

static int export(const struct config *c, struct output *o)
{
	struct database d;
	struct db_session *s;
	char problem[APP_PROBLEM_SIZE];
	int status;
	if (database_enter(c, "export", false, &d, problem) != OK)
		return cli_fail("export", problem);
	if (database_open(&d, false, true, &s, problem) != OK) {
		status = cli_fail("export", problem);
	} else {
		status = write_all(s, o);
		db_session_close(s);
	}
	database_leave(&d);
	return status;
}

int cli_export(int argc, char **argv, int first)
{
	struct config c;
	struct output o;
	char problem[APP_PROBLEM_SIZE];
	int status = EXIT_USAGE;
	if (config_parse(&c, CONFIG_EXPORT, argc, argv, first) == OK) {
		if (c.n_operands > 1) {
			(void)cli_fail("export", "name one file, or none for standard output");
		} else if (output_open(&o, c.n_operands ? c.operands[0] : NULL, 0666, problem) != OK) {
			status = cli_fail("export", problem);
		} else {
			status = export(&c, &o);
			output_close(&o);
		}
	}
	config_done(&c);
	return status;
}

/* Making the cluster: initdb into a directory aside, roles and database in single-user mode (so its superuser never needs to
 * log in), then one rename. What a killed program left half-made is thrown away the next time. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "postgres_internal.h"

#define OUTPUT_MAX 65536

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static bool remove_tree(const char *path)
{
	struct stat st;
	return lstat(path, &st) != 0 || nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}

static bool write_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t done = write(fd, text, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		text += done;
		n -= (size_t)done;
	}
	return true;
}

/* Runs a program with `input` on its stdin, its output into a file without a name: no pipe that could fill up. */
static enum err run(char *const argv[], const char *input, int stop_fd, char *ret_output, size_t size)
{
	int in = memfd_create("input", MFD_CLOEXEC), out = memfd_create("output", MFD_CLOEXEC);
	enum err e = ERR_IO;
	bool stopped = false;
	ret_output[0] = '\0';
	if (in >= 0 && out >= 0 && write_all(in, input, strlen(input)) && lseek(in, 0, SEEK_SET) == 0) {
		pid_t pid = postgres_spawn(argv, in, out);
		int status = pid > 0 ? postgres_wait(pid, stop_fd, &stopped) : 1;
		ssize_t n = pread(out, ret_output, size - 1, 0);
		ret_output[n > 0 ? n : 0] = '\0';
		e = stopped ? ERR_TIMEOUT : WIFEXITED(status) && WEXITSTATUS(status) == 0 ? OK : ERR_IO;
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return e;
}

/* The line of a program's output that says what went wrong. */
static void find_reason(char *output, char *ret_reason, size_t size)
{
	static const char *const marks[] = { "PANIC", "FATAL", "ERROR", "error:" };
	const char *line = NULL;
	for (size_t i = 0; !line && i < sizeof(marks) / sizeof(marks[0]); i++) {
		line = strstr(output, marks[i]);
		while (line && line > output && line[-1] != '\n')
			line--;
	}
	if (!line) {
		size_t n = strlen(output);
		while (n && output[n - 1] == '\n')
			output[--n] = '\0';
		line = strrchr(output, '\n');
		line = line ? line + 1 : output;
	}
	snprintf(ret_reason, size, "%.*s", (int)strcspn(line, "\n"), line);
}

static enum err run_initdb(struct embedded_postgres *e, char *fresh, char *output, size_t size)
{
	char *initdb = postgres_path(e->bin, "initdb");
	char *const argv[] = { initdb,
			       (char *)"--pgdata",
			       fresh,
			       (char *)"--auth=peer",
			       (char *)"--encoding=UTF8",
			       (char *)"--locale=C.UTF-8",
			       (char *)"--lc-messages=C",
			       (char *)"--data-checksums",
			       (char *)"--username=postgres",
			       (char *)"--no-instructions",
			       NULL };
	enum err r = initdb ? run(argv, "", e->stop_fd, output, size) : ERR_NOMEM;
	free(initdb);
	return r;
}

static enum err make_roles(struct embedded_postgres *e, char *fresh, char *output, size_t size)
{
	static const char sql[] = "create role lodebase_owner login;\n\n"
				  "create role lodebase_service login;\n\n"
				  "create database " POSTGRES_DATABASE " owner lodebase_owner;\n\n"
				  "revoke connect, temporary on database " POSTGRES_DATABASE " from public;\n\n"
				  "grant connect, temporary on database " POSTGRES_DATABASE " to lodebase_service;\n\n";
	char *server = postgres_path(e->bin, "postgres");
	char *const argv[] = { server,       (char *)"--single",         (char *)"-j",       (char *)"-D", fresh,
			       (char *)"-c", (char *)"exit_on_error=on", (char *)"postgres", NULL };
	enum err r = server ? run(argv, sql, e->stop_fd, output, size) : ERR_NOMEM;
	free(server);
	/* Single-user mode ends with 0 even where a statement failed. */
	if (r == OK && (strstr(output, "ERROR:") || strstr(output, "FATAL:")))
		r = ERR_SQL;
	return r;
}

static const char settings[] = "\n# Lodebase's own, yours to change. What the program needs to be as it is (no TCP, where the "
			       "socket and the log are)\n"
			       "# it says on the server's command line.\n"
			       "jit = off\t\t\t# short queries: compiling them costs more than it gives\n"
			       "timezone = 'UTC'\n"
			       "log_timezone = 'UTC'\n";

static enum err write_file(const char *dir, const char *name, int flags, const char *text)
{
	char *path = postgres_path(dir, name);
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600) : -1;
	enum err e = fd >= 0 && write_all(fd, text, strlen(text)) ? OK : ERR_IO;
	if (fd >= 0 && (fsync(fd) != 0 || close(fd) != 0))
		e = ERR_IO;
	free(path);
	return e;
}

enum err postgres_write_access(const struct embedded_postgres *e, char problem[APP_PROBLEM_SIZE])
{
	const struct passwd *me = getpwuid(geteuid());
	char map[512];
	if (!me) {
		PROBLEM("user id %u has no account on this system, and PostgreSQL needs one", (unsigned)geteuid());
		return ERR_NOT_FOUND;
	}
	snprintf(map, sizeof(map),
		 "# Written by Lodebase at every start: its account is these two roles, and nobody else is anybody.\n"
		 "lodebase \"%s\" lodebase_owner\nlodebase \"%s\" lodebase_service\n",
		 me->pw_name, me->pw_name);
	if (write_file(e->cluster, "pg_ident.conf", O_TRUNC, map) != OK ||
	    write_file(e->cluster, "pg_hba.conf", O_TRUNC,
		       "# Written by Lodebase at every start.\n"
		       "local " POSTGRES_DATABASE " lodebase_owner,lodebase_service peer map=lodebase\n") != OK) {
		PROBLEM("cannot write PostgreSQL's access files in %s: %s", e->cluster, strerror(errno));
		return ERR_IO;
	}
	return OK;
}

enum err postgres_initialise(struct embedded_postgres *e, char problem[APP_PROBLEM_SIZE])
{
	char *fresh = postgres_path(e->data_dir, "postgres.new");
	char *output = malloc(OUTPUT_MAX);
	char reason[300];
	const char *step = "initdb";
	enum err r = fresh && output ? OK : ERR_NOMEM;
	if (r == OK && !remove_tree(fresh)) {
		PROBLEM("cannot remove what an interrupted start left at %s: %s", fresh, strerror(errno));
		r = ERR_IO;
		goto out;
	}
	if (r == OK)
		r = run_initdb(e, fresh, output, OUTPUT_MAX);
	if (r == OK) {
		step = "making its roles";
		r = make_roles(e, fresh, output, OUTPUT_MAX);
	}
	if (r == ERR_TIMEOUT) {
		PROBLEM("stopped while PostgreSQL was being initialised");
	} else if (r != OK) {
		find_reason(output ? output : (char[]){ "" }, reason, sizeof(reason));
		PROBLEM("PostgreSQL could not be initialised in %s: %s: %s", e->data_dir, step,
			reason[0] ? reason : err_name(r));
	} else if (write_file(fresh, "postgresql.conf", O_APPEND, settings) != OK || rename(fresh, e->cluster) != 0) {
		PROBLEM("PostgreSQL could not be initialised in %s: %s", e->data_dir, strerror(errno));
		r = ERR_IO;
	} else {
		/* The rename itself must survive a power cut. */
		int dir = open(e->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0) {
			fsync(dir);
			close(dir);
		}
	}
out:
	if (r != OK && fresh)
		(void)remove_tree(fresh);
	free(fresh);
	free(output);
	return r;
}

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lodebase/base/clock.h"
#include "postgres_internal.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 5000
#define CALM_MS 30000 /* a server that ran this long starts over with the first backoff */
#define LEFT_BEHIND_MS 60000 /* patience with a server of a killed service that is still shutting down */

/* A service that was killed leaves a server that was told to stop, or, where both were killed, only its backends. We hold the
 * lock, so no living service owns them. */
static enum err wait_for_left_behind(struct embedded_postgres *e, char problem[APP_PROBLEM_SIZE])
{
	struct postmaster_file file;
	uint64_t deadline = clock_monotonic_ms() + LEFT_BEHIND_MS;
	while (postgres_read_postmaster_file(e->cluster, &file) && postgres_works_in(file.pid, e->cluster)) {
		if (clock_monotonic_ms() >= deadline) {
			PROBLEM("a PostgreSQL server (process %d) that this service did not start runs on %s: stop it first "
				"(pg_ctl stop -D %s)",
				(int)file.pid, e->cluster, e->cluster);
			return ERR_CONFLICT;
		}
		if (postgres_wait_stopped(e->stop_fd, 50)) {
			PROBLEM("stopped while the PostgreSQL server of a killed service was still there");
			return ERR_TIMEOUT;
		}
	}
	postgres_kill_orphans(e->cluster);
	/* In a container the dead server's process id may by now be somebody else's, and PostgreSQL would refuse to start. */
	if (postgres_read_postmaster_file(e->cluster, &file) && (kill(file.pid, 0) == 0 || errno == EPERM)) {
		char *path = postgres_path(e->cluster, "postmaster.pid");
		if (path)
			unlink(path);
		free(path);
	}
	return OK;
}

enum err embedded_postgres_new(const struct embedded_postgres_options *options, struct embedded_postgres **ret,
			       char problem[APP_PROBLEM_SIZE])
{
	struct embedded_postgres *e = calloc(1, sizeof(*e));
	problem[0] = '\0';
	if (!e)
		return ERR_NOMEM;
	e->lock_fd = -1;
	e->stop_fd = options->stop_fd;
	e->tell = options->log;
	e->backoff_ms = BACKOFF_FIRST_MS;
	e->data_dir = strdup(options->data_dir);
	e->cluster = postgres_path(options->data_dir, "postgres");
	enum err r = e->data_dir && e->cluster ? OK : ERR_NOMEM;
	int major = 0;
	if (r == OK)
		r = postgres_lock(options, &e->lock_fd, problem);
	if (r == OK) {
		major = postgres_major(e->cluster);
		r = postgres_find_bin(options->postgres_bin, major, e->cluster, &e->bin, problem);
	}
	if (r == OK) {
		/* Backends whose server was killed come to us, and do not stay as zombies of a careless process 1. */
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		e->is_new = !major;
		if (!major && e->tell)
			e->tell(false, "making a new PostgreSQL cluster in the data directory; this takes a few seconds");
		r = major ? wait_for_left_behind(e, problem) : postgres_initialise(e, problem);
	}
	if (r == OK)
		r = postgres_make_socket_dir(e, problem);
	if (r != OK) {
		embedded_postgres_free(e);
		return r;
	}
	*ret = e;
	return OK;
}

static void remember_files(struct embedded_postgres *e)
{
	char *server = postgres_path(e->bin, "postgres"), *language = postgres_path(e->bin, "../lib/plpgsql.so");
	memset(&e->server_file, 0, sizeof(e->server_file));
	memset(&e->language_file, 0, sizeof(e->language_file));
	if (server && language && (stat(server, &e->server_file) != 0 || stat(language, &e->language_file) != 0))
		e->language_file.st_ino = 0; /* somewhere else: nothing to compare */
	free(server);
	free(language);
}

static bool is_same(const struct stat *was, const char *path)
{
	struct stat now;
	return stat(path, &now) == 0 && now.st_dev == was->st_dev && now.st_ino == was->st_ino &&
	       now.st_mtim.tv_sec == was->st_mtim.tv_sec && now.st_size == was->st_size;
}

bool embedded_postgres_is_replaced(const struct embedded_postgres *e)
{
	char *server = postgres_path(e->bin, "postgres"), *language = postgres_path(e->bin, "../lib/plpgsql.so");
	bool replaced = server && language && e->pid && e->language_file.st_ino &&
			!(is_same(&e->server_file, server) && is_same(&e->language_file, language));
	free(server);
	free(language);
	return replaced;
}

/* unix_socket_directories is a list: a path is quoted as one element. */
static char *socket_setting(const char *dir)
{
	char *setting = malloc(sizeof("unix_socket_directories=\"\"") + 2 * strlen(dir)), *s = setting;
	if (!setting)
		return NULL;
	s = stpcpy(s, "unix_socket_directories=\"");
	for (; *dir; dir++) {
		if (*dir == '"')
			*s++ = '"';
		*s++ = *dir;
	}
	strcpy(s, "\"");
	return setting;
}

enum err embedded_postgres_start(struct embedded_postgres *e, char problem[APP_PROBLEM_SIZE])
{
	int log_fd = -1;
	problem[0] = '\0';
	enum err r = postgres_write_access(e, problem);
	if (r != OK)
		return r;
	postgres_log_end(e->log);
	e->log = NULL;
	char *server = postgres_path(e->bin, "postgres"), *sockets = socket_setting(e->socket_dir);
	r = server && sockets ? postgres_log_start(&e->log, &log_fd, e->tell) : ERR_NOMEM;
	if (r == OK) {
		char *const argv[] = { server, (char *)"-D", e->cluster,
				       /* no TCP; the socket is in a directory that only this account can enter */
				       (char *)"-c", (char *)"listen_addresses=", (char *)"-c", (char *)"port=" POSTGRES_PORT,
				       (char *)"-c", sockets, (char *)"-c", (char *)"unix_socket_permissions=0700",
				       /* its log comes to us; statements and their values stay out of it */
				       (char *)"-c", (char *)"logging_collector=off", (char *)"-c",
				       (char *)"log_destination=stderr", (char *)"-c", (char *)"log_line_prefix=%b|%e|",
				       (char *)"-c", (char *)"log_min_messages=warning", (char *)"-c",
				       (char *)"log_min_error_statement=panic", (char *)"-c",
				       (char *)"log_error_verbosity=terse", (char *)"-c", (char *)"log_checkpoints=off",
				       (char *)"-c", (char *)"cluster_name=lodebase", NULL };
		remember_files(e);
		e->pid = postgres_spawn(argv, -1, log_fd);
		if (e->pid < 0) {
			e->pid = 0;
			r = ERR_IO;
		}
	}
	if (log_fd >= 0)
		close(log_fd);
	if (r != OK)
		PROBLEM("PostgreSQL cannot be started: %s", r == ERR_IO ? strerror(errno) : err_name(r));
	e->started_ms = clock_monotonic_ms();
	e->restart_at_ms = 0;
	free(server);
	free(sockets);
	return r;
}

static void tell_death(struct embedded_postgres *e, int status)
{
	char text[160];
	if (!e->tell || e->stopping)
		return;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "PostgreSQL was killed by signal %d; it is started again in %u ms",
			 WTERMSIG(status), e->backoff_ms);
	else
		snprintf(text, sizeof(text), "PostgreSQL ended with status %d; it is started again in %u ms",
			 WEXITSTATUS(status), e->backoff_ms);
	e->tell(true, text);
}

/* Reaps our server and whatever orphan came to us. */
static void reap(struct embedded_postgres *e)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		if (pid != e->pid)
			continue;
		e->pid = 0;
		if (clock_monotonic_ms() - e->started_ms > CALM_MS)
			e->backoff_ms = BACKOFF_FIRST_MS;
		tell_death(e, status);
		e->restart_at_ms = clock_monotonic_ms() + e->backoff_ms;
		e->backoff_ms = e->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : e->backoff_ms * 2;
	}
}

int embedded_postgres_tick(struct embedded_postgres *e)
{
	char problem[APP_PROBLEM_SIZE];
	reap(e);
	if (e->pid || e->stopping || !e->restart_at_ms)
		return -1;
	uint64_t now = clock_monotonic_ms();
	if (now < e->restart_at_ms)
		return (int)(e->restart_at_ms - now);
	/* A backend that was busy when its server was killed goes on, holds the shared memory and blocks the start. */
	postgres_kill_orphans(e->cluster);
	if (embedded_postgres_start(e, problem) == OK)
		return -1;
	if (e->tell)
		e->tell(true, problem);
	e->restart_at_ms = now + e->backoff_ms;
	return (int)e->backoff_ms;
}

bool embedded_postgres_is_new(const struct embedded_postgres *e)
{
	return e->is_new;
}

bool embedded_postgres_is_running(struct embedded_postgres *e)
{
	reap(e);
	return e->pid != 0;
}

void embedded_postgres_last_words(struct embedded_postgres *e, char *ret_text, size_t size)
{
	ret_text[0] = '\0';
	if (e->log)
		postgres_log_last(e->log, ret_text, size);
}

void embedded_postgres_stop(struct embedded_postgres *e, unsigned gentle_ms, unsigned deadline_ms)
{
	uint64_t begun = clock_monotonic_ms();
	int sent = 0;
	e->stopping = true;
	while (embedded_postgres_is_running(e)) {
		uint64_t waited = clock_monotonic_ms() - begun;
		int wanted = waited >= deadline_ms ? SIGQUIT : waited >= gentle_ms ? SIGINT : SIGTERM;
		if (wanted != sent)
			kill(e->pid, sent = wanted);
		if (waited >= deadline_ms + 2000)
			kill(e->pid, SIGKILL);
		postgres_pause(5);
	}
	postgres_kill_orphans(e->cluster);
}

void embedded_postgres_free(struct embedded_postgres *e)
{
	if (!e)
		return;
	postgres_log_end(e->log);
	if (e->socket_dir_elsewhere && e->socket_dir)
		rmdir(e->socket_dir);
	if (e->lock_fd >= 0)
		close(e->lock_fd);
	free(e->data_dir);
	free(e->cluster);
	free(e->bin);
	free(e->socket_dir);
	free(e);
}

/* What the files of the embedded PostgreSQL share. */
#pragma once

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include "lodebase/app/embedded_postgres.h"

#define PROBLEM(...) snprintf(problem, APP_PROBLEM_SIZE, __VA_ARGS__)

#define POSTGRES_PORT "5432" /* only names the socket's file */
#define POSTGRES_DATABASE "lodebase"
#define SOCKET_DIRECTORY_MAX 93

struct postgres_log;

struct embedded_postgres {
	char *data_dir, *cluster, *bin, *socket_dir;
	bool socket_dir_elsewhere; /* not below the data directory: removed at the end */
	int lock_fd;
	int stop_fd;
	pid_t pid; /* 0: not running */
	bool stopping;
	bool is_new;
	uint64_t started_ms, restart_at_ms; /* restart_at_ms 0: none due */
	unsigned backoff_ms;
	struct stat server_file, language_file; /* as they were when it was started */
	struct postgres_log *log;
	void (*tell)(bool serious, const char *line);
};

/* postgres_dir.c */
char *postgres_path(const char *dir, const char *name); /* dir/name, malloc'ed */
/* Waits so long; true at once where stop_fd (-1: none) says stop. */
bool postgres_wait_stopped(int stop_fd, int ms);
enum err postgres_lock(const struct embedded_postgres_options *o, int *ret_fd, char problem[APP_PROBLEM_SIZE]) MUST_CHECK;
/* The directory of initdb and postgres. major 0: any, the newest. */
enum err postgres_find_bin(const char *given, int major, const char *cluster, char **ret_bin,
			   char problem[APP_PROBLEM_SIZE]) MUST_CHECK;
int postgres_major(const char *cluster); /* of an initialised cluster; 0: there is none */
enum err postgres_make_socket_dir(struct embedded_postgres *e, char problem[APP_PROBLEM_SIZE]) MUST_CHECK;

struct postmaster_file { /* of postmaster.pid */
	pid_t pid;
	char socket_dir[256];
	bool ready;
};
bool postgres_read_postmaster_file(const char *cluster, struct postmaster_file *ret);

/* postgres_init.c */
enum err postgres_initialise(struct embedded_postgres *e, char problem[APP_PROBLEM_SIZE]) MUST_CHECK;
/* Who may connect as whom: written at every start. */
enum err postgres_write_access(const struct embedded_postgres *e, char problem[APP_PROBLEM_SIZE]) MUST_CHECK;

/* postgres_process.c */
/* Forks and execs argv[0] with a clean environment, stdin from in_fd (-1: /dev/null), stdout and stderr to out_fd. */
pid_t postgres_spawn(char *const argv[], int in_fd, int out_fd);
/* The same with an environment and with stderr to err_fd. */
pid_t postgres_spawn_in(char *const argv[], char *const environment[], int in_fd, int out_fd, int err_fd);
/* Waits for a child to end; its wait status. *ret_stopped: stop_fd became readable first, and the child was ended, if need be
 * by SIGKILL. */
int postgres_wait(pid_t pid, int stop_fd, bool *ret_stopped);
/* Whether a process works in the directory `cluster`: a postmaster or a backend of it. */
bool postgres_works_in(pid_t pid, const char *cluster);
/* Kills every process of ours that works in the directory, and waits until they are gone. Only without a postmaster. */
void postgres_kill_orphans(const char *cluster);
void postgres_pause(unsigned ms);

/* postgres_log.c: reads the server's log from a pipe, in a thread of its own, until its last writer is gone. */
enum err postgres_log_start(struct postgres_log **ret, int *ret_write_fd,
			    void (*tell)(bool serious, const char *line)) MUST_CHECK;
void postgres_log_last(struct postgres_log *l, char *ret_text, size_t size);
void postgres_log_end(struct postgres_log *l); /* joins; NULL is fine */

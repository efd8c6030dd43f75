/* Processes of the embedded PostgreSQL: spawned, waited for, found and killed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lodebase/base/clock.h"
#include "postgres_internal.h"

#define STOP_PATIENCE_MS 3000

void postgres_pause(unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		continue;
}

/* In the child, between fork and exec, with other threads in the parent: only what is async-signal-safe. */
static void child_main(char *const argv[], char *const environment[], int in_fd, int out_fd, int err_fd, pid_t parent)
{
	sigset_t none;
	/* So that kill -9 of this program stops the server too. It is asked for the parent's thread, the main one. */
	prctl(PR_SET_PDEATHSIG, SIGINT);
	if (getppid() != parent)
		_exit(127);
	setsid(); /* a Ctrl-C on the terminal is for the service alone */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (in_fd < 0)
		in_fd = open("/dev/null", O_RDONLY);
	if (in_fd < 0 || dup2(in_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(err_fd, 2) < 0 || chdir("/") != 0)
		_exit(127);
	close_range(3, UINT_MAX, 0);
	execve(argv[0], argv, environment);
	_exit(127);
}

pid_t postgres_spawn_in(char *const argv[], char *const environment[], int in_fd, int out_fd, int err_fd)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		child_main(argv, environment, in_fd, out_fd, err_fd, parent);
	return pid;
}

pid_t postgres_spawn(char *const argv[], int in_fd, int out_fd)
{
	static char *const environment[] = { (char *)"PATH=/usr/bin:/bin", (char *)"LC_ALL=C.UTF-8", (char *)"TZ=UTC", NULL };
	return postgres_spawn_in(argv, environment, in_fd, out_fd, out_fd);
}

int postgres_wait(pid_t pid, int stop_fd, bool *ret_stopped)
{
	int status = 0;
	int pid_fd = pidfd_open(pid, 0);
	*ret_stopped = false;
	if (pid_fd >= 0 && stop_fd >= 0) {
		struct pollfd fds[2] = { { .fd = pid_fd, .events = POLLIN }, { .fd = stop_fd, .events = POLLIN } };
		while (poll(fds, 2, -1) < 0 && errno == EINTR)
			continue;
		if (!(fds[0].revents & POLLIN)) {
			*ret_stopped = true;
			kill(pid, SIGINT);
			if (poll(fds, 1, STOP_PATIENCE_MS) == 0)
				kill(pid, SIGKILL);
		}
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (pid_fd >= 0)
		close(pid_fd);
	return status;
}

/* A shell that somebody left standing in the directory is none of our business. */
static bool is_postgres(pid_t pid)
{
	char path[64], name[32] = "";
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	bool read = fgets(name, sizeof(name), f) != NULL;
	fclose(f);
	return read && strcmp(name, "postgres\n") == 0;
}

bool postgres_works_in(pid_t pid, const char *cluster)
{
	char path[64];
	struct stat process, here, there;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(path, &process) != 0 || process.st_uid != geteuid())
		return false;
	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	/* A zombie has no working directory any more: it holds nothing. */
	return stat(path, &there) == 0 && stat(cluster, &here) == 0 && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino && is_postgres(pid);
}

static unsigned kill_once(const char *cluster)
{
	unsigned found = 0;
	DIR *d = opendir("/proc");
	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d));) {
		char *end;
		long pid = strtol(e->d_name, &end, 10);
		if (*end || pid <= 1 || pid == (long)getpid() || !postgres_works_in((pid_t)pid, cluster))
			continue;
		kill((pid_t)pid, SIGKILL);
		found++;
	}
	closedir(d);
	return found;
}

void postgres_kill_orphans(const char *cluster)
{
	uint64_t deadline = clock_monotonic_ms() + 10000;
	while (kill_once(cluster) && clock_monotonic_ms() < deadline) {
		postgres_pause(10);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBLEM(...) snprintf(problem, APP_PROBLEM_SIZE, __VA_ARGS__)

/* The rename must survive a power cut. */
static int name_it(const char *temporary, const char *path)
{
	char *slash, *dir;
	int fd;

	if (rename(temporary, path) != 0)
		return errno;
	dir = strdup(path);
	slash = dir ? strrchr(dir, '/') : NULL;
	if (slash)
		slash[slash == dir] = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	return 0;
}

/* Ends with the program it is for, whatever ends that: what is told to the whole group on a terminal is not for it. */
static void keeper_main(int socket, const char *temporary, const char *path)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	ssize_t n;
	char verdict;
	int result;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	do
		n = read(socket, &verdict, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1) {
		result = name_it(temporary, path);
		if (write(socket, &result, sizeof(result)) < 0)
			_exit(1);
	}
	if (n != 1 || result != 0)
		unlink(temporary);
	_exit(0);
}

static enum err start_keeper(struct output *o, const char *temporary)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
		return ERR_IO;
	o->keeper_pid = fork();
	if (o->keeper_pid == 0) {
		close(sockets[0]);
		keeper_main(sockets[1], temporary, o->path);
	}
	close(sockets[1]);
	if (o->keeper_pid < 0) {
		close(sockets[0]);
		return ERR_IO;
	}
	o->keeper = sockets[0];
	return OK;
}

/* The keeper is there before the file is, so that at no moment it could stay behind. */
static enum err open_temporary(struct output *o, mode_t mode)
{
	unsigned long long random;
	enum err e = ERR_IO;
	char *temporary;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return ERR_IO;
	if (asprintf(&temporary, "%s.%016llx", o->path, random) < 0)
		return ERR_NOMEM;
	if (start_keeper(o, temporary) == OK) {
		o->fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (o->fd >= 0)
			e = OK;
	}
	free(temporary);
	return e;
}

enum err output_open(struct output *o, const char *path, mode_t mode, char problem[APP_PROBLEM_SIZE])
{
	struct stat st;
	enum err e;

	*o = (struct output){ .fd = STDOUT_FILENO, .keeper = -1 };
	problem[0] = '\0';
	signal(SIGPIPE, SIG_IGN); /* a reader that goes is an error like any other */
	if (!path)
		return OK;
	o->fd = -1;
	if (stat(path, &st) != 0) {
		o->path = strdup(path);
		e = o->path ? open_temporary(o, mode) : ERR_NOMEM;
	} else if (S_ISDIR(st.st_mode)) {
		PROBLEM("%s is a directory", path);
		return ERR_INVALID;
	} else if (!S_ISREG(st.st_mode)) { /* a device or a pipe: there is nothing to be replaced */
		o->fd = open(path, O_WRONLY | O_CLOEXEC);
		e = o->fd >= 0 ? OK : ERR_IO;
	} else {
		o->path = realpath(path, NULL); /* a link stays one */
		e = o->path ? open_temporary(o, mode) : ERR_IO;
	}
	if (e != OK) {
		PROBLEM("%s: %s", path, e == ERR_NOMEM ? err_name(e) : strerror(errno));
		output_close(o);
	}
	return e;
}

enum err output_keep(struct output *o, char problem[APP_PROBLEM_SIZE])
{
	int result = 0;
	ssize_t n;

	if (o->keeper < 0)
		return OK;
	if (fsync(o->fd) != 0 || close(o->fd) != 0) {
		PROBLEM("%s: %s", o->path, strerror(errno));
		o->fd = -1;
		return ERR_IO;
	}
	o->fd = -1;
	if (write(o->keeper, "k", 1) != 1) {
		PROBLEM("%s: %s", o->path, strerror(errno));
		return ERR_IO;
	}
	do
		n = read(o->keeper, &result, sizeof(result));
	while (n < 0 && errno == EINTR);
	if (n == sizeof(result) && result == 0)
		return OK;
	PROBLEM("%s: %s", o->path, n == sizeof(result) ? strerror(result) : "it could not be given its name");
	return ERR_IO;
}

void output_close(struct output *o)
{
	if (o->fd >= 0 && o->fd != STDOUT_FILENO)
		close(o->fd);
	if (o->keeper >= 0) {
		close(o->keeper);
		/* Somebody who reaps all children may have been first; then it has ended too. */
		while (waitpid(o->keeper_pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	free(o->path);
	*o = (struct output){ .fd = -1, .keeper = -1 };
}

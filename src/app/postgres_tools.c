#include "postgres_tools.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "postgres_internal.h"

#define INSTALLED "/usr/lib/postgresql"
#define WORDS_MAX 65536

enum err postgres_tool_find(const char *given, int major, const char *name, char **ret_path, char problem[APP_PROBLEM_SIZE])
{
	int best = 0;
	if (given) {
		*ret_path = postgres_path(given, name);
		if (*ret_path && access(*ret_path, X_OK) == 0)
			return OK;
		PROBLEM("--postgres-bin: there is no %s in %s", name, given);
		free(*ret_path);
		*ret_path = NULL;
		return ERR_NOT_FOUND;
	}
	DIR *d = opendir(INSTALLED);
	for (struct dirent *e; d && (e = readdir(d));) {
		char path[320];
		int here = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;
		snprintf(path, sizeof(path), INSTALLED "/%d/bin/%.40s", here, name);
		if (here >= major && (!best || here < best) && access(path, X_OK) == 0)
			best = here;
	}
	if (d)
		closedir(d);
	if (!best) {
		PROBLEM("the server is PostgreSQL %d, and there is no %s of that version or a newer one below " INSTALLED
			": install Debian's package postgresql-client-%d, or say with --postgres-bin where it is",
			major, name, major);
		return ERR_NOT_FOUND;
	}
	if (asprintf(ret_path, INSTALLED "/%d/bin/%s", best, name) < 0)
		*ret_path = NULL;
	return *ret_path ? OK : ERR_NOMEM;
}

/* What libpq looks at, password and service files included, which it looks for at home. */
static char **make_environment(const char *password, char **ret_password)
{
	static const char *const passed[] = { "PG", "KRB5", "HOME=" };
	size_t n = 0, room = 5;
	for (char **e = environ; *e; e++)
		room++;
	char **environment = calloc(room, sizeof(*environment));
	*ret_password = NULL;
	if (!environment || (password && asprintf(ret_password, "PGPASSWORD=%s", password) < 0)) {
		free(environment);
		*ret_password = NULL;
		return NULL;
	}
	environment[n++] = (char *)"PATH=/usr/bin:/bin";
	environment[n++] = (char *)"LC_ALL=C.UTF-8";
	environment[n++] = (char *)"TZ=UTC";
	if (*ret_password)
		environment[n++] = *ret_password;
	for (char **e = environ; *e; e++)
		for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
			if (strncmp(*e, passed[i], strlen(passed[i])) == 0 &&
			    !(password && strncmp(*e, "PGPASSWORD=", 11) == 0))
				environment[n++] = *e;
	return environment;
}

/* The first line that tells of an error, else the last. */
static void find_words(char *text, char *ret_words, size_t size)
{
	char *line = strstr(text, "error:");
	if (line) {
		line += 6 + strspn(line + 6, " ");
	} else {
		size_t n = strlen(text);
		while (n && text[n - 1] == '\n')
			text[--n] = '\0';
		line = strrchr(text, '\n');
		line = line ? line + 1 : text;
	}
	snprintf(ret_words, size, "%.*s", (int)strcspn(line, "\n"), line);
}

enum err postgres_tool_run(char *const argv[], const char *password, int in_fd, int out_fd, char *ret_words, size_t size)
{
	char *secret, **environment = make_environment(password, &secret), *text = calloc(1, WORDS_MAX);
	int words = memfd_create("words", MFD_CLOEXEC);
	enum err e = environment && text && words >= 0 ? OK : ERR_NOMEM;
	bool stopped;
	ret_words[0] = '\0';
	if (e == OK) {
		pid_t pid = postgres_spawn_in(argv, environment, in_fd, out_fd, words);
		int status = pid > 0 ? postgres_wait(pid, -1, &stopped) : 1;
		e = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? OK : ERR_IO;
		if (e != OK && pread(words, text, WORDS_MAX - 1, 0) > 0)
			find_words(text, ret_words, size);
		if (e != OK && !ret_words[0])
			snprintf(ret_words, size, WIFSIGNALED(status) ? "it was ended by signal %d" : "it ended with %d",
				 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
	if (words >= 0)
		close(words);
	if (secret) {
		explicit_bzero(secret, strlen(secret));
		free(secret);
	}
	free(environment);
	free(text);
	return e;
}

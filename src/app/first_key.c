#include "lodebase/app/first_key.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lodebase/api/key.h"

#define PROBLEM(...) snprintf(problem, APP_PROBLEM_SIZE, __VA_ARGS__)

#define NAME "admin"
#define SCOPE "admin"

static enum err write_key(const char *path, const char *key)
{
	char line[API_KEY_LENGTH + 2];
	int n = snprintf(line, sizeof(line), "%s\n", key);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR_IO;
	enum err e = fchmod(fd, 0600) == 0 && write(fd, line, (size_t)n) == n && fsync(fd) == 0 ? OK : ERR_IO;
	int error = errno;
	close(fd);
	errno = error;
	return e;
}

static bool read_key(const char *path, char ret_key[API_KEY_LENGTH + 1])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, ret_key, API_KEY_LENGTH) : -1;
	if (fd >= 0)
		close(fd);
	ret_key[API_KEY_LENGTH] = '\0';
	return n == API_KEY_LENGTH && api_key_is_wellformed(ret_key, API_KEY_LENGTH);
}

static void sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

static enum err refused(enum err e, const struct db_error *error, char problem[APP_PROBLEM_SIZE])
{
	PROBLEM("the first key cannot be made: %.300s", error->message[0] ? error->message : err_name(e));
	return e;
}

/* A start that was killed between the base and the rename left the key aside: it is as good as ever. */
static enum err rescue(struct db_session *s, const char *aside, const char *path, bool *ret_rescued,
		       char problem[APP_PROBLEM_SIZE])
{
	char key[API_KEY_LENGTH + 1];
	struct db_error error = { 0 };
	*ret_rescued = false;
	if (!read_key(aside, key))
		return OK;
	enum err e = key_is_known(s, key, ret_rescued, &error);
	if (e != OK)
		e = refused(e, &error, problem);
	else if (*ret_rescued)
		rename(aside, path);
	else
		unlink(aside);
	db_error_done(&error);
	return e;
}

static enum err make_file(struct db_session *s, const char *key_dir, const char *aside, const char *path,
			  char problem[APP_PROBLEM_SIZE])
{
	char key[API_KEY_LENGTH + 1];
	struct db_error error = { 0 };
	api_key_new(key);
	if (write_key(aside, key) != OK) {
		PROBLEM("the first key cannot be written to %s: %s", aside, strerror(errno));
		unlink(aside);
		return ERR_IO;
	}
	enum err e = key_store(s, NAME, SCOPE, key, &error);
	explicit_bzero(key, sizeof(key));
	if (e != OK) {
		e = refused(e, &error, problem);
	} else if (rename(aside, path) != 0) {
		PROBLEM("the first key is in %s, and cannot be renamed to %s: %s", aside, path, strerror(errno));
		e = ERR_IO;
	} else {
		sync_directory(key_dir);
	}
	db_error_done(&error);
	return e;
}

static enum err print_key(struct db_session *s, char problem[APP_PROBLEM_SIZE])
{
	char key[API_KEY_LENGTH + 1];
	struct db_error error = { 0 };
	enum err e = key_create(s, NAME, SCOPE, key, &error);
	if (e == OK) {
		printf("\nThe admin key of this new base, shown this once:\n\n  %s\n\n", key);
		fflush(stdout);
	} else {
		e = refused(e, &error, problem);
	}
	explicit_bzero(key, sizeof(key));
	db_error_done(&error);
	return e;
}

enum err first_key_make(struct db_session *s, const char *key_dir, bool to_terminal, char **ret_path, bool *ret_advise,
			char problem[APP_PROBLEM_SIZE])
{
	struct db_error error = { 0 };
	char *aside = NULL, *path = NULL;
	bool any = false, rescued = false;
	*ret_path = NULL;
	*ret_advise = false;
	if (key_dir && (asprintf(&path, "%s/admin.key", key_dir) < 0 || asprintf(&aside, "%s/admin.key.new", key_dir) < 0))
		return ERR_NOMEM;
	enum err e = key_any(s, &any, &error);
	if (e != OK)
		e = refused(e, &error, problem);
	else if (any && key_dir)
		e = rescue(s, aside, path, &rescued, problem);
	else if (!any && to_terminal)
		e = print_key(s, problem);
	else if (!any && key_dir)
		e = make_file(s, key_dir, aside, path, problem);
	else
		*ret_advise = !any;
	if (e == OK && ((!any && key_dir && !to_terminal) || rescued)) {
		*ret_path = path;
		path = NULL;
	}
	free(aside);
	free(path);
	db_error_done(&error);
	return e;
}

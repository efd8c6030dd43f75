#include "lodebase/app/sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROBLEM(...) snprintf(problem, APP_PROBLEM_SIZE, __VA_ARGS__)

#define FILES_MAX 1000

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);
	return n > m && strcmp(name + n - m, suffix) == 0;
}

static bool is_importable(const char *name)
{
	return has_suffix(name, ".json") || has_suffix(name, ".ndjson");
}

static enum err add_open(struct sources *s, int fd, const char *path)
{
	if (s->n == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 8;
		struct import_source *items = realloc(s->items, capacity * sizeof(*items));
		if (!items)
			return ERR_NOMEM;
		s->items = items;
		s->capacity = capacity;
	}
	char *name = strdup(path);
	if (!name)
		return ERR_NOMEM;
	s->items[s->n++] = (struct import_source){
		.fd = fd,
		.format = has_suffix(path, ".ndjson") ? IMPORT_NDJSON : IMPORT_BUNDLE,
		.name = name,
	};
	return OK;
}

static int is_candidate(const struct dirent *e)
{
	return e->d_name[0] != '.' && is_importable(e->d_name);
}

static enum err add_directory(struct sources *s, const char *path, char problem[APP_PROBLEM_SIZE])
{
	struct dirent **entries;
	enum err e = OK;
	int n = scandir(path, &entries, is_candidate, alphasort);
	if (n < 0) {
		PROBLEM("%s: %s", path, strerror(errno));
		return ERR_IO;
	}
	if (n == 0) {
		PROBLEM("%s: there is no .json or .ndjson file in it", path);
		e = ERR_NOT_FOUND;
	}
	for (int i = 0; i < n; i++) {
		char *file;
		if (e == OK && asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0)
			e = ERR_NOMEM;
		else if (e == OK) {
			e = sources_add(s, file, false, problem);
			free(file);
		}
		free(entries[i]);
	}
	free(entries);
	return e;
}

enum err sources_add(struct sources *s, const char *path, bool directories, char problem[APP_PROBLEM_SIZE])
{
	struct stat st;
	problem[0] = '\0';
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		PROBLEM("%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ERR_IO;
	}
	if (S_ISDIR(st.st_mode)) {
		close(fd);
		if (directories)
			return add_directory(s, path, problem);
		PROBLEM("%s is a directory", path);
		return ERR_INVALID;
	}
	if (!S_ISREG(st.st_mode) || !is_importable(path)) {
		PROBLEM(S_ISREG(st.st_mode) ? "%s: its name ends in neither .json (a bundle) nor .ndjson (a record a line)"
					    : "%s is no plain file",
			path);
		close(fd);
		return ERR_INVALID;
	}
	enum err e = s->n < FILES_MAX ? add_open(s, fd, path) : ERR_FULL;
	if (e != OK) {
		close(fd);
		PROBLEM("%s: %s", path, e == ERR_FULL ? "these are too many files for one import" : err_name(e));
	}
	return e;
}

void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++) {
		close(s->items[i].fd);
		free((char *)s->items[i].name);
	}
	free(s->items);
	*s = (struct sources){ 0 };
}

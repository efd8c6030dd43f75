/* pg_dump and pg_restore, run as children on a database of any kind. From the process's main thread, as all children. */
#pragma once

#include <stddef.h>
#include "lodebase/app/account.h"

/* The tool for a server of that major: in `given` (--postgres-bin) where that is not NULL; else of the same major, or of the next
 * newer one, which can talk to it too. Malloc'ed path. ERR_NOT_FOUND. */
enum err postgres_tool_find(const char *given, int major, const char *name, char **ret_path,
			    char problem[APP_PROBLEM_SIZE]) MUST_CHECK;
/* Runs argv with stdin from in_fd (-1: nothing) and stdout to out_fd. Its environment has what libpq looks for in ours, and the
 * password (NULL: none of its own). ERR_IO: it failed; ret_words is then the line that says why. */
enum err postgres_tool_run(char *const argv[], const char *password, int in_fd, int out_fd, char *ret_words,
			   size_t size) MUST_CHECK;

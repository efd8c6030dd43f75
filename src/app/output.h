/* A file that a command makes, whole or not at all: it is written under a name of its own beside, and gets its name at the end. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include "lodebase/app/account.h"

struct output {
	int fd; /* to write to */
	int keeper; /* -1: nothing is to be named at the end (standard output, a device) */
	pid_t keeper_pid;
	char *path;
};

/* Before root is left, whose directory it may be in: a child stays behind that gives the file its name in the end, or removes it,
 * also where this program is killed. path NULL: standard output. mode: of a new file. */
enum err output_open(struct output *o, const char *path, mode_t mode, char problem[APP_PROBLEM_SIZE]) MUST_CHECK;
/* It is whole: on the disk, then under its name. Without it output_close() removes it. */
enum err output_keep(struct output *o, char problem[APP_PROBLEM_SIZE]) MUST_CHECK;
void output_close(struct output *o);

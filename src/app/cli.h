/* The commands. Each takes the whole command line and where its own words begin, and returns the exit status: 0 done, 1 it
 * could not be done, 2 the command line was wrong. */
#pragma once

#include <stdio.h>

#define EXIT_USAGE 2

struct cli_command {
	const char *name; /* "key create" */
	const char *usage; /* behind "lodebase " */
	const char *summary; /* one line for the list */
	const char *help; /* more for --help, or NULL */
	unsigned options; /* enum config_command, 0: takes none */
	int (*run)(int argc, char **argv, int first);
};
extern const struct cli_command cli_commands[];
extern const unsigned cli_n_commands;

void cli_print_usage(FILE *out);
void cli_print_help(const struct cli_command *command, FILE *out);

int cli_serve(int argc, char **argv, int first);
int cli_migrate(int argc, char **argv, int first);
int cli_import(int argc, char **argv, int first);
int cli_export(int argc, char **argv, int first);
int cli_backup(int argc, char **argv, int first);
int cli_restore(int argc, char **argv, int first);
int cli_key_create(int argc, char **argv, int first);
int cli_key_list(int argc, char **argv, int first);
int cli_key_revoke(int argc, char **argv, int first);
int cli_contract(int argc, char **argv, int first);
int cli_config(int argc, char **argv, int first);
int cli_version(int argc, char **argv, int first);
int cli_help(int argc, char **argv, int first);

/* "lodebase COMMAND: problem" on stderr; returns 1. */
int cli_fail(const char *command, const char *problem);

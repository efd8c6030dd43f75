#include <stdbool.h>
#include <string.h>
#include "cli.h"

/* The command named by argv: of one word, or of two ("key create"). *ret_first: where its own words begin. */
static const struct cli_command *find_command(int argc, char **argv, int *ret_first)
{
	for (unsigned i = 0; i < cli_n_commands; i++) {
		const char *name = cli_commands[i].name;
		const char *blank = strchr(name, ' ');
		if (!blank && strcmp(argv[1], name) == 0) {
			*ret_first = 2;
			return &cli_commands[i];
		}
		if (blank && argc > 2 && strncmp(argv[1], name, (size_t)(blank - name)) == 0 && argv[1][blank - name] == '\0' &&
		    strcmp(argv[2], blank + 1) == 0) {
			*ret_first = 3;
			return &cli_commands[i];
		}
	}
	return NULL;
}

static bool asks_for_help(int argc, char **argv, int first)
{
	for (int i = first; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	int first = 0;
	if (argc < 2) {
		cli_print_usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return cli_help(argc, argv, argc);
	if (strcmp(argv[1], "--version") == 0)
		return cli_version(argc, argv, argc);
	const struct cli_command *command = find_command(argc, argv, &first);
	if (command && asks_for_help(argc, argv, first)) {
		cli_print_help(command, stdout);
		return 0;
	}
	if (command)
		return command->run(argc, argv, first);
	if (strcmp(argv[1], "key") == 0) {
		if (asks_for_help(argc, argv, 2))
			return cli_help(2, argv, 1);
		fputs("lodebase key: say create, list or revoke\n", stderr);
	} else {
		fprintf(stderr, "lodebase: there is no command \"%s\"\n\n", argv[1]);
		cli_print_usage(stderr);
	}
	return EXIT_USAGE;
}

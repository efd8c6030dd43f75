/* The table of commands, and their help. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/api/api.h"
#include "lodebase/app/serve.h"
#include "lodebase/core/config.h"
#include "lodebase/core/version.h"

const struct cli_command cli_commands[] = {
	{ "serve", "serve [OPTION …]", "run the service",
	  "Serves the base over HTTP until SIGTERM or SIGINT; then requests may finish, and the program ends with\n"
	  "status 0. Without --database it runs a private PostgreSQL of its own in the data directory.\n",
	  CONFIG_SERVE, cli_serve },
	{ "migrate", "migrate [OPTION …]", "bring the base's schema to this program's version",
	  "`serve` does it too. Safe while others do the same; what was done before is not done again.\n", CONFIG_MIGRATE,
	  cli_migrate },
	{ "import", "import [OPTION …] FILE …", "import bundles (.json) or lines of records (.ndjson)",
	  "All files are one import: all of it or nothing. A second time it changes nothing. Works beside a running\n"
	  "service and without one.\n",
	  CONFIG_IMPORT, cli_import },
	{ "export", "export [OPTION …] [FILE]", "write every record as a line that import takes back",
	  "Lines of {\"resource\": …, \"record\": {…}} to FILE or standard output: the base as it stands at one instant, "
	  "ordered\n"
	  "by resource and id. Imported into an empty base and exported again they are the same lines. History and keys are\n"
	  "not in it (see backup). Works beside a running service and without one. A failure leaves FILE as it was.\n",
	  CONFIG_EXPORT, cli_export },
	{ "backup", "backup [OPTION …] FILE", "write the base with its history, keys and settings to a file",
	  "A dump of the schema lodebase in pg_dump's custom format, made as the schema's owner, of one instant. Works beside "
	  "a\n"
	  "running service and without one. A failure leaves FILE as it was. It is readable for its owner alone.\n",
	  CONFIG_BACKUP, cli_backup },
	{ "restore", "restore [OPTION …] FILE", "take a backup back into an empty base",
	  "The base must have neither records nor keys, and nobody may be connected to it. PostgreSQL may be of a newer major\n"
	  "version than the one the backup was made from. A new epoch of the change feed begins.\n",
	  CONFIG_RESTORE, cli_restore },
	{ "key create", "key create --name NAME --scope read|write|admin [OPTION …]", "make an API key; it is shown once", NULL,
	  CONFIG_KEY_CREATE, cli_key_create },
	{ "key list", "key list [OPTION …]", "list the API keys", NULL, CONFIG_KEY, cli_key_list },
	{ "key revoke", "key revoke PREFIX [OPTION …]", "revoke the API key that begins so (lode_ and 8 characters)",
	  "Returns when no write made with it is under way any more.\n", CONFIG_KEY, cli_key_revoke },
	{ "contract", "contract", "print resources, fields, operations and problems as JSON", NULL, 0, cli_contract },
	{ "config", "config [OPTION …]", "print the settings `serve` would use, and where each comes from",
	  "Passwords are shown as ***.\n", CONFIG_CONFIG, cli_config },
	{ "version", "version", "print the version", NULL, 0, cli_version },
	{ "help", "help [COMMAND]", "print this, or the help of a command", NULL, 0, cli_help },
};
const unsigned cli_n_commands = sizeof(cli_commands) / sizeof(cli_commands[0]);

int cli_fail(const char *command, const char *problem)
{
	fprintf(stderr, "lodebase %s: %s\n", command, problem);
	return 1;
}

void cli_print_usage(FILE *out)
{
	fputs("Lodebase: who owns how much of which mine, smelter or refinery, according to whom.\n\n", out);
	for (unsigned i = 0; i < cli_n_commands; i++)
		fprintf(out, "  lodebase %-12s %s\n", cli_commands[i].name, cli_commands[i].summary);
	fputs("\n`lodebase COMMAND --help` tells more about each.\n", out);
}

void cli_print_help(const struct cli_command *command, FILE *out)
{
	fprintf(out, "Usage: lodebase %s\n\n", command->usage);
	fprintf(out, "%c%s.\n", command->summary[0] - 'a' + 'A', command->summary + 1);
	if (command->help)
		fputs(command->help, out);
	if (command->options) {
		fputc('\n', out);
		config_help((enum config_command)command->options, out);
	}
}

int cli_serve(int argc, char **argv, int first)
{
	struct config c;
	int status = EXIT_USAGE;
	if (config_parse(&c, CONFIG_SERVE, argc, argv, first) == OK)
		status = serve_main(&c);
	config_done(&c);
	return status;
}

int cli_config(int argc, char **argv, int first)
{
	struct config c;
	int status = EXIT_USAGE;
	if (config_parse(&c, CONFIG_CONFIG, argc, argv, first) == OK) {
		config_print(&c, stdout);
		status = 0;
	}
	config_done(&c);
	return status;
}

static int refuse_words(int argc, char **argv, int first)
{
	if (first >= argc)
		return 0;
	fprintf(stderr, "lodebase %s: \"%s\" is one word too many\n", argv[first - 1], argv[first]);
	return EXIT_USAGE;
}

int cli_contract(int argc, char **argv, int first)
{
	int status = refuse_words(argc, argv, first);
	if (status == 0 && api_print_contract() != OK)
		status = cli_fail("contract", "out of memory");
	return status;
}

int cli_version(int argc, char **argv, int first)
{
	int status = refuse_words(argc, argv, first);
	if (status == 0)
		printf("lodebase %s\n", core_version());
	return status;
}

int cli_help(int argc, char **argv, int first)
{
	char name[64] = "";
	if (first < argc)
		snprintf(name, sizeof(name), "%s%s%s", argv[first], first + 1 < argc ? " " : "",
			 first + 1 < argc ? argv[first + 1] : "");
	if (!*name) {
		cli_print_usage(stdout);
		return 0;
	}
	bool found = false;
	for (unsigned i = 0; i < cli_n_commands; i++) {
		size_t n = strlen(name);
		/* "key" alone is all three of its commands */
		if (strncmp(cli_commands[i].name, name, n) != 0 ||
		    (cli_commands[i].name[n] != '\0' && cli_commands[i].name[n] != ' '))
			continue;
		if (found)
			fputc('\n', stdout);
		cli_print_help(&cli_commands[i], stdout);
		found = true;
	}
	if (found)
		return 0;
	fprintf(stderr, "lodebase help: there is no command \"%s\"\n", name);
	return EXIT_USAGE;
}

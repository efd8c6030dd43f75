/* Build tool: the man page and the table of options in the documentation, from the tables that make --help.
 *
 *   lodebase-man man TEMPLATE      the template with its lines @OPTIONS@ and words @VERSION@ filled in
 *   lodebase-man markdown          the options as a Markdown table */
#include <stdio.h>
#include <string.h>
#include "lodebase/core/config.h"
#include "lodebase/core/version.h"

static int fill(const char *path)
{
	char line[1024];
	FILE *in = fopen(path, "re");
	if (!in) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), in)) {
		char *version = strstr(line, "@VERSION@");
		if (strcmp(line, "@OPTIONS@\n") == 0) {
			config_man_options(stdout);
		} else if (version) {
			*version = '\0';
			printf("%s%s%s", line, core_version(), version + strlen("@VERSION@"));
		} else {
			fputs(line, stdout);
		}
	}
	fclose(in);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "man") == 0)
		return fill(argv[2]);
	if (argc == 2 && strcmp(argv[1], "markdown") == 0) {
		config_markdown_options(stdout);
		return 0;
	}
	fputs("usage: lodebase-man man TEMPLATE | markdown\n", stderr);
	return 2;
}

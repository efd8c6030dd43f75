/* The option table in words: --help, `lodebase config`, man page, Markdown. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config_internal.h"

#define HELP_INDENT 8
#define HELP_WIDTH 80

/* Characters on the screen, of UTF-8. */
static int width(const char *s, size_t n)
{
	int w = 0;
	for (size_t i = 0; i < n; i++)
		w += ((unsigned char)s[i] & 0xc0) != 0x80;
	return w;
}

static void wrap(const char *text, FILE *out)
{
	int column = 0;
	while (*text) {
		size_t n = strcspn(text, " ");
		int w = width(text, n);
		if (column && column + 1 + w > HELP_WIDTH - HELP_INDENT) {
			fputc('\n', out);
			column = 0;
		}
		if (column)
			column += fprintf(out, " ");
		else
			fprintf(out, "%*s", HELP_INDENT, "");
		fprintf(out, "%.*s", (int)n, text);
		column += w;
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void describe(const struct config_option *o, char *text, size_t size)
{
	if (o->fallback)
		snprintf(text, size, "%s Default: %s.", o->help, o->fallback);
	else
		snprintf(text, size, "%s", o->help);
}

void config_help(enum config_command command, FILE *out)
{
	char text[512];
	for (size_t i = 0; i < config_n_options; i++) {
		const struct config_option *o = &config_options[i];
		if (!(o->commands & (unsigned)command))
			continue;
		fprintf(out, "  --%s %s%s\n", o->name, o->argument, o->required ? " (required)" : "");
		describe(o, text, sizeof(text));
		wrap(text, out);
	}
	fputs("\nEvery option --some-name is also read from LODEBASE_SOME_NAME, or from the first\n"
	      "line of the file that LODEBASE_SOME_NAME_FILE names. The command line wins.\n",
	      out);
}

void config_man_options(FILE *out)
{
	for (size_t i = 0; i < config_n_options; i++) {
		const struct config_option *o = &config_options[i];
		char text[512];
		fputs(".TP\n.BI \"\\-\\-", out);
		for (const char *p = o->name; *p; p++)
			fprintf(out, *p == '-' ? "\\-" : "%c", *p);
		fprintf(out, " \" \"%s\"\n", o->argument);
		describe(o, text, sizeof(text));
		if (text[0] == '.' || text[0] == '\'')
			fputs("\\&", out);
		for (const char *p = text; *p; p++) {
			if (*p == '\\')
				fputs("\\e", out);
			else if (*p == '-')
				fputs("\\-", out);
			else
				fputc(*p, out);
		}
		fputc('\n', out);
		if (o->commands == CONFIG_KEY_CREATE)
			fputs("Only of\n.BR \"key create\" ; required there.\n", out);
		else if (!(o->commands & CONFIG_MIGRATE))
			fputs("Only of\n.BR serve .\n", out);
	}
}

void config_markdown_options(FILE *out)
{
	fputs("| option | variable | what it is | default |\n|---|---|---|---|\n", out);
	for (size_t i = 0; i < config_n_options; i++) {
		const struct config_option *o = &config_options[i];
		char name[72];
		config_variable(o, "", name, sizeof(name));
		fprintf(out, "| `--%s ", o->name);
		for (const char *p = o->argument; *p; p++)
			fprintf(out, *p == '|' ? "\\|" : "%c", *p);
		fprintf(out, "` | `%s` | %s%s | %s |\n", name, o->help,
			o->commands == CONFIG_KEY_CREATE ? " (`key create`)"
			: o->commands & CONFIG_MIGRATE   ? ""
							 : " (`serve`)",
			o->fallback   ? o->fallback
			: o->required ? "required"
				      : "not set");
	}
}

/* A LODEBASE_ variable that is no option is most often a typing mistake. */
static void print_unknown_variables(FILE *out)
{
	for (char **e = environ; e && *e; e++) {
		size_t n = strcspn(*e, "=");
		bool known = strncmp(*e, "LODEBASE_", 9) != 0;
		for (size_t i = 0; i < config_n_options && !known; i++) {
			char name[72], file_name[72];
			config_variable(&config_options[i], "", name, sizeof(name));
			config_variable(&config_options[i], "_FILE", file_name, sizeof(file_name));
			known = (strlen(name) == n && memcmp(name, *e, n) == 0) ||
				(strlen(file_name) == n && memcmp(file_name, *e, n) == 0);
		}
		if (!known)
			fprintf(out, "%-18s   %.*s is in the environment, but there is no such option\n", "(not used)", (int)n,
				*e);
	}
}

void config_print(const struct config *c, FILE *out)
{
	for (size_t i = 0; i < config_n_options; i++) {
		const struct config_option *o = &config_options[i];
		const struct config_value *v = &c->values[i];
		char origin[72] = "not set";
		if (!(o->commands & CONFIG_SERVE))
			continue;
		if (v->origin == CONFIG_DEFAULT)
			strcpy(origin, "default");
		else if (v->origin == CONFIG_ARGUMENT)
			strcpy(origin, "command line");
		else if (v->origin != CONFIG_UNSET)
			config_variable(o, v->origin == CONFIG_FILE ? "_FILE" : "", origin, sizeof(origin));
		char *masked = v->text && o->secret ? config_mask_conninfo(v->text) : NULL;
		const char *text = v->text ? (o->secret ? (masked ? masked : "***") : v->text) : "";
		fprintf(out, "%-18s = %-28s (%s)\n", o->name, text, origin);
		free(masked);
	}
	print_unknown_variables(out);
}

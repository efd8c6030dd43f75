/* Parsing: command line over environment over default, every error told in one go. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config_internal.h"

#define FILE_VALUE_MAX 65536

const char *config_command_name(enum config_command command)
{
	switch (command) {
	case CONFIG_SERVE:
		return "serve";
	case CONFIG_MIGRATE:
		return "migrate";
	case CONFIG_IMPORT:
		return "import";
	case CONFIG_EXPORT:
		return "export";
	case CONFIG_BACKUP:
		return "backup";
	case CONFIG_RESTORE:
		return "restore";
	case CONFIG_KEY:
		return "key";
	case CONFIG_CONFIG:
		return "config";
	case CONFIG_KEY_CREATE:
		return "key create";
	}
	return "";
}

void config_variable(const struct config_option *o, const char *suffix, char *ret_name, size_t size)
{
	snprintf(ret_name, size, "LODEBASE_%s%s", o->name, suffix);
	for (char *p = ret_name; *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

static void complain(struct config *c, bool *failed, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void complain(struct config *c, bool *failed, const char *format, ...)
{
	va_list args;
	*failed = true;
	fprintf(stderr, "lodebase %s: ", config_command_name(c->command));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static const struct config_option *find_option(const char *name, size_t n)
{
	for (size_t i = 0; i < config_n_options; i++)
		if (strlen(config_options[i].name) == n && memcmp(config_options[i].name, name, n) == 0)
			return &config_options[i];
	return NULL;
}

static bool set_value(struct config *c, const struct config_option *o, const char *text, enum config_origin origin)
{
	struct config_value *v = &c->values[o - config_options];
	free(v->text);
	v->text = strdup(text);
	v->origin = origin;
	return v->text != NULL;
}

/* One argument that begins with "--"; returns how many arguments it took. */
static int take_argument(struct config *c, char **argv, int left, bool *failed)
{
	char *name = argv[0] + 2;
	char *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct config_option *o = find_option(name, n);
	int used = 1;
	char *value = equals ? equals + 1 : NULL;
	if (!o) {
		complain(c, failed, "there is no option --%.*s", (int)n, name);
		return used;
	}
	if (!value && left > 1) {
		value = argv[1];
		used = 2;
	}
	if (!value || !*value)
		complain(c, failed, "--%s needs a value: --%s %s", o->name, o->name, o->argument);
	else if (!(o->commands & (unsigned)c->command))
		complain(c, failed, "--%s is no option of `lodebase %s`", o->name, config_command_name(c->command));
	else if (!set_value(c, o, value, CONFIG_ARGUMENT))
		complain(c, failed, "out of memory");
	if (value && o->secret) /* other accounts read argv in /proc */
		memset(value, 'x', strlen(value));
	return used;
}

/* A file's first line, malloc'ed; NULL with errno, 0 where there is none. */
static char *first_line(const char *path)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return NULL;
	char *line = calloc(1, FILE_VALUE_MAX);
	errno = 0;
	if (line && !fgets(line, FILE_VALUE_MAX, f))
		*line = '\0';
	int error = errno;
	fclose(f);
	if (line) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!*line) {
			free(line);
			line = NULL;
		}
	}
	errno = error;
	return line;
}

static void take_environment(struct config *c, const struct config_option *o, bool *failed)
{
	char name[64], file_name[64];
	config_variable(o, "", name, sizeof(name));
	config_variable(o, "_FILE", file_name, sizeof(file_name));
	const char *value = getenv(name);
	const char *path = getenv(file_name);
	bool has_value = value && *value;
	bool has_path = path && *path;
	if (has_value && has_path)
		complain(c, failed, "%s and %s are both set; one of them is enough", name, file_name);
	else if (has_value && !set_value(c, o, value, CONFIG_ENVIRONMENT))
		complain(c, failed, "out of memory");
	else if (has_path) {
		char *line = first_line(path);
		if (!line)
			complain(c, failed, "%s: %s: %s", file_name, path, errno ? strerror(errno) : "its first line is empty");
		else if (!set_value(c, o, line, CONFIG_FILE))
			complain(c, failed, "out of memory");
		free(line);
	}
}

static void take_default(struct config *c, const struct config_option *o)
{
	struct config_value *v = &c->values[o - config_options];
	v->text = o->make_default ? o->make_default(c) : NULL;
	v->origin = v->text ? CONFIG_DEFAULT : CONFIG_UNSET;
}

static bool make_absolute(char **path)
{
	char *here, *absolute;
	if ((*path)[0] == '/')
		return true;
	here = getcwd(NULL, 0);
	if (!here || asprintf(&absolute, "%s/%s", strcmp(here, "/") == 0 ? "" : here, *path) < 0)
		absolute = NULL;
	free(here);
	if (!absolute)
		return false;
	free(*path);
	*path = absolute;
	return true;
}

/* Checks the values in the table's order, so that a row may look at those above it. */
static void take_values(struct config *c, bool *failed)
{
	for (size_t i = 0; i < config_n_options; i++) {
		const struct config_option *o = &config_options[i];
		struct config_value *v = &c->values[i];
		char problem[CONFIG_PROBLEM_SIZE];
		if (!(o->commands & (unsigned)c->command))
			continue;
		if (v->origin == CONFIG_UNSET)
			take_environment(c, o, failed);
		if (v->origin == CONFIG_UNSET)
			take_default(c, o);
		if (!v->text) {
			if (o->required)
				complain(c, failed, "--%s %s is required", o->name, o->argument);
			continue;
		}
		if (o->path && !make_absolute(&v->text)) {
			complain(c, failed, "--%s: \"%s\" is relative, and the working directory cannot be found", o->name,
				 v->text);
			continue;
		}
		if (!o->take(c, v->text, problem)) {
			char name[72];
			if (v->origin == CONFIG_ENVIRONMENT || v->origin == CONFIG_FILE)
				config_variable(o, v->origin == CONFIG_FILE ? "_FILE" : "", name, sizeof(name));
			else
				snprintf(name, sizeof(name), "--%s", o->name);
			complain(c, failed, "%s: %s", name, problem);
		}
		if (strcmp(o->name, "data-dir") == 0)
			c->data_dir_given = v->origin != CONFIG_DEFAULT;
	}
}

enum err config_parse(struct config *c, enum config_command command, int argc, char **argv, int first)
{
	bool failed = false;
	memset(c, 0, sizeof(*c));
	c->command = command;
	c->values = calloc(config_n_options, sizeof(*c->values));
	c->operands = calloc((size_t)argc + 1, sizeof(*c->operands));
	if (!c->values || !c->operands) {
		complain(c, &failed, "out of memory");
		return ERR_NOMEM;
	}
	bool options = true;
	for (int i = first; i < argc;) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
			i++;
		} else if (options && strncmp(argv[i], "--", 2) == 0) {
			i += take_argument(c, argv + i, argc - i, &failed);
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			complain(c, &failed, "there is no option %s", argv[i++]);
		} else {
			c->operands[c->n_operands++] = argv[i++];
		}
	}
	take_values(c, &failed);
	if (command & (CONFIG_SERVE | CONFIG_MIGRATE | CONFIG_CONFIG | CONFIG_KEY_CREATE))
		for (int i = 0; i < c->n_operands; i++)
			complain(c, &failed, "\"%s\" is one word too many", c->operands[i]);
	if (!c->database && !c->data_dir)
		complain(c, &failed, "no --data-dir is given, and without $HOME there is no default");
	if (!failed)
		return OK;
	fprintf(stderr, "`lodebase %s --help` lists the options.\n", config_command_name(command));
	return ERR_INVALID;
}

void config_done(struct config *c)
{
	for (size_t i = 0; c->values && i < config_n_options; i++)
		free(c->values[i].text);
	for (char **o = c->cors_origins; o && *o; o++)
		free(*o);
	free(c->cors_origins);
	free(c->values);
	free(c->operands);
	free(c->listen_address);
	free(c->database);
	free(c->owner_database);
	free(c->data_dir);
	free(c->postgres_bin);
	free(c->run_user);
	free(c->seed);
	free(c->spool_dir);
	free(c->name);
	free(c->scope);
	memset(c, 0, sizeof(*c));
}

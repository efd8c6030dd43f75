#include "session_settings.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/buf.h"

enum { MAX_OPTIONS = 8192, MAX_PARAMETERS = 96 };

/* A dead peer is noticed within a minute, also while we only wait. */
static const char *const network_defaults[][2] = {
	{ "keepalives_idle", "30" },
	{ "keepalives_interval", "10" },
	{ "keepalives_count", "3" },
	{ "tcp_user_timeout", "40000" },
};

/* `-c name=value` for the server's start-up options, where blanks and backslashes are escaped by a backslash. */
static void put_option(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, " -c %s=", name);
	for (; *value; value++) {
		if (strchr(" \t\n\v\f\r\\", *value))
			buf_putc(b, '\\');
		buf_putc(b, *value);
	}
}

static char *make_options(const char *given, const struct session_settings *settings)
{
	struct buf b;
	char number[16];
	char *text;

	buf_init(&b, MAX_OPTIONS);
	buf_puts(&b, given);
	/* The server takes the last of two: ours. */
	if (settings->role)
		put_option(&b, "role", settings->role);
	put_option(&b, "search_path", "lodebase");
	put_option(&b, "default_transaction_isolation", "read committed");
	put_option(&b, "TimeZone", "UTC");
	put_option(&b, "DateStyle", "ISO, MDY");
	put_option(&b, "idle_in_transaction_session_timeout", "60000");
	(void)snprintf(number, sizeof number, "%d", settings->statement_timeout_ms);
	put_option(&b, "statement_timeout", number);
	text = buf_steal(&b, NULL);
	buf_done(&b);
	return text;
}

static char **find(const struct session_parameters *p, const char *keyword)
{
	for (size_t i = 0; p->keywords[i]; i++)
		if (strcmp(p->keywords[i], keyword) == 0)
			return &p->values[i];
	return NULL;
}

const char *session_parameters_get(const struct session_parameters *p, const char *keyword)
{
	char **value = find(p, keyword);
	return value ? *value : NULL;
}

enum err session_parameters_set(struct session_parameters *p, const char *keyword, const char *value)
{
	char **old = find(p, keyword);
	char *copy = strdup(value);
	size_t n = 0;

	if (!copy)
		return ERR_NOMEM;
	if (old) {
		free(*old);
		*old = copy;
		return OK;
	}
	while (p->keywords[n])
		n++;
	if (n + 1 >= MAX_PARAMETERS || !(p->keywords[n] = strdup(keyword))) {
		free(copy);
		return ERR_NOMEM;
	}
	p->values[n] = copy;
	return OK;
}

static enum err set_default(struct session_parameters *p, const char *keyword, const char *value)
{
	return find(p, keyword) ? OK : session_parameters_set(p, keyword, value);
}

static enum err add_ours(struct session_parameters *p, const struct session_settings *settings)
{
	const char *given = session_parameters_get(p, "options");
	char number[16];
	char *options;
	enum err e;

	/* libpq looks at PGOPTIONS only where no options are given, and now there are. */
	if (!given)
		given = getenv("PGOPTIONS"); // NOLINT(concurrency-mt-unsafe): nobody sets any
	options = make_options(given ? given : "", settings);
	if (!options)
		return ERR_NOMEM;
	e = session_parameters_set(p, "options", options);
	free(options);
	if (e == OK)
		e = session_parameters_set(p, "client_encoding", "UTF8");
	if (e == OK && settings->application_name)
		e = set_default(p, "application_name", settings->application_name);
	if (e == OK && settings->connect_timeout_s) {
		(void)snprintf(number, sizeof number, "%u", settings->connect_timeout_s);
		e = set_default(p, "connect_timeout", number);
	}
	for (size_t i = 0; e == OK && i < sizeof network_defaults / sizeof network_defaults[0]; i++)
		e = set_default(p, network_defaults[i][0], network_defaults[i][1]);
	return e;
}

enum err session_parameters_init(struct session_parameters *ret, const char *conninfo, const struct session_settings *settings)
{
	PQconninfoOption *parsed;
	char *message = NULL;
	enum err e = OK;

	ret->keywords = calloc(MAX_PARAMETERS, sizeof *ret->keywords);
	ret->values = calloc(MAX_PARAMETERS, sizeof *ret->values);
	parsed = PQconninfoParse(conninfo, &message);
	if (!ret->keywords || !ret->values)
		e = ERR_NOMEM;
	else if (!parsed)
		e = message ? ERR_INVALID : ERR_NOMEM;
	for (PQconninfoOption *o = parsed; e == OK && o->keyword; o++)
		if (o->val)
			e = session_parameters_set(ret, o->keyword, o->val);
	if (e == OK)
		e = add_ours(ret, settings);
	PQfreemem(message);
	PQconninfoFree(parsed);
	if (e != OK)
		session_parameters_done(ret);
	return e;
}

void session_parameters_done(struct session_parameters *p)
{
	for (size_t i = 0; p->keywords && p->values && p->keywords[i]; i++) {
		free(p->keywords[i]);
		free(p->values[i]);
	}
	free(p->keywords);
	free(p->values);
	p->keywords = NULL;
	p->values = NULL;
}

#define FIRST_STATEMENT                                                                            \
	"select set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, MDY', false)," \
	" case when current_setting('synchronous_commit') in ('on', 'remote_apply') then ''"       \
	" else set_config('synchronous_commit', 'on', false) end"

const char *session_first_statement(bool read_only)
{
	return read_only ? FIRST_STATEMENT ", set_config('default_transaction_read_only', 'on', false)" : FIRST_STATEMENT;
}

/* How a session of ours starts: the parameters it connects with and its first statement. */
#pragma once

#include <stdbool.h>
#include "lodebase/base/err.h"

struct session_settings {
	const char *role; /* or NULL */
	const char *application_name; /* where the conninfo names none */
	int statement_timeout_ms; /* 0: none */
	unsigned connect_timeout_s; /* where the conninfo names none; heeded by blocking connections only */
};

/* Keywords and values for PQconnect(Start)Params(), NULL-terminated. */
struct session_parameters {
	char **keywords;
	char **values;
};

/* Reads a conninfo string or URL and adds our settings, behind what its `options` hold. ERR_INVALID: malformed (libpq's
 * message is not passed on, it may quote a password). */
enum err session_parameters_init(struct session_parameters *ret, const char *conninfo,
				 const struct session_settings *settings) MUST_CHECK;
void session_parameters_done(struct session_parameters *p);
/* The value of a keyword, or NULL. */
const char *session_parameters_get(const struct session_parameters *p, const char *keyword);
/* Sets or replaces a keyword's value. */
enum err session_parameters_set(struct session_parameters *p, const char *keyword, const char *value) MUST_CHECK;

/* The first statement of a session: what depends on the server's defaults, and what environment variables (PGTZ,
 * PGDATESTYLE) would have overridden. */
const char *session_first_statement(bool read_only);

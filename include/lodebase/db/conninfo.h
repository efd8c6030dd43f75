/* A conninfo or URL for a program that is started, PostgreSQL's own tools for instance. */
#pragma once

#include "lodebase/base/err.h"

/* What may stand in its argv, which every account can read, and the password that goes into its environment as PGPASSWORD
 * (NULL: none is given); both malloc'ed. ERR_INVALID: malformed; ERR_DENIED: it has another secret (sslpassword), for which there
 * is no such variable. */
enum err db_conninfo_for_child(const char *conninfo, char **ret_argument, char **ret_password) MUST_CHECK;

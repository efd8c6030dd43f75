/* The account the program runs on. Started as root it becomes somebody else for good, before it listens or touches the
 * database: PostgreSQL refuses root, and a service that answers strangers has no business being root. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "lodebase/base/err.h"
#include "lodebase/core/config.h"

#define APP_PROBLEM_SIZE 768 /* room for one plain English sentence or two about what went wrong */

/* Creates the data directory where it is wanted and missing (0700) and, as root, becomes its owner, or the account of --user,
 * or the first of lodebase, postgres, nobody that exists. As any other user only the directory is seen to. With
 * `wants_data_dir` false the directory is left alone. `create` false: a missing directory is an error (commands that only
 * look). Errors in *problem. */
enum err account_settle(const struct config *c, bool wants_data_dir, bool create, char problem[APP_PROBLEM_SIZE]) MUST_CHECK;

/* The admin key that the first start on a base makes. */
#pragma once

#include <stdbool.h>
#include "lodebase/app/account.h"
#include "lodebase/db/session.h"

/* Where the base never had a key: makes one of scope admin and prints it once on stdout, where that is a terminal, else writes
 * it to <key_dir>/admin.key (0600); *ret_path is then that file's path (malloc'ed). Without either it makes none and says how to
 * (*ret_advise). Whatever happens in between, no key is lost: it is on the disk before the base knows it. */
enum err first_key_make(struct db_session *s, const char *key_dir, bool to_terminal, char **ret_path, bool *ret_advise,
			char problem[APP_PROBLEM_SIZE]) MUST_CHECK;

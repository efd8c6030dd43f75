/* API keys on the command line, beside a running service: blocking, on a session of the service's account. */
#pragma once

#include <stdbool.h>
#include "lodebase/base/digest.h"
#include "lodebase/db/session.h"

/* Creates a key; the text is shown once and only its SHA-256 is stored. scope: read, write or admin. */
enum err key_create(struct db_session *s, const char *name, const char *scope, char ret_key[API_KEY_LENGTH + 1],
		    struct db_error *ret_error) MUST_CHECK;
/* All keys, newest first, as a table for people on stdout: prefix, name, scope, created, revoked. */
enum err key_list(struct db_session *s, struct db_error *ret_error) MUST_CHECK;
/* Revokes the key with that prefix ("lode_" and its 8 id characters, or a whole key). Waits until no write of its is under
 * way. ERR_NOT_FOUND: no such key; ERR_CONFLICT: it was revoked before. */
enum err key_revoke(struct db_session *s, const char *prefix, struct db_error *ret_error) MUST_CHECK;
/* Whether the base has any key yet. */
enum err key_any(struct db_session *s, bool *ret_any, struct db_error *ret_error) MUST_CHECK;

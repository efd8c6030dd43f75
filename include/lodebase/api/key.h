/* API keys on the command line, beside a running service: blocking, on a session of the service's account. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include "lodebase/base/digest.h"
#include "lodebase/db/session.h"

/* Creates a key; the text is shown once and only its SHA-256 is stored. scope: read, write or admin. ERR_INVALID: the name is
 * empty, too long (300 code points), no UTF-8 or invisible. */
enum err key_create(struct db_session *s, const char *name, const char *scope, char ret_key[API_KEY_LENGTH + 1],
		    struct db_error *ret_error) MUST_CHECK;
/* The same for a key that the caller made by api_key_new() and has kept already. */
enum err key_store(struct db_session *s, const char *name, const char *scope, const char *key,
		   struct db_error *ret_error) MUST_CHECK;
/* All keys, newest first, as a table for people: prefix, scope, created, revoked, name. */
enum err key_list(struct db_session *s, FILE *out, struct db_error *ret_error) MUST_CHECK;
/* Revokes the key with that prefix ("lode_" and its 8 id characters, or a whole key). Waits until no write of its is under
 * way. ERR_INVALID: that is no prefix; ERR_NOT_FOUND: no such key; ERR_CONFLICT: it was revoked before. */
enum err key_revoke(struct db_session *s, const char *prefix, struct db_error *ret_error) MUST_CHECK;
/* Whether the base has, or ever had, a key. */
enum err key_any(struct db_session *s, bool *ret_any, struct db_error *ret_error) MUST_CHECK;
/* Whether this very key is known and not revoked. */
enum err key_is_known(struct db_session *s, const char *key, bool *ret_known, struct db_error *ret_error) MUST_CHECK;

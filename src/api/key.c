#include "lodebase/api/key.h"

#include <ctype.h>
#include <string.h>
#include "lodebase/base/text.h"

#define PREFIX "lode_"
#define PREFIX_LENGTH (sizeof(PREFIX) - 1)
#define NAME_MAX_CODE_POINTS 300

static void key_id(const char *key, char ret_id[API_KEY_ID_LENGTH + 1])
{
	memcpy(ret_id, key + PREFIX_LENGTH, API_KEY_ID_LENGTH);
	ret_id[API_KEY_ID_LENGTH] = '\0';
}

/* bytea in hex, "\x…" */
static void key_digest(const char *key, char ret_bytea[2 + 64 + 1])
{
	uint8_t digest[32];
	digest_sha256(key, strlen(key), digest);
	memcpy(ret_bytea, "\\x", 2);
	digest_hex(digest, sizeof(digest), ret_bytea + 2);
}

enum err key_store(struct db_session *s, const char *name, const char *scope, const char *key, struct db_error *ret_error)
{
	char id[API_KEY_ID_LENGTH + 1], bytea[2 + 64 + 1];
	size_t n = strlen(name);
	*ret_error = (struct db_error){ 0 };
	if (!text_is_utf8(name, n) || !text_has_visible(name, n) || text_code_points(name, n) > NAME_MAX_CODE_POINTS)
		return ERR_INVALID;
	key_id(key, id);
	key_digest(key, bytea);
	return db_session_query(s, NULL, ret_error,
				"insert into lodebase.api_key (id, name, scope, sha256) values ($1, $2, $3, $4::bytea)", 4, id,
				name, scope, bytea);
}

enum err key_create(struct db_session *s, const char *name, const char *scope, char ret_key[API_KEY_LENGTH + 1],
		    struct db_error *ret_error)
{
	api_key_new(ret_key);
	return key_store(s, name, scope, ret_key, ret_error);
}

/* A name may hold what a terminal would act on. */
static void print_name(const char *name, FILE *out)
{
	for (; *name; name++)
		fputc((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name, out);
	fputc('\n', out);
}

enum err key_list(struct db_session *s, FILE *out, struct db_error *ret_error)
{
	struct db_result *r = NULL;
	enum err e = db_session_query(s, &r, ret_error,
				      "select id, scope, to_char(created_at, 'YYYY-MM-DD HH24:MI:SS'), "
				      "coalesce(to_char(revoked_at, 'YYYY-MM-DD HH24:MI:SS'), '-'), name "
				      "from lodebase.api_key order by created_at desc, id",
				      0);
	if (e != OK)
		return e;
	if (db_result_rows(r) == 0)
		fputs("There is no key yet: lodebase key create --name NAME --scope read|write|admin\n", out);
	else
		fprintf(out, "%-13s  %-5s  %-19s  %-19s  %s\n", "PREFIX", "SCOPE", "CREATED (UTC)", "REVOKED (UTC)", "NAME");
	for (int i = 0; i < db_result_rows(r); i++) {
		fprintf(out, PREFIX "%s  %-5s  %-19s  %-19s  ", db_result_value(r, i, 0), db_result_value(r, i, 1),
			db_result_value(r, i, 2), db_result_value(r, i, 3));
		print_name(db_result_value(r, i, 4), out);
	}
	db_result_free(r);
	return OK;
}

enum err key_revoke(struct db_session *s, const char *prefix, struct db_error *ret_error)
{
	char id[API_KEY_ID_LENGTH + 1];
	struct db_result *r = NULL;
	size_t n = strlen(prefix);
	*ret_error = (struct db_error){ 0 };
	if (strncmp(prefix, PREFIX, PREFIX_LENGTH) != 0 ||
	    (n != PREFIX_LENGTH + API_KEY_ID_LENGTH && !api_key_is_wellformed(prefix, n)))
		return ERR_INVALID;
	key_id(prefix, id);
	for (const char *p = id; *p; p++)
		if (!isalnum((unsigned char)*p))
			return ERR_INVALID;
	enum err e = db_session_query(s, &r, ret_error, "select lodebase.revoke_key($1)", 1, id);
	if (e != OK)
		return e;
	if (strcmp(db_result_value(r, 0, 0), "unknown") == 0)
		e = ERR_NOT_FOUND;
	else if (strcmp(db_result_value(r, 0, 0), "already") == 0)
		e = ERR_CONFLICT;
	db_result_free(r);
	return e;
}

static enum err ask(struct db_session *s, bool *ret, struct db_error *ret_error, const char *sql, int n, const char *parameter)
{
	struct db_result *r = NULL;
	enum err e = db_session_query(s, &r, ret_error, sql, n, parameter);
	if (e == OK)
		*ret = strcmp(db_result_value(r, 0, 0), "t") == 0;
	db_result_free(r);
	return e;
}

enum err key_any(struct db_session *s, bool *ret_any, struct db_error *ret_error)
{
	return ask(s, ret_any, ret_error, "select exists (select from lodebase.api_key)", 0, NULL);
}

enum err key_is_known(struct db_session *s, const char *key, bool *ret_known, struct db_error *ret_error)
{
	char bytea[2 + 64 + 1];
	key_digest(key, bytea);
	return ask(s, ret_known, ret_error,
		   "select exists (select from lodebase.api_key where sha256 = $1::bytea and revoked_at is null)", 1, bytea);
}

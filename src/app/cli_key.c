/* key create, key list, key revoke. */
#include "cli.h"

#include <string.h>
#include "lodebase/api/key.h"
#include "lodebase/app/database.h"
#include "lodebase/core/config.h"

static int say(const char *command, enum err e, const struct db_error *error)
{
	return cli_fail(command, error->message[0] ? error->message : err_name(e));
}

static int create(struct db_session *s, const struct config *c)
{
	char key[API_KEY_LENGTH + 1];
	struct db_error error = { 0 };
	enum err e = key_create(s, c->name, c->scope, key, &error);
	int status = 0;
	if (e == OK) {
		fprintf(stderr, "The key of \"%s\" (%s), shown this once:\n", c->name, c->scope);
		printf("%s\n", key);
	} else if (e == ERR_INVALID) {
		status = cli_fail("key create", "--name: a name has 1 to 300 characters, one of them visible");
	} else {
		status = say("key create", e, &error);
	}
	explicit_bzero(key, sizeof(key));
	db_error_done(&error);
	return status;
}

static int list(struct db_session *s, const struct config *c)
{
	struct db_error error = { 0 };
	(void)c;
	enum err e = key_list(s, stdout, &error);
	int status = e == OK ? 0 : say("key list", e, &error);
	db_error_done(&error);
	return status;
}

static int revoke(struct db_session *s, const struct config *c)
{
	struct db_error error = { 0 };
	enum err e = key_revoke(s, c->operands[0], &error);
	int status = 0;
	if (e == OK)
		printf("Revoked. Nothing is written with it any more, and nothing read after a second.\n");
	else if (e == ERR_INVALID)
		status = cli_fail("key revoke",
				  "that is no key's beginning: lode_ and 8 characters, as `lodebase key list` shows them");
	else if (e == ERR_NOT_FOUND)
		status = cli_fail("key revoke", "there is no such key; `lodebase key list` shows those that are");
	else if (e == ERR_CONFLICT)
		status = cli_fail("key revoke", "it was revoked before");
	else
		status = say("key revoke", e, &error);
	db_error_done(&error);
	return status;
}

static int with_session(const struct config *c, const char *command, bool create_base,
			int (*run)(struct db_session *s, const struct config *c))
{
	struct database d;
	struct db_session *s;
	char problem[APP_PROBLEM_SIZE];
	int status;
	if (database_enter(c, "key", create_base, &d, problem) != OK)
		return cli_fail(command, problem);
	if (database_open(&d, false, true, &s, problem) != OK) {
		status = cli_fail(command, problem);
	} else {
		status = run(s, c);
		db_session_close(s);
	}
	database_leave(&d);
	return status;
}

int cli_key_create(int argc, char **argv, int first)
{
	struct config c;
	int status = EXIT_USAGE;
	if (config_parse(&c, CONFIG_KEY_CREATE, argc, argv, first) == OK)
		status = with_session(&c, "key create", true, create);
	config_done(&c);
	return status;
}

int cli_key_list(int argc, char **argv, int first)
{
	struct config c;
	int status = EXIT_USAGE;
	if (config_parse(&c, CONFIG_KEY, argc, argv, first) == OK) {
		if (c.n_operands)
			(void)cli_fail("key list", "it takes no words");
		else
			status = with_session(&c, "key list", false, list);
	}
	config_done(&c);
	return status;
}

int cli_key_revoke(int argc, char **argv, int first)
{
	struct config c;
	char prefix[API_KEY_LENGTH + 2];
	int status = EXIT_USAGE;
	enum err e = config_parse(&c, CONFIG_KEY, argc, argv, first);
	/* One may be a whole key, and others read argv in /proc: before anything that takes time. */
	for (int i = 0; e == OK && i < c.n_operands; i++) {
		snprintf(prefix, sizeof(prefix), "%s", c.operands[i]);
		memset(c.operands[i], 'x', strlen(c.operands[i]));
		c.operands[i] = prefix;
	}
	if (e == OK && c.n_operands != 1)
		(void)cli_fail("key revoke", "name one key by its beginning: lode_ and 8 characters");
	else if (e == OK)
		status = with_session(&c, "key revoke", false, revoke);
	explicit_bzero(prefix, sizeof(prefix));
	config_done(&c);
	return status;
}

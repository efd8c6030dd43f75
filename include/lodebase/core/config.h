/* Settings: one option table makes --help, `lodebase config`, the environment variables, the man page and the docs. Each
 * option --some-name is also LODEBASE_SOME_NAME and LODEBASE_SOME_NAME_FILE (the value is the file's first line); the command
 * line wins over the environment, the environment over the default. A variable that is empty counts as not set. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "lodebase/base/err.h"

enum config_command { /* bit mask: which commands take an option */
		      CONFIG_SERVE = 1 << 0,
		      CONFIG_MIGRATE = 1 << 1,
		      CONFIG_IMPORT = 1 << 2,
		      CONFIG_EXPORT = 1 << 3,
		      CONFIG_KEY = 1 << 4, /* key list, key revoke */
		      CONFIG_CONFIG = 1 << 5,
		      CONFIG_KEY_CREATE = 1 << 6,
		      CONFIG_BACKUP = 1 << 7,
		      CONFIG_RESTORE = 1 << 8,
};

struct config_value; /* an option's text and where it came from */

struct config {
	/* --listen ADDR:PORT; default 127.0.0.1:8080; [::1]:8080 for IPv6; port 0 picks a free one */
	char *listen_address;
	unsigned listen_port;
	bool listen_loopback; /* the address is on loopback */
	char *database; /* --database CONNINFO|URL, secret; NULL: the embedded cluster */
	char *owner_database; /* --owner-database, secret; NULL: `database` */
	char *data_dir; /* --data-dir, absolute; default /var/lib/lodebase as root, else $XDG_DATA_HOME or ~/.local/share + /lodebase */
	bool data_dir_given; /* it is not the default */
	char *postgres_bin; /* --postgres-bin DIR: initdb and postgres; default: the newest below /usr/lib/postgresql */
	char *run_user; /* --user NAME: the account a service started as root runs on; default lodebase, else postgres, nobody */
	unsigned workers; /* --workers N; default min(cores, 4) */
	char *seed; /* --seed DIR|FILE */
	bool anonymous_read; /* --anonymous-read on|off; default on for a loopback listener */
	char **cors_origins; /* --cors-origins ORIGIN,… ("*" for any); NULL-terminated, may be empty */
	char *spool_dir; /* --spool-dir; default $TMPDIR or /tmp: where import bodies wait */
	bool log_json; /* --log-format text|json; default text where stdout is a terminal */
	unsigned max_connections; /* --max-connections per worker; default 4096 */
	unsigned write_connections; /* --write-connections per process; default 16 */
	unsigned request_timeout_ms; /* --request-timeout SECONDS; default 10 */
	unsigned slow_timeout_ms; /* --slow-timeout SECONDS; default 30 */
	unsigned import_timeout_s; /* --import-timeout SECONDS since its last progress; default 60 */
	unsigned drain_timeout_s; /* --drain-timeout SECONDS; default 10 (design section 6: all over within 15) */
	char *name; /* key create --name */
	char *scope; /* key create --scope read|write|admin */
	/* what is left on the command line behind the options: files of import, words of key */
	char **operands;
	int n_operands;

	enum config_command command;
	struct config_value *values; /* one per row of the option table */
};

/* Parses argv[first..] for a command. Errors are printed to stderr in plain English, all of them. A secret given in argv is
 * overwritten there. ERR_INVALID on any error. *c is safe for config_done() in any case. */
enum err config_parse(struct config *c, enum config_command command, int argc, char **argv, int first) MUST_CHECK;
void config_done(struct config *c);

/* `lodebase config`: every option of `serve` with its value, where it came from, secrets masked. */
void config_print(const struct config *c, FILE *out);
/* A conninfo or URL with every password in it replaced by ***; malloc'ed, NULL: no memory. What is of neither form becomes
 * *** as a whole. */
char *config_mask_conninfo(const char *text);

/* How a command is called in prose: "serve", "key create". */
const char *config_command_name(enum config_command command);
/* Options of a command for --help; the options part of the man page (roff); the same as a Markdown table. */
void config_help(enum config_command command, FILE *out);
void config_man_options(FILE *out);
void config_markdown_options(FILE *out);

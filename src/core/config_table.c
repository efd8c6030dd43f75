/* The option table: every setting of the program, its checks and its default. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config_internal.h"

#define PROBLEM(...) (snprintf(problem, CONFIG_PROBLEM_SIZE, __VA_ARGS__), false)

static bool keep(char **slot, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	free(*slot);
	*slot = strdup(text);
	return *slot ? true : PROBLEM("out of memory");
}

static bool whole_number(const char *text, unsigned low, unsigned high, unsigned *ret, char problem[CONFIG_PROBLEM_SIZE])
{
	char *end;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || n < low || n > high)
		return PROBLEM("\"%s\" is no whole number from %u to %u", text, low, high);
	*ret = (unsigned)n;
	return true;
}

static bool on_or_off(const char *text, bool *ret, char problem[CONFIG_PROBLEM_SIZE])
{
	*ret = strcmp(text, "on") == 0 || strcmp(text, "true") == 0;
	if (!*ret && strcmp(text, "off") != 0 && strcmp(text, "false") != 0)
		return PROBLEM("\"%s\" is neither \"on\" nor \"off\"", text);
	return true;
}

static bool is_loopback(const char *address)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, address, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool take_listen(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	static const char form[] = "is no ADDRESS:PORT such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080";
	const char *colon = strrchr(text, ':');
	if (!colon)
		return PROBLEM("\"%s\" %s", text, form);
	size_t n = (size_t)(colon - text);
	char address[64];
	unsigned char binary[sizeof(struct in6_addr)];
	bool bracketed = n >= 2 && text[0] == '[' && text[n - 1] == ']';
	if (bracketed) {
		text++;
		n -= 2;
	}
	if (n >= sizeof(address))
		return PROBLEM("\"%s\" %s", text, form);
	memcpy(address, text, n);
	address[n] = '\0';
	if (!bracketed && strcmp(address, "localhost") == 0)
		strcpy(address, "127.0.0.1");
	if (inet_pton(bracketed ? AF_INET6 : AF_INET, address, binary) != 1)
		return PROBLEM("\"%s\" %s", text, form);
	if (!whole_number(colon + 1, 0, 65535, &c->listen_port, problem))
		return PROBLEM("port \"%s\" is no whole number from 0 to 65535", colon + 1);
	c->listen_loopback = is_loopback(address);
	return keep(&c->listen_address, address, problem);
}

static char *default_listen(const struct config *c)
{
	(void)c;
	return strdup("127.0.0.1:8080");
}

static bool is_conninfo(const char *text)
{
	return strncmp(text, "postgresql://", 13) == 0 || strncmp(text, "postgres://", 11) == 0 || strchr(text, '=');
}

/* The value itself is never repeated: it may hold a password. */
#define CONNINFO_FORM "is neither a URL (postgresql://…) nor a conninfo (\"host=… dbname=…\")"

static bool take_database(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return is_conninfo(text) ? keep(&c->database, text, problem) : PROBLEM("the value " CONNINFO_FORM);
}

static bool take_owner_database(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	if (!c->database)
		return PROBLEM("goes with --database, and that is not set");
	return is_conninfo(text) ? keep(&c->owner_database, text, problem) : PROBLEM("the value " CONNINFO_FORM);
}

static bool take_data_dir(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return keep(&c->data_dir, text, problem);
}

static char *default_data_dir(const struct config *c)
{
	(void)c;
	if (geteuid() == 0)
		return strdup("/var/lib/lodebase");
	const char *xdg = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	char *path = NULL;
	int n = -1;
	if (xdg && xdg[0] == '/')
		n = asprintf(&path, "%s/lodebase", xdg);
	else if (home && home[0] == '/')
		n = asprintf(&path, "%s/.local/share/lodebase", home);
	return n < 0 ? NULL : path;
}

static bool take_postgres_bin(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return keep(&c->postgres_bin, text, problem);
}

static bool take_user(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return keep(&c->run_user, text, problem);
}

static bool take_workers(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return whole_number(text, 1, 64, &c->workers, problem);
}

static char *default_workers(const struct config *c)
{
	(void)c;
	cpu_set_t set;
	int cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
	char *text = NULL;
	return asprintf(&text, "%d", cores < 1 ? 1 : cores > 4 ? 4 : cores) < 0 ? NULL : text;
}

static bool take_seed(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return keep(&c->seed, text, problem);
}

static bool take_anonymous_read(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return on_or_off(text, &c->anonymous_read, problem);
}

static char *default_anonymous_read(const struct config *c)
{
	return strdup(c->listen_loopback ? "on" : "off");
}

/* An origin as browsers send it (RFC 6454): scheme "://" host [":" port], nothing behind it. */
static bool is_origin(const char *s)
{
	const char *host = strstr(s, "://");
	if (!host || host == s || !isalpha((unsigned char)s[0]))
		return false;
	for (const char *p = s; p < host; p++)
		if (!isalnum((unsigned char)*p) && !strchr("+-.", *p))
			return false;
	host += 3;
	for (const char *p = host; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-._:[]", *p))
			return false;
	return *host != '\0';
}

static void free_origins(char **origins)
{
	for (char **o = origins; o && *o; o++)
		free(*o);
	free(origins);
}

static bool take_cors_origins(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	size_t n = 1;
	for (const char *p = text; *p; p++)
		n += *p == ',';
	char **origins = calloc(n + 1, sizeof(*origins));
	if (!origins)
		return PROBLEM("out of memory");
	size_t i = 0;
	for (const char *p = text; p;) {
		const char *comma = strchr(p, ',');
		const char *end = comma ? comma : p + strlen(p);
		while (p < end && *p == ' ')
			p++;
		while (end > p && end[-1] == ' ')
			end--;
		char *origin = strndup(p, (size_t)(end - p));
		if (!origin)
			break;
		if (*origin && strcmp(origin, "*") != 0 && !is_origin(origin)) {
			(void)PROBLEM("\"%.100s\" is no origin such as https://dashboard.example, nor \"*\"", origin);
			free(origin);
			free_origins(origins);
			return false;
		}
		if (*origin)
			origins[i++] = origin;
		else
			free(origin);
		p = comma ? comma + 1 : NULL;
	}
	free_origins(c->cors_origins);
	c->cors_origins = origins;
	return true;
}

static char *default_cors_origins(const struct config *c)
{
	(void)c;
	return strdup("");
}

static bool take_spool_dir(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return keep(&c->spool_dir, text, problem);
}

static char *default_spool_dir(const struct config *c)
{
	(void)c;
	const char *tmp = getenv("TMPDIR");
	return strdup(tmp && tmp[0] == '/' ? tmp : "/tmp");
}

static bool take_log_format(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	c->log_json = strcmp(text, "json") == 0;
	return c->log_json || strcmp(text, "text") == 0 ? true : PROBLEM("\"%s\" is neither \"text\" nor \"json\"", text);
}

static char *default_log_format(const struct config *c)
{
	(void)c;
	return strdup(isatty(STDOUT_FILENO) ? "text" : "json");
}

static bool take_max_connections(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return whole_number(text, 8, 1000000, &c->max_connections, problem);
}

static char *default_max_connections(const struct config *c)
{
	(void)c;
	return strdup("4096");
}

static bool take_write_connections(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return whole_number(text, 1, 256, &c->write_connections, problem);
}

static char *default_write_connections(const struct config *c)
{
	(void)c;
	return strdup("16");
}

static bool seconds(const char *text, unsigned high, unsigned *ret_ms, char problem[CONFIG_PROBLEM_SIZE])
{
	unsigned s;
	if (!whole_number(text, 1, high, &s, problem))
		return false;
	*ret_ms = s * 1000;
	return true;
}

static bool take_request_timeout(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return seconds(text, 3600, &c->request_timeout_ms, problem);
}

static char *default_request_timeout(const struct config *c)
{
	(void)c;
	return strdup("10");
}

static bool take_slow_timeout(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return seconds(text, 3600, &c->slow_timeout_ms, problem);
}

static char *default_slow_timeout(const struct config *c)
{
	(void)c;
	return strdup("30");
}

static bool take_import_timeout(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return whole_number(text, 1, 86400, &c->import_timeout_s, problem);
}

static char *default_import_timeout(const struct config *c)
{
	(void)c;
	return strdup("60");
}

static bool take_drain_timeout(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return whole_number(text, 0, 10, &c->drain_timeout_s, problem);
}

static char *default_drain_timeout(const struct config *c)
{
	(void)c;
	return strdup("10");
}

static bool take_name(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	return keep(&c->name, text, problem);
}

static bool take_scope(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE])
{
	if (strcmp(text, "read") != 0 && strcmp(text, "write") != 0 && strcmp(text, "admin") != 0)
		return PROBLEM("\"%s\" is not one of read, write, admin", text);
	return keep(&c->scope, text, problem);
}

#define KEYS (CONFIG_KEY | CONFIG_KEY_CREATE)
#define BASE \
	(CONFIG_SERVE | CONFIG_MIGRATE | CONFIG_IMPORT | CONFIG_EXPORT | CONFIG_BACKUP | CONFIG_RESTORE | KEYS | CONFIG_CONFIG)
#define SERVE (CONFIG_SERVE | CONFIG_CONFIG)

/* `listen` stands before `anonymous-read`, `database` before `owner-database`: later rows look at earlier ones. */
const struct config_option config_options[] = {
	{ "listen", "ADDR:PORT", "Where to listen: an IPv4 address, or an IPv6 address in brackets. Port 0 picks a free one.",
	  "127.0.0.1:8080", SERVE, .take = take_listen, .make_default = default_listen },
	{ "database", "CONNINFO|URL",
	  "The PostgreSQL database to use, as the account the service runs on. Without it the program runs a private "
	  "PostgreSQL of "
	  "its own in the data directory.",
	  NULL, BASE, .secret = true, .take = take_database },
	{ "owner-database", "CONNINFO|URL",
	  "The same database as the account that owns the schema: used to migrate it, then closed.", "the value of --database",
	  BASE, .secret = true, .take = take_owner_database },
	{ "data-dir", "DIR", "Where the private PostgreSQL keeps its files.",
	  "/var/lib/lodebase as root, else ~/.local/share/lodebase", BASE, .path = true, .take = take_data_dir,
	  .make_default = default_data_dir },
	{ "postgres-bin", "DIR", "Where initdb and postgres are, for the private PostgreSQL, and pg_dump and pg_restore.",
	  "the newest below /usr/lib/postgresql that fits the data directory", BASE, .path = true, .take = take_postgres_bin },
	{ "user", "NAME", "The account to run on when started as root.",
	  "the data directory's owner, else lodebase, postgres or nobody, whichever exists", BASE, .take = take_user },
	{ "workers", "N", "Threads that serve requests.", "one per core, at most 4", SERVE, .take = take_workers,
	  .make_default = default_workers },
	{ "seed", "DIR|FILE", "Import this file, or the .json and .ndjson files of this directory, into an empty base.", NULL,
	  SERVE, .path = true, .take = take_seed },
	{ "anonymous-read", "on|off", "Whether reading needs no key. Writing always needs one.",
	  "on when listening on loopback, else off", SERVE, .take = take_anonymous_read,
	  .make_default = default_anonymous_read },
	{ "cors-origins", "ORIGIN,…", "Web origins whose pages may call the service from a browser; \"*\" is any.", "none",
	  SERVE, .take = take_cors_origins, .make_default = default_cors_origins },
	{ "spool-dir", "DIR", "Where the bodies of imports wait for their turn.", "$TMPDIR, else /tmp", SERVE, .path = true,
	  .take = take_spool_dir, .make_default = default_spool_dir },
	{ "log-format", "text|json", "The form of log lines on standard output.", "text on a terminal, else json", SERVE,
	  .take = take_log_format, .make_default = default_log_format },
	{ "max-connections", "N", "Connections one worker holds at most.", "4096", SERVE, .take = take_max_connections,
	  .make_default = default_max_connections },
	{ "write-connections", "N", "Database connections for writing, shared out to the workers.", "16", SERVE,
	  .take = take_write_connections, .make_default = default_write_connections },
	{ "request-timeout", "SECONDS", "A request is answered within this time, by 504 if need be.", "10", SERVE,
	  .take = take_request_timeout, .make_default = default_request_timeout },
	{ "slow-timeout", "SECONDS", "The same for lists that no index helps.", "30", SERVE, .take = take_slow_timeout,
	  .make_default = default_slow_timeout },
	{ "import-timeout", "SECONDS", "An import that makes no progress for this time is given up.", "60", SERVE,
	  .take = take_import_timeout, .make_default = default_import_timeout },
	{ "drain-timeout", "SECONDS", "On SIGTERM, how long requests may take to finish (0 to 10).", "10", SERVE,
	  .take = take_drain_timeout, .make_default = default_drain_timeout },
	{ "name", "NAME", "Whose key it is: the actor recorded with every change made with it.", NULL, CONFIG_KEY_CREATE,
	  .required = true, .take = take_name },
	{ "scope", "read|write|admin", "What the key may do; each includes the one before.", NULL, CONFIG_KEY_CREATE,
	  .required = true, .take = take_scope },
};
const size_t config_n_options = sizeof(config_options) / sizeof(config_options[0]);

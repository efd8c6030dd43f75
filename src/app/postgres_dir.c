/* The data directory of the embedded PostgreSQL: who holds it, which PostgreSQL fits, where the socket goes. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "lodebase/base/clock.h"
#include "lodebase/base/digest.h"
#include "postgres_internal.h"

#define INSTALLED "/usr/lib/postgresql"

char *postgres_path(const char *dir, const char *name)
{
	char *path;
	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* "serve 1234": who holds the lock. */
static void read_holder(int fd, char *ret_holder, size_t size)
{
	ssize_t n = pread(fd, ret_holder, size - 1, 0);
	ret_holder[n > 0 ? n : 0] = '\0';
	ret_holder[strcspn(ret_holder, "\n")] = '\0';
}

static bool is_service(const char *holder)
{
	return strncmp(holder, "serve ", 6) == 0;
}

bool postgres_wait_stopped(int stop_fd, int ms)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };
	return poll(&p, 1, ms) == 1;
}

enum err postgres_lock(const struct embedded_postgres_options *o, int *ret_fd, char problem[APP_PROBLEM_SIZE])
{
	char *path = postgres_path(o->data_dir, "lock");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	free(path);
	if (fd < 0) {
		PROBLEM("cannot open the lock in the data directory %s: %s", o->data_dir, strerror(errno));
		return ERR_IO;
	}
	uint64_t deadline = clock_monotonic_ms() + o->patience_ms;
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		char holder[64];
		read_holder(fd, holder, sizeof(holder));
		if (is_service(holder) || clock_monotonic_ms() >= deadline) {
			PROBLEM("the data directory %s is in use by another Lodebase (%s%s): stop that one, or name another "
				"with "
				"--data-dir",
				o->data_dir, holder[0] ? "process: " : "just starting", holder);
			close(fd);
			return ERR_CONFLICT;
		}
		if (postgres_wait_stopped(o->stop_fd, 100)) {
			close(fd);
			PROBLEM("stopped while another command used the data directory");
			return ERR_TIMEOUT;
		}
	}
	char holder[64];
	int n = snprintf(holder, sizeof(holder), "%s %d\n", o->holder, (int)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, holder, (size_t)n, 0) != n) {
		PROBLEM("cannot write to the data directory %s: %s", o->data_dir, strerror(errno));
		close(fd);
		return ERR_IO;
	}
	*ret_fd = fd;
	return OK;
}

static bool has_server(const char *bin)
{
	char *server = postgres_path(bin, "postgres"), *initdb = postgres_path(bin, "initdb");
	bool found = server && initdb && access(server, X_OK) == 0 && access(initdb, X_OK) == 0;
	free(server);
	free(initdb);
	return found;
}

/* "postgres (PostgreSQL) 15.9 (…)" of a directory that somebody named; 0: it does not say. */
static int ask_major(const char *bin)
{
	char *server = postgres_path(bin, "postgres");
	char *const argv[] = { server, (char *)"--version", NULL };
	int fds[2], major = 0;
	bool stopped;
	if (server && pipe2(fds, O_CLOEXEC) == 0) {
		char text[256];
		pid_t pid = postgres_spawn(argv, -1, fds[1]);
		close(fds[1]);
		if (pid > 0) {
			ssize_t n = read(fds[0], text, sizeof(text) - 1);
			text[n > 0 ? n : 0] = '\0';
			postgres_wait(pid, -1, &stopped);
			char *version = strstr(text, "(PostgreSQL) ");
			major = version ? atoi(version + 13) : 0;
		}
		close(fds[0]);
	}
	free(server);
	return major;
}

static int newest_installed(int wanted)
{
	int newest = 0;
	DIR *d = opendir(INSTALLED);
	for (struct dirent *e; d && (e = readdir(d));) {
		char bin[320];
		int major = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;
		snprintf(bin, sizeof(bin), "%s/%s/bin", INSTALLED, e->d_name);
		if (major > newest && (!wanted || major == wanted) && has_server(bin))
			newest = major;
	}
	if (d)
		closedir(d);
	return newest;
}

enum err postgres_find_bin(const char *given, int major, const char *cluster, char **ret_bin, char problem[APP_PROBLEM_SIZE])
{
	int here = given ? 0 : newest_installed(major);
	if (given && !has_server(given)) {
		PROBLEM("--postgres-bin: there is no postgres and initdb in %s", given);
		return ERR_NOT_FOUND;
	}
	if (given && major)
		here = ask_major(given);
	if (!given && !here && !newest_installed(0)) {
		PROBLEM("no PostgreSQL server is installed below " INSTALLED
			": install Debian's package postgresql, say where it is "
			"with --postgres-bin, or use a database of your own with --database");
		return ERR_NOT_FOUND;
	}
	if (major && here != major) {
		PROBLEM("the data directory holds a cluster of PostgreSQL %d (%s), and what is here is PostgreSQL %d: install "
			"postgresql-%d beside it, and to move to the newer one, `lodebase backup` it then and `lodebase "
			"restore` "
			"that into another --data-dir; nothing was changed",
			major, cluster, here ? here : newest_installed(0), major);
		return ERR_INVALID;
	}
	if (given)
		*ret_bin = strdup(given);
	else if (asprintf(ret_bin, INSTALLED "/%d/bin", here) < 0)
		*ret_bin = NULL;
	return *ret_bin ? OK : ERR_NOMEM;
}

int postgres_major(const char *cluster)
{
	char *path = postgres_path(cluster, "PG_VERSION");
	FILE *f = path ? fopen(path, "re") : NULL;
	int major = 0;
	if (f && fscanf(f, "%d", &major) != 1)
		major = 0;
	if (f)
		fclose(f);
	free(path);
	return major;
}

/* Ours, and nobody else can look in. */
static bool make_private(const char *path)
{
	struct stat st;
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return false;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

/* A socket's path has 107 bytes at most. Where the data directory's is too long, a short one is made: below the session's run
 * directory or /tmp, of a name that follows from the data directory, or a new one where somebody took that. */
static enum err make_socket_dir_elsewhere(struct embedded_postgres *e, char problem[APP_PROBLEM_SIZE])
{
	unsigned char digest[32];
	char hex[17];
	const char *run = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	digest_sha256(e->data_dir, strlen(e->data_dir), digest);
	digest_hex(digest, 8, hex);
	if (!run || run[0] != '/' || strlen(run) > 60 || stat(run, &st) != 0 || st.st_uid != geteuid())
		run = "/tmp";
	e->socket_dir_elsewhere = true;
	if (asprintf(&e->socket_dir, "%s/lodebase-%s", run, hex) < 0) {
		e->socket_dir = NULL;
		return ERR_NOMEM;
	}
	if (make_private(e->socket_dir))
		return OK;
	free(e->socket_dir);
	e->socket_dir = strdup("/tmp/lodebase-XXXXXX");
	if (!e->socket_dir || !mkdtemp(e->socket_dir)) {
		PROBLEM("cannot make a directory for PostgreSQL's socket in /tmp: %s", strerror(errno));
		return ERR_IO;
	}
	return OK;
}

enum err postgres_make_socket_dir(struct embedded_postgres *e, char problem[APP_PROBLEM_SIZE])
{
	e->socket_dir = postgres_path(e->data_dir, "run");
	if (!e->socket_dir)
		return ERR_NOMEM;
	if (strlen(e->socket_dir) > SOCKET_DIRECTORY_MAX) {
		free(e->socket_dir);
		return make_socket_dir_elsewhere(e, problem);
	}
	if (!make_private(e->socket_dir)) {
		PROBLEM("%s, for PostgreSQL's socket, must be a directory of this account's own with mode 0700", e->socket_dir);
		return ERR_DENIED;
	}
	return OK;
}

bool postgres_read_postmaster_file(const char *cluster, struct postmaster_file *ret)
{
	char *path = postgres_path(cluster, "postmaster.pid");
	FILE *f = path ? fopen(path, "re") : NULL;
	char line[256];
	bool read = f != NULL;
	memset(ret, 0, sizeof(*ret));
	for (int n = 1; f && fgets(line, sizeof(line), f); n++) {
		line[strcspn(line, "\n")] = '\0';
		if (n == 1)
			ret->pid = (pid_t)strtol(line, NULL, 10);
		else if (n == 5)
			snprintf(ret->socket_dir, sizeof(ret->socket_dir), "%s", line);
		else if (n == 8)
			ret->ready = strncmp(line, "ready", 5) == 0;
	}
	if (f)
		fclose(f);
	free(path);
	return read && ret->pid > 0;
}

static char *quote(const char *value)
{
	char *quoted = malloc(2 * strlen(value) + 3), *q = quoted;
	if (!quoted)
		return NULL;
	*q++ = '\'';
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			*q++ = '\\';
		*q++ = *value;
	}
	*q++ = '\'';
	*q = '\0';
	return quoted;
}

static char *conninfo_of(const char *socket_dir, const char *role)
{
	char *host = quote(socket_dir), *conninfo = NULL;
	if (host &&
	    asprintf(&conninfo,
		     "host=%s port=" POSTGRES_PORT " dbname=" POSTGRES_DATABASE " user=%s sslmode=disable gssencmode=disable",
		     host, role) < 0)
		conninfo = NULL;
	free(host);
	return conninfo;
}

char *embedded_postgres_conninfo(const struct embedded_postgres *e, const char *role)
{
	return conninfo_of(e->socket_dir, role);
}

enum err embedded_postgres_find(const char *data_dir, const char *role, char **ret_conninfo)
{
	char *path = postgres_path(data_dir, "lock");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	free(path);
	if (fd < 0)
		return ERR_NOT_FOUND;
	/* Shared, so that two commands that look at once do not take each other for a service. */
	bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;
	char holder[64];
	read_holder(fd, holder, sizeof(holder));
	close(fd);
	if (!held)
		return ERR_NOT_FOUND;
	if (!is_service(holder))
		return ERR_CONFLICT;
	struct postmaster_file file;
	char *cluster = postgres_path(data_dir, "postgres");
	bool up = cluster && postgres_read_postmaster_file(cluster, &file) && file.socket_dir[0] && file.ready;
	free(cluster);
	if (!up)
		return ERR_UNAVAILABLE;
	*ret_conninfo = conninfo_of(file.socket_dir, role);
	return *ret_conninfo ? OK : ERR_NOMEM;
}

/* Start, watch, drain. Everything here is the main thread's: the embedded PostgreSQL is told to stop when the thread that
 * forked it ends. */
#include "lodebase/app/serve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "lodebase/api/api.h"
#include "lodebase/api/compute.h"
#include "lodebase/api/follower.h"
#include "lodebase/api/import.h"
#include "lodebase/app/bringup.h"
#include "lodebase/app/embedded_postgres.h"
#include "lodebase/app/notify.h"
#include "lodebase/app/sources.h"
#include "lodebase/app/worker.h"
#include "lodebase/base/clock.h"
#include "lodebase/core/log.h"
#include "lodebase/core/version.h"

#define WORKERS_MAX 64
/* The workers start when the schema stands, so that nobody meets a service that is only just coming up; but where the
 * database is away they start all the same, and say so to whoever asks. */
#define START_PATIENCE_MS 3000
#define LOOK_EVERY_MS 5000 /* at the embedded server's files */
#define STOP_WITHIN_MS 14000 /* of SIGTERM, all in all (design section 6: 15 s) */
#define STOP_POSTGRES_MS 2500 /* of that, what is kept for the embedded server */
#define JOIN_STEP_MS 50
#define IMPORTS_QUEUED_MAX 16
#define COMPUTATIONS_QUEUED_MAX 64

#define READ_CONNECTIONS 2
#define SLOW_CONNECTIONS 2
/* What is kept beside client connections: for the process, and for each worker (its loop's own, and look-ups of names). */
#define DESCRIPTORS_KEPT 64
#define DESCRIPTORS_OF_WORKER (HTTP_DESCRIPTORS + READ_CONNECTIONS + SLOW_CONNECTIONS + 8)
#define PIPELINE_DEPTH 32

struct service {
	const struct config *c;
	struct api_shared shared;
	_Atomic uint64_t writes; /* changes that this instance committed */
	struct sources seeds;
	struct embedded_postgres *postgres;
	char *conninfo, *owner;
	struct bringup *bringup;
	struct worker *workers[WORKERS_MAX];
	unsigned n_workers; /* running */
	int listen_fds[WORKERS_MAX];
	uint16_t port;
	unsigned max_connections;
	const char *role; /* of the workers' sessions */
	int signal_fd, event_fd;
	int stop_fd; /* readable while SIGTERM or SIGINT is pending, and not for a child's end */
	bool ready, told_listening;
};

/* The address as a URL's host. */
static void url(const struct service *sv, const char *address, char ret_url[96])
{
	snprintf(ret_url, 96, strchr(address, ':') ? "http://[%s]:%u" : "http://%s:%u", address, sv->port);
}

static int complain(const char *problem)
{
	fprintf(stderr, "lodebase serve: %s\n", problem);
	return 1;
}

static void log_postgres(bool serious, const char *line)
{
	log_event(serious ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "postgres", "%s", line);
}

static void tell_manager(const char *lines)
{
	if (notify_manager(lines) != OK)
		log_event(LOG_LEVEL_WARNING, "manager", "the service manager could not be told %s: %s", lines, strerror(errno));
}

/* --- sockets --- */

static void close_listeners(struct service *sv)
{
	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		if (sv->listen_fds[i] >= 0)
			close(sv->listen_fds[i]);
		sv->listen_fds[i] = -1;
	}
}

/* One socket per worker on the same port; the first tries whether somebody is there already. */
static enum err open_listeners(struct service *sv, bool exclusive, char problem[APP_PROBLEM_SIZE])
{
	const char *address = sv->c->listen_address;
	uint16_t port = sv->port ? sv->port : (uint16_t)sv->c->listen_port;
	for (unsigned i = 0; i < sv->c->workers; i++) {
		enum err e = http_listen(address, port, exclusive && i == 0, &sv->listen_fds[i], &sv->port);
		port = sv->port ? sv->port : port;
		if (e == OK)
			continue;
		if (e == ERR_CONFLICT)
			snprintf(problem, APP_PROBLEM_SIZE,
				 "port %u on %s is taken, perhaps by another Lodebase: stop that, or choose another with "
				 "--listen",
				 port, address);
		else if (e == ERR_DENIED)
			snprintf(problem, APP_PROBLEM_SIZE,
				 "this account may not listen on port %u of %s (below 1024 it takes a privilege): choose a "
				 "higher one "
				 "with --listen, and a proxy in front",
				 port, address);
		else
			snprintf(problem, APP_PROBLEM_SIZE, "cannot listen on %s, port %u: %s", address, port,
				 e == ERR_INVALID ? "this system has no such address" : strerror(errno));
		return e;
	}
	return OK;
}

/* As many files as the system gives, and no more client connections than they allow. */
static void raise_limits(struct service *sv)
{
	struct rlimit l;
	sv->max_connections = sv->c->max_connections;
	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur == RLIM_INFINITY)
		return;
	const rlim_t kept = DESCRIPTORS_KEPT + sv->c->write_connections + (rlim_t)DESCRIPTORS_OF_WORKER * sv->c->workers,
		     least = (rlim_t)8 * sv->c->workers, room = l.rlim_cur > kept + least ? l.rlim_cur - kept : least;
	if ((rlim_t)sv->max_connections * sv->c->workers <= room)
		return;
	sv->max_connections = (unsigned)(room / sv->c->workers);
	log_event(LOG_LEVEL_WARNING, "limits", "the system allows %llu open files: each worker takes %u connections, not %u",
		  (unsigned long long)l.rlim_cur, sv->max_connections, sv->c->max_connections);
}

/* --- workers --- */

static void join_workers(struct service *sv)
{
	for (unsigned i = 0; i < sv->n_workers; i++)
		worker_free(sv->workers[i]);
	sv->n_workers = 0;
}

static enum err start_worker(struct service *sv, unsigned i)
{
	const struct config *c = sv->c;
	unsigned writes = c->write_connections / c->workers + (i < c->write_connections % c->workers);
	struct worker_config w = {
		.index = i,
		.listen_fd = sv->listen_fds[i],
		.http = {
			.max_connections = sv->max_connections,
			.max_header_bytes = 20480, /* 500 ids in a filter, and 1 KiB beside them */
			.header_timeout_s = 10,
			.idle_timeout_s = 60,
			.slow_grace_s = 30,
			.arena_bytes = 64u << 20,
			.spool_dir = c->spool_dir,
		},
		.db = {
			.conninfo = sv->conninfo,
			.role = sv->role,
			.connections = { [DB_READ] = READ_CONNECTIONS, [DB_SLOW] = SLOW_CONNECTIONS,
					 [DB_WRITE] = writes ? (int)writes : 1 },
			.statement_timeout_ms = { [DB_READ] = (int)c->request_timeout_ms, [DB_SLOW] = (int)c->slow_timeout_ms,
						  [DB_WRITE] = (int)c->request_timeout_ms },
			.max_queued = { [DB_READ] = 2048, [DB_SLOW] = 64, [DB_WRITE] = 512 },
			.pipeline_depth = PIPELINE_DEPTH,
			.connect_timeout_s = 5,
			.application_name = "lodebase",
		},
		.shared = &sv->shared,
		.drain_ms = c->drain_timeout_s * 1000,
	};
	sv->listen_fds[i] = -1; /* the worker's now */
	return worker_start(&w, &sv->workers[i]);
}

static enum err start_workers(struct service *sv, const char *role, char problem[APP_PROBLEM_SIZE])
{
	char here[96];
	sv->role = role;
	enum err e = import_lane_new(sv->conninfo, role, IMPORTS_QUEUED_MAX, &sv->shared.imports);
	if (e == OK)
		e = compute_pool_new(sv->c->workers, COMPUTATIONS_QUEUED_MAX, &sv->shared.compute);
	for (unsigned i = 0; e == OK && i < sv->c->workers; i++) {
		e = start_worker(sv, i);
		if (e == OK)
			sv->n_workers++;
	}
	if (e != OK) {
		snprintf(problem, APP_PROBLEM_SIZE, "the workers cannot be started: %s%s", err_name(e),
			 e == ERR_INVALID ? " (is --database well-formed?)" : "");
		return e;
	}
	if (!sv->told_listening) {
		url(sv, sv->c->listen_address, here);
		log_event(LOG_LEVEL_INFO, "listening", "%s, %u worker%s, anonymous reading %s", here, sv->n_workers,
			  sv->n_workers == 1 ? "" : "s", sv->c->anonymous_read ? "on" : "off");
		sv->told_listening = true;
	}
	return OK;
}

/* Takes a signal if there is one: SIGTERM and SIGINT ask for the end. */
static bool asked_to_stop(struct service *sv)
{
	struct signalfd_siginfo info;
	bool stop = false;
	while (read(sv->signal_fd, &info, sizeof(info)) == sizeof(info))
		stop = stop || info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
	return stop;
}

/* Drains and ends the workers. A second SIGTERM cuts it short. false: one of them did not end. */
static bool stop_workers(struct service *sv, uint64_t deadline_ms)
{
	for (unsigned i = 0; i < sv->n_workers; i++)
		worker_drain(sv->workers[i]);
	for (unsigned i = 0; i < sv->n_workers;) {
		uint64_t now = clock_monotonic_ms();
		if (worker_join(sv->workers[i], now + JOIN_STEP_MS) == OK) {
			i++;
			continue;
		}
		if (now >= deadline_ms)
			return false;
		if (asked_to_stop(sv))
			for (unsigned k = i; k < sv->n_workers; k++)
				worker_hurry(sv->workers[k]);
	}
	if (sv->shared.imports && !import_lane_free(sv->shared.imports, deadline_ms))
		return false;
	sv->shared.imports = NULL;
	if (!compute_pool_free(sv->shared.compute, deadline_ms) || !follower_stop(sv->shared.follower, deadline_ms))
		return false;
	sv->shared.compute = NULL;
	join_workers(sv);
	return true;
}

/* --- readiness --- */

static void greet(struct service *sv)
{
	char base[96];
	const char *address = sv->c->listen_address;
	if (strcmp(address, "0.0.0.0") == 0)
		address = "127.0.0.1";
	else if (strcmp(address, "::") == 0)
		address = "::1";
	url(sv, address, base);
	fprintf(stderr,
		"\nLodebase %s is ready.\n\n"
		"  %s/v1              what is here\n"
		"  %s/openapi.yaml    how to ask for it\n\n",
		core_version(), base, base);
	if (bringup_key_path(sv->bringup))
		fprintf(stderr, "The admin key of this new base is in %s.\n", bringup_key_path(sv->bringup));
	if (sv->c->anonymous_read)
		fprintf(stderr, "Try:\n\n  curl -s '%s/v1/projects?limit=3'\n\n", base);
	else
		fprintf(stderr,
			"Reading needs a key (lodebase key create --name NAME --scope read). Try:\n\n"
			"  curl -s -H \"Authorization: Bearer $KEY\" '%s/v1/projects?limit=3'\n\n",
			base);
}

/* What the start's thread has come to. ERR_STATE: it failed for good. */
static enum err follow_bringup(struct service *sv, bool patience_over, char problem[APP_PROBLEM_SIZE])
{
	enum bringup_phase phase = bringup_phase(sv->bringup);
	if (phase == BRINGUP_FAILED) {
		snprintf(problem, APP_PROBLEM_SIZE, "the service cannot start; the log says why");
		return ERR_STATE;
	}
	bool known = phase != BRINGUP_WAITING;
	const char *role = known ? bringup_role(sv->bringup) : DATABASE_SERVICE_ROLE;
	if (sv->n_workers && known && (role == NULL) != (sv->role == NULL)) {
		/* The database was away, and its account turns out not to have the role: begin again, without. */
		if (!stop_workers(sv, clock_monotonic_ms() + STOP_WITHIN_MS))
			return ERR_STATE;
		enum err e = open_listeners(sv, false, problem);
		if (e != OK)
			return e;
	}
	if (!sv->n_workers && (known || patience_over)) {
		enum err e = start_workers(sv, role, problem);
		if (e != OK)
			return e;
	}
	if (known && follower_start(sv->shared.follower, sv->conninfo, role) != OK) {
		snprintf(problem, APP_PROBLEM_SIZE, "the ownership graph's thread cannot be started");
		return ERR_NOMEM;
	}
	if (phase == BRINGUP_READY && !sv->ready && follower_state(sv->shared.follower).loaded) {
		sv->ready = true;
		log_event(LOG_LEVEL_INFO, "ready", "the base is there and answers");
		tell_manager("READY=1");
		greet(sv);
	}
	return OK;
}

/* --- the main thread's life --- */

static int soonest(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* Until SIGTERM or SIGINT; the exit status. */
static int watch(struct service *sv)
{
	char problem[APP_PROBLEM_SIZE] = "";
	uint64_t patience_ends = clock_monotonic_ms() + START_PATIENCE_MS;
	for (;;) {
		uint64_t now = clock_monotonic_ms(), count;
		int timeout = -1;
		if (!sv->n_workers)
			timeout = now >= patience_ends ? 0 : (int)(patience_ends - now);
		if (sv->postgres) {
			timeout = soonest(timeout, embedded_postgres_tick(sv->postgres));
			bringup_language_replaced(sv->bringup, embedded_postgres_is_replaced(sv->postgres));
			timeout = soonest(timeout, LOOK_EVERY_MS);
		}
		struct pollfd fds[2] = { { .fd = sv->signal_fd, .events = POLLIN }, { .fd = sv->event_fd, .events = POLLIN } };
		if (poll(fds, 2, timeout) < 0 && errno != EINTR)
			return complain("poll failed");
		if (asked_to_stop(sv))
			return 0;
		if (read(sv->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
			return complain("an eventfd failed");
		if (follow_bringup(sv, clock_monotonic_ms() >= patience_ends, problem) != OK)
			return complain(problem);
	}
}

static enum err take_signals(struct service *sv)
{
	sigset_t set;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* there is no reload; a closed terminal ends nothing */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sv->stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	sigaddset(&set, SIGCHLD);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return ERR_IO;
	sv->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	sv->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return sv->signal_fd >= 0 && sv->event_fd >= 0 && sv->stop_fd >= 0 ? OK : ERR_IO;
}

static enum err start_database(struct service *sv, char problem[APP_PROBLEM_SIZE])
{
	const struct config *c = sv->c;
	if (c->database) {
		sv->conninfo = strdup(c->database);
		sv->owner = strdup(c->owner_database ? c->owner_database : c->database);
		return sv->conninfo && sv->owner ? OK : ERR_NOMEM;
	}
	struct embedded_postgres_options o = {
		.data_dir = c->data_dir,
		.postgres_bin = c->postgres_bin,
		.holder = "serve",
		.patience_ms = 10000,
		.stop_fd = sv->stop_fd,
		.log = log_postgres,
	};
	enum err e = embedded_postgres_new(&o, &sv->postgres, problem);
	if (e == OK)
		e = embedded_postgres_start(sv->postgres, problem);
	if (e != OK)
		return e;
	sv->conninfo = embedded_postgres_conninfo(sv->postgres, DATABASE_SERVICE_ROLE);
	sv->owner = embedded_postgres_conninfo(sv->postgres, "lodebase_owner");
	return sv->conninfo && sv->owner ? OK : ERR_NOMEM;
}

static enum err prepare(struct service *sv, char problem[APP_PROBLEM_SIZE])
{
	const struct config *c = sv->c;
	unsigned n_routes;
	bool keeps_files = !c->database || c->data_dir_given;
	enum err e = OK;
	if (c->seed)
		e = sources_add(&sv->seeds, c->seed, true, problem); /* while still root, perhaps */
	if (e == OK)
		e = account_settle(c, keeps_files, true, problem);
	if (e == OK && access(c->spool_dir, W_OK | X_OK) != 0) {
		snprintf(problem, APP_PROBLEM_SIZE, "--spool-dir: this account cannot write to %s: %s", c->spool_dir,
			 strerror(errno));
		e = ERR_DENIED;
	}
	if (e != OK)
		return e;
	const char *const *routes = api_route_names(&n_routes);
	sv->shared.writes = &sv->writes;
	sv->shared.anonymous_read = c->anonymous_read;
	sv->shared.loopback = c->listen_loopback;
	sv->shared.cors_origins = (const char *const *)c->cors_origins;
	sv->shared.request_timeout_ms = c->request_timeout_ms;
	sv->shared.slow_timeout_ms = c->slow_timeout_ms;
	sv->shared.import_timeout_ms = c->import_timeout_s * 1000;
	sv->shared.metrics = metrics_new(routes, n_routes, c->workers);
	atomic_store(&sv->shared.seeding, sv->seeds.n > 0);
	const struct follower_config f = { .n_workers = c->workers, .writes = &sv->writes, .notify_fd = sv->event_fd };
	if (!sv->shared.metrics || follower_new(&f, &sv->shared.follower) != OK)
		return ERR_NOMEM;
	raise_limits(sv);
	e = open_listeners(sv, true, problem); /* a taken port is said before anything is started */
	if (e == OK)
		e = start_database(sv, problem);
	if (e != OK)
		return e;
	struct bringup_config b = {
		.service = sv->conninfo,
		.owner = sv->owner,
		.key_dir = keeps_files ? c->data_dir : NULL,
		.key_to_terminal = isatty(STDOUT_FILENO),
		.seeds = sv->seeds.items,
		.n_seeds = sv->seeds.n,
		.shared = &sv->shared,
		.notify_fd = sv->event_fd,
	};
	return bringup_start(&b, &sv->bringup);
}

/* Ends all of it within STOP_WITHIN_MS. */
static int finish(struct service *sv, int status)
{
	uint64_t begun = clock_monotonic_ms(), deadline = begun + STOP_WITHIN_MS - STOP_POSTGRES_MS;
	bool clean = true;
	atomic_store(&sv->shared.draining, true);
	tell_manager("STOPPING=1");
	if (sv->n_workers) {
		log_event(LOG_LEVEL_INFO, "draining", "no new connections; requests have %u s to finish",
			  sv->c->drain_timeout_s);
		clean = stop_workers(sv, deadline);
	}
	close_listeners(sv);
	if (sv->bringup)
		clean = bringup_stop(sv->bringup, deadline) == OK && clean;
	if (sv->postgres) {
		uint64_t waited = clock_monotonic_ms() - begun;
		embedded_postgres_stop(sv->postgres, 0, waited < STOP_WITHIN_MS ? (unsigned)(STOP_WITHIN_MS - waited) : 0);
	}
	if (!clean) {
		/* A thread still uses what would be freed now. */
		log_event(LOG_LEVEL_ERROR, "stopped", "a thread did not end in time; leaving without it");
		_exit(1);
	}
	embedded_postgres_free(sv->postgres);
	follower_free(sv->shared.follower);
	metrics_free(sv->shared.metrics);
	sources_done(&sv->seeds);
	free(sv->conninfo);
	free(sv->owner);
	if (sv->signal_fd >= 0)
		close(sv->signal_fd);
	if (sv->event_fd >= 0)
		close(sv->event_fd);
	if (sv->stop_fd >= 0)
		close(sv->stop_fd);
	if (sv->told_listening)
		log_event(LOG_LEVEL_INFO, "stopped", "after %llu ms", (unsigned long long)(clock_monotonic_ms() - begun));
	return status;
}

int serve_main(const struct config *c)
{
	struct service sv = { .c = c, .signal_fd = -1, .event_fd = -1, .stop_fd = -1 };
	char problem[APP_PROBLEM_SIZE] = "";
	memset(sv.listen_fds, -1, sizeof(sv.listen_fds));
	log_init(c->log_json);
	enum err e = take_signals(&sv);
	if (e == OK)
		e = prepare(&sv, problem);
	if (e == ERR_TIMEOUT) /* stopped by a signal on the way */
		return finish(&sv, 0);
	if (e != OK)
		return finish(&sv, complain(problem[0] ? problem : err_name(e)));
	return finish(&sv, watch(&sv));
}

#include "lodebase/app/bringup.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "faults.h"
#include "lodebase/app/first_key.h"
#include "lodebase/base/clock.h"
#include "lodebase/core/log.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 5000
#define TELL_AFTER_MS 2000 /* a server that is just starting is nothing to tell */
#define TELL_AGAIN_MS 60000 /* while the database is away */
#define WATCH_EVERY_MS 5000
#define INTERRUPT_EVERY_MS 100
#define APPLICATION "lodebase start"

/* Advisory locks, so that of several instances starting on one base one makes the key and one seeds. */
#define KEY_LOCK "7165911034528392"
#define SEED_LOCK "7165911034528393"

struct bringup {
	struct bringup_config config;
	pthread_t thread;
	int stop_fd;
	atomic_bool stop;
	_Atomic enum bringup_phase phase;
	const char *role; /* written before the phase says SCHEMA */
	char *key_path; /* written before the phase says READY */
	atomic_bool replaced;

	pthread_mutex_t lock; /* around `session`: who interrupts it must not meet its closing */
	struct db_session *session;

	uint64_t away_since_ms; /* 0: it is not away */
	char told[256]; /* the reason told last, and when */
	uint64_t told_ms;
};

static void set_phase(struct bringup *b, enum bringup_phase phase)
{
	uint64_t one = 1;
	atomic_store(&b->phase, phase);
	if (write(b->config.notify_fd, &one, sizeof(one)) < 0)
		return; /* it is full, so it is readable */
}

/* false: stop. */
static bool wait_ms(struct bringup *b, int ms)
{
	struct pollfd p = { .fd = b->stop_fd, .events = POLLIN };
	poll(&p, 1, ms);
	return !atomic_load(&b->stop);
}

static void tell_away(struct bringup *b, const char *reason)
{
	uint64_t now = clock_monotonic_ms();
	char text[sizeof(b->told)];
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(reason, "\n"), reason); /* libpq's hints come on lines of their own */
	if (!b->away_since_ms)
		b->away_since_ms = now;
	if (atomic_load(&b->stop) || now - b->away_since_ms < TELL_AFTER_MS ||
	    (strcmp(text, b->told) == 0 && now - b->told_ms < TELL_AGAIN_MS))
		return;
	snprintf(b->told, sizeof(b->told), "%s", text);
	b->told_ms = now;
	log_event(LOG_LEVEL_WARNING, "database_away", "waiting for the database: %s", b->told);
}

static enum err open_session(struct bringup *b, const char *role)
{
	struct db_error error = { 0 };
	struct db_session *s = NULL;
	enum err e = db_session_open(b->config.service, role, 0, APPLICATION, &s, &error);
	if (e != OK)
		tell_away(b, error.message[0] ? error.message : err_name(e));
	db_error_done(&error);
	pthread_mutex_lock(&b->lock);
	b->session = s;
	pthread_mutex_unlock(&b->lock);
	return e;
}

static void close_session(struct bringup *b)
{
	pthread_mutex_lock(&b->lock);
	struct db_session *s = b->session;
	b->session = NULL;
	pthread_mutex_unlock(&b->lock);
	db_session_close(s);
}

/* Tells apart what waiting may mend and what it will not. */
static bool is_passing(enum err e)
{
	return e == ERR_UNAVAILABLE || e == ERR_TIMEOUT;
}

static enum err failed(struct bringup *b, enum err e, const char *event, const char *problem)
{
	if (is_passing(e))
		tell_away(b, problem);
	else
		log_event(LOG_LEVEL_ERROR, event, "%s", problem);
	return e;
}

static enum err migrate(struct bringup *b)
{
	struct migrate_report report;
	struct database_role role;
	char problem[APP_PROBLEM_SIZE] = "";
	enum err e = database_migrate(b->config.owner, b->config.service, &report);
	if (e != OK)
		return failed(b, e, "migrate", report.problem);
	if (report.applied)
		log_event(LOG_LEVEL_INFO, "migrate", "the schema is at %d now, %d migration%s applied", report.version,
			  report.applied, report.applied == 1 ? "" : "s");
	e = database_find_role(b->config.owner, b->config.service, &role, problem);
	if (e != OK)
		return failed(b, e, "migrate", problem[0] ? problem : err_name(e));
	b->role = role.name;
	atomic_store(&b->config.shared->history_protected, role.history_protected);
	if (!role.history_protected)
		log_event(LOG_LEVEL_WARNING, "history_not_protected",
			  "history is not protected from the service: its database account could rewrite it. Give the owner's "
			  "account as --owner-database and another one as --database");
	atomic_store(&b->config.shared->migrated, true);
	set_phase(b, BRINGUP_SCHEMA);
	return OK;
}

static enum err query(struct bringup *b, const char *sql, char ret_value[16], char problem[APP_PROBLEM_SIZE])
{
	struct db_error error = { 0 };
	struct db_result *r = NULL;
	enum err e = db_session_query(b->session, &r, &error, sql, 0);
	if (e != OK)
		snprintf(problem, APP_PROBLEM_SIZE, "%.300s", error.message[0] ? error.message : err_name(e));
	else if (ret_value)
		snprintf(ret_value, 16, "%s", db_result_value(r, 0, 0));
	db_result_free(r);
	db_error_done(&error);
	return e;
}

static enum err make_key(struct bringup *b)
{
	char problem[APP_PROBLEM_SIZE] = "";
	bool advise = false;
	enum err e = query(b, "select pg_advisory_lock(" KEY_LOCK ")", NULL, problem);
	if (e == OK) {
		e = first_key_make(b->session, b->config.key_dir, b->config.key_to_terminal, &b->key_path, &advise, problem);
		if (e == OK)
			e = query(b, "select pg_advisory_unlock(" KEY_LOCK ")", NULL, problem);
	}
	if (e != OK)
		return failed(b, e, "first_key", problem);
	if (b->key_path)
		log_event(LOG_LEVEL_INFO, "first_key", "the admin key of this new base is in %s", b->key_path);
	else if (advise)
		log_event(LOG_LEVEL_WARNING, "first_key",
			  "this base has no key yet, and writing needs one: lodebase key create --name NAME --scope admin "
			  "--database …");
	return OK;
}

static enum err import_seeds(struct bringup *b)
{
	struct import_request request = { .sources = b->config.seeds, .n_sources = b->config.n_seeds, .cancelled = &b->stop };
	struct import_answer answer;
	for (size_t i = 0; i < b->config.n_seeds; i++)
		if (lseek(b->config.seeds[i].fd, 0, SEEK_SET) < 0)
			return failed(b, ERR_IO, "seed", strerror(errno));
	uint64_t begun = clock_monotonic_ms();
	import_run(b->session, &request, &answer);
	enum err e = OK;
	if (answer.status == 200) {
		log_event(LOG_LEVEL_INFO, "seed", "the base was empty and is seeded now, in %llu ms: %.*s",
			  (unsigned long long)(clock_monotonic_ms() - begun), (int)answer.body.len,
			  answer.body.data ? answer.body.data : "");
	} else if (answer.status == 503 || answer.status == 504) {
		e = failed(b, ERR_UNAVAILABLE, "seed", answer.detail ? answer.detail : "the import was given up");
	} else {
		faults_print(&answer, stderr);
		e = failed(b, ERR_INVALID, "seed",
			   "--seed could not be imported; nothing of it was kept. Its faults are on standard error");
	}
	import_answer_done(&answer);
	return e;
}

static enum err seed(struct bringup *b)
{
	char problem[APP_PROBLEM_SIZE] = "", empty[16] = "";
	if (!b->config.n_seeds)
		return OK;
	enum err e = query(b, "select pg_advisory_lock(" SEED_LOCK ")", NULL, problem);
	if (e == OK)
		e = query(b, "select not exists (select from lodebase.change)", empty, problem);
	if (e != OK)
		return failed(b, e, "seed", problem);
	if (strcmp(empty, "t") == 0)
		e = import_seeds(b);
	else
		log_event(LOG_LEVEL_INFO, "seed", "--seed does nothing: the base is not empty");
	if (e == OK)
		e = query(b, "select pg_advisory_unlock(" SEED_LOCK ")", NULL, problem);
	return e;
}

/* Every step may be taken again: a database that goes away in between is waited for. */
static enum err bring_up(struct bringup *b)
{
	enum err e = OK;
	if (atomic_load(&b->phase) == BRINGUP_WAITING)
		e = migrate(b);
	if (e == OK)
		e = open_session(b, b->role);
	if (e == OK)
		e = make_key(b);
	if (e == OK)
		e = seed(b);
	close_session(b);
	return e;
}

static void probe_language(struct bringup *b)
{
	struct db_error error = { 0 };
	bool was = atomic_load(&b->config.shared->plpgsql_broken);
	if (open_session(b, b->role) != OK)
		return;
	enum err e = db_session_script(b->session, "do language plpgsql 'begin end'", &error);
	bool broken = e == ERR_SQL;
	if (e == OK || broken)
		atomic_store(&b->config.shared->plpgsql_broken, broken);
	if (broken && !was)
		log_event(LOG_LEVEL_ERROR, "postgres",
			  "PostgreSQL's package was upgraded under the running server, and its procedural language no longer "
			  "loads: "
			  "restart the service. Writing fails until then");
	else if (!broken && was)
		log_event(LOG_LEVEL_INFO, "postgres", "the procedural language loads again");
	db_error_done(&error);
	close_session(b);
}

static void *bringup_main(void *data)
{
	struct bringup *b = data;
	int backoff = BACKOFF_FIRST_MS;
	pthread_setname_np(pthread_self(), "start");
	for (;;) {
		enum err e = bring_up(b);
		if (atomic_load(&b->stop))
			return NULL;
		if (e == OK)
			break;
		if (!is_passing(e)) {
			set_phase(b, BRINGUP_FAILED);
			return NULL;
		}
		if (!wait_ms(b, backoff))
			return NULL;
		backoff = backoff * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : backoff * 2;
	}
	b->away_since_ms = 0;
	atomic_store(&b->config.shared->seeding, false);
	set_phase(b, BRINGUP_READY);
	while (wait_ms(b, WATCH_EVERY_MS))
		if (atomic_load(&b->replaced) || atomic_load(&b->config.shared->plpgsql_broken))
			probe_language(b);
	return NULL;
}

enum err bringup_start(const struct bringup_config *config, struct bringup **ret)
{
	struct bringup *b = calloc(1, sizeof(*b));
	if (!b)
		return ERR_NOMEM;
	b->config = *config;
	b->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&b->lock, NULL);
	if (b->stop_fd < 0 || pthread_create(&b->thread, NULL, bringup_main, b) != 0) {
		if (b->stop_fd >= 0)
			close(b->stop_fd);
		pthread_mutex_destroy(&b->lock);
		free(b);
		return ERR_NOMEM;
	}
	*ret = b;
	return OK;
}

enum bringup_phase bringup_phase(struct bringup *b)
{
	return atomic_load(&b->phase);
}

const char *bringup_role(struct bringup *b)
{
	return b->role;
}

const char *bringup_key_path(struct bringup *b)
{
	return b->key_path;
}

void bringup_language_replaced(struct bringup *b, bool replaced)
{
	atomic_store(&b->replaced, replaced);
}

static bool join(struct bringup *b, uint64_t until_ms)
{
	struct timespec until = { .tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000 };
	return pthread_clockjoin_np(b->thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

enum err bringup_stop(struct bringup *b, uint64_t deadline_ms)
{
	uint64_t one = 1;
	atomic_store(&b->stop, true);
	if (write(b->stop_fd, &one, sizeof(one)) < 0)
		return ERR_IO;
	while (!join(b, clock_monotonic_ms() + INTERRUPT_EVERY_MS)) {
		if (clock_monotonic_ms() >= deadline_ms)
			return ERR_TIMEOUT;
		pthread_mutex_lock(&b->lock);
		if (b->session)
			db_session_interrupt(b->session);
		pthread_mutex_unlock(&b->lock);
	}
	close(b->stop_fd);
	pthread_mutex_destroy(&b->lock);
	free(b->key_path);
	free(b);
	return OK;
}

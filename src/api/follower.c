/* The follower's thread: one blocking session, one look after the other. */
#include "follower_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "lodebase/base/clock.h"
#include "lodebase/core/log.h"

#define LOOK_EVERY_US 250000 /* for what others wrote */
#define LOOK_APART_US 10000 /* for what this process wrote; a request that waits has its look at once */
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 2000
#define TELL_AFTER_US 2000000 /* a server that restarts is nothing to tell */
#define TELL_AGAIN_US 60000000
#define INTERRUPT_EVERY_MS 100

/* One plan for every look: nested loops along indexes, whatever the tables' size when it was made. */
static const char settings[] = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = "
			       "off; set work_mem = '64MB'; "
			       "set plan_cache_mode = force_generic_plan";

static void notify(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return; /* it is full, so it is readable */
}

void follower_ask(struct follower *f)
{
	if (!atomic_exchange(&f->asked, true))
		notify(f->event_fd);
}

void follower_wrote(struct follower *f)
{
	if (f && !atomic_exchange(&f->wrote, true))
		notify(f->event_fd);
}

/* --- waiting --- */

/* false: stop. */
static bool pause_us(struct follower *f, uint64_t us)
{
	struct pollfd p = { .fd = f->event_fd, .events = POLLIN };
	struct timespec t = { .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };
	uint64_t count;

	if (!atomic_load(&f->stop) && ppoll(&p, 1, &t, NULL) > 0)
		(void)!read(f->event_fd, &count, sizeof(count));
	return !atomic_load(&f->stop);
}

/* Until the next look is due. false: stop. */
static bool wait_for_look(struct follower *f)
{
	for (;;) {
		uint64_t now = clock_monotonic_us(), due = f->looked_us + LOOK_EVERY_US;

		if (atomic_load(&f->stop))
			return false;
		if (atomic_load(&f->wrote))
			due = f->looked_us + LOOK_APART_US;
		if (now >= due || atomic_load(&f->asked))
			return true;
		pause_us(f, due - now);
	}
}

/* After a failure, whoever asks. false: stop. */
static bool wait_ms(struct follower *f, unsigned ms)
{
	uint64_t until = clock_monotonic_us() + UINT64_C(1000) * ms, now;

	while ((now = clock_monotonic_us()) < until)
		if (!pause_us(f, until - now))
			return false;
	return !atomic_load(&f->stop);
}

/* --- the session --- */

static void close_session(struct follower *f)
{
	struct db_session *s;

	pthread_mutex_lock(&f->lock);
	s = f->session;
	f->session = NULL;
	pthread_mutex_unlock(&f->lock);
	db_session_close(s);
}

/* On each new connection the cluster is compared with the one that was there before: it may have been restored. */
static enum err open_session(struct follower *f, struct db_error *error)
{
	struct db_session *s = NULL;
	enum err e = db_session_open(f->conninfo, f->role, 0, "lodebase graph", &s, error);

	if (e != OK)
		return e;
	pthread_mutex_lock(&f->lock);
	f->session = s;
	pthread_mutex_unlock(&f->lock);
	e = db_session_query(s, NULL, error, "select check_epoch()", 0);
	return e == OK ? db_session_script(s, settings, error) : e;
}

/* --- looks --- */

static void tell_failure(struct follower *f, const char *why)
{
	uint64_t now = clock_monotonic_us();

	if (!f->failing_since_us)
		f->failing_since_us = now;
	if (now - f->failing_since_us < TELL_AFTER_US || (f->told_us && now - f->told_us < TELL_AGAIN_US))
		return;
	f->told_us = now;
	log_event(LOG_LEVEL_WARNING, "graph", "the ownership graph %s: %.*s", f->last ? "stands still" : "cannot be loaded",
		  (int)strcspn(why, "\n"), why);
}

static void tell_success(struct follower *f, bool loaded, uint64_t began_us)
{
	if (loaded)
		log_event(LOG_LEVEL_INFO, "graph",
			  "the ownership graph is loaded: %llu nodes, %llu stakes, %llu MiB, in %llu ms",
			  (unsigned long long)atomic_load(&f->nodes), (unsigned long long)atomic_load(&f->stakes),
			  (unsigned long long)(atomic_load(&f->bytes) >> 20),
			  (unsigned long long)((clock_monotonic_us() - began_us) / 1000));
	else if (f->told_us)
		log_event(LOG_LEVEL_INFO, "graph", "the ownership graph goes on");
	f->failing_since_us = 0;
	f->told_us = 0;
}

static enum err look(struct follower *f, struct db_error *error)
{
	struct look look = { .began_us = clock_monotonic_us() };
	bool load = !f->held;
	enum err e = OK;

	f->looked_us = look.began_us;
	atomic_store(&f->asked, false);
	atomic_store(&f->wrote, false);
	look.complete_to = f->config.writes ? atomic_load(f->config.writes) : 0;
	if (!f->session)
		e = open_session(f, error);
	if (e == OK)
		e = load ? follower_load(f, &look, error) : follower_delta(f, &look, error);
	if (e == OK && (e = moment_publish(f, &look)) != OK) {
		/* what is in the register now was told to nobody, and cannot be followed again */
		register_unref(f->held);
		f->held = NULL;
	}
	free(look.snapshot);
	if (e != OK)
		return e;
	if (load)
		notify(f->config.notify_fd);
	tell_success(f, load, look.began_us);
	return OK;
}

static void *follower_main(void *data)
{
	struct follower *f = data;
	unsigned backoff_ms = BACKOFF_FIRST_MS;

	pthread_setname_np(pthread_self(), "graph");
	while (!atomic_load(&f->stop)) {
		struct db_error error = { 0 };
		bool followed = f->held != NULL;
		enum err e = look(f, &error);

		if (e == OK) {
			backoff_ms = BACKOFF_FIRST_MS;
			db_error_done(&error);
			register_free_left(f);
			wait_for_look(f);
			continue;
		}
		close_session(f);
		if (!atomic_load(&f->stop))
			tell_failure(f, error.message[0] ? error.message : err_name(e));
		db_error_done(&error);
		if (followed && !f->held) /* what cannot be followed any more is loaded anew, at once */
			continue;
		wait_ms(f, backoff_ms);
		backoff_ms = backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : backoff_ms * 2;
	}
	close_session(f);
	return NULL;
}

/* --- its life --- */

enum err follower_new(const struct follower_config *config, struct follower **ret)
{
	size_t size = sizeof(struct follower) + config->n_workers * sizeof(struct mailbox);
	struct follower *f = aligned_alloc(_Alignof(struct follower), size);

	*ret = NULL;
	if (!f)
		return ERR_NOMEM;
	memset(f, 0, size);
	f->config = *config;
	row_values_init(&f->values);
	pthread_mutex_init(&f->lock, NULL);
	f->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->event_fd < 0) {
		follower_free(f);
		return ERR_NOMEM;
	}
	*ret = f;
	return OK;
}

enum err follower_start(struct follower *f, const char *conninfo, const char *role)
{
	if (f->started)
		return OK;
	f->conninfo = strdup(conninfo);
	f->role = role ? strdup(role) : NULL;
	if (!f->conninfo || (role && !f->role) || pthread_create(&f->thread, NULL, follower_main, f) != 0)
		return ERR_NOMEM;
	f->started = true;
	return OK;
}

static bool join(struct follower *f, uint64_t until_ms)
{
	struct timespec until = { .tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000 };

	return pthread_clockjoin_np(f->thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

bool follower_stop(struct follower *f, uint64_t deadline_ms)
{
	if (!f || !f->started)
		return true;
	atomic_store(&f->stop, true);
	notify(f->event_fd);
	while (!join(f, clock_monotonic_ms() + INTERRUPT_EVERY_MS)) {
		if (clock_monotonic_ms() >= deadline_ms)
			return false;
		pthread_mutex_lock(&f->lock);
		if (f->session)
			db_session_interrupt(f->session);
		pthread_mutex_unlock(&f->lock);
	}
	f->started = false;
	return true;
}

void follower_free(struct follower *f)
{
	if (!f)
		return;
	moment_drop_all(f);
	moment_unref(f->last);
	register_unref(f->held);
	register_free_left(f);
	if (f->event_fd >= 0)
		close(f->event_fd);
	pthread_mutex_destroy(&f->lock);
	free(f->conninfo);
	free(f->role);
	free(f);
}

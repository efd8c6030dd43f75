/* The import lane: one thread runs the imports one after the other, another looks after the one that runs. */
#include "lodebase/api/import.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lodebase/base/clock.h"

#define LOOK_MS 200

struct import_lane {
	char *conninfo, *role;
	unsigned max_queued;
	pthread_t runner, watcher;
	pthread_mutex_t mutex;
	pthread_cond_t queue_changed, watch_changed;

	/* under the mutex: */
	struct import_job *first, *last; /* waiting */
	unsigned queued;
	struct import_job *current;
	struct db_session *session; /* the runner's; another thread may only interrupt it */
	bool interrupting, interrupted, stopping;
	_Atomic uint64_t patience; /* of the current job: until when a long statement of it counts as progress */
};

/* --- the runner ------------------------------------------------------------------------------------------------------ */

static void close_session(struct import_lane *lane)
{
	struct db_session *session;

	pthread_mutex_lock(&lane->mutex);
	while (lane->interrupting)
		pthread_cond_wait(&lane->queue_changed, &lane->mutex);
	session = lane->session;
	lane->session = NULL;
	lane->interrupted = false;
	pthread_mutex_unlock(&lane->mutex);
	db_session_close(session);
}

static void refuse(struct import_job *job, const char *detail)
{
	job->answer = (struct import_answer){ .status = 503, .problem = "unavailable", .detail = detail };
	buf_init(&job->answer.errors, 0);
	buf_init(&job->answer.extra, 0);
	buf_init(&job->answer.body, 0);
}

/* Opens the session where there is none. */
static bool open_session(struct import_lane *lane)
{
	struct db_session *session = NULL;
	struct db_error error = { 0 };
	enum err e;

	/* A session that lay idle may have lost its server meanwhile: a question tells before an import leans on it. */
	if (lane->session) {
		e = db_session_query(lane->session, NULL, &error, "select 1", 0);
		db_error_done(&error);
		if (e == OK)
			return true;
		close_session(lane);
	}
	/* No statement timeout: an import may be of any size, and its deadline runs from its last progress. */
	e = db_session_open(lane->conninfo, lane->role, 0, "lodebase import", &session, &error);
	db_error_done(&error);
	if (e != OK)
		return false;
	pthread_mutex_lock(&lane->mutex);
	lane->session = session;
	pthread_mutex_unlock(&lane->mutex);
	return true;
}

static void run(struct import_lane *lane, struct import_job *job)
{
	job->request.sources = &job->source;
	job->request.n_sources = 1;
	job->request.cancelled = &job->cancelled;
	job->request.progress = &job->progress_ms;
	job->request.patience = &lane->patience;
	if (atomic_load(&job->cancelled))
		refuse(job, "the import was given up; nothing was changed");
	else if (!open_session(lane))
		refuse(job, "the database is away; nothing was changed");
	else
		import_run(lane->session, &job->request, &job->answer);
}

static void finish(struct import_job *job)
{
	struct loop *notify = job->notify;

	/* Its owner may free it as soon as this is seen. */
	atomic_store_explicit(&job->done, true, memory_order_release);
	if (notify)
		loop_wake(notify);
}

static void *runner_main(void *data)
{
	struct import_lane *lane = data;

	for (;;) {
		struct import_job *job;
		bool lost;

		pthread_mutex_lock(&lane->mutex);
		while (!lane->first && !lane->stopping)
			pthread_cond_wait(&lane->queue_changed, &lane->mutex);
		job = lane->first;
		if (job) {
			lane->first = job->next;
			if (!lane->first)
				lane->last = NULL;
			lane->queued--;
			lane->current = job;
			atomic_store(&lane->patience, 0);
		}
		pthread_mutex_unlock(&lane->mutex);
		if (!job)
			break;
		run(lane, job);
		pthread_mutex_lock(&lane->mutex);
		lane->current = NULL;
		lost = lane->interrupted || lane->interrupting || job->answer.status == 503;
		pthread_mutex_unlock(&lane->mutex);
		/* An interrupted session is spent, one that the server left is worth nothing. */
		if (lost)
			close_session(lane);
		finish(job);
	}
	close_session(lane);
	return NULL;
}

/* --- the watcher ----------------------------------------------------------------------------------------------------- */

/* Who waits makes progress as long as the lane moves; so does a long statement within its time. */
static void mark_progress(struct import_lane *lane)
{
	uint64_t now = clock_monotonic_ms();

	if (lane->current && now < atomic_load(&lane->patience))
		atomic_store(&lane->current->progress_ms, now);
	for (struct import_job *job = lane->first; job; job = job->next)
		atomic_store(&job->progress_ms, now);
}

static void *watcher_main(void *data)
{
	struct import_lane *lane = data;
	uint64_t interrupted_ms = 0;

	pthread_mutex_lock(&lane->mutex);
	while (!lane->stopping || lane->current) {
		const uint64_t now_ms = clock_monotonic_ms();
		struct timespec until;

		/* Again and again: one that comes between two statements finds nothing to interrupt. */
		if (lane->current && lane->session && atomic_load(&lane->current->cancelled) &&
		    (!lane->interrupted || now_ms - interrupted_ms >= LOOK_MS)) {
			struct db_session *session = lane->session;

			interrupted_ms = now_ms;
			lane->interrupting = true; /* keeps the session open */
			lane->interrupted = true;
			pthread_mutex_unlock(&lane->mutex);
			db_session_interrupt(session);
			pthread_mutex_lock(&lane->mutex);
			lane->interrupting = false;
			pthread_cond_broadcast(&lane->queue_changed);
			continue;
		}
		mark_progress(lane);
		if (!lane->current && !lane->first) {
			pthread_cond_wait(&lane->watch_changed, &lane->mutex);
			continue;
		}
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LOOK_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_nsec -= 1000000000L;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&lane->watch_changed, &lane->mutex, &until);
	}
	pthread_mutex_unlock(&lane->mutex);
	return NULL;
}

/* --- the lane -------------------------------------------------------------------------------------------------------- */

enum err import_lane_new(const char *conninfo, const char *role, unsigned max_queued, struct import_lane **ret)
{
	struct import_lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		return ERR_NOMEM;
	lane->max_queued = max_queued;
	lane->conninfo = strdup(conninfo);
	lane->role = role ? strdup(role) : NULL;
	pthread_mutex_init(&lane->mutex, NULL);
	pthread_cond_init(&lane->queue_changed, NULL);
	pthread_cond_init(&lane->watch_changed, NULL);
	if (!lane->conninfo || (role && !lane->role) || pthread_create(&lane->runner, NULL, runner_main, lane) != 0)
		goto failed;
	if (pthread_create(&lane->watcher, NULL, watcher_main, lane) != 0) {
		pthread_mutex_lock(&lane->mutex);
		lane->stopping = true;
		pthread_cond_broadcast(&lane->queue_changed);
		pthread_mutex_unlock(&lane->mutex);
		pthread_join(lane->runner, NULL);
		goto failed;
	}
	*ret = lane;
	return OK;
failed:
	free(lane->conninfo);
	free(lane->role);
	free(lane);
	return ERR_NOMEM;
}

enum err import_lane_submit(struct import_lane *lane, struct import_job *job)
{
	enum err e = OK;

	job->next = NULL;
	pthread_mutex_lock(&lane->mutex);
	if (lane->stopping || lane->queued >= lane->max_queued) {
		e = ERR_FULL;
	} else {
		if (lane->last)
			lane->last->next = job;
		else
			lane->first = job;
		lane->last = job;
		lane->queued++;
		pthread_cond_broadcast(&lane->queue_changed);
		pthread_cond_broadcast(&lane->watch_changed);
	}
	pthread_mutex_unlock(&lane->mutex);
	return e;
}

void import_lane_cancel(struct import_lane *lane, struct import_job *job)
{
	/* Under the mutex: the watcher looks at it there. Asking the server may block, so that is the watcher's. */
	pthread_mutex_lock(&lane->mutex);
	atomic_store(&job->cancelled, true);
	pthread_cond_broadcast(&lane->watch_changed);
	pthread_mutex_unlock(&lane->mutex);
}

static bool join(pthread_t thread, uint64_t deadline_ms)
{
	struct timespec until = { .tv_sec = (time_t)(deadline_ms / 1000), .tv_nsec = (long)(deadline_ms % 1000) * 1000000 };

	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

bool import_lane_free(struct import_lane *lane, uint64_t deadline_ms)
{
	if (!lane)
		return true;
	pthread_mutex_lock(&lane->mutex);
	lane->stopping = true;
	for (struct import_job *job = lane->first; job; job = job->next)
		atomic_store(&job->cancelled, true);
	if (lane->current)
		atomic_store(&lane->current->cancelled, true);
	pthread_cond_broadcast(&lane->queue_changed);
	pthread_cond_broadcast(&lane->watch_changed);
	pthread_mutex_unlock(&lane->mutex);
	if (!join(lane->runner, deadline_ms))
		return false;
	pthread_mutex_lock(&lane->mutex);
	pthread_cond_broadcast(&lane->watch_changed);
	pthread_mutex_unlock(&lane->mutex);
	if (!join(lane->watcher, deadline_ms))
		return false;
	pthread_mutex_destroy(&lane->mutex);
	pthread_cond_destroy(&lane->queue_changed);
	pthread_cond_destroy(&lane->watch_changed);
	free(lane->conninfo);
	free(lane->role);
	free(lane);
	return true;
}

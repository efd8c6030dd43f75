/* The compute threads: a bounded queue, each job run to its end. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "lodebase/api/compute.h"
#include "lodebase/core/loop.h"

#define THREADS_MAX 16

struct compute_pool {
	pthread_t threads[THREADS_MAX];
	unsigned n_threads, max_queued;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* under the mutex: */
	struct compute_job *first, *last;
	unsigned queued;
	bool stopping;
};

static struct compute_job *take(struct compute_pool *p)
{
	struct compute_job *job;

	pthread_mutex_lock(&p->mutex);
	while (!p->first && !p->stopping)
		pthread_cond_wait(&p->changed, &p->mutex);
	job = p->first;
	if (job) {
		p->first = job->next;
		if (!p->first)
			p->last = NULL;
		p->queued--;
		if (p->stopping)
			atomic_store(&job->cancelled, true);
	}
	pthread_mutex_unlock(&p->mutex);
	return job;
}

static void *compute_main(void *data)
{
	struct compute_pool *p = data;
	struct compute_job *job;

	pthread_setname_np(pthread_self(), "compute");
	while ((job = take(p))) {
		struct loop *notify = job->notify;

		job->result = atomic_load(&job->cancelled) ? ERR_UNAVAILABLE : job->run(job, &job->answer);
		/* Its worker may free it as soon as this is seen. */
		atomic_store_explicit(&job->done, true, memory_order_release);
		loop_wake(notify);
	}
	return NULL;
}

static void stop(struct compute_pool *p)
{
	pthread_mutex_lock(&p->mutex);
	p->stopping = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->mutex);
}

enum err compute_pool_new(unsigned threads, unsigned max_queued, struct compute_pool **ret)
{
	struct compute_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return ERR_NOMEM;
	p->max_queued = max_queued;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->changed, NULL);
	while (p->n_threads < threads && p->n_threads < THREADS_MAX) {
		if (pthread_create(&p->threads[p->n_threads], NULL, compute_main, p) != 0) {
			stop(p);
			for (unsigned i = 0; i < p->n_threads; i++)
				pthread_join(p->threads[i], NULL);
			free(p);
			return ERR_NOMEM;
		}
		p->n_threads++;
	}
	*ret = p;
	return OK;
}

bool compute_pool_free(struct compute_pool *p, uint64_t deadline_ms)
{
	struct timespec until = { .tv_sec = (time_t)(deadline_ms / 1000), .tv_nsec = (long)(deadline_ms % 1000) * 1000000 };

	if (!p)
		return true;
	stop(p);
	while (p->n_threads > 0) {
		if (pthread_clockjoin_np(p->threads[p->n_threads - 1], NULL, CLOCK_MONOTONIC, &until) != 0)
			return false;
		p->n_threads--;
	}
	pthread_mutex_destroy(&p->mutex);
	pthread_cond_destroy(&p->changed);
	free(p);
	return true;
}

enum err compute_pool_submit(struct compute_pool *p, struct compute_job *job)
{
	enum err e = OK;

	job->next = NULL;
	pthread_mutex_lock(&p->mutex);
	if (p->stopping || p->queued >= p->max_queued) {
		e = ERR_FULL;
	} else {
		if (p->last)
			p->last->next = job;
		else
			p->first = job;
		p->last = job;
		p->queued++;
		pthread_cond_signal(&p->changed);
	}
	pthread_mutex_unlock(&p->mutex);
	return e;
}

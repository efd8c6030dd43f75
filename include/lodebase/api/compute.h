/* Computations: an answer made from what a request asked and from what cannot change meanwhile, such as a moment of the ownership
 * graph. A computation runs on the worker's thread while it is short, else on one of a few threads of the process, and touches
 * nothing but its own job. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/api/problem.h"
#include "lodebase/base/arena.h"
#include "lodebase/base/buf.h"
#include "lodebase/base/err.h"

struct call;
struct loop;

/* What a computation answers: a body, or a problem. */
struct answer {
	struct arena *arena;
	int status; /* 200, or the problem's */
	const char *content_type; /* of the body; NULL: application/json */
	struct buf body;
	const char *problem, *detail; /* a problem's type, and its sentence (in the arena, or static) */
	struct faults faults;
	struct buf extra; /* further members of the problem, as JSON without braces */
};

void answer_init(struct answer *a, struct arena *arena);
void answer_reset(struct answer *a); /* as new; memory is kept */
void answer_done(struct answer *a);
/* Makes it a problem. The detail is formatted into the arena. Returns OK, for `return answer_problem(…)`. */
enum err answer_problem(struct answer *a, int status, const char *type, const char *detail, ...)
	__attribute__((format(printf, 4, 5)));
/* A 400 or 422 of the faults collected. */
enum err answer_faults(struct answer *a, int status);

/* Steps (links looked at, about 10 ns each) that a computation may take on a worker, and on a compute thread. */
#define COMPUTE_STEPS_INLINE 20000
#define COMPUTE_STEPS_MOST 100000000

struct compute_job {
	/* Fills *ret. ERR_FULL, where `inline_only`: it takes longer than a worker has; it is then run again from the start on a compute
	 * thread. ERR_NOMEM: 503. Anything else than OK is a bug (500). */
	enum err (*run)(struct compute_job *job, struct answer *ret);
	void *input; /* in the arena */
	struct arena *arena; /* everything the computation reads of the request is in it, and all that it makes */
	bool inline_only;
	size_t steps; /* its budget */
	atomic_bool cancelled; /* nobody waits for it any longer */
	struct answer answer;

	/* how it is kept */
	void (*release)(void *held); /* of what it holds, such as a moment; NULL: nothing */
	void *held;
	struct call *call; /* NULL: it has left */
	struct loop *notify;
	bool submitted; /* a compute thread has it */
	atomic_bool done;
	enum err result;
	struct compute_job *next; /* in the pool's queue */
	struct compute_job *next_of_worker;
};

/* The call's job, made at first use with an arena of its own: parameters are read into it, because a job may outlive its call.
 * NULL: no memory (the call was answered). */
struct compute_job *compute_job(struct call *c);
/* Runs it and answers the call from what it made, now or later. `run` and `input` are set. */
void compute_start(struct call *c);

/* The process's compute threads with their queue. */
struct compute_pool;
enum err compute_pool_new(unsigned threads, unsigned max_queued, struct compute_pool **ret) MUST_CHECK;
/* Cancels what waits, lets what runs end, and waits for it until deadline_ms. false: it did not end in time; the pool stays. */
bool compute_pool_free(struct compute_pool *p, uint64_t deadline_ms) MUST_CHECK;
enum err compute_pool_submit(struct compute_pool *p, struct compute_job *job) MUST_CHECK; /* ERR_FULL */

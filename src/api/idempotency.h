/* Idempotency-Key: a POST that is sent again is answered as it was answered first (contract section 3). What was answered is kept
 * with the write, in its transaction, so that a crash between commit and answer doubles nothing. Private to api. */
#pragma once

#include "internal.h"

struct idempotency {
	const char *key; /* the client's */
	const char *request; /* SHA-256 of method, path with query, and body, in hex */
	bool settled; /* the answer is kept, or is not to be */
	void (*proceed)(struct call *c);
	const char *params[8];
	struct version *version; /* what is told again */
	int status;
};

/* Reads the header, adding faults. */
void idempotency_check(struct call *c);
/* With the body there: tells again what was answered, refuses (422, 409), or goes on with `proceed`. */
void idempotency_run(struct call *c, void (*proceed)(struct call *c));
/* Whether the call's answers are to be kept, that is, it has a key and is no dry run. */
bool idempotency_is_on(const struct call *c);
/* The statements of a write: before it (returns how many were added at i), and behind it. */
int idempotency_before(struct call *c, int i);
int idempotency_behind(struct call *c, int i, const char *id);
/* Answers what the two above were refused for; false: it was something else. */
bool idempotency_refused(struct call *c);
/* A problem about to be answered is kept first where it should be. true: it will be answered when it is. */
bool idempotency_keeps(struct call *c, int status);

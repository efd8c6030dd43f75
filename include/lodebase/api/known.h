/* known_at: what the base knew at an instant (contract section 3). An instant is a time, or a revision: a snapshot of the
 * database as PostgreSQL itself tells it, which is exact where a time is not (postgres.md section 4). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "lodebase/base/buf.h"
#include "lodebase/base/clock.h"

struct call;
struct faults;

enum known_kind {
	KNOWN_UNASKED, /* the newest, as it stands */
	KNOWN_NOW, /* until known_resolve() makes a revision of it */
	KNOWN_TIME,
	KNOWN_REVISION,
};

struct known {
	enum known_kind kind;
	char time[CLOCK_TIME_SIZE]; /* the instant; of a revision when it was made */
	const char *epoch; /* of a revision, decimal */
	const char *snapshot; /* of a revision, pg_snapshot as text */
	bool epoch_is_over; /* of a revision: another epoch began since */
	const char *revision; /* sealed, for the client */
	bool is_member; /* of a body: that it lies in the future is a fault of its member (422), not of a parameter (400) */
};

/* Reads the parameter's value, adding faults. The secret must be there (cursor_secret_load()). */
void known_parse(struct call *c, const char *text, size_t n, struct known *ret);
/* The same of a body's member known_at; its fault goes to `faults`. */
void known_parse_member(struct call *c, const char *text, size_t n, struct faults *faults, struct known *ret);
/* A revision's sealed text as an instant. false: it is none of this base. */
bool known_open(struct call *c, const char *text, size_t n, struct known *ret);
/* A time is sealed as itself; a revision with its epoch and the time it was made. NULL: no memory. */
const char *known_seal(struct call *c, const struct known *k);
/* Makes c->known answerable, then goes on: `now` becomes a revision; a time waits until all that was being written then has
 * ended (503 where that takes too long; 400 where it lies in the future). KNOWN_UNASKED goes on at once. */
void known_resolve(struct call *c, void (*ready)(struct call *c));
struct visibility;
/* c->known (resolved) as SQL expressions over parameters that are added behind the *n there are, up to two. NULL: what stands. */
const struct visibility *known_visibility(struct call *c, const char **params, int *n, struct visibility *ret);
/* Known-At and Revision for an answer of one record. Nothing where it was not asked. */
void known_headers(struct call *c);

/* Versions of records with their bodies, for history and feed: the change log says which there are, the resources' tables hold
 * the bodies. Private to api. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "internal.h"

#define VERSIONS_PAGE_BYTES ((size_t)16 << 20) /* a page of versions ends behind it, before its limit */

/* One row of the change log. Texts as PostgreSQL prints them, in the call's arena or a kept result. */
struct version {
	size_t resource; /* its index in resources[] */
	const char *id, *number, *at;
	const char *action, *actor, *request_id; /* NULL: none */
	const char *position; /* of the feed, NULL elsewhere */
	/* Its body, or of a deletion that of the version before; NULL where there is none. Set by versions_fetch(). */
	const struct db_result *body;
	int row;
};

/* The row of a result whose columns from `first` on are id, version, action, at, actor, request id; resource is left to the
 * caller. false: no memory. */
bool version_read(struct call *c, const struct db_result *r, int row, int first, struct version *ret);
const char *version_text(struct call *c, const struct db_result *r, int row, int column); /* a cell, copied; NULL: null */
/* Fetches the bodies of the first so many of them that VERSIONS_PAGE_BYTES are passed, at least of two, then goes on. They stay
 * until versions_done(). */
void versions_fetch(struct call *c, struct version *versions, size_t n, void (*ready)(struct call *c));
size_t versions_fetched(const struct call *c); /* how many, from the first on */
/* Frees the bodies; fine to repeat. */
void versions_done(struct call *c);
bool version_is_deletion(const struct version *v);

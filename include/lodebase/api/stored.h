/* Records as they are on file, for what is to be judged beside them. */
#pragma once

#include <stddef.h>
#include "lodebase/api/resource.h"
#include "lodebase/base/arena.h"

struct call;

struct stored {
	const char *key; /* an id (lower case) or a slug */
	const struct record *record; /* NULL: nobody has it */
};

/* Reads the records that items[] name, as c->known (resolved) has them, into the arena; then `ready` goes on. Items may name one
 * record several times. */
void stored_read(struct call *c, const struct resource *r, struct stored *items, size_t n, struct arena *arena,
		 void (*ready)(struct call *c));

/* The prepared statements that one session has. Each preparation gets a server-side name of its own (the statement's name
 * and a number), so one that failed or went stale is simply forgotten and can never clash with its successor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "lodebase/base/err.h"

enum {
	PREPARED_MAX_SHAPES = 64,
	PREPARED_MAX = 512,
	PREPARED_NAME_SIZE = 64, /* PostgreSQL tells names apart by their first 63 bytes */
};

struct prepared {
	struct hmap *names; /* the statement's name -> its number */
	unsigned last;
	unsigned n_shapes;
};

enum err prepared_init(struct prepared *p) MUST_CHECK;
void prepared_done(struct prepared *p); /* fine where zeroed or done */

/* The number of a prepared statement; 0 where there is none. */
unsigned prepared_find(const struct prepared *p, const char *name);
/* Remembers one about to be prepared. 0: it is to go unprepared (too many shapes, or no memory). */
unsigned prepared_add(struct prepared *p, const char *name, bool shape);
/* Forgets a number; false where it is forgotten already. ret_server_name may be NULL. */
bool prepared_forget(struct prepared *p, unsigned number, char ret_server_name[PREPARED_NAME_SIZE]);
/* The name on the server. */
void prepared_server_name(const char *name, unsigned number, char ret[PREPARED_NAME_SIZE]);

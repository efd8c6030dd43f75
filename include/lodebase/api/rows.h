/* The records of a resource as they were known at an instant, for statements that the layers above compose. */
#pragma once

#include <stdbool.h>
#include "lodebase/base/buf.h"

struct resource;

/* What was known at an instant, as SQL expressions: a time, or a revision's epoch and snapshot (known_visibility() of api/known.h
 * makes them). */
struct visibility {
	const char *time;
	const char *epoch, *snapshot;
	bool epoch_is_over;
};

/* A parenthesised sub-select of the resource's own columns (named as its fields), one row for each record that was known then; an
 * alias is to follow. v NULL: what stands. Conditions on it reach the tables' indexes. */
void compose_rows_known(struct buf *out, const struct resource *r, const struct visibility *v);
/* One arm of it alone: the rows that stand, or those that a later version replaced. A limit on it reaches the indexes, too. */
void compose_rows_known_of(struct buf *out, const struct resource *r, const struct visibility *v, bool past);

/* What the targets of the api layer share: a call without a connection, a stored record without a database. */
#pragma once

#include "internal.h"
#include "fuzz.h"
#include "lodebase/api/resource.h"

#define FUZZ_ARENA ((size_t)64 << 20) /* as the service gives a request */

/* One of all resources, by a byte of the input. */
const struct resource *fuzz_resource(uint8_t choice);

/* A call for a resource, with a secret for cursors; in the arena. */
struct call *fuzz_call(struct arena *a, const struct resource *r);

/* Whether a problem document with these faults is one: JSON in UTF-8, each fault with its place, code and sentence. */
void fuzz_check_faults(const struct faults *f);

/* A record as the server would give it, in its notation: the columns of one row of get, list and write statements. The record's
 * references are ids. db_result_free() frees. */
struct db_result *fuzz_row(struct arena *a, const struct resource *r, const struct record *record);

/* Gives a new record what the service does: id, version and times; and puts ids in the place of the slugs that references name,
 * always the same for one slug. */
void fuzz_settle(struct arena *a, const struct resource *r, struct record *record);

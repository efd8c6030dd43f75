/* Every record of every resource as NDJSON, for a process of its own: the lines of GET /v1/export, by the same encoder. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "lodebase/db/session.h"

/* Writes the base as it stands when it begins: one read-only transaction, page by page, in constant memory. `put` gets whole
 * lines; false from it ends the export (ERR_IO). On another error *ret_error says why. */
enum err export_write(struct db_session *s, bool (*put)(void *data, const char *bytes, size_t n), void *data,
		      uint64_t *ret_records, struct db_error *ret_error) MUST_CHECK;

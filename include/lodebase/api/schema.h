/* The part of the database's schema that follows from the field tables: per resource its history triggers, and those that stand
 * in for a subject's foreign key.
 *
 * Every statement that writes a resource table sets version, updated_at, known_xid and known_epoch itself; the triggers refuse
 * (SQLSTATE LD500, a bug of the writer) a version that is not the old one + 1, an updated_at that is not later, a changed
 * created_at, and an xid or epoch that is not the transaction's. A new row has version 1, or, under an id that was deleted
 * before, lodebase.next_version(resource, id) and an updated_at later than the deletion. A deletion's version and time are the
 * trigger's: old + 1 and greatest(clock_timestamp(), updated_at + 1 µs). Who writes is what write_begin() said. */
#pragma once

#include "lodebase/base/err.h"
#include "lodebase/db/migrate.h"

/* All composed statements as one script for db_migrate(); malloc'ed, NULL: no memory. */
char *schema_compose(void);

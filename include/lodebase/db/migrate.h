/* Brings the schema `lodebase` to this program's version: forward only, checksummed, under an advisory lock, safe with
 * many instances starting at once. */
#pragma once

#include <stddef.h>
#include "lodebase/base/err.h"
#include "lodebase/db/session.h"

struct migration { /* made from sql/migrations/NNNN_name.sql at build */
	int number;
	const char *name;
	const char *sql;
	const char *sha256; /* hex, of sql */
};
extern const struct migration db_migrations[];
extern const size_t db_n_migrations;

struct named_query { /* made from sql/queries/[a-z]*.sql at build: `-- name: changes_after :many` */
	const char *name;
	const char *sql;
};
/* The query of that name; NULL where there is none (a test asks for all of them). */
const char *db_query(const char *name);
extern const struct named_query db_queries[];
extern const size_t db_n_queries;

/* Statements laid after the migrations on every run: functions and triggers composed from the field tables. Idempotent SQL
 * (create or replace), run only where its text differs from what was laid last. */
struct migrate_report {
	int applied; /* migrations applied by this run */
	int version; /* the schema's number now */
	char problem[512]; /* plain English where it failed */
};
/* ERR_CONFLICT: the base was migrated by a newer program, or a recorded migration's checksum differs (report says which).
 * ERR_SQL, ERR_UNAVAILABLE as usual. All in one transaction per migration. */
enum err db_migrate(struct db_session *owner, const char *composed_sql, struct migrate_report *ret) MUST_CHECK;
/* Keeps migrations away until the session is closed, but those of the session itself. */
enum err db_migrate_lock(struct db_session *owner, struct db_error *ret_error) MUST_CHECK;
/* Whether the schema stands at this program's version (as the service's role). ret_version -1: no schema yet. */
enum err db_migrate_check(struct db_session *service, int *ret_version, struct db_error *ret_error) MUST_CHECK;

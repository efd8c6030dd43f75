/* The database as a command line sees it: an external one, the cluster of a running service, or one of its own for as long as
 * the command runs. Blocking. */
#pragma once

#include <stdbool.h>
#include "lodebase/app/account.h"
#include "lodebase/app/embedded_postgres.h"
#include "lodebase/core/config.h"
#include "lodebase/db/migrate.h"
#include "lodebase/db/session.h"

struct database {
	char *service, *owner; /* conninfos; the same where there is one account only */
	bool one_account;
	bool embedded; /* the private cluster */
	struct embedded_postgres *own; /* started here, stopped by database_leave(); NULL: somebody else's */
};

/* Settles the account (account.h) and finds or starts the database. `create`: a data directory may be made. */
enum err database_enter(const struct config *c, const char *holder, bool create, struct database *ret,
			char problem[APP_PROBLEM_SIZE]) MUST_CHECK;
void database_leave(struct database *d);

/* Opens a session as the service or as the owner; waits while a server of our own is starting. With `prepared` the schema is
 * looked at: an embedded base of our own is migrated first, any other must stand at this program's version. */
enum err database_open(struct database *d, bool as_owner, bool prepared, struct db_session **ret,
		       char problem[APP_PROBLEM_SIZE]) MUST_CHECK;

/* The steps of a service's start too. Migrates as the owner; where the owner's account may not, but the schema stands at this
 * program's version already, that is fine. */
enum err database_migrate(const char *owner, const char *service, struct migrate_report *ret) MUST_CHECK;

#define DATABASE_SERVICE_ROLE "lodebase_service"

/* Whether sessions of the account `service` can take the service's role; the owner gives it to the account where it can. And
 * whether the sessions that result can rewrite history. */
struct database_role {
	const char *name; /* DATABASE_SERVICE_ROLE or NULL */
	bool history_protected;
};
enum err database_find_role(const char *owner, const char *service, struct database_role *ret,
			    char problem[APP_PROBLEM_SIZE]) MUST_CHECK;

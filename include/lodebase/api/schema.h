/* The part of the database's schema that follows from the field tables: history triggers, composed per resource. */
#pragma once

#include "lodebase/base/err.h"
#include "lodebase/db/migrate.h"

/* All composed statements as one script for db_migrate(); malloc'ed, NULL: no memory. */
char *schema_compose(void);

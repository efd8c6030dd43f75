/* Files of imports, from the command line and of --seed. Opened before root is left: the account the program runs on may not
 * get at them. */
#pragma once

#include <stddef.h>
#include "lodebase/api/import.h"
#include "lodebase/app/account.h"

struct sources {
	struct import_source *items;
	size_t n, capacity;
};

/* A .json (bundle) or .ndjson file, or, with `directories`, the files of these names in a directory, in the order of their
 * names. */
enum err sources_add(struct sources *s, const char *path, bool directories, char problem[APP_PROBLEM_SIZE]) MUST_CHECK;
void sources_done(struct sources *s);

/* What is new since the last moment, by difference of snapshots: it waits for no transaction that is still under way, and misses
 * nothing, whatever the order in which transactions end. */
#include "follower_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/db/migrate.h"

/* "xmin:xmax:list" as xmax and an array of the list. false: no memory. */
static bool split(struct arena *a, const char *snapshot, const char **ret_xmax, const char **ret_list)
{
	const char *xmax = strchr(snapshot, ':'), *list = xmax ? strchr(xmax + 1, ':') : NULL;

	*ret_xmax = list ? arena_strndup(a, xmax + 1, (size_t)(list - xmax - 1)) : NULL;
	*ret_list = list ? arena_printf(a, "{%s}", list + 1) : NULL;
	return *ret_xmax && *ret_list;
}

/* The first row says where the database stands now. */
static enum err begin(struct follower *f, struct row *row, struct look *look)
{
	if (!row_look(row, look))
		return ERR_NOMEM;
	return look->epoch == f->last->epoch ? OK : ERR_STATE;
}

enum err follower_delta(struct follower *f, struct look *look, struct db_error *error)
{
	char epoch[16];
	const char *params[3] = { epoch };
	struct db_statement statement = {
		.name = "graph_delta", .sql = db_query("graph_delta"), .params = params, .n_params = 3
	};
	struct db_field fields[FOLLOWER_COLUMNS_MAX];
	struct arena *a = arena_new((size_t)4 << 20);
	bool applied = false;
	enum err e;
	int n;

	snprintf(epoch, sizeof(epoch), "%u", f->last->epoch);
	e = a && split(a, f->last->snapshot, &params[1], &params[2]) ? OK : ERR_NOMEM;
	if (e == OK)
		e = db_session_stream(f->session, &statement, error);
	while (e == OK) {
		e = db_session_row(f->session, fields, FOLLOWER_COLUMNS_MAX, &n, error);
		if (e != OK || n == 0)
			break;
		struct row row = { .values = &f->values, .fields = fields, .n = n };

		if (!look->snapshot) {
			e = begin(f, &row, look);
			continue;
		}
		row.at = 3;
		applied = true;
		e = row_apply_change(f->held->store, &row);
		if (e != OK)
			snprintf(error->message, sizeof(error->message), "graph_delta: %s", err_name(e));
	}
	arena_free(a);
	if (e == OK && !look->snapshot)
		e = ERR_UNAVAILABLE;
	/* What was half followed cannot be followed again: a version is written once. */
	if (e != OK && (applied || e == ERR_STATE)) {
		register_unref(f->held);
		f->held = NULL;
	}
	return e;
}

/* All versions of all records into a new register, as one snapshot of the database shows them. */
#include "follower_internal.h"

#include <stdio.h>
#include <string.h>
#include "lodebase/db/migrate.h"

static const struct part {
	const char *query;
	enum graph_resource resource;
} parts[] = {
	{ "graph_load_shareholders", GRAPH_SHAREHOLDERS },
	{ "graph_load_shareholders_past", GRAPH_SHAREHOLDERS },
	{ "graph_load_projects", GRAPH_PROJECTS },
	{ "graph_load_projects_past", GRAPH_PROJECTS },
	{ "graph_load_stakes", GRAPH_STAKES },
	{ "graph_load_stakes_past", GRAPH_STAKES },
};

static enum err load_part(struct follower *f, const struct part *part, struct db_error *error)
{
	struct db_field fields[FOLLOWER_COLUMNS_MAX];
	char sql[2048];
	enum err e;
	int n;

	/* the query may end in a comment */
	if (snprintf(sql, sizeof(sql), "copy (%s\n) to stdout (format binary)", db_query(part->query)) >= (int)sizeof(sql))
		return ERR_STATE;
	e = db_session_copy_out(f->session, sql, error);
	while (e == OK) {
		e = db_session_row(f->session, fields, FOLLOWER_COLUMNS_MAX, &n, error);
		if (e != OK || n == 0)
			break;
		struct row row = { .values = &f->values, .fields = fields, .n = n };

		e = part->resource == GRAPH_STAKES ? row_load_stake(f->held->store, &row)
						   : row_load_node(f->held->store, &row, part->resource);
		if (e != OK)
			snprintf(error->message, sizeof(error->message), "%s: %s", part->query, err_name(e));
	}
	return e;
}

static enum err look_here(struct follower *f, struct look *look, struct db_error *error)
{
	struct db_statement statement = { .sql = db_query("graph_look") };
	struct db_field fields[FOLLOWER_COLUMNS_MAX];
	enum err e = db_session_stream(f->session, &statement, error);
	int n = 0;

	while (e == OK && (e = db_session_row(f->session, fields, FOLLOWER_COLUMNS_MAX, &n, error)) == OK && n > 0) {
		struct row row = { .fields = fields, .n = n };

		if (!row_look(&row, look))
			e = ERR_NOMEM;
	}
	return e;
}

enum err follower_load(struct follower *f, struct look *look, struct db_error *error)
{
	enum err e;

	register_unref(f->held);
	f->held = register_new(f);
	if (!f->held)
		return ERR_NOMEM;
	e = db_session_script(f->session, "begin isolation level repeatable read read only; set local enable_seqscan = on",
			      error);
	if (e == OK)
		e = look_here(f, look, error);
	for (size_t i = 0; e == OK && i < sizeof(parts) / sizeof(parts[0]); i++)
		e = load_part(f, &parts[i], error);
	if (e == OK)
		e = db_session_script(f->session, "commit", error);
	if (e == OK)
		return OK;
	register_unref(f->held);
	f->held = NULL;
	return e;
}

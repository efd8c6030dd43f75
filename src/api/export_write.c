#include "lodebase/api/export.h"

#include <string.h>
#include "export_walk.h"

#define PART_ARENA ((size_t)64 << 20)

static enum err one_part(struct db_session *s, struct export_walk *w, struct arena *arena, struct buf *out,
			 struct db_error *ret_error)
{
	struct composed page;
	struct db_result *rows = NULL;
	enum err e = export_walk_ask(w, arena, &page) ? OK : ERR_NOMEM;

	if (e == OK) {
		struct db_statement statement = { .sql = page.sql, .n_params = page.n_params, .params = page.params };

		e = db_session_run(s, &statement, &rows, ret_error);
	}
	buf_reset(out);
	if (e == OK && (!export_walk_take(w, arena, rows, out) || out->failed))
		e = ERR_NOMEM;
	db_result_free(rows);
	return e;
}

enum err export_write(struct db_session *s, bool (*put)(void *data, const char *bytes, size_t n), void *data,
		      uint64_t *ret_records, struct db_error *ret_error)
{
	/* Whoever reads what is written here may take his time. */
	enum err e = db_session_script(s,
				       "begin transaction isolation level repeatable read, read only; "
				       "set local idle_in_transaction_session_timeout = 0",
				       ret_error);
	struct export_walk w;
	struct buf out;

	buf_init(&out, PART_ARENA);
	export_walk_begin(&w, NULL);
	while (e == OK && !export_walk_is_over(&w)) {
		struct arena *arena = arena_new(PART_ARENA);

		e = arena ? one_part(s, &w, arena, &out, ret_error) : ERR_NOMEM;
		arena_free(arena);
		if (e == OK && out.len > 0 && !put(data, out.data, out.len))
			e = ERR_IO;
	}
	buf_done(&out);
	*ret_records = w.records;
	return e == OK ? db_session_script(s, "commit", ret_error) : e;
}

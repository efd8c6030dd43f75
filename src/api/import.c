#include "lodebase/api/import.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"
#include "import_internal.h"
#include "lodebase/base/clock.h"
#include "lodebase/base/json_writer.h"

#define FAULT_ARENA ((size_t)32 << 20)
#define ANSWER_MAX ((size_t)64 << 20)
#define RECORDS_PER_MS 4 /* at the very least: how long a statement over many records may take */

void import_fail(struct import *im, int status, const char *problem, const char *detail)
{
	struct import_answer *a = im->answer;

	if (im->answered) /* the first reason stands */
		return;
	im->answered = true;
	a->status = status;
	a->problem = problem;
	a->detail = detail;
}

static bool cancelled(const struct import *im)
{
	return im->request->cancelled && atomic_load(im->request->cancelled);
}

bool import_sql_failed(struct import *im, enum err e, struct db_error *error)
{
	if (cancelled(im))
		import_fail(im, 503, "unavailable", "the import was given up; nothing was changed");
	else if (e == ERR_TIMEOUT)
		import_fail(im, 504, "timeout", "the database took too long; nothing was changed");
	else if (e == ERR_NOMEM || e == ERR_FULL)
		import_fail(im, 503, "unavailable", "out of memory; nothing was changed");
	else if (e == ERR_UNAVAILABLE)
		import_fail(im, 503, "unavailable",
			    "the database is away; send the import again, what was written already will be found unchanged");
	else if (e == ERR_SQL && call_language_is_gone(error))
		import_fail(im, 503, "unavailable", CALL_LANGUAGE_IS_GONE);
	else
		import_fail(im, 500, "internal", "the database refused the import; nothing was changed");
	db_error_done(error);
	return false;
}

bool import_moves(struct import *im)
{
	return import_moves_slowly(im, 0);
}

bool import_moves_slowly(struct import *im, uint64_t n)
{
	uint64_t now = clock_monotonic_ms();

	if (cancelled(im)) {
		import_fail(im, 503, "unavailable", "the import was given up; nothing was changed");
		return false;
	}
	if (im->request->patience)
		atomic_store(im->request->patience, n > 0 ? now + n / RECORDS_PER_MS : 0);
	if (im->request->progress)
		atomic_store(im->request->progress, now);
	return true;
}

bool import_run_sql(struct import *im, const char *sql, uint64_t *ret_value)
{
	struct db_result *result = NULL;
	struct db_error error = { 0 };
	enum err e;

	if (cancelled(im))
		return import_sql_failed(im, ERR_UNAVAILABLE, &error);
	e = ret_value ? db_session_query(im->session, &result, &error, sql, 0) : db_session_script(im->session, sql, &error);
	if (e == OK && ret_value)
		*ret_value = strtoull(db_result_value(result, 0, 0), NULL, 10);
	db_result_free(result);
	return e == OK || import_sql_failed(im, e, &error);
}

const char *import_pointer_token(struct arena *arena, const char *name, size_t n)
{
	char *out;
	size_t len = 0;

	if (n > 200)
		for (n = 200; n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80;)
			n--;
	out = arena_alloc(arena, n * 2 + 1);
	for (size_t i = 0; out && i < n; i++) {
		if (name[i] == '~' || name[i] == '/') {
			out[len++] = '~';
			out[len++] = name[i] == '~' ? '0' : '1';
		} else {
			out[len++] = name[i];
		}
	}
	return out;
}

void import_place(struct import *im, struct faults *f, struct arena *arena, unsigned source, const struct import_table *t,
		  uint64_t place)
{
	const struct import_source *s = &im->request->sources[source];

	f->file = s->name;
	f->first = f->n;
	if (s->format == IMPORT_NDJSON) {
		f->line = (long)place;
		f->prefix = "/record";
	} else {
		f->line = 0;
		f->prefix = arena_printf(arena, "/%s/%llu", t->resource->name, (unsigned long long)place);
		if (!f->prefix) {
			f->prefix = "";
			f->truncated = true;
		}
	}
}

void import_faults_of(struct import *im, size_t before, uint64_t n)
{
	for (size_t i = before; i < im->faults.n; i++)
		im->fault_n[i] = n;
}

bool import_refers(const struct import *im, const struct import_table *t, size_t field)
{
	for (size_t k = field * im->n_tables; k < (field + 1) * im->n_tables; k++)
		if (t->by_id[k] || t->by_slug[k])
			return true;
	return false;
}

bool import_has_too_many_faults(const struct import *im)
{
	return im->faults.n >= FAULTS_MAX || im->faults.truncated;
}

/* Stable, and there are few: those found by reading are in order, only what the whole showed goes between. */
static void sort_faults(struct import *im)
{
	for (size_t i = 1; i < im->faults.n; i++) {
		struct fault f = im->faults.items[i];
		uint64_t n = im->fault_n[i];
		size_t k = i;

		for (; k > 0 && im->fault_n[k - 1] > n; k--) {
			im->faults.items[k] = im->faults.items[k - 1];
			im->fault_n[k] = im->fault_n[k - 1];
		}
		im->faults.items[k] = f;
		im->fault_n[k] = n;
	}
}

static void answer_faults(struct import *im)
{
	if (im->malformed)
		import_fail(im, 400, "malformed", "some of the import is no JSON that can be taken; nothing was changed");
	else
		import_fail(im, 422, "invalid", "some of the import is wrong; nothing was changed");
}

void import_write_counts(const struct import *im, struct buf *out)
{
	uint64_t staged = 0, created = 0, updated = 0;
	struct json_writer w;

	for (size_t i = 0; i < im->n_tables; i++) {
		staged += im->tables[i].staged;
		created += im->tables[i].created;
		updated += im->tables[i].updated;
	}
	json_begin(&w, out);
	json_object_begin(&w);
	json_member_int(&w, "created", (int64_t)created);
	json_member_int(&w, "updated", (int64_t)updated);
	json_member_int(&w, "unchanged", (int64_t)(staged - created - updated));
	json_key(&w, "resources");
	json_object_begin(&w);
	for (size_t i = 0; i < im->n_tables; i++) {
		const struct import_table *t = &im->tables[i];

		if (!t->mentioned)
			continue;
		json_key(&w, t->resource->name);
		json_object_begin(&w);
		json_member_int(&w, "created", (int64_t)t->created);
		json_member_int(&w, "updated", (int64_t)t->updated);
		json_member_int(&w, "unchanged", (int64_t)(t->staged - t->created - t->updated));
		json_object_end(&w);
	}
	json_object_end(&w);
	json_object_end(&w);
}

static void answer_counts(struct import *im)
{
	struct import_answer *a = im->answer;

	import_write_counts(im, &a->body);
	a->status = 200;
	a->problem = a->detail = NULL;
}

/* Nothing is left of the temporary tables of an import before, should it have failed half-way. */
static bool prepare(struct import *im)
{
	/* Sorts and joins over hundreds of thousands of rows; beyond this they go to disk. Compiling plans costs more than it gives. */
	return import_run_sql(im, "discard temp", NULL) && import_run_sql(im, "set work_mem = '32MB'; set jit = off", NULL);
}

static bool tables_init(struct import *im)
{
	while (resources[im->n_tables])
		im->n_tables++;
	im->tables = calloc(im->n_tables, sizeof(*im->tables));
	for (size_t i = 0; im->tables && i < im->n_tables; i++) {
		struct import_table *t = &im->tables[i];

		t->resource = resources[i];
		t->by_id = calloc(t->resource->n_fields * im->n_tables, sizeof(*t->by_id));
		t->by_slug = calloc(t->resource->n_fields * im->n_tables, sizeof(*t->by_slug));
		if (!t->by_id || !t->by_slug)
			return false;
	}
	return im->tables != NULL;
}

static void tables_done(struct import *im)
{
	for (size_t i = 0; im->tables && i < im->n_tables; i++) {
		free(im->tables[i].by_id);
		free(im->tables[i].by_slug);
	}
	free(im->tables);
}

void import_run(struct db_session *session, const struct import_request *request, struct import_answer *ret)
{
	struct import *im = calloc(1, sizeof(*im));
	bool fine;

	*ret = (struct import_answer){ .status = 503,
				       .problem = "unavailable",
				       .detail = "out of memory; nothing was changed" };
	buf_init(&ret->errors, ANSWER_MAX);
	buf_init(&ret->extra, ANSWER_MAX);
	buf_init(&ret->body, ANSWER_MAX);
	if (!im)
		return;
	im->session = session;
	im->request = request;
	im->answer = ret;
	im->fault_arena = arena_new(FAULT_ARENA);
	fine = im->fault_arena && tables_init(im);
	if (fine) {
		faults_init(&im->faults, im->fault_arena);
		fine = prepare(im) && import_read(im);
		/* What the whole shows is wanted beside other faults, but not for what is no JSON or wrong a thousand times. */
		if (fine && !im->malformed && !import_has_too_many_faults(im))
			fine = import_merge(im);
		if (fine && (im->faults.n > 0 || im->faults.truncated))
			answer_faults(im);
		else if (fine)
			answer_counts(im);
		if (ret->status != 200) {
			sort_faults(im);
			problem_write_faults(&ret->errors, &im->faults);
			ret->truncated = import_has_too_many_faults(im);
		}
		if (!cancelled(im) && ret->status != 503) {
			struct db_error ignored = { 0 };

			if (db_session_script(session, "discard temp", &ignored) != OK)
				db_error_done(&ignored); /* the next import does it, or the session's end */
		}
	}
	tables_done(im);
	arena_free(im->fault_arena);
	free(im);
}

void import_answer_done(struct import_answer *a)
{
	buf_done(&a->errors);
	buf_done(&a->extra);
	buf_done(&a->body);
}

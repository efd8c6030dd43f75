/* Records in batches: each is checked beside what is stored, and all are copied into temporary tables, faulty ones too: a
 * reference to one is not unknown for that. A batch is as much as the database is asked about at once. */
#include "import_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"
#include "lodebase/base/hmap.h"
#include "lodebase/base/uuid.h"

#define BATCH_RECORDS 5000
#define BATCH_TEXT ((size_t)4 << 20) /* of its records as they were sent: then it is full */
#define BATCH_FULL ((size_t)24 << 20) /* of its arena: likewise */
#define BATCH_ARENA ((size_t)96 << 20) /* and what the last record, of 1 MiB, may take beyond */
#define COPY_MAX ((size_t)192 << 20)

struct import_pending {
	struct import_table *table;
	struct record_input input;
	struct faults faults; /* its own, in the batch's arena */
	uint64_t n, place;
	unsigned source;
};

static void put_field(struct buf *b, const char *value)
{
	buf_putc(b, '\t');
	if (!value) {
		buf_puts(b, "\\N");
		return;
	}
	for (;;) {
		size_t n = strcspn(value, "\\\t\n\r");

		buf_put(b, value, n);
		value += n;
		if (!*value)
			return;
		buf_putc(b, '\\');
		buf_putc(b, *value == '\t' ? 't' : *value == '\n' ? 'n' : *value == '\r' ? 'r' : '\\');
		value++;
	}
}

/* The index of a reference's target among the tables; -1: the resource of a subject was refused. */
static int target_index(const struct import *im, const struct resource *r, size_t field, const struct record *record)
{
	const struct resource *target = resource_target(r, field, record);

	for (size_t k = 0; target && k < im->n_tables; k++)
		if (im->tables[k].resource == target)
			return (int)k;
	return -1;
}

static void put_row(struct import *im, const struct import_pending *p, const char *id, bool fresh)
{
	struct buf *b = &im->copy;
	const struct resource *r = p->table->resource;
	const struct record *record = &p->input.record;

	buf_printf(b, "%llu\t%u\t%llu\t%s\t%s", (unsigned long long)p->n, p->source, (unsigned long long)p->place,
		   fresh ? "t" : "f", record->given[RESOURCE_ID] ? "t" : "f");
	put_field(b, id);
	put_field(b, record->values[RESOURCE_SLUG]);
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++) {
		const char *value = record->values[i];
		bool by_id;
		int target;

		if (!field_is_reference(&r->fields[i])) {
			put_field(b, value);
			continue;
		}
		target = target_index(im, r, i, record);
		if (target < 0)
			value = NULL;
		by_id = value && uuid_is_text(value, strlen(value));
		put_field(b, by_id ? value : NULL);
		put_field(b, by_id ? NULL : value);
		if (value)
			(by_id ? p->table->by_id : p->table->by_slug)[i * im->n_tables + (size_t)target] = true;
	}
	buf_putc(b, '\n');
}

/* The stored record that a pending one replaces: the one with its slug, else the one with its id. */
static const struct record *stored_of(const struct hmap *found, const struct record *record)
{
	const char *slug = record->values[RESOURCE_SLUG], *id = record->values[RESOURCE_ID];
	const struct record *stored = slug ? hmap_get(found, slug, strlen(slug)) : NULL;

	return stored || !id ? stored : hmap_get(found, id, strlen(id));
}

/* All records of a table that the batch may replace, by slug and by id (neither can be mistaken for the other). */
static bool find_stored(struct import *im, const struct import_table *t, struct hmap *found)
{
	const char **slugs = arena_alloc(im->arena, im->n_pending * sizeof(*slugs));
	const char **ids = arena_alloc(im->arena, im->n_pending * sizeof(*ids));
	const char *slug_array, *id_array;
	size_t n_slugs = 0, n_ids = 0;
	struct db_result *result = NULL;
	struct db_error error = { 0 };
	char *sql = import_sql_stored(t);
	bool fine = true;
	enum err e;

	for (size_t i = 0; slugs && ids && i < im->n_pending; i++) {
		const struct record *record = &im->pending[i].input.record;

		if (im->pending[i].table != t)
			continue;
		if (record->values[RESOURCE_SLUG])
			slugs[n_slugs++] = record->values[RESOURCE_SLUG];
		if (record->values[RESOURCE_ID])
			ids[n_ids++] = record->values[RESOURCE_ID];
	}
	slug_array = slugs && ids ? compose_array(im->arena, slugs, n_slugs) : NULL;
	id_array = slug_array ? compose_array(im->arena, ids, n_ids) : NULL;
	if (!sql || !id_array) {
		free(sql);
		return import_sql_failed(im, ERR_NOMEM, &error);
	}
	e = db_session_query(im->session, &result, &error, sql, 2, slug_array, id_array);
	free(sql);
	if (e != OK) {
		db_result_free(result);
		return import_sql_failed(im, e, &error);
	}
	for (int row = 0; fine && row < db_result_rows(result); row++) {
		struct record *record = encode_to_record(im->arena, t->resource, result, row);
		const char *slug = record ? record->values[RESOURCE_SLUG] : NULL;

		fine = record && (!slug || hmap_set(found, slug, strlen(slug), record, NULL) == OK) &&
		       hmap_set(found, record->values[RESOURCE_ID], strlen(record->values[RESOURCE_ID]), record, NULL) == OK;
	}
	db_result_free(result);
	return fine || import_sql_failed(im, ERR_NOMEM, &error);
}

/* Adds a pending record's own faults to those of the import. */
static void take_over(struct import *im, const struct import_pending *p)
{
	size_t before = im->faults.n;

	im->faults.line = p->faults.line;
	im->faults.file = p->faults.file;
	for (size_t i = 0; i < p->faults.n; i++)
		faults_add(&im->faults, p->faults.items[i].place, p->faults.items[i].where, p->faults.items[i].code, "%s",
			   p->faults.items[i].detail);
	im->faults.truncated = im->faults.truncated || p->faults.truncated;
	import_faults_of(im, before, p->n);
}

static void check_pending(struct import *im, struct import_pending *p, const struct hmap *found)
{
	const struct resource *r = p->table->resource;
	struct record *record = &p->input.record;
	const struct record *stored = found && p->input.readable ? stored_of(found, record) : NULL;
	char id[UUID_TEXT_SIZE];
	bool fresh;

	if (p->input.readable) {
		if (!record->values[RESOURCE_SLUG] && !record->given[RESOURCE_ID] && !faults_has_member(&p->faults, "slug") &&
		    r->slug_optional) {
			faults_member(&p->faults, "slug", "required", "a record without a slug needs its id: give one of them");
			faults_member(&p->faults, "id", "required", "a record without a slug needs its id: give one of them");
		}
		validate_read_only(r, &p->input, stored, true, &p->faults);
		validate_complete(im->arena, r, record, NULL, stored, &p->faults);
	}
	take_over(im, p);
	if (!p->input.readable)
		return;
	fresh = !record->values[RESOURCE_ID];
	if (fresh)
		uuid7_new(&im->ids, id);
	put_row(im, p, fresh ? id : record->values[RESOURCE_ID], fresh);
	p->table->staged++;
}

/* Waits until what was copied is in. */
static bool copy_finish(struct import *im, const char *abort_reason)
{
	struct db_error error = { 0 };
	enum err e;

	if (!im->copying)
		return true;
	im->copying = false;
	e = db_session_copy_end(im->session, abort_reason, &error);
	if (abort_reason) { /* which is an error of the statement, as it should */
		db_error_done(&error);
		return true;
	}
	return e == OK || import_sql_failed(im, e, &error);
}

static bool copy_rows(struct import *im, const struct import_table *t)
{
	struct db_error error = { 0 };
	char *sql;
	enum err e;

	if (im->copy.failed || arena_failed(im->arena))
		return import_sql_failed(im, ERR_NOMEM, &error);
	if (im->copy.len == 0)
		return true;
	if (!copy_finish(im, NULL))
		return false;
	sql = import_sql_copy(t);
	e = sql ? db_session_copy_begin(im->session, sql, &error) : ERR_NOMEM;
	free(sql);
	if (e == OK) {
		im->copying = true;
		e = db_session_copy_put(im->session, im->copy.data, im->copy.len);
	}
	return e == OK || import_sql_failed(im, e, &error);
}

/* The temporary table of a resource, made for its first record. */
static bool prepare(struct import *im, struct import_table *t)
{
	char *sql, any[200];
	uint64_t n = 0;
	bool fine;

	if (t->prepared)
		return true;
	if (!copy_finish(im, NULL))
		return false;
	sql = import_sql_create(t);
	fine = sql ? import_run_sql(im, sql, NULL) : import_sql_failed(im, ERR_NOMEM, &(struct db_error){ 0 });
	free(sql);
	snprintf(any, sizeof(any), "select count(*) from (select from %s limit 1) x", t->resource->table);
	if (!fine || !import_run_sql(im, any, &n))
		return false;
	t->empty = n == 0;
	t->prepared = true;
	return true;
}

static bool flush_table(struct import *im, struct import_table *t)
{
	struct hmap *found;
	bool fine = true;

	if (!prepare(im, t))
		return false;
	found = t->empty ? NULL : hmap_new(2 * im->n_pending + 2);
	if (!t->empty && !found)
		return import_sql_failed(im, ERR_NOMEM, &(struct db_error){ 0 });
	if (found)
		fine = copy_finish(im, NULL) && find_stored(im, t, found);
	buf_reset(&im->copy);
	for (size_t i = 0; fine && i < im->n_pending && !import_has_too_many_faults(im); i++)
		if (im->pending[i].table == t)
			check_pending(im, &im->pending[i], found);
	hmap_free(found, NULL);
	return fine && copy_rows(im, t);
}

bool import_batch_flush(struct import *im)
{
	bool fine;

	if (im->n_pending == 0)
		return true;
	fine = import_moves(im) && copy_finish(im, NULL);
	for (size_t t = 0; fine && t < im->n_tables; t++) {
		bool any = false;

		for (size_t i = 0; i < im->n_pending && !any; i++)
			any = im->pending[i].table == &im->tables[t];
		if (any)
			fine = flush_table(im, &im->tables[t]);
	}
	im->n_pending = im->pending_faults = im->pending_bytes = 0;
	arena_free(im->arena);
	im->arena = fine ? arena_new(BATCH_ARENA) : NULL;
	return fine && (im->arena || import_sql_failed(im, ERR_NOMEM, &(struct db_error){ 0 }));
}

bool import_batch_add(struct import *im, struct import_table *t, const struct json_document *d, const json_t *object,
		      uint64_t place, size_t bytes)
{
	struct import_pending *p = &im->pending[im->n_pending++];

	t->mentioned = true;
	*p = (struct import_pending){ .table = t, .n = im->n, .place = place, .source = im->source };
	faults_init(&p->faults, im->arena);
	import_place(im, &p->faults, im->arena, im->source, t, place);
	if (!p->faults.prefix || !validate_read(im->arena, t->resource, d, object, &p->faults, &p->input))
		return import_sql_failed(im, ERR_NOMEM, &(struct db_error){ 0 });
	im->pending_faults += p->faults.n;
	im->pending_bytes += bytes;
	if (im->n_pending == BATCH_RECORDS || im->pending_bytes > BATCH_TEXT || arena_used(im->arena) > BATCH_FULL ||
	    im->faults.n + im->pending_faults >= FAULTS_MAX)
		return import_batch_flush(im);
	return true;
}

bool import_batch_begin(struct import *im)
{
	buf_init(&im->copy, COPY_MAX);
	im->arena = arena_new(BATCH_ARENA);
	im->pending = calloc(BATCH_RECORDS, sizeof(*im->pending));
	return (im->arena && im->pending) || import_sql_failed(im, ERR_NOMEM, &(struct db_error){ 0 });
}

bool import_batch_end(struct import *im, bool fine)
{
	fine = copy_finish(im, fine ? NULL : "given up") && fine;
	arena_free(im->arena);
	im->arena = NULL;
	free(im->pending);
	im->pending = NULL;
	buf_done(&im->copy);
	return fine;
}

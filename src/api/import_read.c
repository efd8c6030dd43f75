/* Reads the sources record by record, checks each beside what is stored, and copies all into temporary tables, faulty ones
 * too: a reference to one is not unknown for that. A batch is as much as one question to the database is asked for. */
#include "import_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "call.h"
#include "lodebase/base/hmap.h"
#include "lodebase/base/uuid.h"

#define BATCH_RECORDS 5000
#define BATCH_BYTES ((size_t)24 << 20) /* of its arena: then it is full */
#define BATCH_ARENA ((size_t)96 << 20) /* and what the last record, of 1 MiB, may take beyond */
#define COPY_MAX ((size_t)192 << 20)
#define NAMES_MAX (2 * FAULTS_MAX)

struct import_pending {
	struct import_table *table;
	struct record_input input;
	struct faults faults; /* its own, in the batch's arena */
	uint64_t n, place;
	unsigned source;
};

/* What the reader's present source is in. */
struct reading {
	struct import *im;
	struct import_reader reader;
	struct import_table *table; /* of a bundle's list, NULL: unknown */
	struct hmap *names; /* of a bundle's members */
	const char *name; /* the present one's, as a token of a pointer; in the fault arena */
	size_t bytes; /* of records in the batch */
	bool stopped; /* nothing behind this can be trusted */
};

/* --- a batch to the database --------------------------------------------------------------------------------------- */

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

static void put_row(struct buf *b, const struct import_pending *p, const char *id, bool fresh)
{
	const struct resource *r = p->table->resource;
	const struct record *record = &p->input.record;

	buf_printf(b, "%llu\t%u\t%llu\t%s\t%s", (unsigned long long)p->n, p->source, (unsigned long long)p->place,
		   fresh ? "t" : "f", record->given[RESOURCE_ID] ? "t" : "f");
	put_field(b, id);
	put_field(b, record->values[RESOURCE_SLUG]);
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++) {
		const char *value = record->values[i];
		bool by_id;

		if (r->fields[i].type != FIELD_REF) {
			put_field(b, value);
			continue;
		}
		by_id = value && uuid_is_text(value, strlen(value));
		put_field(b, by_id ? value : NULL);
		put_field(b, by_id ? NULL : value);
		if (value)
			*(by_id ? &p->table->by_id[i] : &p->table->by_slug[i]) = true;
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
		uuid7_new(id);
	put_row(&im->copy, p, fresh ? id : record->values[RESOURCE_ID], fresh);
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

	if (im->copy.failed)
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

static bool flush_table(struct import *im, struct import_table *t)
{
	struct hmap *found = t->empty ? NULL : hmap_new(2 * im->n_pending + 2);
	bool fine = true;

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

static bool flush(struct reading *g)
{
	struct import *im = g->im;
	bool fine = import_moves(im) && copy_finish(im, NULL);

	for (size_t t = 0; fine && t < im->n_tables; t++) {
		bool any = false;

		for (size_t i = 0; i < im->n_pending && !any; i++)
			any = im->pending[i].table == &im->tables[t];
		if (any)
			fine = flush_table(im, &im->tables[t]);
	}
	im->n_pending = im->pending_faults = 0;
	g->bytes = 0;
	arena_free(im->arena);
	im->arena = fine ? arena_new(BATCH_ARENA) : NULL;
	return fine && (im->arena || import_sql_failed(im, ERR_NOMEM, &(struct db_error){ 0 }));
}

/* --- records --------------------------------------------------------------------------------------------------------- */

/* A fault that is nobody's but the line's, or the member's of a bundle. */
static void fault(struct reading *g, const char *where, const char *code, const char *detail)
{
	struct import *im = g->im;
	size_t before = im->faults.n;

	im->faults.file = im->request->sources[im->source].name;
	im->faults.line = g->reader.format == IMPORT_NDJSON ? (long)g->reader.item_line : 0;
	faults_add(&im->faults, FAULT_POINTER, where, code, "%s", detail ? detail : code);
	import_faults_of(im, before, im->n);
}

static void syntax_fault(struct reading *g, const char *where, const char *reason, uint64_t line, uint64_t column)
{
	char detail[300];

	/* a line of NDJSON is named beside its fault */
	if (g->reader.format == IMPORT_NDJSON)
		snprintf(detail, sizeof(detail), "no JSON that can be taken: %s (column %llu)", reason,
			 (unsigned long long)column);
	else
		snprintf(detail, sizeof(detail), "no JSON that can be taken: %s (line %llu, column %llu)", reason,
			 (unsigned long long)line, (unsigned long long)column);
	fault(g, where, "format", detail);
	g->im->malformed = true;
}

/* Parses what the reader has. false: it was no JSON, and that is said at `where`. */
static bool parse(struct reading *g, const char *(*where)(struct reading *g), struct json_document *ret)
{
	struct json_fault why;
	enum err e = json_document_parse(g->reader.text.data, g->reader.text.len, ret, &why);

	if (e == OK)
		return true;
	if (e == ERR_NOMEM)
		snprintf(why.reason, sizeof(why.reason), "it takes more memory than there is");
	syntax_fault(g, where(g), why.reason, g->reader.item_line + (why.line > 0 ? (uint64_t)why.line - 1 : 0),
		     why.line > 1 ? (uint64_t)why.column
				  : g->reader.item_column + (why.column > 0 ? (uint64_t)why.column - 1 : 0));
	return false;
}

/* Takes a record into the batch. */
static bool add(struct reading *g, struct import_table *t, const struct json_document *d, const json_t *object, uint64_t place)
{
	struct import *im = g->im;
	struct import_pending *p = &im->pending[im->n_pending++];

	t->mentioned = true;
	*p = (struct import_pending){ .table = t, .n = im->n, .place = place, .source = im->source };
	faults_init(&p->faults, im->arena);
	import_place(im, &p->faults, im->arena, im->source, t, place);
	if (!p->faults.prefix || !validate_read(im->arena, t->resource, d, object, &p->faults, &p->input))
		return import_sql_failed(im, ERR_NOMEM, &(struct db_error){ 0 });
	im->pending_faults += p->faults.n;
	g->bytes += g->reader.text.len;
	if (im->n_pending == BATCH_RECORDS || g->bytes > BATCH_BYTES / 6 || arena_used(im->arena) > BATCH_BYTES ||
	    im->faults.n + im->pending_faults >= FAULTS_MAX)
		return flush(g);
	return true;
}

static const char *at_top(struct reading *g)
{
	(void)g;
	return "";
}

static const char *at_token(struct reading *g, const char *token)
{
	const char *where = arena_printf(g->im->fault_arena, "/%s", token ? token : "");

	return where ? where : "";
}

static const char *at_member(struct reading *g)
{
	return at_token(g, g->name);
}

static const char *at_record(struct reading *g)
{
	const char *where;

	if (g->reader.format == IMPORT_NDJSON)
		return "";
	where = arena_printf(g->im->fault_arena, "/%s/%llu", g->name, (unsigned long long)g->reader.index);
	return where ? where : "";
}

static const char *resource_names(struct import *im)
{
	const char *list = "";

	for (size_t i = 0; i < im->n_tables && list; i++)
		list = arena_printf(im->fault_arena, "%s%s%s", list, i ? ", " : "", im->tables[i].resource->name);
	return list ? list : "";
}

static struct import_table *table_named(struct import *im, const char *name, size_t n)
{
	for (size_t i = 0; i < im->n_tables; i++)
		if (strlen(im->tables[i].resource->name) == n && memcmp(im->tables[i].resource->name, name, n) == 0)
			return &im->tables[i];
	return NULL;
}

/* One line of NDJSON, {"resource": …, "record": {…}}. */
static bool line_read(struct reading *g, const struct json_document *d)
{
	struct import *im = g->im;
	json_t *resource, *record, *v;
	struct import_table *t = NULL;
	const char *name;
	size_t name_len;

	if (!json_is_object(d->root)) {
		fault(g, "", "type", "a line is an object {\"resource\": …, \"record\": {…}}");
		return true;
	}
	json_object_keylen_foreach(d->root, name, name_len, v)
	{
		if ((name_len == 8 && memcmp(name, "resource", 8) == 0) || (name_len == 6 && memcmp(name, "record", 6) == 0))
			continue;
		fault(g, at_token(g, import_pointer_token(im->fault_arena, name, name_len)), "unknown",
		      "a line has just the members resource and record");
	}
	resource = json_object_get(d->root, "resource");
	record = json_object_get(d->root, "record");
	if (!resource)
		fault(g, "/resource", "required", "resource is required");
	else if (!json_is_string(resource))
		fault(g, "/resource", "type", "must be a string");
	else if (!(t = table_named(im, json_string_value(resource), json_string_length(resource))))
		fault(g, "/resource", "enum", arena_printf(im->fault_arena, "must be one of: %s", resource_names(im)));
	if (!record)
		fault(g, "/record", "required", "record is required");
	return !t || !record || add(g, t, d, record, g->reader.item_line);
}

static bool item(struct reading *g)
{
	struct import *im = g->im;
	struct json_document d;
	bool fine = true;

	im->n++;
	if (!parse(g, at_record, &d)) {
		/* In a bundle nothing behind it can be trusted, a line stands for itself. */
		if (g->reader.format == IMPORT_BUNDLE)
			g->stopped = true;
		return true;
	}
	if (g->reader.format == IMPORT_NDJSON)
		fine = line_read(g, &d);
	else if (g->table)
		fine = add(g, g->table, &d, d.root, g->reader.index);
	json_document_done(&d);
	return fine;
}

static void too_long(struct reading *g)
{
	g->im->n++;
	fault(g, at_record(g), "length",
	      g->reader.format == IMPORT_NDJSON ? "a line may have 1 MiB" : "a record may have 1 MiB");
}

/* A member of a bundle begins. */
static void member(struct reading *g)
{
	struct import *im = g->im;
	struct json_document d;
	const char *name, *known;
	size_t n;

	im->n++;
	g->table = NULL;
	g->name = "";
	if (g->reader.text.failed) {
		fault(g, "", "unknown", "a bundle has no member with so long a name");
		return;
	}
	if (!parse(g, at_top, &d)) {
		g->stopped = true;
		return;
	}
	name = json_string_value(d.root);
	n = json_string_length(d.root);
	g->table = table_named(im, name, n);
	known = import_pointer_token(im->fault_arena, name, n);
	g->name = g->table ? g->table->resource->name : known ? known : "";
	if (hmap_get(g->names, name, n)) {
		syntax_fault(g, at_member(g), "a member twice", g->reader.item_line, g->reader.item_column);
		g->stopped = true;
	} else if (hmap_set(g->names, name, n, g, NULL) != OK) {
		im->faults.truncated = true;
	}
	if (g->table)
		g->table->mentioned = true;
	else if (!g->stopped)
		fault(g, at_member(g), "unknown",
		      arena_printf(im->fault_arena, "there is no such resource: a bundle has lists of %s", resource_names(im)));
	json_document_done(&d);
}

static void no_list(struct reading *g)
{
	struct json_document d;

	if (!g->reader.text.failed) {
		if (!parse(g, at_member, &d)) {
			g->stopped = true;
			return;
		}
		json_document_done(&d);
	}
	if (g->table)
		fault(g, at_member(g), "type", "must be a list of records");
}

static void no_bundle(struct reading *g)
{
	struct json_document d;

	if (!g->reader.text.failed) {
		if (!parse(g, at_top, &d)) {
			g->stopped = true;
			return;
		}
		json_document_done(&d);
	}
	fault(g, "", "type", "a bundle is an object of lists, such as {\"shareholders\": [ … ]}");
}

static bool read_source(struct import *im)
{
	struct reading g = { .im = im };
	enum import_event event = IMPORT_END;
	uint64_t events = 0;
	bool fine = import_reader_init(&g.reader, &im->request->sources[im->source]) && (g.names = hmap_new(NAMES_MAX)) != NULL;

	if (!fine)
		import_sql_failed(im, ERR_NOMEM, &(struct db_error){ 0 });
	while (fine && !g.stopped && !import_has_too_many_faults(im)) {
		event = import_reader_next(&g.reader);
		if (++events % 1024 == 0 && !import_moves(im)) {
			fine = false;
			break;
		}
		if (event == IMPORT_END || event == IMPORT_FAILED || event == IMPORT_MALFORMED)
			break;
		if (event == IMPORT_ITEM)
			fine = item(&g);
		else if (event == IMPORT_TOO_LONG)
			too_long(&g);
		else if (event == IMPORT_MEMBER)
			member(&g);
		else if (event == IMPORT_NO_LIST)
			no_list(&g);
		else
			no_bundle(&g);
	}
	if (fine && event == IMPORT_MALFORMED) {
		im->n++;
		syntax_fault(&g, "", g.reader.reason, g.reader.item_line, g.reader.item_column);
	} else if (fine && event == IMPORT_FAILED) {
		import_fail(im, 503, "unavailable", "the import could not be read to its end; nothing was changed");
		fine = false;
	}
	if (fine && im->n_pending > 0)
		fine = flush(&g);
	import_reader_done(&g.reader);
	hmap_free(g.names, NULL);
	return fine;
}

bool import_read(struct import *im)
{
	bool fine;

	buf_init(&im->copy, COPY_MAX);
	im->arena = arena_new(BATCH_ARENA);
	im->pending = calloc(BATCH_RECORDS, sizeof(*im->pending));
	fine = (im->arena && im->pending) || import_sql_failed(im, ERR_NOMEM, &(struct db_error){ 0 });
	for (im->source = 0; fine && im->source < im->request->n_sources && !import_has_too_many_faults(im); im->source++)
		fine = read_source(im);
	fine = copy_finish(im, fine ? NULL : "given up") && fine;
	arena_free(im->arena);
	im->arena = NULL;
	free(im->pending);
	buf_done(&im->copy);
	return fine;
}

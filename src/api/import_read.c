/* Reads the sources: bundles and lines of NDJSON into records, and what is none into faults. */
#include "import_internal.h"

#include <stdio.h>
#include <string.h>
#include "lodebase/base/hmap.h"

#define NAMES_MAX (2 * FAULTS_MAX)

/* What the reader's present source is in. */
struct reading {
	struct import *im;
	struct import_reader reader;
	struct import_table *table; /* of a bundle's list, NULL: unknown */
	struct hmap *names; /* of a bundle's members */
	const char *name; /* the present one's, as a token of a pointer; in the fault arena */
	bool stopped; /* nothing behind this can be trusted */
};

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
	return !t || !record || import_batch_add(im, t, d, record, g->reader.item_line, g->reader.text.len);
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
		fine = import_batch_add(im, g->table, &d, d.root, g->reader.index, g->reader.text.len);
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
	if (fine)
		fine = import_batch_flush(im);
	import_reader_done(&g.reader);
	hmap_free(g.names, NULL);
	return fine;
}

bool import_read(struct import *im)
{
	bool fine = import_batch_begin(im);

	for (im->source = 0; fine && im->source < im->request->n_sources && !import_has_too_many_faults(im); im->source++)
		fine = read_source(im);
	return import_batch_end(im, fine);
}

/* Whole lists as CSV, NDJSON or GeoJSON: page after page at one revision, so that what is written meanwhile neither shows nor
 * shifts anything, and no more than a page is held. */
#include <string.h>
#include "list.h"
#include "stream.h"

#define PAGE_FIRST 50
#define PAGE_MAX 500
#define PART_BYTES ((size_t)1 << 20) /* a part ends behind it, and a page is made to have about as much */

static const struct {
	const char *media_type, *content_type;
} formats[] = {
	[LIST_JSON] = { "application/json", "application/json" },
	[LIST_CSV] = { "text/csv", "text/csv; charset=utf-8; header=present" },
	[LIST_NDJSON] = { "application/x-ndjson", "application/x-ndjson" },
	[LIST_GEOJSON] = { "application/geo+json", "application/geo+json" },
};

enum list_format list_format(const char *media_type)
{
	for (size_t i = 0; media_type && i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].media_type, media_type) == 0)
			return (enum list_format)i;
	return LIST_JSON;
}

bool list_has_media_type(const struct resource *r, const char *type)
{
	return list_format(type) != LIST_GEOJSON ||
	       (resource_field(r, "latitude", 8) >= 0 && resource_field(r, "longitude", 9) >= 0);
}

/* What stands before the first record. */
static void begin(struct call *c)
{
	const struct list_state *s = c->state;

	if (s->format == LIST_CSV)
		encode_csv_header(&c->out, c->resource, &s->projection);
	else if (s->format == LIST_GEOJSON)
		buf_puts(&c->out, "{\"type\":\"FeatureCollection\",\"features\":[");
}

static void write_feature(struct buf *out, const struct list_state *s, const struct db_result *r, int row)
{
	int latitude = resource_field(s->query.resource, "latitude", 8);
	int longitude = resource_field(s->query.resource, "longitude", 9);
	struct json_writer w;

	json_begin(&w, out);
	json_object_begin(&w);
	json_member_string(&w, "type", "Feature");
	json_member_string(&w, "id", db_result_value(r, row, RESOURCE_ID));
	json_key(&w, "geometry");
	if (db_result_is_null(r, row, latitude)) {
		json_nil(&w);
	} else {
		json_object_begin(&w);
		json_member_string(&w, "type", "Point");
		json_key(&w, "coordinates");
		json_array_begin(&w);
		encode_cell(&w, &s->query.resource->fields[longitude], r, row, longitude);
		encode_cell(&w, &s->query.resource->fields[latitude], r, row, latitude);
		json_array_end(&w);
		json_object_end(&w);
	}
	json_key(&w, "properties");
	json_raw(&w, "", 0);
	encode_record(out, s->query.resource, r, row, s->projected ? &s->projection : NULL);
	json_object_end(&w);
}

static void write_row(struct call *c, const struct db_result *r, int row, bool first)
{
	const struct list_state *s = c->state;

	switch (s->format) {
	case LIST_CSV:
		encode_csv_row(&c->out, c->resource, r, row, &s->projection);
		break;
	case LIST_GEOJSON:
		buf_puts(&c->out, first ? "\n" : ",\n");
		write_feature(&c->out, s, r, row);
		break;
	default:
		encode_record(&c->out, c->resource, r, row, s->projected ? &s->projection : NULL);
		buf_putc(&c->out, '\n');
	}
}

/* Remembers the sort values of a row beyond the part that it came in. */
static bool keep_row(struct call *c, const struct db_result *r, int row)
{
	struct list_query *q = &((struct list_state *)c->state)->query;

	if (!q->after)
		q->after = arena_alloc(c->request->arena, q->n_keys * sizeof(*q->after));
	buf_reset(&c->carry);
	for (size_t i = 0; q->after && i < q->n_keys; i++) {
		int column = (int)(q->keys[i].field - q->resource->fields);

		if (!db_result_is_null(r, row, column))
			buf_put(&c->carry, db_result_value(r, row, column), (size_t)db_result_length(r, row, column) + 1);
	}
	for (size_t i = 0, at = 0; q->after && i < q->n_keys; i++) {
		int column = (int)(q->keys[i].field - q->resource->fields);

		q->after[i] = NULL;
		if (db_result_is_null(r, row, column))
			continue;
		q->after[i] = c->carry.data + at;
		at += (size_t)db_result_length(r, row, column) + 1;
	}
	return q->after && !c->carry.failed;
}

/* How many records like those of this page are asked for at once. */
static unsigned page_size(const struct db_result *r)
{
	int rows = db_result_rows(r);
	size_t bytes = 1, n;

	for (int i = 0; i < rows; i++)
		for (int k = 0; k < db_result_columns(r); k++)
			bytes += (size_t)db_result_length(r, i, k);
	n = PART_BYTES * (size_t)rows / bytes + 1;
	return n < PAGE_MAX ? (unsigned)n : PAGE_MAX;
}

static void ask(struct call *c);

static void more(struct call *c)
{
	stream_start_part(c, ask);
}

static void paged(struct call *c)
{
	struct list_state *s = c->state;
	const struct db_result *r = c->job.results[0];
	int rows = db_result_rows(r), written = 0;
	bool first = c->stream == CALL_NO_STREAM, last;

	if (stream_key_is_over(c, 1))
		return;
	if (first) {
		call_header(c, "Cache-Control", "no-cache");
		if (s->instant_told)
			known_headers(c);
		stream_begin(c, formats[s->format].content_type, more);
		if (c->stream == CALL_NO_STREAM)
			return; /* HEAD */
		c->stream_busy = true;
		begin(c);
	}
	for (; written < rows && c->out.len < PART_BYTES; written++)
		write_row(c, r, written, first && written == 0);
	last = written == rows && rows < (int)s->query.limit;
	s->query.limit = page_size(r);
	if (last && s->format == LIST_GEOJSON)
		buf_puts(&c->out, "\n]}\n");
	if (!last && !keep_row(c, r, written - 1))
		stream_end(c, false);
	else
		stream_part(c, last);
}

static void ask(struct call *c)
{
	struct list_state *s = c->state;

	if (!compose_list(c->arena, &s->query, &s->list)) {
		call_fail(c, 500, "internal", "the query is too large");
		return;
	}
	call_statement(c, 0, NULL, s->list.sql, s->list.params, s->list.n_params);
	call_query(c, DB_SLOW, 1 + stream_ask_key(c, 1), false, paged);
}

void list_stream_run(struct call *c)
{
	struct list_state *s = c->state;

	if (!stream_take_place(c))
		return;
	s->instant_told = c->known.kind != KNOWN_UNASKED;
	if (c->known.kind == KNOWN_UNASKED)
		c->known.kind = KNOWN_NOW;
	s->query.known = &c->known;
	s->query.limit = PAGE_FIRST;
	if (!s->projected && !projection_plain(c, &s->projection)) {
		call_out_of_memory(c);
		return;
	}
	known_resolve(c, ask);
}

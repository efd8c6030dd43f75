/* The row encoder: rows of text straight into JSON, by the field table. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"
#include "lodebase/base/decimal.h"
#include "lodebase/base/json_writer.h"

void encode_compact(struct buf *out_buf, const char *s, size_t n)
{
	char *out = buf_reserve(out_buf, n);
	size_t len = 0;
	bool in_string = false;

	if (!out)
		return;
	for (size_t i = 0; i < n; i++) {
		if (in_string && s[i] == '\\' && i + 1 < n) {
			out[len++] = s[i++];
		} else if (s[i] == '"') {
			in_string = !in_string;
		} else if (!in_string && s[i] == ' ') {
			continue;
		}
		out[len++] = s[i];
	}
	buf_advance(out_buf, len);
}

static size_t trimmed(const char *s, size_t n)
{
	if (!memchr(s, '.', n))
		return n;
	while (s[n - 1] == '0')
		n--;
	return s[n - 1] == '.' ? n - 1 : n;
}

static void put_value(struct buf *out, const struct field *f, const struct db_cell *cell)
{
	const char *s = cell->text;
	size_t n = cell->n;
	char time[CLOCK_TIME_SIZE];

	switch (f->type) {
	case FIELD_INTEGER:
		buf_put(out, s, n);
		break;
	case FIELD_DECIMAL:
		buf_put(out, s, trimmed(s, n));
		break;
	case FIELD_BOOL:
		buf_puts(out, *s == 't' ? "true" : "false");
		break;
	case FIELD_TIME:
		if (clock_from_postgres(s, n, time))
			json_text(out, time, CLOCK_TIME_SIZE - 1);
		else
			json_text(out, s, n); /* "infinity" cannot be stored by us, but psql could */
		break;
	case FIELD_STRINGS:
	case FIELD_OBJECTS:
	case FIELD_COUNTRIES:
	case FIELD_ENUMS:
	case FIELD_KEYS:
	case FIELD_JSON:
		encode_compact(out, s, n);
		break;
	default:
		json_text(out, s, n);
	}
}

void encode_cell(struct json_writer *w, const struct field *f, const struct db_result *result, int row, int column)
{
	struct db_cell cell = db_result_cell(result, row, column);

	if (cell.null) {
		json_nil(w);
		return;
	}
	json_raw(w, "", 0); /* its comma */
	put_value(w->out, f, &cell);
}

bool encode_same(const struct field *f, const struct db_result *a, int row_a, const struct db_result *b, int row_b, int column)
{
	bool null = db_result_is_null(a, row_a, column);
	const char *x, *y;
	size_t n, m;

	if (null != db_result_is_null(b, row_b, column))
		return false;
	if (null)
		return true;
	x = db_result_value(a, row_a, column);
	y = db_result_value(b, row_b, column);
	n = (size_t)db_result_length(a, row_a, column);
	m = (size_t)db_result_length(b, row_b, column);
	if (f->type == FIELD_DECIMAL) {
		n = trimmed(x, n);
		m = trimmed(y, m);
	}
	return n == m && memcmp(x, y, n) == 0;
}

void encode_time(struct json_writer *w, const char *text)
{
	char time[CLOCK_TIME_SIZE];

	if (text && clock_from_postgres(text, strlen(text), time))
		json_str(w, time);
	else
		json_str(w, text);
}

static bool wanted(const bool *set, size_t i)
{
	return !set || set[i];
}

/* A member's comma, name and colon. Names come from the field tables: nothing in them needs an escape. */
static void put_name(struct buf *out, const char *name, size_t n)
{
	char *place = buf_reserve(out, n + 4);

	if (!place)
		return;
	place[0] = ',';
	place[1] = '"';
	memcpy(place + 2, name, n);
	place[n + 2] = '"';
	place[n + 3] = ':';
	buf_advance(out, n + 4);
}

#define PUT(out, literal) buf_put((out), (literal), sizeof(literal) - 1)

static void put_text(struct buf *out, const struct db_cell *cell)
{
	if (cell->null)
		PUT(out, "null");
	else
		json_text(out, cell->text, cell->n);
}

/* What stands beside a reference: who it is, in short. The two cells of a summary come from its place on. */
static void put_summary(struct buf *out, const struct field *f, const struct db_result *result, int row, int column,
			int summary)
{
	struct db_cell id = db_result_cell(result, row, column), slug, name;

	if (id.null) {
		PUT(out, "null");
		return;
	}
	buf_putc(out, '{');
	if (f->type == FIELD_SUBJECT) {
		struct db_cell resource = db_result_cell(result, row, column - 1);

		PUT(out, "\"resource\":");
		put_text(out, &resource);
		buf_putc(out, ',');
	}
	slug = db_result_cell(result, row, summary);
	name = db_result_cell(result, row, summary + 1);
	PUT(out, "\"id\":");
	json_text(out, id.text, id.n);
	PUT(out, ",\"slug\":");
	put_text(out, &slug);
	PUT(out, ",\"name\":");
	put_text(out, &name);
	buf_putc(out, '}');
}

void encode_summary(struct json_writer *w, const struct field *f, const struct db_result *result, int row, int field_column,
		    int summary_column)
{
	json_raw(w, "", 0); /* its comma */
	put_summary(w->out, f, result, row, field_column, summary_column);
}

void encode_record(struct buf *out, const struct resource *r, const struct db_result *result, int row,
		   const struct projection *p)
{
	int summary = (int)r->n_fields;
	size_t start = out->len;

	for (size_t i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];
		struct db_cell cell = db_result_cell(result, row, (int)i);

		if (wanted(p ? p->fields : NULL, i)) {
			put_name(out, f->name, strlen(f->name));
			if (cell.null)
				PUT(out, "null");
			else
				put_value(out, f, &cell);
		}
		if (!field_is_reference(f))
			continue;
		if (wanted(p ? p->summaries : NULL, i)) {
			char name[FIELD_NAME_SIZE];

			field_summary_name(f, name);
			put_name(out, name, strlen(name));
			put_summary(out, f, result, row, (int)i, summary);
		}
		summary += 2;
	}
	if (out->len == start)
		buf_putc(out, '{');
	else if (!out->failed)
		out->data[start] = '{'; /* in place of the first comma */
	buf_putc(out, '}');
}

const char *encode_value(struct arena *arena, const struct field *f, const char *text, size_t n)
{
	char time[CLOCK_TIME_SIZE];

	switch (f->type) {
	case FIELD_DECIMAL:
		return arena_strndup(arena, text, trimmed(text, n));
	case FIELD_BOOL:
		return *text == 't' ? "true" : "false";
	case FIELD_TIME:
		return clock_from_postgres(text, n, time) ? arena_strdup(arena, time) : arena_strndup(arena, text, n);
	case FIELD_STRINGS:
	case FIELD_OBJECTS:
	case FIELD_COUNTRIES:
	case FIELD_ENUMS:
	case FIELD_KEYS:
	case FIELD_JSON: {
		char *canonical = json_canonical_text(text, n);
		const char *copy = canonical ? arena_strdup(arena, canonical) : NULL;

		free(canonical);
		return copy;
	}
	default:
		return arena_strndup(arena, text, n);
	}
}

struct record *encode_to_record(struct arena *arena, const struct resource *r, const struct db_result *result, int row)
{
	struct record *record = record_new(arena, r);

	for (size_t i = 0; record && i < r->n_fields; i++) {
		if (db_result_is_null(result, row, (int)i))
			continue;
		record->values[i] = encode_value(arena, &r->fields[i], db_result_value(result, row, (int)i),
						 (size_t)db_result_length(result, row, (int)i));
		if (!record->values[i])
			return NULL;
	}
	return record;
}

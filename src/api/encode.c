/* The row encoder: rows of text straight into JSON, by the field table. */
#include "call.h"

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

static void write_value(struct json_writer *w, const struct field *f, const char *s, size_t n)
{
	char time[CLOCK_TIME_SIZE];

	switch (f->type) {
	case FIELD_INTEGER:
		json_raw(w, s, n);
		break;
	case FIELD_DECIMAL:
		json_raw(w, s, trimmed(s, n));
		break;
	case FIELD_BOOL:
		json_bool(w, *s == 't');
		break;
	case FIELD_TIME:
		if (clock_from_postgres(s, n, time))
			json_str(w, time);
		else
			json_str_n(w, s, n); /* "infinity" cannot be stored by us, but psql could */
		break;
	case FIELD_STRINGS:
	case FIELD_OBJECTS:
	case FIELD_COUNTRIES:
	case FIELD_JSON:
		json_raw(w, "", 0);
		encode_compact(w->out, s, n);
		break;
	default:
		json_str_n(w, s, n);
	}
}

void encode_cell(struct json_writer *w, const struct field *f, const struct db_result *result, int row, int column)
{
	if (db_result_is_null(result, row, column))
		json_nil(w);
	else
		write_value(w, f, db_result_value(result, row, column), (size_t)db_result_length(result, row, column));
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

static void member_of(struct json_writer *w, const char *key, const struct db_result *result, int row, int column)
{
	json_member_string(w, key, db_result_is_null(result, row, column) ? NULL : db_result_value(result, row, column));
}

void encode_summary(struct json_writer *w, const struct field *f, const struct db_result *result, int row, int field_column,
		    int summary_column)
{
	if (db_result_is_null(result, row, field_column)) {
		json_nil(w);
		return;
	}
	json_object_begin(w);
	if (f->type == FIELD_SUBJECT)
		member_of(w, "resource", result, row, field_column - 1);
	member_of(w, "id", result, row, field_column);
	member_of(w, "slug", result, row, summary_column);
	member_of(w, "name", result, row, summary_column + 1);
	json_object_end(w);
}

static bool wanted(const bool *set, size_t i)
{
	return !set || set[i];
}

void encode_record(struct buf *out, const struct resource *r, const struct db_result *result, int row,
		   const struct projection *p)
{
	struct json_writer w;
	int summary = (int)r->n_fields;

	json_begin(&w, out);
	json_object_begin(&w);
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];
		int column = (int)i;
		bool null = db_result_is_null(result, row, column);

		if (wanted(p ? p->fields : NULL, i)) {
			json_key(&w, f->name);
			if (null)
				json_nil(&w);
			else
				write_value(&w, f, db_result_value(result, row, column),
					    (size_t)db_result_length(result, row, column));
		}
		if (!field_is_reference(f))
			continue;
		if (wanted(p ? p->summaries : NULL, i)) {
			char name[FIELD_NAME_SIZE];

			field_summary_name(f, name);
			json_key(&w, name);
			encode_summary(&w, f, result, row, column, summary);
		}
		summary += 2;
	}
	json_object_end(&w);
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

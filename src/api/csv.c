#include <string.h>
#include "internal.h"
#include "lodebase/api/csv.h"

static void put_quoted(struct buf *out, const char *s, size_t n)
{
	size_t needs = strcspn(s, ",\"\r\n");

	if (needs >= n) {
		buf_put(out, s, n);
		return;
	}
	buf_putc(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			buf_putc(out, '"');
		buf_putc(out, s[i]);
	}
	buf_putc(out, '"');
}

void csv_text(struct buf *out, const char *s)
{
	struct buf text;

	if (!s || !*s)
		return;
	buf_init(&text, out->max);
	if (strchr("=+-@", *s))
		buf_putc(&text, '\'');
	buf_puts(&text, s);
	if (text.failed)
		out->failed = true;
	else
		put_quoted(out, text.data, text.len);
	buf_done(&text);
}

static bool is_text(const struct field *f)
{
	switch (f->type) {
	case FIELD_INTEGER:
	case FIELD_DECIMAL:
	case FIELD_BOOL:
	case FIELD_DATE:
	case FIELD_TIME:
	case FIELD_UUID:
	case FIELD_REF:
	case FIELD_SUBJECT:
	case FIELD_STRINGS:
	case FIELD_OBJECTS:
	case FIELD_COUNTRIES:
	case FIELD_ENUMS:
	case FIELD_KEYS:
	case FIELD_JSON:
		return false;
	default:
		return true;
	}
}

/* A text as it stands, anything else as its JSON says it. `text` is for scratch. */
static void put_cell(struct buf *out, struct buf *text, const struct field *f, const struct db_result *result, int row,
		     int column)
{
	struct json_writer w;

	if (db_result_is_null(result, row, column))
		return;
	buf_reset(text);
	if (is_text(f)) {
		const char *s = db_result_value(result, row, column);

		if (*s && strchr("=+-@", *s))
			buf_putc(text, '\'');
		buf_put(text, s, (size_t)db_result_length(result, row, column));
	} else {
		json_begin(&w, text);
		encode_cell(&w, f, result, row, column);
		/* a time, a date, an id: plain ASCII between its quotes; what may be any JSON stays unambiguous in them */
		if (f->type != FIELD_JSON && text->len >= 2 && text->data[0] == '"') {
			buf_put(out, text->data + 1, text->len - 2);
			return;
		}
	}
	if (text->failed)
		out->failed = true;
	else if (text->len > 0)
		put_quoted(out, text->data, text->len);
}

static void put_summary(struct buf *out, struct buf *text, const struct field *f, const struct db_result *result, int row,
			int column, int summary)
{
	struct json_writer w;

	if (db_result_is_null(result, row, column))
		return;
	buf_reset(text);
	json_begin(&w, text);
	encode_summary(&w, f, result, row, column, summary);
	put_quoted(out, text->data, text->len);
}

void encode_csv_header(struct buf *out, const struct resource *r, const struct projection *p)
{
	bool first = true;

	for (size_t i = 0; i < r->n_fields; i++) {
		if (p->fields[i]) {
			buf_printf(out, "%s%s", first ? "" : ",", r->fields[i].name);
			first = false;
		}
		if (p->summaries[i]) {
			buf_printf(out, "%s%.*s", first ? "" : ",", (int)strlen(r->fields[i].name) - 3, r->fields[i].name);
			first = false;
		}
	}
	buf_puts(out, "\r\n");
}

void encode_csv_row(struct buf *out, const struct resource *r, const struct db_result *result, int row,
		    const struct projection *p)
{
	struct buf text;
	bool first = true;
	int summary = (int)r->n_fields;

	buf_init(&text, out->max);
	for (size_t i = 0; i < r->n_fields; i++) {
		if (p->fields[i]) {
			if (!first)
				buf_putc(out, ',');
			put_cell(out, &text, &r->fields[i], result, row, (int)i);
			first = false;
		}
		if (p->summaries[i]) {
			if (!first)
				buf_putc(out, ',');
			put_summary(out, &text, &r->fields[i], result, row, (int)i, summary);
			first = false;
		}
		if (field_is_reference(&r->fields[i]))
			summary += 2;
	}
	buf_puts(out, "\r\n");
	buf_done(&text);
}

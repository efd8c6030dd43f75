#include "lodebase/base/json_writer.h"

#include <assert.h>
#include <string.h>

#define DEPTH_MAX 64

void json_begin(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){ .out = out };
}

/* Every value and every key passes here: the comma before it, where one belongs. */
static void separate(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->depth == 0)
		return;
	uint64_t bit = UINT64_C(1) << (w->depth - 1);
	if (w->has_member & bit)
		buf_putc(w->out, ',');
	w->has_member |= bit;
}

static void open_level(struct json_writer *w, char bracket)
{
	separate(w);
	if (w->depth >= DEPTH_MAX) {
		w->out->failed = true;
		return;
	}
	buf_putc(w->out, bracket);
	w->depth++;
	w->has_member &= ~(UINT64_C(1) << (w->depth - 1));
}

static void close_level(struct json_writer *w, char bracket)
{
	/* Only a level that did not open, for being too deep, may be missing here. */
	assert(!w->after_key && (w->depth > 0 || w->out->failed));
	if (w->depth > 0)
		w->depth--;
	buf_putc(w->out, bracket);
}

void json_object_begin(struct json_writer *w)
{
	open_level(w, '{');
}

void json_object_end(struct json_writer *w)
{
	close_level(w, '}');
}

void json_array_begin(struct json_writer *w)
{
	open_level(w, '[');
}

void json_array_end(struct json_writer *w)
{
	close_level(w, ']');
}

static void put_escape(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char escape[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	switch (c) {
	case '"':
	case '\\':
		escape[1] = (char)c;
		break;
	case '\b':
		escape[1] = 'b';
		break;
	case '\t':
		escape[1] = 't';
		break;
	case '\n':
		escape[1] = 'n';
		break;
	case '\f':
		escape[1] = 'f';
		break;
	case '\r':
		escape[1] = 'r';
		break;
	default:
		buf_put(out, escape, 6);
		return;
	}
	buf_put(out, escape, 2);
}

static void put_quoted(struct buf *out, const char *s, size_t n)
{
	size_t start = 0;

	buf_putc(out, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_put(out, s + start, i - start);
		put_escape(out, c);
		start = i + 1;
	}
	buf_put(out, s + start, n - start);
	buf_putc(out, '"');
}

void json_key(struct json_writer *w, const char *key)
{
	assert(!w->after_key);
	separate(w);
	put_quoted(w->out, key, strlen(key));
	buf_putc(w->out, ':');
	w->after_key = true;
}

void json_str(struct json_writer *w, const char *s)
{
	if (s)
		json_str_n(w, s, strlen(s));
	else
		json_nil(w);
}

void json_str_n(struct json_writer *w, const char *s, size_t n)
{
	separate(w);
	put_quoted(w->out, s, n);
}

void json_int(struct json_writer *w, int64_t v)
{
	char digits[20];
	size_t at = sizeof digits;
	uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (v < 0)
		digits[--at] = '-';
	json_raw(w, digits + at, sizeof digits - at);
}

void json_bool(struct json_writer *w, bool v)
{
	if (v)
		json_raw(w, "true", 4);
	else
		json_raw(w, "false", 5);
}

void json_nil(struct json_writer *w)
{
	json_raw(w, "null", 4);
}

void json_raw(struct json_writer *w, const char *json, size_t n)
{
	separate(w);
	buf_put(w->out, json, n);
}

void json_member_string(struct json_writer *w, const char *key, const char *s)
{
	json_key(w, key);
	json_str(w, s);
}

void json_member_int(struct json_writer *w, const char *key, int64_t v)
{
	json_key(w, key);
	json_int(w, v);
}

void json_member_bool(struct json_writer *w, const char *key, bool v)
{
	json_key(w, key);
	json_bool(w, v);
}

#include "lodebase/base/json_writer.h"

#include <assert.h>
#include <string.h>

#include "json_plain.h"

#define DEPTH_MAX 64

void json_begin(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){ .out = out };
}

/* Every value and every key passes here: whether a comma comes before it. */
static bool wants_comma(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return false;
	}
	if (w->depth == 0)
		return false;
	uint64_t bit = UINT64_C(1) << (w->depth - 1);
	bool is_first = !(w->has_member & bit);
	w->has_member |= bit;
	return !is_first;
}

static void separate(struct json_writer *w)
{
	if (wants_comma(w))
		buf_putc(w->out, ',');
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

/* One piece where nothing in it needs an escape. */
void json_text(struct buf *out, const char *s, size_t n)
{
	size_t run = json_plain_run(s, n);

	if (run == n && n < SIZE_MAX - 2) {
		char *place = buf_reserve(out, n + 2);

		if (!place)
			return;
		*place++ = '"';
		if (n > 0)
			memcpy(place, s, n);
		place[n] = '"';
		buf_advance(out, n + 2);
		return;
	}
	buf_putc(out, '"');
	for (size_t at = 0;; at += run + 1, run = json_plain_run(s + at, n - at)) {
		buf_put(out, s + at, run);
		if (at + run == n)
			break;
		put_escape(out, (unsigned char)s[at + run]);
	}
	buf_putc(out, '"');
}

void json_key(struct json_writer *w, const char *key)
{
	assert(!w->after_key);
	separate(w);
	json_text(w->out, key, strlen(key));
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
	json_text(w->out, s, n);
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
	if (!wants_comma(w)) {
		buf_put(w->out, json, n);
		return;
	}
	char *place = n < SIZE_MAX ? buf_reserve(w->out, n + 1) : NULL;
	if (!place) {
		w->out->failed = true;
		return;
	}
	*place = ',';
	memcpy(place + 1, json, n);
	buf_advance(w->out, n + 1);
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

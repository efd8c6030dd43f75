#include "json_scan.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_plain.h"
#include "lodebase/base/text.h"

void json_fault_at(const char *text, size_t offset, const char *reason, struct json_fault *ret_fault)
{
	size_t line_start = 0;
	int line = 1;

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			line++;
			line_start = i + 1;
		}
	}
	*ret_fault = (struct json_fault){
		.line = line,
		.column = (int)text_code_points(text + line_start, offset - line_start) + 1,
		.offset = offset,
	};
	(void)snprintf(ret_fault->reason, sizeof ret_fault->reason, "%s", reason);
}

static enum err fault(struct json_scan *s, const char *reason)
{
	json_fault_at(s->text, s->at, reason, s->fault);
	return ERR_INVALID;
}

/* The byte at the current place; -1 at the end. */
static int peek(const struct json_scan *s)
{
	return s->at < s->n ? (unsigned char)s->text[s->at] : -1;
}

static bool take(struct json_scan *s, int c)
{
	if (peek(s) != c)
		return false;
	s->at++;
	return true;
}

static void skip_space(struct json_scan *s)
{
	for (int c = peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(s))
		s->at++;
}

static bool take_digits(struct json_scan *s)
{
	size_t start = s->at;

	for (int c = peek(s); c >= '0' && c <= '9'; c = peek(s))
		s->at++;
	return s->at > start;
}

size_t json_ordinal_length(size_t ordinal)
{
	size_t length = 1;

	for (; ordinal >= 10; ordinal /= 10)
		length++;
	return length;
}

static void put_ordinal(struct buf *out, size_t ordinal)
{
	size_t length = json_ordinal_length(ordinal);
	char *place = buf_reserve(out, length);

	if (!place)
		return;
	for (size_t i = length; i-- > 0; ordinal /= 10)
		place[i] = (char)('0' + ordinal % 10);
	buf_advance(out, length);
}

static enum err add_token(struct json_scan *s, size_t start)
{
	if (s->n_tokens == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 16;
		struct json_token *tokens = realloc(s->tokens, capacity * sizeof *tokens);

		if (!tokens)
			return ERR_NOMEM;
		s->tokens = tokens;
		s->capacity = capacity;
	}
	s->tokens[s->n_tokens] = (struct json_token){ (uint32_t)start, (uint32_t)(s->at - start) };
	buf_put(s->out, s->text + s->copied, start - s->copied);
	put_ordinal(s->out, s->n_tokens);
	s->copied = s->at;
	s->n_tokens++;
	return s->out->failed ? ERR_NOMEM : OK;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?, and then nothing that could make one number of two: replaced by their
 * ordinals, 01 or 9-0 would merge into one that is valid. */
static enum err scan_number(struct json_scan *s)
{
	size_t start = s->at;

	(void)take(s, '-');
	if (take(s, '0')) {
		if (take_digits(s)) {
			s->at = start;
			return fault(s, "a number may not begin with an idle 0");
		}
	} else if (!take_digits(s)) {
		return fault(s, "expected a digit after '-'");
	}
	if (take(s, '.') && !take_digits(s))
		return fault(s, "expected a digit after the decimal point");
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			(void)take(s, '-');
		if (!take_digits(s))
			return fault(s, "expected a digit in the exponent");
	}
	int c = peek(s);
	if (c >= 0 && !strchr(" \t\n\r,]}", c))
		return fault(s, "a number ends in something that is no part of one");
	return c == 0 ? fault(s, "a NUL byte outside of a string") : add_token(s, start);
}

/* Four hex digits; -1 where they are not there. */
static int take_hex4(struct json_scan *s)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		int c = peek(s);
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
		s->at++;
	}
	return value;
}

/* Behind the backslash. */
static enum err scan_escape(struct json_scan *s)
{
	size_t start = s->at - 1;
	int c = peek(s);

	if (c > 0 && strchr("\"\\/bfnrt", c)) {
		s->at++;
		return OK;
	}
	if (!take(s, 'u'))
		return fault(s, c < 0 ? "the text ends within a string" : "an unknown escape in a string");
	int unit = take_hex4(s);
	if (unit < 0)
		return fault(s, "expected four hex digits after \\u");
	if (unit < 0xD800 || unit > 0xDFFF)
		return OK;
	if (unit < 0xDC00 && take(s, '\\') && take(s, 'u')) {
		int second = take_hex4(s);

		if (second >= 0xDC00 && second <= 0xDFFF)
			return OK;
	}
	s->at = start;
	return fault(s, "an unpaired surrogate in a string");
}

static enum err scan_string(struct json_scan *s)
{
	size_t start = s->at++;

	for (;;) {
		s->at += json_plain_run(s->text + s->at, s->n - s->at);
		int c = peek(s);
		enum err e = OK;

		if (c < 0) {
			s->at = start;
			return fault(s, "a string without an end");
		}
		if (c < 0x20)
			return fault(s, "a control character in a string has to be escaped");
		s->at++;
		if (c == '"')
			return OK;
		if (c == '\\')
			e = scan_escape(s);
		if (e != OK)
			return e;
	}
}

static enum err scan_word(struct json_scan *s, const char *word)
{
	size_t length = strlen(word);

	if (s->n - s->at < length || memcmp(s->text + s->at, word, length) != 0)
		return fault(s, "expected a value");
	s->at += length;
	return OK;
}

static bool in_object(const struct json_scan *s)
{
	return s->is_object >> (s->depth - 1) & 1;
}

/* The name of a member and its colon. */
static enum err scan_name(struct json_scan *s)
{
	skip_space(s);
	if (peek(s) != '"')
		return fault(s, peek(s) < 0 ? "the text ends too early" : "expected a member name in double quotes");
	enum err e = scan_string(s);
	if (e != OK)
		return e;
	skip_space(s);
	return take(s, ':') ? OK : fault(s, peek(s) < 0 ? "the text ends too early" : "expected ':' after the member name");
}

/* Opens a level. *ret_more: a value follows now; else the level was empty and is closed again. */
static enum err scan_open(struct json_scan *s, bool is_object, bool *ret_more)
{
	if (s->depth == JSON_DEPTH_MAX)
		return fault(s, "nested deeper than 64");
	s->at++;
	uint64_t bit = UINT64_C(1) << s->depth++;
	s->is_object = is_object ? s->is_object | bit : s->is_object & ~bit;
	skip_space(s);
	*ret_more = !take(s, is_object ? '}' : ']');
	if (!*ret_more) {
		s->depth--;
		return OK;
	}
	return is_object ? scan_name(s) : OK;
}

/* A scalar whole, or the beginning of an array or object, with *ret_more as in scan_open(). */
static enum err scan_value(struct json_scan *s, bool *ret_more)
{
	int c = peek(s);

	*ret_more = false;
	switch (c) {
	case -1:
		return fault(s, s->n == 0 ? "the text is empty" : "the text ends too early");
	case '{':
	case '[':
		return scan_open(s, c == '{', ret_more);
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	case '-':
		return scan_number(s);
	default:
		if (c >= '0' && c <= '9')
			return scan_number(s);
		return fault(s, "expected a value");
	}
}

/* Behind a value within a level: a comma, or ends of levels. *ret_more: a value follows now. */
static enum err scan_after_value(struct json_scan *s, bool *ret_more)
{
	*ret_more = false;
	while (s->depth > 0) {
		bool is_object = in_object(s);

		skip_space(s);
		if (take(s, ',')) {
			*ret_more = true;
			return is_object ? scan_name(s) : OK;
		}
		if (!take(s, is_object ? '}' : ']')) {
			if (peek(s) < 0)
				return fault(s, "the text ends too early");
			return fault(s, is_object ? "expected ',' or '}'" : "expected ',' or ']'");
		}
		s->depth--;
	}
	return OK;
}

enum err json_scan(struct json_scan *s)
{
	bool more = true;
	enum err e = OK;

	s->at = text_utf8_prefix(s->text, s->n);
	if (s->at < s->n)
		return fault(s, "not UTF-8");
	s->at = 0;
	if (s->n >= 3 && memcmp(s->text, "\xEF\xBB\xBF", 3) == 0)
		return fault(s, "begins with a byte order mark");
	skip_space(s);
	while (more) {
		skip_space(s);
		e = scan_value(s, &more);
		if (e == OK && !more)
			e = scan_after_value(s, &more);
		if (e != OK)
			return e;
	}
	skip_space(s);
	if (s->at < s->n)
		return fault(s, "something follows the end of the JSON value");
	buf_put(s->out, s->text + s->copied, s->n - s->copied);
	return s->out->failed ? ERR_NOMEM : OK;
}

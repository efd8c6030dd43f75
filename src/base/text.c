#include "lodebase/base/text.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "lodebase/base/uuid.h"
#include "text_visible.h"

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* The length of the character at s[0..n), n >= 1, and its code point; 0 where there is no valid one. */
static size_t decode(const char *s, size_t n, uint32_t *ret_point)
{
	unsigned char lead = (unsigned char)s[0];
	size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;

	if (length == 0 || length > n)
		return 0;
	if (length == 1) {
		*ret_point = lead;
		return 1;
	}
	uint32_t point = lead & (0x7FU >> length);
	for (size_t i = 1; i < length; i++) {
		if (!is_continuation(s[i]))
			return 0;
		point = point << 6 | ((unsigned char)s[i] & 0x3FU);
	}
	/* Two-byte forms cannot be overlong with a lead of C2 and more. */
	if ((length == 3 && point < 0x800) || (length == 4 && (point < 0x10000 || point > 0x10FFFF)) ||
	    (point >= 0xD800 && point <= 0xDFFF))
		return 0;
	*ret_point = point;
	return length;
}

size_t text_utf8_prefix(const char *s, size_t n)
{
	size_t at = 0;

	while (at < n) {
		uint64_t eight;
		uint32_t point;

		/* Most text is ASCII for long stretches. */
		if (n - at >= sizeof eight) {
			memcpy(&eight, s + at, sizeof eight);
			if (!(eight & UINT64_C(0x8080808080808080))) {
				at += sizeof eight;
				continue;
			}
		}
		size_t length = decode(s + at, n - at, &point);
		if (length == 0)
			break;
		at += length;
	}
	return at;
}

bool text_is_utf8(const char *s, size_t n)
{
	return text_utf8_prefix(s, n) == n;
}

size_t text_code_points(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !is_continuation(s[i]);
	return count;
}

static bool is_visible(uint32_t point)
{
	size_t low = 0, high = text_visible_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (point < text_visible[middle].first)
			high = middle;
		else if (point > text_visible[middle].last)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

bool text_has_visible(const char *s, size_t n)
{
	uint32_t point = 0;

	for (size_t at = 0, length; at < n; at += length) {
		length = decode(s + at, n - at, &point);
		if (length == 0)
			return false;
		if (is_visible(point))
			return true;
	}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

bool text_is_slug(const char *s, size_t n)
{
	if (n < 1 || n > 100)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool is_word = is_digit(s[i]) || is_lower(s[i]);

		/* A hyphen stands between two words, so neither first, nor last, nor beside another. */
		if (!is_word && (s[i] != '-' || i == 0 || i == n - 1 || s[i - 1] == '-'))
			return false;
	}
	return !uuid_is_text(s, n);
}

/* 0-9, A-Z as 0-35. */
static unsigned value_of(char c)
{
	return is_digit(c) ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
}

bool text_is_lei(const char *s, size_t n)
{
	unsigned remainder = 0;

	if (n != 20 || !is_digit(s[18]) || !is_digit(s[19]))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(s[i]) && !is_upper(s[i]))
			return false;
		unsigned value = value_of(s[i]);
		remainder = (remainder * (value < 10 ? 10 : 100) + value) % 97;
	}
	return remainder == 1;
}

bool text_is_isin(const char *s, size_t n)
{
	unsigned sum = 0;
	bool doubled = false; /* from the right, every second digit of the expansion */

	if (n != 12 || !is_upper(s[0]) || !is_upper(s[1]) || !is_digit(s[11]))
		return false;
	for (size_t i = n; i-- > 0;) {
		if (!is_digit(s[i]) && !is_upper(s[i]))
			return false;
		for (unsigned value = value_of(s[i]), left = value < 10 ? 1 : 2; left > 0; left--, value /= 10) {
			unsigned digit = value % 10 * (doubled ? 2 : 1);

			sum += digit / 10 + digit % 10;
			doubled = !doubled;
		}
	}
	return sum % 10 == 0;
}

struct subtag {
	const char *s;
	size_t n;
};

static bool is_alpha(char c)
{
	return is_lower(c) || is_upper(c);
}

static bool is_subtag(struct subtag t, size_t min, size_t max, bool (*fits)(char c))
{
	if (t.n < min || t.n > max)
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (!fits(t.s[i]))
			return false;
	return true;
}

static bool is_alphanumeric(char c)
{
	return is_alpha(c) || is_digit(c);
}

static bool same_subtag(struct subtag a, struct subtag b)
{
	return a.n == b.n && strncasecmp(a.s, b.s, a.n) == 0;
}

/* The tags that the grammar would refuse and that RFC 5646 keeps; those that it takes anyway need no list. */
static bool is_irregular(const char *s, size_t n)
{
	static const char *const tags[] = { "en-GB-oed", "i-ami", "i-bnn",     "i-default", "i-enochian", "i-hak",
					    "i-klingon", "i-lux", "i-mingo",   "i-navajo",  "i-pwn",      "i-tao",
					    "i-tay",     "i-tsu", "sgn-BE-FR", "sgn-BE-NL", "sgn-CH-DE" };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (strlen(tags[i]) == n && strncasecmp(tags[i], s, n) == 0)
			return true;
	return false;
}

#define SUBTAGS_MAX 64

/* Subtags between hyphens; 0 where one is empty or longer than 8, or there are too many. */
static size_t split_subtags(const char *s, size_t n, struct subtag t[SUBTAGS_MAX])
{
	size_t count = 0;

	for (size_t start = 0, i = 0; i <= n; i++) {
		if (i < n && s[i] != '-')
			continue;
		if (i == start || i - start > 8 || count == SUBTAGS_MAX)
			return 0;
		t[count++] = (struct subtag){ s + start, i - start };
		start = i + 1;
	}
	return count;
}

/* x-…: at least one subtag of 1 to 8, to the end. */
static bool is_private_use(const struct subtag *t, size_t n)
{
	if (n < 2 || t[0].n != 1 || (t[0].s[0] | 0x20) != 'x')
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_subtag(t[i], 1, 8, is_alphanumeric))
			return false;
	return true;
}

static bool is_variant(struct subtag t)
{
	return is_subtag(t, 5, 8, is_alphanumeric) || (t.n == 4 && is_digit(t.s[0]) && is_subtag(t, 4, 4, is_alphanumeric));
}

bool text_is_language(const char *s, size_t n)
{
	struct subtag t[SUBTAGS_MAX];
	size_t count = split_subtags(s, n, t), at = 1, first;

	if (count == 0)
		return false;
	if (is_irregular(s, n) || is_private_use(t, count))
		return true;
	if (!is_subtag(t[0], 2, 8, is_alpha))
		return false;
	for (size_t extended = 0; t[0].n <= 3 && extended < 3 && at < count && is_subtag(t[at], 3, 3, is_alpha); extended++)
		at++;
	if (at < count && is_subtag(t[at], 4, 4, is_alpha)) /* script */
		at++;
	if (at < count && (is_subtag(t[at], 2, 2, is_alpha) || is_subtag(t[at], 3, 3, is_digit))) /* region */
		at++;
	for (first = at; at < count && is_variant(t[at]); at++)
		for (size_t i = first; i < at; i++)
			if (same_subtag(t[i], t[at]))
				return false;
	for (first = at; at < count && t[at].n == 1 && (t[at].s[0] | 0x20) != 'x';) { /* extensions */
		size_t singleton = at++;

		if (!is_subtag(t[singleton], 1, 1, is_alphanumeric))
			return false;
		for (size_t i = first; i < singleton; i++)
			if (same_subtag(t[i], t[singleton]))
				return false;
		if (at == count || !is_subtag(t[at], 2, 8, is_alphanumeric))
			return false;
		while (at < count && is_subtag(t[at], 2, 8, is_alphanumeric))
			at++;
	}
	return at == count || is_private_use(t + at, count - at);
}

/* A host name with optional port, or [IPv6] with optional port. Labels may hold letters beyond ASCII and escapes. */
static bool is_host_and_port(const char *s, size_t n)
{
	size_t at = 0;

	if (n > 0 && s[0] == '[') {
		const char *end = memchr(s, ']', n);
		size_t colons = 0;

		if (!end)
			return false;
		for (at = 1; s + at < end; at++) {
			bool is_hex = is_digit(s[at]) || (s[at] >= 'a' && s[at] <= 'f') || (s[at] >= 'A' && s[at] <= 'F');

			if (!is_hex && s[at] != ':' && s[at] != '.')
				return false;
			colons += s[at] == ':';
		}
		if (colons < 2)
			return false;
		at++;
	} else {
		for (size_t label = 0; at < n && s[at] != ':'; at++) {
			if (s[at] == '.') {
				if (label == 0)
					return false;
				label = 0;
				continue;
			}
			if ((unsigned char)s[at] < 0x80 && !is_digit(s[at]) && !is_lower(s[at]) && !is_upper(s[at]) &&
			    s[at] != '-' && s[at] != '_' && s[at] != '~' && s[at] != '%')
				return false;
			label++;
		}
		if (at == 0)
			return false;
	}
	if (at == n)
		return true;
	if (s[at] != ':' || n - at > 6)
		return false;
	unsigned port = 0;
	for (at++; at < n; at++) {
		if (!is_digit(s[at]))
			return false;
		port = port * 10 + (unsigned)(s[at] - '0');
	}
	return port <= 65535;
}

/* White space and controls, of Unicode too, and what no URL may hold unescaped. */
static bool belongs_in_url(uint32_t point)
{
	if (point < 0x80)
		return point > 0x20 && point < 0x7F && !strchr("\"<>\\`", (int)point);
	return is_visible(point) || !(point <= 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200F) ||
				      (point >= 0x2028 && point <= 0x202F) || (point >= 0x205F && point <= 0x206F) ||
				      point == 0x3000 || point == 0xFEFF);
}

bool text_is_http_url(const char *s, size_t n)
{
	uint32_t point = 0;
	size_t scheme = n >= 7 && strncasecmp(s, "http://", 7) == 0 ? 7 : n >= 8 && strncasecmp(s, "https://", 8) == 0 ? 8 : 0;

	if (scheme == 0)
		return false;
	for (size_t at = scheme, length; at < n; at += length) {
		length = decode(s + at, n - at, &point);
		if (length == 0 || !belongs_in_url(point))
			return false;
	}
	size_t end = scheme;
	while (end < n && s[end] != '/' && s[end] != '?' && s[end] != '#')
		end++;
	return is_host_and_port(s + scheme, end - scheme); /* '@' of a userinfo is no part of a host */
}

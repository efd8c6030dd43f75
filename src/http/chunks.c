/* The framing of a chunked body, to the letter of RFC 9112, over the bytes that are there. */
#include "guard.h"

#include <string.h>

enum { MORE = -1, BAD = -2 }; /* instead of a length */

static bool is_text(unsigned char c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

/* The length of a line with its CR LF. */
static long line_length(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\r' && i + 1 < n)
			return s[i + 1] == '\n' ? (long)i + 2 : s[i + 1] ? BAD : MORE;
		if (s[i] == '\r' || !s[i]) /* a NUL is where nothing was received yet: see guard.h */
			return MORE;
		if (!is_text((unsigned char)s[i]))
			return BAD;
	}
	return MORE;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_size(const char *s, size_t n, uint64_t *ret)
{
	size_t i = 0;
	uint64_t size = 0;

	for (; i < n && digit(s[i]) >= 0; i++) {
		if (size >> 59)
			return false;
		size = size << 4 | (uint64_t)digit(s[i]);
	}
	*ret = size;
	return i > 0 && (i == n || s[i] == ';');
}

static bool is_field(const char *s, size_t n)
{
	const char *colon = memchr(s, ':', n);

	return colon && guard_is_token(s, (size_t)(colon - s));
}

enum guard_chunks guard_chunks(const char *s, size_t n, size_t *ret_len)
{
	uint64_t size = 1;
	bool trailers = false;

	for (size_t at = 0;;) {
		const long line = line_length(s + at, n - at);

		if (line < 0)
			return line == MORE ? CHUNKS_CUT : CHUNKS_BROKEN;
		const size_t text = (size_t)line - 2;
		if (trailers) {
			if (text && !is_field(s + at, text))
				return CHUNKS_BROKEN;
			*ret_len = at + 2;
			if (!text)
				return CHUNKS_WHOLE;
		} else if (!parse_size(s + at, text, &size)) {
			return CHUNKS_BROKEN;
		}
		at += (size_t)line;
		trailers |= size == 0;
		if (trailers)
			continue;
		if (size > n - at || n - at - size < 2)
			return CHUNKS_CUT;
		at += size;
		if (s[at] != '\r' || s[at + 1] != '\n')
			return s[at] && s[at + 1] ? CHUNKS_BROKEN : CHUNKS_CUT;
		at += 2;
	}
}

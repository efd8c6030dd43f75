/* The bytes that need no escape, for the writer and the scanner. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* How many bytes from the start of s[0..n) stand for themselves in a JSON string. Eight at a time: in the sums below the high
 * bit of a byte is set where the byte is less than 0x20, or is a quote or backslash; a bit set wrongly, by a borrow from there,
 * can only follow a right one. */
static inline size_t json_plain_run(const char *s, size_t n)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
	size_t at = 0;

	for (; n - at >= 8; at += 8) {
		uint64_t word, quotes, slashes;

		memcpy(&word, s + at, sizeof word);
		quotes = word ^ ones * '"';
		slashes = word ^ ones * '\\';
		if (((word - ones * 0x20) | (quotes - ones) | (slashes - ones)) & ~word & highs)
			break;
	}
	for (; at < n; at++) {
		unsigned char c = (unsigned char)s[at];

		if (c < 0x20 || c == '"' || c == '\\')
			break;
	}
	return at;
}

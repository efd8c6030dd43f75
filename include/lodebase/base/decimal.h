/* Exact decimal numbers as canonical text. No binary floating point anywhere.
 * Canonical: optional '-', integer digits without idle leading zeros, optionally '.' and fraction digits without idle
 * trailing zeros; no exponent, no '+', never "-0". "12.50" and 1.25e1 are both "12.5". */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/err.h"

#define DECIMAL_MAX_INTEGER_DIGITS 40
#define DECIMAL_MAX_FRACTION_DIGITS 40

struct decimal {
	char text[DECIMAL_MAX_INTEGER_DIGITS + DECIMAL_MAX_FRACTION_DIGITS + 4]; /* canonical, NUL-terminated */
	unsigned scale; /* digits behind the point of the canonical text */
};

/* A JSON number token (RFC 8259 grammar, exponents allowed). ERR_INVALID where it is none; ERR_PRECISION where the
 * value has more than DECIMAL_MAX_FRACTION_DIGITS decimals; ERR_RANGE where it has too many integer digits. Exponents
 * saturate: 1e999999999 costs nothing. */
enum err decimal_from_json(const char *token, size_t n, struct decimal *ret) MUST_CHECK;
/* A decimal string as users write it: -?digits[.digits], nothing else ("1e3", "+1", ".5", "" are ERR_INVALID). */
enum err decimal_from_string(const char *s, size_t n, struct decimal *ret) MUST_CHECK;
/* PostgreSQL's numeric or integer output (plain notation): the same as decimal_from_string. */

/* <0, 0, >0 as a is less than, equal to, greater than b, by value. Both canonical texts. */
int decimal_compare(const char *a, const char *b);

/* held / issued as per cent, rounded half up to 12 decimals, canonical. 0 <= held <= issued, issued >= 1, both up to
 * 2^63 - 1 (contract section 2, stakes). ERR_RANGE otherwise. */
enum err decimal_percentage(int64_t held, int64_t issued, struct decimal *ret) MUST_CHECK;

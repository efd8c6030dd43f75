#include "lodebase/base/decimal.h"

#include <stdbool.h>
#include <string.h>

/* Beyond any length a text can have, and far from overflowing in the sums below. */
#define EXPONENT_LIMIT INT64_C(1000000000000000000)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A number without its exponent: the digits of s[0..n), one '.' among them or none. */
struct mantissa {
	const char *s;
	size_t n;
	bool negative;
};

/* Writes m times ten to the power of exponent in canonical form. */
static enum err canonical(struct mantissa m, int64_t exponent, struct decimal *ret)
{
	size_t first = m.n, last = 0, point = m.n; /* places of the outermost digits that are not 0, and of the '.' */

	for (size_t i = 0; i < m.n; i++) {
		if (m.s[i] == '.') {
			point = i;
		} else if (m.s[i] != '0') {
			if (first == m.n)
				first = i;
			last = i;
		}
	}
	if (first == m.n) {
		*ret = (struct decimal){ .text = "0" };
		return OK;
	}

	/* How many digits stand between the first significant digit and the point; negative: zeros behind the point. */
	int64_t before = (int64_t)point - (int64_t)first + (point < first ? 1 : 0) + exponent;
	int64_t digits = (int64_t)(last - first) + 1 - (first < point && point < last ? 1 : 0);
	int64_t fraction = digits > before ? digits - before : 0;

	if (before > DECIMAL_MAX_INTEGER_DIGITS)
		return ERR_RANGE;
	if (fraction > DECIMAL_MAX_FRACTION_DIGITS)
		return ERR_PRECISION;

	char *out = ret->text;
	if (m.negative)
		*out++ = '-';
	if (before <= 0) {
		*out++ = '0';
		*out++ = '.';
		for (int64_t i = before; i < 0; i++)
			*out++ = '0';
	}
	int64_t written = 0;
	for (size_t i = first; i <= last; i++) {
		if (m.s[i] == '.')
			continue;
		if (written == before && before > 0)
			*out++ = '.';
		*out++ = m.s[i];
		written++;
	}
	for (; written < before; written++)
		*out++ = '0';
	*out = '\0';
	ret->scale = (unsigned)fraction;
	return OK;
}

/* The length of s[at..n)'s run of digits. */
static size_t run_of_digits(const char *s, size_t n, size_t at)
{
	size_t end = at;

	while (end < n && is_digit(s[end]))
		end++;
	return end - at;
}

/* -?digits[.digits] at the start of s; 0 where it is not there, else its length. */
static size_t plain_number(const char *s, size_t n)
{
	size_t at = n > 0 && s[0] == '-' ? 1 : 0;
	size_t run = run_of_digits(s, n, at);

	if (run == 0)
		return 0;
	at += run;
	if (at < n && s[at] == '.') {
		run = run_of_digits(s, n, at + 1);
		if (run == 0)
			return 0;
		at += 1 + run;
	}
	return at;
}

static struct mantissa mantissa_of(const char *s, size_t n)
{
	bool negative = s[0] == '-';

	return (struct mantissa){ .s = s + negative, .n = n - negative, .negative = negative };
}

enum err decimal_from_json(const char *token, size_t n, struct decimal *ret)
{
	size_t plain = plain_number(token, n);

	if (plain == 0)
		return ERR_INVALID;
	struct mantissa m = mantissa_of(token, plain);
	if (m.s[0] == '0' && m.n > 1 && m.s[1] != '.')
		return ERR_INVALID; /* 01 */

	int64_t exponent = 0;
	size_t at = plain;
	if (at < n) {
		if (token[at] != 'e' && token[at] != 'E')
			return ERR_INVALID;
		at++;
		bool negative = at < n && token[at] == '-';
		if (at < n && (token[at] == '-' || token[at] == '+'))
			at++;
		if (at == n || run_of_digits(token, n, at) != n - at)
			return ERR_INVALID;
		for (; at < n; at++)
			if (exponent < EXPONENT_LIMIT / 10)
				exponent = exponent * 10 + (token[at] - '0');
			else
				exponent = EXPONENT_LIMIT;
		if (negative)
			exponent = -exponent;
	}
	return canonical(m, exponent, ret);
}

enum err decimal_from_string(const char *s, size_t n, struct decimal *ret)
{
	if (n == 0 || plain_number(s, n) != n)
		return ERR_INVALID;
	return canonical(mantissa_of(s, n), 0, ret);
}

/* Without signs: the one with more integer digits is greater; else the text order is the order of values, since the
 * end of the text sorts before '.', and before digits. */
static int compare_magnitude(const char *a, const char *b)
{
	size_t a_integer = strcspn(a, "."), b_integer = strcspn(b, ".");

	if (a_integer != b_integer)
		return a_integer < b_integer ? -1 : 1;
	return strcmp(a, b);
}

int decimal_compare(const char *a, const char *b)
{
	bool a_negative = a[0] == '-', b_negative = b[0] == '-';

	if (a_negative != b_negative)
		return a_negative ? -1 : 1;
	return a_negative ? compare_magnitude(b + 1, a + 1) : compare_magnitude(a, b);
}

enum err decimal_percentage(int64_t held, int64_t issued, struct decimal *ret)
{
	if (held < 0 || issued < 1 || held > issued)
		return ERR_RANGE;

	/* 2^63 * 10^14 * 2 has 111 bits. The quotient is at most 10^14. */
	const unsigned __int128 scaled = (unsigned __int128)held * 100000000000000U;
	uint64_t units = (uint64_t)((scaled * 2 + (uint64_t)issued) / ((unsigned __int128)issued * 2));
	char text[32]; /* 3 integer digits, '.', 12 decimals */
	size_t at = sizeof text;

	for (int i = 0; i < 12; i++, units /= 10)
		text[--at] = (char)('0' + units % 10);
	text[--at] = '.';
	do {
		text[--at] = (char)('0' + units % 10);
		units /= 10;
	} while (units > 0);
	return decimal_from_string(text + at, sizeof text - at, ret);
}

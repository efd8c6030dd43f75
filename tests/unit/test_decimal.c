#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "lodebase/base/decimal.h"

struct vector {
	const char *given;
	enum err e;
	const char *canonical;
	unsigned scale;
};

static void check_vectors(const struct vector *vectors, size_t n, enum err (*parse)(const char *, size_t, struct decimal *))
{
	for (size_t i = 0; i < n; i++) {
		struct decimal d;
		enum err e = parse(vectors[i].given, strlen(vectors[i].given), &d);

		if (!CHECK_FOR(e == vectors[i].e, "%s: %s, not %s", vectors[i].given, err_name(e), err_name(vectors[i].e)) ||
		    e != OK)
			continue;
		CHECK_STR(d.text, vectors[i].canonical);
		CHECK_INT(d.scale, vectors[i].scale);
	}
}

#define FORTY "1234567890123456789012345678901234567890"
#define ZEROS "0000000000000000000000000000000000000000"

static void reads_json_numbers(void)
{
	static const struct vector vectors[] = {
		{ "0", OK, "0", 0 },
		{ "-0", OK, "0", 0 },
		{ "-0.000e99", OK, "0", 0 },
		{ "0e99999999999999999999999999", OK, "0", 0 },
		{ "12.50", OK, "12.5", 1 },
		{ "1.25e1", OK, "12.5", 1 },
		{ "1.25E+1", OK, "12.5", 1 },
		{ "125e-1", OK, "12.5", 1 },
		{ "-7", OK, "-7", 0 },
		{ "-100.00", OK, "-100", 0 },
		{ "0.05", OK, "0.05", 2 },
		{ "0.05e1", OK, "0.5", 1 },
		{ "0.05e2", OK, "5", 0 },
		{ "0.05e3", OK, "50", 0 },
		{ "5e-3", OK, "0.005", 3 },
		{ "49.999999999999", OK, "49.999999999999", 12 },
		{ "49.9999999999999999", OK, "49.9999999999999999", 16 },
		{ "1e39", OK, "1000000000000000000000000000000000000000", 0 },
		{ "1e40", ERR_RANGE, "", 0 },
		{ "1e-40", OK, "0.0000000000000000000000000000000000000001", 40 },
		{ "1e-41", ERR_PRECISION, "", 0 },
		{ "10e-41", OK, "0.0000000000000000000000000000000000000001", 40 },
		{ FORTY "." FORTY, OK, FORTY ".123456789012345678901234567890123456789", 39 },
		{ "-" FORTY ".0" FORTY, OK, "-" FORTY ".0123456789012345678901234567890123456789", 40 },
		{ FORTY "1", ERR_RANGE, "", 0 },
		{ "0." FORTY "1", ERR_PRECISION, "", 0 },
		{ "1." ZEROS ZEROS, OK, "1", 0 },
		{ "1." ZEROS ZEROS "e5", OK, "100000", 0 },
		{ "1e999999999", ERR_RANGE, "", 0 },
		{ "1e-999999999", ERR_PRECISION, "", 0 },
		{ "1e99999999999999999999999999999999", ERR_RANGE, "", 0 },
		{ "1e-99999999999999999999999999999999", ERR_PRECISION, "", 0 },
		{ "1e0000000000000000000000000000001", OK, "10", 0 },
		{ "", ERR_INVALID, "", 0 },
		{ "-", ERR_INVALID, "", 0 },
		{ "+1", ERR_INVALID, "", 0 },
		{ "01", ERR_INVALID, "", 0 },
		{ "-01", ERR_INVALID, "", 0 },
		{ "00", ERR_INVALID, "", 0 },
		{ ".5", ERR_INVALID, "", 0 },
		{ "5.", ERR_INVALID, "", 0 },
		{ "5.e1", ERR_INVALID, "", 0 },
		{ "1e", ERR_INVALID, "", 0 },
		{ "1e+", ERR_INVALID, "", 0 },
		{ "1e+-1", ERR_INVALID, "", 0 },
		{ "1e1.5", ERR_INVALID, "", 0 },
		{ "1.2.3", ERR_INVALID, "", 0 },
		{ "1 ", ERR_INVALID, "", 0 },
		{ " 1", ERR_INVALID, "", 0 },
		{ "0x10", ERR_INVALID, "", 0 },
		{ "NaN", ERR_INVALID, "", 0 },
		{ "Infinity", ERR_INVALID, "", 0 },
		{ "1,5", ERR_INVALID, "", 0 },
		{ "\xD9\xA1", ERR_INVALID, "", 0 }, /* an Arabic digit */
	};

	check_vectors(vectors, sizeof vectors / sizeof vectors[0], decimal_from_json);
	struct decimal d;
	CHECK_INT(decimal_from_json(LITERAL("1\0"), &d), ERR_INVALID);
}

static void reads_decimal_strings(void)
{
	static const struct vector vectors[] = {
		{ "12.50", OK, "12.5", 1 },
		{ "007", OK, "7", 0 },
		{ "-00.50", OK, "-0.5", 1 },
		{ "-0", OK, "0", 0 },
		{ "1e3", ERR_INVALID, "", 0 },
		{ "+1", ERR_INVALID, "", 0 },
		{ ".5", ERR_INVALID, "", 0 },
		{ "5.", ERR_INVALID, "", 0 },
		{ "", ERR_INVALID, "", 0 },
		{ "-", ERR_INVALID, "", 0 },
		{ "--1", ERR_INVALID, "", 0 },
		{ "1 ", ERR_INVALID, "", 0 },
		{ ZEROS ZEROS "1." ZEROS "1", ERR_PRECISION, "", 0 },
		{ ZEROS ZEROS "1.1" ZEROS, OK, "1.1", 1 },
	};

	check_vectors(vectors, sizeof vectors / sizeof vectors[0], decimal_from_string);
}

static void long_tokens_cost_little(void)
{
	enum { LENGTH = 1024 * 1024 };
	char *token = malloc(LENGTH + 16);
	struct decimal d;

	if (!CHECK(token))
		return;
	/* 0.000…01e1048575 is 1 */
	memset(token, '0', LENGTH);
	token[1] = '.';
	token[LENGTH - 1] = '1';
	int n = snprintf(token + LENGTH, 16, "e%d", LENGTH - 2);
	CHECK_INT(decimal_from_json(token, LENGTH + (size_t)n, &d), OK);
	CHECK_STR(d.text, "1");
	/* 1000…0e-1048575 is 1 */
	memset(token, '0', LENGTH);
	token[0] = '1';
	n = snprintf(token + LENGTH, 16, "e-%d", LENGTH - 1);
	CHECK_INT(decimal_from_json(token, LENGTH + (size_t)n, &d), OK);
	CHECK_STR(d.text, "1");
	memset(token, '9', LENGTH);
	CHECK_INT(decimal_from_json(token, LENGTH, &d), ERR_RANGE);
	free(token);
}

/* A value in units of 10^-12 and a random way of writing it. */
struct sample {
	__int128 units;
	char text[128];
	bool is_json;
};

static char *put_digits(char *out, unsigned __int128 value, int at_least)
{
	char reversed[48];
	int n = 0;

	while (value > 0 || n < at_least) {
		reversed[n++] = (char)('0' + (int)(value % 10));
		value /= 10;
	}
	while (n > 0)
		*out++ = reversed[--n];
	return out;
}

static struct sample random_sample(void)
{
	struct sample s = { .is_json = test_random_below(2) };
	unsigned __int128 magnitude = 0;
	char *out = s.text;

	for (size_t digits = test_random_below(31); digits > 0; digits--)
		magnitude = magnitude * 10 + (test_random_below(3) == 0 ? 0 : test_random_below(10));
	s.units = test_random_below(2) ? -(__int128)magnitude : (__int128)magnitude;
	if (s.units < 0 || (s.units == 0 && test_random_below(2)))
		*out++ = '-';

	/* Shift the point by the exponent, where there may be one. */
	int exponent = s.is_json ? (int)test_random_below(25) - 12 : 0;
	int decimals = 12 + exponent;
	unsigned __int128 power = 1;
	for (int i = 0; i < decimals; i++)
		power *= 10;
	if (!s.is_json)
		for (size_t zeros = test_random_below(3); zeros > 0; zeros--)
			*out++ = '0';
	out = put_digits(out, magnitude / power, 1);
	if (decimals > 0) {
		*out++ = '.';
		out = put_digits(out, magnitude % power, decimals);
	}
	if (exponent != 0 || (s.is_json && test_random_below(5) == 0))
		out += snprintf(out, 16, "%c%s%d", test_random_below(2) ? 'e' : 'E',
				exponent >= 0 && test_random_below(2) ? "+" : "", exponent);
	*out = '\0';
	return s;
}

/* Back to units of 10^-12 from canonical text; every deviation from canonical form is reported. */
static __int128 units_of(const char *text)
{
	__int128 units = 0;
	const char *s = text;
	bool negative = *s == '-';
	int decimals = 0;

	s += negative;
	CHECK_FOR(s[0] != '0' || s[1] == '.' || s[1] == '\0', "%s has an idle zero", text);
	CHECK_FOR(*s >= '0' && *s <= '9', "%s has no integer digit", text);
	for (; *s >= '0' && *s <= '9'; s++)
		units = units * 10 + (*s - '0');
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9'; s++, decimals++)
			units = units * 10 + (*s - '0');
		CHECK_FOR(decimals > 0 && s[-1] != '0', "%s has an idle end", text);
	}
	CHECK_FOR(*s == '\0' && decimals <= 12, "%s is not canonical", text);
	for (; decimals < 12; decimals++)
		units *= 10;
	CHECK_FOR(!negative || units != 0, "%s is a negative zero", text);
	return negative ? -units : units;
}

static void agrees_with_integers(void)
{
	struct decimal previous = { .text = "0" };
	__int128 previous_units = 0;

	for (int i = 0; i < 100000; i++) {
		struct sample s = random_sample();
		struct decimal d, again;
		size_t n = strlen(s.text);
		enum err e = s.is_json ? decimal_from_json(s.text, n, &d) : decimal_from_string(s.text, n, &d);

		if (!CHECK_FOR(e == OK, "%s: %s", s.text, err_name(e)))
			continue;
		CHECK_FOR(units_of(d.text) == s.units, "%s became %s", s.text, d.text);
		const char *point = strchr(d.text, '.');
		CHECK_INT(d.scale, point ? strlen(point + 1) : 0);
		CHECK(decimal_from_string(d.text, strlen(d.text), &again) == OK && strcmp(d.text, again.text) == 0);
		CHECK(decimal_from_json(d.text, strlen(d.text), &again) == OK && strcmp(d.text, again.text) == 0);

		int order = decimal_compare(d.text, previous.text);
		int wanted = s.units < previous_units ? -1 : s.units > previous_units;
		CHECK_FOR((order > 0) - (order < 0) == wanted, "%s against %s: %d", d.text, previous.text, order);
		CHECK_INT(decimal_compare(d.text, d.text), 0);
		if (test_random_below(3) > 0) {
			previous = d;
			previous_units = s.units;
		}
	}
}

static void compares_by_value(void)
{
	static const char *const ascending[] = {
		"-100",
		"-99.5",
		"-10",
		"-9.9",
		"-1.01",
		"-1",
		"-0.5",
		"-0.05",
		"0",
		"0.000000000001",
		"0.05",
		"0.5",
		"1",
		"1.01",
		"9.99",
		"10",
		"49.999999999999",
		"50",
		"50.000000000001",
		"100",
	};
	enum { COUNT = sizeof ascending / sizeof ascending[0] };

	for (int i = 0; i < COUNT; i++) {
		for (int j = 0; j < COUNT; j++) {
			int order = decimal_compare(ascending[i], ascending[j]);

			CHECK_FOR((order > 0) - (order < 0) == (i > j) - (i < j), "%s against %s", ascending[i], ascending[j]);
		}
	}
}

/* Digit by digit as on paper, with the thirteenth decimal's remainder deciding. */
static void long_division(uint64_t held, uint64_t issued, char *ret_text)
{
	unsigned __int128 remainder = (unsigned __int128)held * 100;
	unsigned __int128 units = remainder / issued;

	remainder %= issued;
	for (int i = 0; i < 12; i++) {
		remainder *= 10;
		units = units * 10 + remainder / issued;
		remainder %= issued;
	}
	if (remainder * 2 >= issued)
		units++;
	char *out = put_digits(ret_text, units / 1000000000000U, 1);
	*out++ = '.';
	out = put_digits(out, units % 1000000000000U, 12);
	while (out[-1] == '0')
		out--;
	if (out[-1] == '.')
		out--;
	*out = '\0';
}

static void percentages_agree_with_long_division(void)
{
	for (int i = 0; i < 50000; i++) {
		uint64_t issued = (test_random() >> 1) >> test_random_below(63);
		struct decimal d;
		char wanted[32];

		if (issued == 0)
			issued = 1;
		uint64_t held = i % 10 == 0 ? issued - test_random_below(issued < 3 ? 1 : 3) : test_random() % (issued + 1);
		long_division(held, issued, wanted);
		CHECK_INT(decimal_percentage((int64_t)held, (int64_t)issued, &d), OK);
		CHECK_FOR(strcmp(d.text, wanted) == 0, "%llu of %llu: %s, not %s", (unsigned long long)held,
			  (unsigned long long)issued, d.text, wanted);
	}
}

static void percentages_at_the_borders(void)
{
	static const struct {
		int64_t held, issued;
		const char *pct;
	} vectors[] = {
		{ 0, 1, "0" },
		{ 1, 1, "100" },
		{ 1, 3, "33.333333333333" },
		{ 2, 3, "66.666666666667" },
		{ 1, INT64_C(200000000000000), "0.000000000001" }, /* half up: exactly half a unit */
		{ 1, INT64_C(200000000000001), "0" },
		{ 3, INT64_C(200000000000000), "0.000000000002" },
		{ INT64_C(199999999999999), INT64_C(200000000000000), "100" },
		{ INT64_C(199999999999997), INT64_C(200000000000000), "99.999999999999" },
		{ INT64_MAX, INT64_MAX, "100" },
		{ 1, INT64_MAX, "0" },
		{ INT64_C(1) << 62, INT64_MAX, "50" },
	};
	struct decimal d;

	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		CHECK_INT(decimal_percentage(vectors[i].held, vectors[i].issued, &d), OK);
		CHECK_STR(d.text, vectors[i].pct);
	}
	CHECK_INT(decimal_percentage(-1, 1, &d), ERR_RANGE);
	CHECK_INT(decimal_percentage(2, 1, &d), ERR_RANGE);
	CHECK_INT(decimal_percentage(0, 0, &d), ERR_RANGE);
	CHECK_INT(decimal_percentage(0, -1, &d), ERR_RANGE);
	CHECK_INT(decimal_percentage(INT64_MIN, INT64_MIN, &d), ERR_RANGE);
}

TESTS({ "reads JSON numbers", reads_json_numbers }, { "reads decimal strings", reads_decimal_strings },
      { "long tokens cost little", long_tokens_cost_little }, { "agrees with integers", agrees_with_integers },
      { "compares by value", compares_by_value },
      { "percentages agree with long division", percentages_agree_with_long_division },
      { "percentages at the borders", percentages_at_the_borders })

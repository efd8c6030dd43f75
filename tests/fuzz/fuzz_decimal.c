/* Decimals: canonical form is a fixed point of both readers, and its order is that of values. */
#include "fuzz.h"

#include <string.h>

#include "lodebase/base/decimal.h"

static void check_canonical(const struct decimal *d)
{
	struct decimal again;
	size_t n = strlen(d->text);
	const char *digits = d->text + (d->text[0] == '-');
	const char *point = strchr(d->text, '.');

	FUZZ_CHECK(n > 0 && n < sizeof d->text);
	FUZZ_CHECK(strspn(digits, "0123456789.") == strlen(digits));
	FUZZ_CHECK(digits[0] != '0' || digits[1] == '.' || digits[1] == '\0');
	FUZZ_CHECK(!point || d->text[n - 1] != '0');
	FUZZ_CHECK(strcmp(d->text, "-0") != 0);
	FUZZ_CHECK(d->scale == (point ? strlen(point + 1) : 0));
	FUZZ_CHECK(decimal_from_json(d->text, n, &again) == OK && strcmp(d->text, again.text) == 0);
	FUZZ_CHECK(decimal_from_string(d->text, n, &again) == OK && strcmp(d->text, again.text) == 0);
	FUZZ_CHECK(decimal_compare(d->text, again.text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes;
	struct decimal json, string, left, right;
	enum err from_json = decimal_from_json(text, n, &json), from_string = decimal_from_string(text, n, &string);

	if (from_json == OK)
		check_canonical(&json);
	if (from_string == OK)
		check_canonical(&string);
	/* What both readers take is the same number. */
	if (from_json == OK && from_string == OK)
		FUZZ_CHECK(strcmp(json.text, string.text) == 0);

	/* Two numbers with a blank between them: compared either way round. */
	const char *blank = n > 0 ? memchr(text, ' ', n) : NULL;
	if (blank && decimal_from_json(text, (size_t)(blank - text), &left) == OK &&
	    decimal_from_json(blank + 1, n - (size_t)(blank + 1 - text), &right) == OK) {
		int order = decimal_compare(left.text, right.text), back = decimal_compare(right.text, left.text);

		FUZZ_CHECK((order < 0) == (back > 0) && (order > 0) == (back < 0));
		FUZZ_CHECK((order == 0) == (strcmp(left.text, right.text) == 0));
	}

	/* Sixteen bytes: two counts of shares. */
	if (n == 16) {
		int64_t held, issued;

		memcpy(&held, bytes, 8);
		memcpy(&issued, bytes + 8, 8);
		if (decimal_percentage(held, issued, &left) == OK) {
			check_canonical(&left);
			FUZZ_CHECK(left.scale <= 12);
			FUZZ_CHECK(decimal_compare(left.text, "0") >= 0 && decimal_compare(left.text, "100") <= 0);
		} else {
			FUZZ_CHECK(held < 0 || issued < 1 || held > issued);
		}
	}
	return 0;
}

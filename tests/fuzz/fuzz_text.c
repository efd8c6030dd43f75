/* Every reader of short texts over the same bytes: what one accepts has to satisfy what follows from it. */
#include "fuzz.h"

#include <string.h>

#include "lodebase/base/clock.h"
#include "lodebase/base/digest.h"
#include "lodebase/base/iso.h"
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"

static void check_times(const char *text, size_t n)
{
	char formatted[CLOCK_TIME_SIZE], again[CLOCK_TIME_SIZE];
	int64_t us, back;

	/* A day's offset may lead out of the years that can be written. */
	if (clock_parse_us(text, n, &us) && us >= INT64_C(-62135596800000000) && us < INT64_C(253402300800000000)) {
		clock_format_us(us, formatted);
		FUZZ_CHECK(clock_parse_us(formatted, strlen(formatted), &back) && back == us);
		clock_format_us(back, again);
		FUZZ_CHECK(strcmp(formatted, again) == 0);
	}
	if (clock_from_postgres(text, n, formatted))
		FUZZ_CHECK(strlen(formatted) == CLOCK_TIME_SIZE - 1 && formatted[10] == 'T');
	if (clock_is_date(text, n))
		FUZZ_CHECK(n == 10);
}

static void check_encodings(const char *text, size_t n)
{
	uint8_t *bytes = malloc(n + 1);
	char *again = malloc(n * 2 + 8);
	size_t length;

	FUZZ_CHECK(bytes && again);
	if (digest_from_base64url(text, n, bytes, &length))
		FUZZ_CHECK(digest_base64url(bytes, length, again) == n && memcmp(text, again, n) == 0);
	if (digest_from_hex(text, n, bytes)) {
		digest_hex(bytes, n / 2, again);
		FUZZ_CHECK(strlen(again) == n);
	}
	FUZZ_CHECK(!api_key_is_wellformed(text, n) || n == API_KEY_LENGTH);
	free(bytes);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes;
	size_t prefix = text_utf8_prefix(text, n);
	char canonical[UUID_TEXT_SIZE];

	if (n == 0)
		return 0;
	FUZZ_CHECK(prefix <= n && text_is_utf8(text, n) == (prefix == n) && text_is_utf8(text, prefix));
	if (text_is_slug(text, n))
		FUZZ_CHECK(n <= 100 && prefix == n && text_has_visible(text, n) && !uuid_is_text(text, n));
	if (text_is_http_url(text, n))
		FUZZ_CHECK(prefix == n && text_has_visible(text, n) && !memchr(text, ' ', n));
	FUZZ_CHECK(!text_is_lei(text, n) || n == 20);
	FUZZ_CHECK(!text_is_isin(text, n) || n == 12);
	FUZZ_CHECK(!iso_is_country(text, n) || !iso_is_currency(text, n));
	if (uuid_is_text(text, n)) {
		uuid_canonical(text, canonical);
		FUZZ_CHECK(uuid_is_text(canonical, strlen(canonical)));
	}
	if (prefix == n) {
		size_t points = text_code_points(text, n);

		FUZZ_CHECK(points <= n && points >= (n + 3) / 4);
		(void)text_has_visible(text, n);
	}
	check_times(text, n);
	check_encodings(text, n);
	return 0;
}

#include "harness.h"

#include <stdio.h>
#include <time.h>

#include "lodebase/base/clock.h"

static void goes_forward(void)
{
	uint64_t before = clock_monotonic_us();

	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_monotonic_us();

		CHECK(now >= before);
		before = now;
	}
	CHECK(clock_monotonic_ms() >= before / 1000);
	CHECK(clock_wall_us() > INT64_C(1735689600000000)); /* 2025 */
}

static void formats_times(void)
{
	static const struct {
		int64_t us;
		const char *text;
	} vectors[] = {
		{ 0, "1970-01-01T00:00:00.000000Z" },
		{ -1, "1969-12-31T23:59:59.999999Z" },
		{ INT64_C(1765756800000001), "2025-12-15T00:00:00.000001Z" },
		{ INT64_C(951782399999999), "2000-02-28T23:59:59.999999Z" },
		{ INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z" },
		{ INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z" },
		{ INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z" },
		{ INT64_C(253402300800000000), "9999-12-31T23:59:59.999999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999999Z" },
		{ INT64_C(-62135596800000000), "0001-01-01T00:00:00.000000Z" },
		{ INT64_MIN, "0001-01-01T00:00:00.000000Z" },
	};
	char text[CLOCK_TIME_SIZE];

	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		clock_format_us(vectors[i].us, text);
		CHECK_STR(text, vectors[i].text);
	}
}

static void agrees_with_the_c_library(void)
{
	for (int i = 0; i < 50000; i++) {
		/* From year 1 to 9999. */
		int64_t seconds = (int64_t)(test_random() % UINT64_C(315537897600)) - INT64_C(62135596800);
		int64_t us = (int64_t)test_random_below(1000000), back;
		time_t t = seconds;
		struct tm tm;
		char text[CLOCK_TIME_SIZE], wanted[80];

		gmtime_r(&t, &tm);
		(void)snprintf(wanted, sizeof wanted, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1,
			       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)us);
		clock_format_us(seconds * 1000000 + us, text);
		CHECK_STR(text, wanted);
		CHECK(clock_parse_us(text, strlen(text), &back) && back == seconds * 1000000 + us);
	}
}

static void parses_rfc_3339(void)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:00z", 0 },
		{ "1970-01-01T00:00:00.5Z", 500000 },
		{ "1970-01-01T00:00:00.000001Z", 1 },
		{ "1970-01-01T00:00:00.100000Z", 100000 },
		{ "1970-01-01T09:00:00+09:00", 0 },
		{ "1969-12-31T15:00:00-09:00", 0 },
		{ "1970-01-01T00:00:00-00:00", 0 },
		{ "1970-01-01T05:45:00.25+05:45", 250000 },
		{ "1970-01-02T00:00:00+23:59", INT64_C(60000000) },
		{ "2024-02-29T12:00:00Z", INT64_C(1709208000000000) },
		{ "0000-01-01T00:00:00Z", INT64_C(-62167219200000000) },
	};
	static const char *const wrong[] = {
		"",
		"1970-01-01",
		"1970-01-01T00:00:00",
		"1970-01-01 00:00:00Z",
		"1970-01-01T00:00Z",
		"1970-01-01T24:00:00Z",
		"1970-01-01T00:60:00Z",
		"1970-01-01T00:00:60Z",
		"1970-00-01T00:00:00Z",
		"1970-13-01T00:00:00Z",
		"1970-01-00T00:00:00Z",
		"1970-01-32T00:00:00Z",
		"2023-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"1970-01-01T00:00:00.Z",
		"1970-01-01T00:00:00.0000001Z",
		"1970-01-01T00:00:00,5Z",
		"1970-01-01T00:00:00+24:00",
		"1970-01-01T00:00:00+00:60",
		"1970-01-01T00:00:00+0000",
		"1970-01-01T00:00:00+00",
		"1970-01-01T00:00:00Z ",
		"1970-01-01T00:00:00ZZ",
		" 1970-01-01T00:00:00Z",
		"197O-01-01T00:00:00Z",
		"+1970-01-01T00:00:00Z",
		"1970-1-1T00:00:00Z",
		"1970-01-01T00:00:00.5",
		"19700101T000000Z",
		"1970-01-01T00:00:00.1234567890123456789Z",
	};
	int64_t us;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (CHECK_FOR(clock_parse_us(good[i].text, strlen(good[i].text), &us), "%s", good[i].text))
			CHECK_INT(us, good[i].us);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_FOR(!clock_parse_us(wrong[i], strlen(wrong[i]), &us), "%s", wrong[i]);
}

static void reads_postgres_times(void)
{
	static const char *const wrong[] = { "",
					     "infinity",
					     "2025-12-15",
					     "2025-12-15 01:02:03",
					     "2025-12-15 01:02:03+09",
					     "2025-12-15 01:02:03.+00",
					     "2025-12-15 01:02:03.1234567+00",
					     "2025-12-15T01:02:03+00",
					     "2025-12-15 01:02:03+00 BC",
					     "12025-12-15 01:02:03+00",
					     "2025-12-15 01:02:03-00",
					     "2025-12-15 01:02:03+00:30" };
	char text[CLOCK_TIME_SIZE];

	CHECK(clock_from_postgres(LITERAL("2025-12-15 01:02:03.4+00"), text));
	CHECK_STR(text, "2025-12-15T01:02:03.400000Z");
	CHECK(clock_from_postgres(LITERAL("2025-12-15 01:02:03+00"), text));
	CHECK_STR(text, "2025-12-15T01:02:03.000000Z");
	CHECK(clock_from_postgres(LITERAL("2025-12-15 01:02:03.000001+00"), text));
	CHECK_STR(text, "2025-12-15T01:02:03.000001Z");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_FOR(!clock_from_postgres(wrong[i], strlen(wrong[i]), text), "%s", wrong[i]);
}

static void knows_dates(void)
{
	static const char *const good[] = {
		"2025-12-15", "1000-01-01", "2999-12-31", "2024-02-29", "2000-02-29", "2025-04-30"
	};
	static const char *const wrong[] = { "",           "2025-02-29",   "1900-02-29", "2100-02-29",           "2025-04-31",
					     "2025-00-10", "2025-13-01",   "2025-01-00", "0999-12-31",           "3000-01-01",
					     "2025-1-1",   "2025/12/15",   "20251215",   "2025-12-15T00:00:00Z", "2025-12-15 ",
					     "-025-12-15", "2025-12-1\xD9" };
	char today[11];

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK_FOR(clock_is_date(good[i], strlen(good[i])), "%s", good[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_FOR(!clock_is_date(wrong[i], strlen(wrong[i])), "%s", wrong[i]);
	clock_today(today);
	CHECK(clock_is_date(today, strlen(today)));
}

TESTS({ "goes forward", goes_forward }, { "formats times", formats_times },
      { "agrees with the C library", agrees_with_the_c_library }, { "parses RFC 3339", parses_rfc_3339 },
      { "reads PostgreSQL's times", reads_postgres_times }, { "knows dates", knows_dates })

#include "harness.h"

#include "lodebase/base/iso.h"

static void knows_countries(void)
{
	static const char *const wrong[] = {
		"", "K", "kr", "Kr", "KOR", "UK", "EU", "XX", "ZZ", "SU", "K ", " KR", "\xC3\xA9"
	};

	CHECK(iso_is_country("KR", 2));
	CHECK(iso_is_country("US", 2));
	CHECK(iso_is_country("CD", 2));
	CHECK(iso_is_country("AD", 2));
	CHECK(iso_is_country("ZW", 2));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_FOR(!iso_is_country(wrong[i], strlen(wrong[i])), "%s", wrong[i]);
}

static void knows_currencies(void)
{
	static const char *const wrong[] = { "", "US", "usd", "USDX", "DEM", "ZZZ", "US ", "$$$", "BTC" };

	CHECK(iso_is_currency("USD", 3));
	CHECK(iso_is_currency("KRW", 3));
	CHECK(iso_is_currency("EUR", 3));
	CHECK(iso_is_currency("CNY", 3));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_FOR(!iso_is_currency(wrong[i], strlen(wrong[i])), "%s", wrong[i]);
}

static size_t check_list(const char *const *list, size_t length, bool (*is_listed)(const char *, size_t))
{
	size_t n = 0;

	for (; list[n]; n++) {
		CHECK_INT(strlen(list[n]), length);
		CHECK_FOR(n == 0 || strcmp(list[n - 1], list[n]) < 0, "%s is out of order", list[n]);
		CHECK_FOR(is_listed(list[n], length), "%s", list[n]);
	}
	return n;
}

static void lists_are_sorted_and_whole(void)
{
	size_t countries = check_list(iso_countries(), 2, iso_is_country), found = 0;

	CHECK(countries >= 245 && countries < 260);
	CHECK(check_list(iso_currencies(), 3, iso_is_currency) > 150);
	for (char a = 'A'; a <= 'Z'; a++)
		for (char b = 'A'; b <= 'Z'; b++)
			found += iso_is_country((char[]){ a, b }, 2);
	CHECK_INT(found, countries);
}

TESTS({ "knows countries", knows_countries }, { "knows currencies", knows_currencies },
      { "lists are sorted and whole", lists_are_sorted_and_whole })

#include "lodebase/base/iso.h"

#include <string.h>

#include "iso_tables.h"

static bool is_listed(const char *const *codes, size_t count, size_t length, const char *s, size_t n)
{
	size_t low = 0, high = count;

	if (n != length)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(s, codes[middle], length);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

bool iso_is_country(const char *s, size_t n)
{
	return is_listed(iso_country_codes, iso_country_codes_count, 2, s, n);
}

bool iso_is_currency(const char *s, size_t n)
{
	return is_listed(iso_currency_codes, iso_currency_codes_count, 3, s, n);
}

const char *const *iso_countries(void)
{
	return iso_country_codes;
}

const char *const *iso_currencies(void)
{
	return iso_currency_codes;
}

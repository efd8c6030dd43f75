/* ISO codes, made at build time by iso_codes.py; sorted, with a NULL behind the last. */
#pragma once

#include <stddef.h>

extern const char *const iso_country_codes[];
extern const size_t iso_country_codes_count;
extern const char *const iso_currency_codes[];
extern const size_t iso_currency_codes_count;

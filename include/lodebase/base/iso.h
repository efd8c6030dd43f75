/* Country and currency codes, from the iso-codes package, embedded at build time. Exact and case-sensitive. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool iso_is_country(const char *s, size_t n); /* ISO 3166-1 alpha-2 in use today */
bool iso_is_currency(const char *s, size_t n); /* ISO 4217 alpha-3 in use today */
/* All of them in byte order, with a NULL behind the last. */
const char *const *iso_countries(void);
const char *const *iso_currencies(void);

/* Clocks and calendar. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t clock_monotonic_us(void);
uint64_t clock_monotonic_ms(void);
int64_t clock_wall_us(void); /* microseconds since 1970-01-01 UTC */

#define CLOCK_TIME_SIZE 28 /* 2025-12-15T00:00:00.000000Z and NUL */
void clock_format_us(int64_t wall_us, char ret_text[CLOCK_TIME_SIZE]); /* RFC 3339, UTC, six decimals */
/* PostgreSQL's ISO timestamptz output under TimeZone=UTC ("2025-12-15 01:02:03.4+00") as RFC 3339 with six decimals.
 * false where the text is not of that form. */
bool clock_from_postgres(const char *text, size_t n, char ret_text[CLOCK_TIME_SIZE]);
/* RFC 3339 date-time with any offset, up to six decimals, as microseconds since the epoch. false: malformed. */
bool clock_parse_us(const char *text, size_t n, int64_t *ret_wall_us);
/* YYYY-MM-DD, a day that exists, years 1000-2999 (contract section 1). */
bool clock_is_date(const char *text, size_t n);
/* Today in UTC. */
void clock_today(char ret_text[11]);

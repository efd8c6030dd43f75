#include "lodebase/base/clock.h"

#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)
#define DAY (INT64_C(86400) * SECOND)
/* 0001-01-01 and the end of 9999: what has four digits of a year. */
#define EARLIEST (INT64_C(-62135596800) * SECOND)
#define LATEST (INT64_C(253402300800) * SECOND - 1)

static uint64_t read_us(clockid_t which)
{
	struct timespec now;

	/* Cannot fail with these two clocks. */
	(void)clock_gettime(which, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

int64_t clock_wall_us(void)
{
	return (int64_t)read_us(CLOCK_REALTIME);
}

struct date {
	int year, month, day;
};

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, counted in years that begin in March: then the
 * leap day is the last of its year. */
static int64_t days_of(struct date d)
{
	int64_t year = d.month <= 2 ? d.year - 1 : d.year;
	int64_t month = d.month <= 2 ? d.month + 9 : d.month - 3;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
}

static struct date date_of(int64_t days)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t of_era = days - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t day_of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day_of_year + 2) / 153;

	struct date d = {
		.day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
		.month = (int)(month < 10 ? month + 3 : month - 9),
	};
	d.year = (int)(year + era * 400 + (d.month <= 2));
	return d;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

static void put_digits(char *place, unsigned value, int count)
{
	for (int i = count - 1; i >= 0; i--, value /= 10)
		place[i] = (char)('0' + value % 10);
}

void clock_format_us(int64_t wall_us, char ret_text[CLOCK_TIME_SIZE])
{
	if (wall_us < EARLIEST)
		wall_us = EARLIEST;
	if (wall_us > LATEST)
		wall_us = LATEST;

	int64_t days = wall_us / DAY, in_day = wall_us % DAY;
	if (in_day < 0) {
		days--;
		in_day += DAY;
	}
	struct date d = date_of(days);
	unsigned seconds = (unsigned)(in_day / SECOND);

	memcpy(ret_text, "0000-00-00T00:00:00.000000Z", CLOCK_TIME_SIZE);
	put_digits(ret_text, (unsigned)d.year, 4);
	put_digits(ret_text + 5, (unsigned)d.month, 2);
	put_digits(ret_text + 8, (unsigned)d.day, 2);
	put_digits(ret_text + 11, seconds / 3600, 2);
	put_digits(ret_text + 14, seconds / 60 % 60, 2);
	put_digits(ret_text + 17, seconds % 60, 2);
	put_digits(ret_text + 20, (unsigned)(in_day % SECOND), 6);
}

/* Whether text has this shape: 'd' stands for any digit, everything else for itself. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++)
		if (*shape == 'd' ? *text < '0' || *text > '9' : *text != *shape)
			return false;
	return true;
}

static int number_at(const char *digits, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++)
		value = value * 10 + (digits[i] - '0');
	return value;
}

/* The leading YYYY-MM-DD of a text that has its shape; false where there is no such day. */
static bool date_at(const char *text, struct date *ret)
{
	*ret = (struct date){ number_at(text, 4), number_at(text + 5, 2), number_at(text + 8, 2) };
	return ret->month >= 1 && ret->month <= 12 && ret->day >= 1 && ret->day <= days_in_month(ret->year, ret->month);
}

/* A point and one to six digits at text[0..n), or nothing: their value in microseconds and their length. */
static bool fraction_at(const char *text, size_t n, unsigned *ret_us, size_t *ret_length)
{
	size_t length = 0;

	*ret_us = 0;
	*ret_length = 0;
	if (n == 0 || text[0] != '.')
		return true;
	for (length = 1; length < n && text[length] >= '0' && text[length] <= '9'; length++) {
		if (length > 6)
			return false;
		*ret_us = *ret_us * 10 + (unsigned)(text[length] - '0');
	}
	for (size_t i = length; i <= 6; i++)
		*ret_us *= 10;
	*ret_length = length;
	return length > 1;
}

bool clock_from_postgres(const char *text, size_t n, char ret_text[CLOCK_TIME_SIZE])
{
	unsigned us;
	size_t length;

	if (n < 22 || !has_shape(text, "dddd-dd-dd dd:dd:dd") || !fraction_at(text + 19, n - 19, &us, &length))
		return false;
	if (n != 19 + length + 3 || memcmp(text + 19 + length, "+00", 3) != 0)
		return false;
	memcpy(ret_text, text, 19);
	ret_text[10] = 'T';
	memcpy(ret_text + 19, ".000000Z", sizeof ".000000Z");
	put_digits(ret_text + 20, us, 6);
	return true;
}

bool clock_parse_us(const char *text, size_t n, int64_t *ret_wall_us)
{
	struct date d;
	unsigned us;
	size_t length;

	if (n < 20 || !(has_shape(text, "dddd-dd-ddTdd:dd:dd") || has_shape(text, "dddd-dd-ddtdd:dd:dd")) ||
	    !date_at(text, &d) || !fraction_at(text + 19, n - 19, &us, &length))
		return false;
	int hour = number_at(text + 11, 2), minute = number_at(text + 14, 2), second = number_at(text + 17, 2);
	if (hour > 23 || minute > 59 || second > 59)
		return false;

	const char *zone = text + 19 + length;
	size_t zone_n = n - 19 - length;
	int offset_minutes = 0;
	if (zone_n == 6 && (has_shape(zone, "+dd:dd") || has_shape(zone, "-dd:dd"))) {
		int hours = number_at(zone + 1, 2), minutes = number_at(zone + 4, 2);

		if (hours > 23 || minutes > 59)
			return false;
		offset_minutes = (hours * 60 + minutes) * (zone[0] == '-' ? -1 : 1);
	} else if (zone_n != 1 || (zone[0] != 'Z' && zone[0] != 'z')) {
		return false;
	}
	int64_t seconds = days_of(d) * 86400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
	*ret_wall_us = seconds * SECOND + us;
	return true;
}

bool clock_is_date(const char *text, size_t n)
{
	struct date d;

	return n == 10 && has_shape(text, "dddd-dd-dd") && date_at(text, &d) && d.year >= 1000 && d.year <= 2999;
}

void clock_today(char ret_text[11])
{
	char now[CLOCK_TIME_SIZE];

	clock_format_us(clock_wall_us(), now);
	memcpy(ret_text, now, 10);
	ret_text[10] = '\0';
}

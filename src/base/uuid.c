#include "lodebase/base/uuid.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

#include "lodebase/base/clock.h"

static const char lower_hex[] = "0123456789abcdef";

static bool is_hyphen_place(size_t at)
{
	return at == 8 || at == 13 || at == 18 || at == 23;
}

/* The random bits of one id. libuuid's own way is there where the kernel's is not. */
static void draw(struct uuid_source *s, unsigned char bytes[16])
{
	if (s->left < 10) {
		if (getrandom(s->bytes, sizeof s->bytes, 0) != (ssize_t)sizeof s->bytes) {
			uuid_generate_random(bytes);
			return;
		}
		s->left = sizeof s->bytes;
	}
	s->left -= 10;
	memcpy(bytes + 6, s->bytes + s->left, 10);
}

static char *put_hex(char *out, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		*out++ = lower_hex[bytes[i] >> 4];
		*out++ = lower_hex[bytes[i] & 15];
	}
	return out;
}

void uuid_to_text(const struct uuid *id, char ret_text[UUID_TEXT_SIZE])
{
	static const size_t groups[] = { 4, 2, 2, 2, 6 };
	const unsigned char *next = id->bytes;
	char *out = ret_text;

	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; next += groups[i++]) {
		out = put_hex(out, next, groups[i]);
		*out++ = '-';
	}
	out[-1] = '\0';
}

void uuid7_new(struct uuid_source *s, char ret_text[UUID_TEXT_SIZE])
{
	struct uuid id;
	unsigned char *bytes = id.bytes;
	uint64_t us = (uint64_t)clock_wall_us(), ms = us / 1000;
	/* RFC 9562 section 6.2, method 3: the 12 bits behind the version are the fraction of the millisecond, so that the
	 * records of one import sort as they were read. */
	unsigned fraction = (unsigned)(us % 1000 * 4096 / 1000);

	draw(s, bytes);
	for (int i = 5; i >= 0; i--, ms >>= 8)
		bytes[i] = (unsigned char)(ms & 0xFF);
	bytes[6] = (unsigned char)(0x70 | fraction >> 8); /* version 7 */
	bytes[7] = (unsigned char)(fraction & 0xFF);
	bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F)); /* the variant of RFC 9562 */
	uuid_to_text(&id, ret_text);
}

bool uuid_is_text(const char *s, size_t n)
{
	if (n != UUID_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool is_hex = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f') || (s[i] >= 'A' && s[i] <= 'F');

		if (is_hyphen_place(i) ? s[i] != '-' : !is_hex)
			return false;
	}
	return true;
}

void uuid_canonical(const char *s, char ret_text[UUID_TEXT_SIZE])
{
	for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++)
		ret_text[i] = s[i] >= 'A' && s[i] <= 'F' ? (char)(s[i] - 'A' + 'a') : s[i];
	ret_text[UUID_TEXT_SIZE - 1] = '\0';
}

static unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

bool uuid_from_text(const char *s, size_t n, struct uuid *ret)
{
	size_t at = 0;

	if (!uuid_is_text(s, n))
		return false;
	for (size_t i = 0; i < sizeof ret->bytes; i++, at += 2) {
		at += is_hyphen_place(at);
		ret->bytes[i] = (unsigned char)(hex_digit(s[at]) << 4 | hex_digit(s[at + 1]));
	}
	return true;
}

#include <string.h>

#include "lodebase/base/digest.h"

#define PREFIX "lode_"
#define PREFIX_LENGTH 5
#define CHECKSUM_LENGTH 6
#define CHECKED_LENGTH (API_KEY_LENGTH - CHECKSUM_LENGTH)

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool is_base62(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void put_checksum(const char *checked, char ret_text[CHECKSUM_LENGTH])
{
	uint8_t digest[32];
	uint64_t value = 0;

	digest_sha256(checked, CHECKED_LENGTH, digest);
	for (int i = 0; i < 8; i++)
		value = value << 8 | digest[i];
	for (int i = 0; i < CHECKSUM_LENGTH; i++, value /= 62)
		ret_text[i] = base62[value % 62];
}

void api_key_new(char ret_key[API_KEY_LENGTH + 1])
{
	uint8_t random[64];
	size_t at = PREFIX_LENGTH, used = sizeof random;

	memcpy(ret_key, PREFIX, PREFIX_LENGTH);
	while (at < CHECKED_LENGTH) {
		if (used == sizeof random) {
			digest_random(random, sizeof random);
			used = 0;
		}
		/* 248 is four times 62: taking more would favour the first digits. */
		uint8_t byte = random[used++];
		if (byte < 248)
			ret_key[at++] = base62[byte % 62];
	}
	explicit_bzero(random, sizeof random);
	put_checksum(ret_key, ret_key + CHECKED_LENGTH);
	ret_key[API_KEY_LENGTH] = '\0';
}

bool api_key_is_wellformed(const char *s, size_t n)
{
	char checksum[CHECKSUM_LENGTH];

	if (n != API_KEY_LENGTH || memcmp(s, PREFIX, PREFIX_LENGTH) != 0)
		return false;
	for (size_t i = PREFIX_LENGTH; i < n; i++)
		if (!is_base62(s[i]))
			return false;
	put_checksum(s, checksum);
	return memcmp(s + CHECKED_LENGTH, checksum, CHECKSUM_LENGTH) == 0;
}

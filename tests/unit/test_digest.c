#include "harness.h"

#include <ctype.h>

#include "lodebase/base/digest.h"

static void published_vectors(void)
{
	uint8_t digest[32];
	char hex[65];

	digest_sha256(LITERAL("abc"), digest);
	digest_hex(digest, 32, hex);
	CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_sha256(NULL, 0, digest);
	digest_hex(digest, 32, hex);
	CHECK_STR(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_hmac_sha256(LITERAL("Jefe"), LITERAL("what do ya want for nothing?"), digest); /* RFC 4231, case 2 */
	digest_hex(digest, 32, hex);
	CHECK_STR(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	digest_hmac_sha256(NULL, 0, NULL, 0, digest);
	digest_hex(digest, 32, hex);
	CHECK_STR(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void compares(void)
{
	CHECK(digest_equal("abc", "abc", 3));
	CHECK(!digest_equal("abc", "abd", 3));
	CHECK(digest_equal("abc", "abd", 2));
	CHECK(digest_equal("", "", 0));
}

static void hex_both_ways(void)
{
	uint8_t bytes[256], back[256];
	char text[513];

	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	digest_hex(bytes, 256, text);
	CHECK(digest_from_hex(text, 512, back) && memcmp(bytes, back, 256) == 0);
	CHECK(digest_from_hex("aBcD", 4, back) && back[0] == 0xAB && back[1] == 0xCD);
	CHECK(digest_from_hex("", 0, back));
	CHECK(!digest_from_hex("abc", 3, back));
	CHECK(!digest_from_hex("0g", 2, back));
	CHECK(!digest_from_hex("g0", 2, back));
	CHECK(!digest_from_hex(LITERAL("0\0"), back));
}

static void base64url_both_ways(void)
{
	uint8_t bytes[100], back[200];
	char text[200];
	size_t n;

	CHECK_INT(digest_base64url("", 0, text), 0);
	CHECK_STR(text, "");
	CHECK_INT(digest_base64url("f", 1, text), 2);
	CHECK_STR(text, "Zg");
	CHECK_INT(digest_base64url("foobar", 6, text), 8);
	CHECK_STR(text, "Zm9vYmFy");
	digest_base64url("\xFB\xFF\xFE", 3, text);
	CHECK_STR(text, "-__-");
	for (int i = 0; i < 20000; i++) {
		size_t length = test_random_below(sizeof bytes);

		for (size_t j = 0; j < length; j++)
			bytes[j] = (uint8_t)test_random();
		size_t encoded = digest_base64url(bytes, length, text);
		CHECK(strlen(text) == encoded);
		CHECK(digest_from_base64url(text, encoded, back, &n) && n == length && memcmp(back, bytes, n) == 0);
	}
}

/* Of all texts just those are taken that encoding gives: one text per value. */
static void base64url_is_canonical(void)
{
	uint8_t back[16];
	char text[5] = "", again[16];
	size_t n;

	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			text[0] = (char)a;
			text[1] = (char)b;
			bool taken = digest_from_base64url(text, 2, back, &n);

			if (taken)
				CHECK(n == 1 && digest_base64url(back, n, again) == 2 && memcmp(text, again, 2) == 0);
			text[2] = 'A';
			taken = digest_from_base64url(text, 3, back, &n);
			if (taken)
				CHECK(n == 2 && digest_base64url(back, n, again) == 3 && memcmp(text, again, 3) == 0);
		}
	}
	for (int i = 0; i < 100000; i++) {
		for (int j = 0; j < 4; j++)
			text[j] = (char)test_random();
		for (size_t length = 1; length <= 4; length++)
			if (digest_from_base64url(text, length, back, &n))
				CHECK(digest_base64url(back, n, again) == length && memcmp(text, again, length) == 0);
	}
	CHECK(digest_from_base64url("Zg", 2, back, &n));
	CHECK(!digest_from_base64url("Zh", 2, back, &n));
	CHECK(!digest_from_base64url("Zg==", 4, back, &n));
	CHECK(!digest_from_base64url("Z", 1, back, &n));
	CHECK(!digest_from_base64url("+/+/", 4, back, &n));
	CHECK(!digest_from_base64url("Zm9v\n", 5, back, &n));
}

static void random_bytes_differ(void)
{
	uint8_t a[1000] = { 0 }, b[1000] = { 0 };

	digest_random(a, sizeof a);
	digest_random(b, sizeof b);
	CHECK(memcmp(a, b, sizeof a) != 0);
	digest_random(a, 0);
}

static void keys_carry_a_checksum(void)
{
	char key[API_KEY_LENGTH + 1], other[API_KEY_LENGTH + 1];
	unsigned seen[128] = { 0 };

	for (int i = 0; i < 300; i++) {
		api_key_new(key);
		CHECK_INT(strlen(key), API_KEY_LENGTH);
		CHECK(memcmp(key, "lode_", 5) == 0);
		for (size_t j = 5; j < API_KEY_LENGTH; j++) {
			CHECK(isalnum((unsigned char)key[j]));
			seen[(unsigned char)key[j] & 127]++;
		}
		CHECK(api_key_is_wellformed(key, API_KEY_LENGTH));
		CHECK(!api_key_is_wellformed(key, API_KEY_LENGTH - 1));
		CHECK(!api_key_is_wellformed(key, API_KEY_LENGTH + 1));
		for (size_t j = 0; j < API_KEY_LENGTH; j++) {
			memcpy(other, key, sizeof other);
			other[j] = other[j] == 'a' ? 'b' : 'a';
			CHECK_FOR(!api_key_is_wellformed(other, API_KEY_LENGTH), "%s", other);
			other[j] = '-';
			CHECK(!api_key_is_wellformed(other, API_KEY_LENGTH));
		}
	}
	/* All 62 occur: about 222 times each. */
	for (int c = 0; c < 128; c++)
		CHECK(isalnum(c) ? seen[c] > 100 : seen[c] == 0);
	CHECK(!api_key_is_wellformed("", 0));
	/* A form that must never change: keys in use would be refused. */
	CHECK(!api_key_is_wellformed(LITERAL("lode_0000000000000000000000000000000000000000000000")));
	CHECK(api_key_is_wellformed(LITERAL("lode_"
					    "01234567"
					    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
					    "i71nr8")));
}

TESTS({ "published vectors", published_vectors }, { "compares", compares }, { "hex both ways", hex_both_ways },
      { "base64url both ways", base64url_both_ways }, { "base64url is canonical", base64url_is_canonical },
      { "random bytes differ", random_bytes_differ }, { "keys carry a checksum", keys_carry_a_checksum })

#include "lodebase/base/digest.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* libcrypto fails here only without memory or without its default provider: no digest can be trusted then. */
void digest_sha256(const void *bytes, size_t n, uint8_t ret_digest[32])
{
	if (!SHA256(n ? bytes : "", n, ret_digest))
		abort();
}

struct digest *digest_begin(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		abort();
	return (struct digest *)context;
}

void digest_put(struct digest *d, const void *bytes, size_t n)
{
	if (EVP_DigestUpdate((EVP_MD_CTX *)d, bytes, n) != 1)
		abort();
}

void digest_end(struct digest *d, uint8_t ret_digest[32])
{
	if (ret_digest && EVP_DigestFinal_ex((EVP_MD_CTX *)d, ret_digest, NULL) != 1)
		abort();
	EVP_MD_CTX_free((EVP_MD_CTX *)d);
}

void digest_hmac_sha256(const void *key, size_t key_n, const void *bytes, size_t n, uint8_t ret_mac[32])
{
	unsigned length = 0;

	if (key_n > INT_MAX ||
	    !HMAC(EVP_sha256(), key_n ? key : "", (int)key_n, n ? bytes : (const void *)"", n, ret_mac, &length) ||
	    length != 32)
		abort();
}

bool digest_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void digest_hex(const void *bytes, size_t n, char *ret_text)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *from = bytes;

	for (size_t i = 0; i < n; i++) {
		*ret_text++ = hex[from[i] >> 4];
		*ret_text++ = hex[from[i] & 15];
	}
	*ret_text = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool digest_from_hex(const char *text, size_t n, uint8_t *ret_bytes)
{
	if (n % 2 != 0)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		int high = hex_value(text[i]), low = hex_value(text[i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret_bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t digest_base64url(const void *bytes, size_t n, char *ret_text)
{
	const uint8_t *from = bytes;
	char *out = ret_text;

	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t group = (uint32_t)from[i] << 16;

		if (have > 1)
			group |= (uint32_t)from[i + 1] << 8;
		if (have > 2)
			group |= from[i + 2];
		for (size_t j = 0; j <= have; j++)
			*out++ = base64url[group >> (18 - 6 * j) & 63];
	}
	*out = '\0';
	return (size_t)(out - ret_text);
}

static int base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool digest_from_base64url(const char *text, size_t n, uint8_t *ret_bytes, size_t *ret_n)
{
	uint32_t held = 0;
	unsigned bits = 0;
	uint8_t *out = ret_bytes;

	if (n % 4 == 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		int value = base64url_value(text[i]);

		if (value < 0)
			return false;
		held = held << 6 | (uint32_t)value;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*out++ = (uint8_t)(held >> bits & 0xFF);
		}
	}
	/* What is left over must be zero, or several texts would mean the same bytes. */
	if (held & ((1U << bits) - 1))
		return false;
	*ret_n = (size_t)(out - ret_bytes);
	return true;
}

void digest_random(void *ret_bytes, size_t n)
{
	uint8_t *place = ret_bytes;

	while (n > 0) {
		ssize_t got = getrandom(place, n, 0);

		if (got > 0) {
			place += got;
			n -= (size_t)got;
		} else if (errno != EINTR) {
			abort();
		}
	}
}

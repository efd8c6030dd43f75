/* Digests and encodings (libcrypto). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void digest_sha256(const void *bytes, size_t n, uint8_t ret_digest[32]);
/* The same of bytes that come in parts. NULL: no memory. digest_end() frees it; ret_digest NULL: nobody wants it any more. */
struct digest;
struct digest *digest_begin(void);
void digest_put(struct digest *d, const void *bytes, size_t n);
void digest_end(struct digest *d, uint8_t ret_digest[32]);
void digest_hmac_sha256(const void *key, size_t key_n, const void *bytes, size_t n, uint8_t ret_mac[32]);
bool digest_equal(const void *a, const void *b, size_t n); /* in constant time */
void digest_hex(const void *bytes, size_t n, char *ret_text); /* 2n characters and NUL */
bool digest_from_hex(const char *text, size_t n, uint8_t *ret_bytes); /* n characters, n/2 bytes; false: not hex */
size_t digest_base64url(const void *bytes, size_t n, char *ret_text); /* no padding; NUL added; length returned */
/* false where text is not canonical unpadded base64url; ret_bytes has room for n * 3 / 4 + 1. */
bool digest_from_base64url(const char *text, size_t n, uint8_t *ret_bytes, size_t *ret_n);
void digest_random(void *ret_bytes, size_t n); /* from the kernel; aborts where it has none */

/* API keys: lode_<8 id><32 secret><6 checksum>, of [0-9A-Za-z] each. The checksum is the six lowest base-62 digits,
 * lowest first, of the first eight bytes (big-endian) of SHA-256 over "lode_<id><secret>", so garbage is refused without a
 * query (design section 3). */
#define API_KEY_LENGTH 51
#define API_KEY_ID_LENGTH 8
void api_key_new(char ret_key[API_KEY_LENGTH + 1]);
bool api_key_is_wellformed(const char *s, size_t n);

#include "token.h"

#include <string.h>
#include "internal.h"

#define MAC_BYTES 16

const char *token_seal(struct call *c, char kind, const char *bytes, size_t n)
{
	uint8_t mac[32];
	struct buf b;
	char *text;

	buf_init(&b, TOKEN_MAX);
	buf_putc(&b, kind);
	buf_put(&b, bytes, n);
	if (!b.failed)
		digest_hmac_sha256(c->api->cursor_secret, sizeof(c->api->cursor_secret), b.data, b.len, mac);
	buf_put(&b, mac, MAC_BYTES);
	text = b.failed ? NULL : arena_alloc(c->arena, b.len * 4 / 3 + 8);
	if (text)
		digest_base64url(b.data, b.len, text);
	buf_done(&b);
	return text;
}

const uint8_t *token_open(struct call *c, char kind, const char *text, size_t n, size_t *ret_n)
{
	uint8_t *bytes = n <= TOKEN_MAX * 2 ? arena_alloc(c->arena, n * 3 / 4 + 4) : NULL;
	uint8_t mac[32];
	size_t len;

	if (!bytes || !digest_from_base64url(text, n, bytes, &len) || len < 1 + MAC_BYTES)
		return NULL;
	len -= MAC_BYTES;
	digest_hmac_sha256(c->api->cursor_secret, sizeof(c->api->cursor_secret), bytes, len, mac);
	if (!digest_equal(mac, bytes + len, MAC_BYTES) || bytes[0] != (uint8_t)kind)
		return NULL;
	*ret_n = len - 1;
	return bytes + 1;
}

void token_put(struct buf *b, const char *value)
{
	size_t n = value ? strlen(value) : 0;

	buf_putc(b, value ? 1 : 0);
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_putc(b, (char)((n >> shift) & 0xff));
	buf_put(b, value ? value : "", n);
}

bool token_get(struct call *c, const uint8_t **p, size_t *n, const char **ret_value)
{
	size_t len;

	if (*n < 5)
		return false;
	len = (size_t)(*p)[1] << 24 | (size_t)(*p)[2] << 16 | (size_t)(*p)[3] << 8 | (*p)[4];
	if (*n - 5 < len)
		return false;
	*ret_value = (*p)[0] ? arena_strndup(c->arena, (const char *)*p + 5, len) : NULL;
	if ((*p)[0] && !*ret_value)
		return false;
	*p += 5 + len;
	*n -= 5 + len;
	return true;
}

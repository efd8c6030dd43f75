/* Cursors: where a walk through a list goes on. A cursor holds the sort values of the last record, bound to resource, filters
 * and sort by a digest, and is signed with the secret that all instances share (design section 3), so it is good across
 * restarts and instances, and nobody can make one up. */
#include "call.h"

#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define SHAPE_BYTES 12
#define MAC_BYTES 16
#define CURSOR_MAX (64u << 10)

static void secret_loaded(struct call *c)
{
	void (*ready)(struct call * c) = c->after_secret;
	const struct db_result *result = c->job.results[0];

	if (db_result_rows(result) != 1 || db_result_length(result, 0, 0) != 2 * sizeof(c->api->cursor_secret) ||
	    !digest_from_hex(db_result_value(result, 0, 0), 2 * sizeof(c->api->cursor_secret), c->api->cursor_secret)) {
		call_fail(c, 500, "internal", NULL);
		return;
	}
	c->api->has_cursor_secret = true;
	ready(c);
}

void cursor_secret_load(struct call *c, void (*ready)(struct call *c))
{
	if (c->api->has_cursor_secret) {
		ready(c);
		return;
	}
	c->after_secret = ready;
	call_statement(c, 0, "cursor_secret", "select value from setting where name = 'cursor_secret'", NULL, 0);
	call_query(c, DB_READ, 1, false, secret_loaded);
}

/* A digest of all that a cursor is bound to. */
static void shape_digest(const struct list_query *q, uint8_t ret[32])
{
	struct buf b;

	buf_init(&b, CURSOR_MAX * 4);
	buf_printf(&b, "%s\n", q->resource->name);
	for (size_t i = 0; i < q->n_filters; i++) {
		buf_printf(&b, "%s %d %d", q->filters[i].field->name, (int)q->filters[i].op, q->filters[i].is_null);
		for (size_t k = 0; k < q->filters[i].n_values; k++)
			buf_printf(&b, " %zu:%s", strlen(q->filters[i].values[k]), q->filters[i].values[k]);
		buf_putc(&b, '\n');
	}
	for (size_t i = 0; i < q->n_keys; i++)
		buf_printf(&b, "%s%s\n", q->keys[i].descending ? "-" : "", q->keys[i].field->name);
	digest_sha256(b.data, b.len, ret);
	buf_done(&b);
}

static void put_value(struct buf *b, const char *value)
{
	size_t n = value ? strlen(value) : 0;

	buf_putc(b, value ? 1 : 0);
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_putc(b, (char)((n >> shift) & 0xff));
	buf_put(b, value ? value : "", n);
}

const char *cursor_make(struct call *c, const struct list_query *q, const struct db_result *result, int row)
{
	struct buf b;
	uint8_t digest[32], mac[32];
	char *text;

	buf_init(&b, CURSOR_MAX);
	buf_putc(&b, VERSION);
	shape_digest(q, digest);
	buf_put(&b, digest, SHAPE_BYTES);
	for (size_t i = 0; i < q->n_keys; i++) {
		int column = (int)(q->keys[i].field - q->resource->fields);
		const char *value = NULL;

		if (!db_result_is_null(result, row, column)) {
			value = encode_value(c->arena, q->keys[i].field, db_result_value(result, row, column),
					     (size_t)db_result_length(result, row, column));
			if (!value)
				b.failed = true;
		}
		put_value(&b, value);
	}
	digest_hmac_sha256(c->api->cursor_secret, sizeof(c->api->cursor_secret), b.data, b.len, mac);
	buf_put(&b, mac, MAC_BYTES);
	text = b.failed ? NULL : arena_alloc(c->arena, b.len * 4 / 3 + 8);
	if (text)
		digest_base64url(b.data, b.len, text);
	buf_done(&b);
	return text;
}

static bool read_values(struct call *c, const uint8_t *p, size_t n, struct list_query *q)
{
	q->after = arena_alloc(c->arena, q->n_keys * sizeof(*q->after));
	for (size_t i = 0; q->after && i < q->n_keys; i++) {
		size_t len;

		if (n < 5)
			return false;
		len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
		if (n - 5 < len)
			return false;
		q->after[i] = p[0] ? arena_strndup(c->arena, (const char *)p + 5, len) : NULL;
		if (p[0] && !q->after[i])
			return false;
		p += 5 + len;
		n -= 5 + len;
	}
	return q->after && n == 0;
}

bool cursor_read(struct call *c, const char *text, size_t n, struct list_query *q)
{
	uint8_t *bytes = n <= CURSOR_MAX * 2 ? arena_alloc(c->arena, n * 3 / 4 + 4) : NULL;
	uint8_t digest[32], mac[32];
	size_t len;

	if (!bytes || !digest_from_base64url(text, n, bytes, &len) || len < 1 + SHAPE_BYTES + MAC_BYTES) {
		faults_add(&c->faults, FAULT_PARAMETER, "cursor", "format",
			   "this is no cursor; take next_cursor of an answer as it stands");
		return false;
	}
	len -= MAC_BYTES;
	digest_hmac_sha256(c->api->cursor_secret, sizeof(c->api->cursor_secret), bytes, len, mac);
	shape_digest(q, digest);
	if (!digest_equal(mac, bytes + len, MAC_BYTES) || bytes[0] != VERSION) {
		faults_add(&c->faults, FAULT_PARAMETER, "cursor", "format", "this cursor is not of this base, or was changed");
		return false;
	}
	if (c->faults.n > 0)
		return false; /* what it belongs to cannot be said while filters or sort are wrong */
	if (!digest_equal(digest, bytes + 1, SHAPE_BYTES)) {
		faults_add(&c->faults, FAULT_PARAMETER, "cursor", "format",
			   "this cursor belongs to another list: keep filters and sort as they were");
		return false;
	}
	if (!read_values(c, bytes + 1 + SHAPE_BYTES, len - 1 - SHAPE_BYTES, q)) {
		q->after = NULL;
		faults_add(&c->faults, FAULT_PARAMETER, "cursor", "format", "this cursor is not of this program");
		return false;
	}
	return true;
}

/* Cursors: where a walk through a list goes on. A cursor holds the sort values of the last record, bound to resource, filters
 * and sort by a digest, and is signed with the secret that all instances share (design section 3), so it is good across
 * restarts and instances, and nobody can make one up. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include "token.h"

#define SHAPE_BYTES 12
#define PLAIN_CURSOR 'C'
#define KNOWN_CURSOR 'K' /* of a list asked with known_at: holds its instant */

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

	buf_init(&b, TOKEN_MAX * 4);
	buf_printf(&b, "%s\n", q->resource->name);
	for (size_t i = 0; i < q->n_filters; i++) {
		buf_printf(&b, "%s %d %d", q->filters[i].field->name, (int)q->filters[i].op, q->filters[i].is_null);
		for (size_t k = 0; k < q->filters[i].n_values; k++)
			buf_printf(&b, " %zu:%s", strlen(q->filters[i].values[k]), q->filters[i].values[k]);
		buf_putc(&b, '\n');
	}
	if (q->text)
		buf_printf(&b, "text %zu:%s\n", strlen(q->text), q->text);
	if (q->valid_at)
		buf_printf(&b, "valid at %s\n", q->valid_at);
	for (size_t i = 0; i < q->n_keys; i++)
		buf_printf(&b, "%s%s\n", q->keys[i].descending ? "-" : "", q->keys[i].field->name);
	digest_sha256(b.data, b.len, ret);
	buf_done(&b);
}

const char *cursor_make(struct call *c, const struct list_query *q, const struct db_result *result, int row)
{
	struct buf b;
	uint8_t digest[32];
	const char *text;

	buf_init(&b, TOKEN_MAX);
	shape_digest(q, digest);
	buf_put(&b, digest, SHAPE_BYTES);
	if (q->known)
		token_put(&b, q->known->revision);
	for (size_t i = 0; i < q->n_keys; i++) {
		int column = (int)(q->keys[i].field - q->resource->fields);
		const char *value = NULL;

		if (!db_result_is_null(result, row, column)) {
			value = encode_value(c->arena, q->keys[i].field, db_result_value(result, row, column),
					     (size_t)db_result_length(result, row, column));
			if (!value)
				b.failed = true;
		}
		token_put(&b, value);
	}
	text = b.failed ? NULL : token_seal(c, q->known ? KNOWN_CURSOR : PLAIN_CURSOR, b.data, b.len);
	buf_done(&b);
	return text;
}

static bool read_values(struct call *c, const uint8_t *p, size_t n, struct list_query *q)
{
	q->after = arena_alloc(c->arena, q->n_keys * sizeof(*q->after));
	for (size_t i = 0; q->after && i < q->n_keys; i++)
		if (!token_get(c, &p, &n, &q->after[i]))
			return false;
	return q->after && n == 0;
}

/* A walk stays at the instant where it began: what the cursor says of it stands, and known_at may repeat it as `now`, as the time
 * or as the revision of the first page. */
static bool take_instant(struct call *c, const uint8_t **p, size_t *n, const struct list_query *q)
{
	struct known *asked = &c->known, held;
	const char *text;

	if (!q->known)
		return true;
	if (!token_get(c, p, n, &text) || !text || !known_open(c, text, strlen(text), &held))
		return false;
	if (asked->kind != KNOWN_NOW &&
	    strcmp(asked->revision ? asked->revision : asked->time, asked->revision ? text : held.time) != 0)
		return false;
	*asked = held;
	return true;
}

bool cursor_read(struct call *c, const char *text, size_t n, struct list_query *q)
{
	uint8_t digest[32];
	size_t len;
	const uint8_t *bytes = token_open(c, q->known ? KNOWN_CURSOR : PLAIN_CURSOR, text, n, &len);

	if (!bytes || len < SHAPE_BYTES) {
		bool other = token_open(c, q->known ? PLAIN_CURSOR : KNOWN_CURSOR, text, n, &len) != NULL;

		faults_add(&c->faults, FAULT_PARAMETER, "cursor", "format",
			   other ? "this cursor belongs to a list that was asked %s known_at: keep it as it was"
				 : "this is no cursor of this base, or it was changed: take next_cursor of an answer as it "
				   "stands%s",
			   !other     ? ""
			   : q->known ? "without"
				      : "with");
		return false;
	}
	if (c->faults.n > 0)
		return false; /* what it belongs to cannot be said while filters or sort are wrong */
	shape_digest(q, digest);
	if (!digest_equal(digest, bytes, SHAPE_BYTES)) {
		faults_add(&c->faults, FAULT_PARAMETER, "cursor", "format",
			   "this cursor belongs to another list: keep filters and sort as they were");
		return false;
	}
	bytes += SHAPE_BYTES;
	len -= SHAPE_BYTES;
	if (!take_instant(c, &bytes, &len, q)) {
		faults_add(&c->faults, FAULT_PARAMETER, "cursor", "format",
			   "this cursor belongs to another instant: keep known_at as it was");
		return false;
	}
	if (!read_values(c, bytes, len, q)) {
		q->after = NULL;
		faults_add(&c->faults, FAULT_PARAMETER, "cursor", "format", "this cursor is not of this program");
		return false;
	}
	return true;
}

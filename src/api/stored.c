#include "lodebase/api/stored.h"

#include <string.h>
#include "internal.h"

#define SQL_MAX (64u << 10)
#define SLICE 100 /* records asked for at once: of the largest ones there is memory for so many */

/* A reading under way, slice by slice. */
struct stored_reading {
	const struct resource *resource;
	struct stored *items;
	size_t n, from, to; /* the slice is from .. to; what is before it was read */
	struct arena *arena;
	void (*ready)(struct call *c);
};

static void read_slice(struct call *c);

/* Two may bear one slug at a time that is known: the later one does (as in compose_get_known()). */
static void take(struct stored_reading *s, size_t field, const struct record *record)
{
	const char *value = record->values[field];

	for (size_t i = s->from; value && i < s->to; i++) {
		struct stored *item = &s->items[i];

		if (strcmp(item->key, value) == 0 && (!item->record || strcmp(item->record->values[RESOURCE_UPDATED_AT],
									      record->values[RESOURCE_UPDATED_AT]) < 0))
			item->record = record;
	}
}

static void slice_read(struct call *c)
{
	struct stored_reading *s = c->stored;
	const struct db_result *result = c->job.results[0];

	for (int row = 0; row < db_result_rows(result); row++) {
		const struct record *record = encode_to_record(s->arena, s->resource, result, row);

		if (!record) {
			call_out_of_memory(c);
			return;
		}
		take(s, RESOURCE_ID, record);
		take(s, RESOURCE_SLUG, record);
	}
	s->from = s->to;
	read_slice(c);
}

/* $1 the ids, $2 the slugs of the slice. */
static bool name_slice(struct call *c, const struct stored_reading *s, const char **params)
{
	const char *keys[2][SLICE];
	size_t n[2] = { 0, 0 };

	for (size_t i = s->from; i < s->to; i++) {
		int by_slug = !uuid_is_text(s->items[i].key, strlen(s->items[i].key));

		keys[by_slug][n[by_slug]++] = s->items[i].key;
	}
	params[0] = compose_array(c->arena, keys[0], n[0]);
	params[1] = compose_array(c->arena, keys[1], n[1]);
	return params[0] && params[1];
}

static void read_slice(struct call *c)
{
	struct stored_reading *s = c->stored;
	const char **params, *copy;
	struct visibility v;
	struct buf sql;
	int n = 2;

	if (s->from == s->n) {
		s->ready(c);
		return;
	}
	s->to = s->n - s->from > SLICE ? s->from + SLICE : s->n;
	params = arena_alloc(c->arena, 4 * sizeof(*params));
	if (!params || !name_slice(c, s, params)) {
		call_out_of_memory(c);
		return;
	}
	buf_init(&sql, SQL_MAX);
	buf_puts(&sql, "select * from ");
	compose_rows_known(&sql, s->resource, known_visibility(c, params, &n, &v));
	buf_puts(&sql, " t where t.id = any($1::uuid[]) or t.slug = any($2::text[])");
	copy = sql.failed ? NULL : arena_strndup(c->arena, sql.data, sql.len);
	buf_done(&sql);
	if (!copy) {
		call_out_of_memory(c);
		return;
	}
	/* unprepared: what the plan is worth depends on the instant */
	call_statement(c, 0, NULL, copy, params, n);
	call_query(c, DB_READ, 1, false, slice_read);
}

void stored_read(struct call *c, const struct resource *r, struct stored *items, size_t n, struct arena *arena,
		 void (*ready)(struct call *c))
{
	struct stored_reading *s = arena_alloc(c->arena, sizeof(*s));

	if (!s) {
		call_out_of_memory(c);
		return;
	}
	*s = (struct stored_reading){ .resource = r, .items = items, .n = n, .arena = arena, .ready = ready };
	c->stored = s;
	read_slice(c);
}

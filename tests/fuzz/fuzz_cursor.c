/* Cursors: a digit that chooses the list, then one byte that says what the rest is: a cursor as a client sends it (t), what one
 * says, signed with the right secret (s), or the values of a row, divided by line ends, that one is made of (any other). */
#include "api_case.h"

#include <string.h>
#include "lodebase/base/text.h"

#define HEAD 13 /* its version and the digest of what it is bound to */
#define MAC 16
#define KEYS_MAX 6

struct list {
	const struct resource *resource;
	const char *keys[KEYS_MAX]; /* '-' before a name: descending */
};

static const struct list *list_of(uint8_t choice)
{
	static struct list lists[4];

	lists[0] = (struct list){ fuzz_resource(0), { "created_at", "id" } };
	lists[1] = (struct list){ fuzz_resource(1), { "-capex_amount", "name", "id" } };
	lists[2] = (struct list){ fuzz_resource(2), { "slug", "-contingent", "valid_to", "-shares_held", "-id" } };
	lists[3] = (struct list){ fuzz_resource(0), { "id" } };
	return &lists[choice % 4];
}

static struct list_query query_of(struct arena *a, const struct list *l)
{
	struct list_query q = { .resource = l->resource, .limit = 51 };

	q.keys = arena_alloc(a, KEYS_MAX * sizeof(*q.keys));
	q.filters = arena_alloc(a, sizeof(*q.filters));
	FUZZ_CHECK(q.keys && q.filters);
	for (; q.n_keys < KEYS_MAX && l->keys[q.n_keys]; q.n_keys++) {
		const char *name = l->keys[q.n_keys];
		bool descending = *name == '-';
		int i = resource_field(l->resource, name + descending, strlen(name + descending));

		FUZZ_CHECK(i >= 0);
		q.keys[q.n_keys] = (struct sort_key){ &l->resource->fields[i], descending };
	}
	q.filters[q.n_filters++] = (struct filter){ .field = &l->resource->fields[RESOURCE_SLUG], .op = FILTER_NULL };
	return q;
}

/* Gives a cursor to a fresh call for the list. What is refused is refused by one fault; what is taken fits the list. */
static bool take(struct arena *a, struct list_query *q, const char *text, size_t n)
{
	struct call *c = fuzz_call(a, q->resource);
	struct composed list;
	bool taken;

	q->after = NULL;
	taken = cursor_read(c, text, n, q);
	fuzz_check_faults(&c->faults);
	FUZZ_CHECK(c->faults.n == (taken ? 0 : 1));
	if (taken) {
		FUZZ_CHECK(q->after && compose_list(a, q, &list));
		for (const char *p = list.sql; (p = strchr(p, '$')); p++)
			FUZZ_CHECK(strtol(p + 1, NULL, 10) <= list.n_params);
	}
	return taken;
}

static struct record *row_of(struct arena *a, const struct list_query *q, const uint8_t *bytes, size_t n)
{
	struct record *record = record_new(a, q->resource);

	FUZZ_CHECK(record);
	for (size_t i = 0; i < q->n_keys; i++) {
		const uint8_t *end = n > 0 ? memchr(bytes, '\n', n) : NULL;
		size_t len = end ? (size_t)(end - bytes) : n, field = (size_t)(q->keys[i].field - q->resource->fields);

		/* an empty line stands for null */
		record->values[field] =
			len > 0 && !memchr(bytes, '\0', len) ? arena_strndup(a, (const char *)bytes, len) : NULL;
		bytes += end ? len + 1 : len;
		n -= end ? len + 1 : len;
		/* dates and numbers come as the server makes them, whatever was asked for */
		if (record->values[field] && q->keys[i].field->type != FIELD_TEXT && q->keys[i].field->type != FIELD_SLUG)
			record->values[field] = q->keys[i].field->type == FIELD_TIME   ? "2025-12-15T09:30:00.000001Z"
						: q->keys[i].field->type == FIELD_BOOL ? "true"
										       : "12";
	}
	return record;
}

static const char *make(struct arena *a, const struct list_query *q, const struct record *record)
{
	struct db_result *row = fuzz_row(a, q->resource, record);
	const char *text = cursor_make(fuzz_call(a, q->resource), q, row, 0);

	db_result_free(row);
	return text;
}

/* What was made reads back as it was, for its own list alone, and unchanged alone. */
static void check_made(struct arena *a, struct list_query *q, const struct record *record, size_t at)
{
	const char *text = make(a, q, record);
	struct list_query other = *q;
	char *changed;

	FUZZ_CHECK(text && take(a, q, text, strlen(text)));
	for (size_t i = 0; i < q->n_keys; i++) {
		const char *value = record->values[q->keys[i].field - q->resource->fields];

		FUZZ_CHECK(!value == !q->after[i] && (!value || strcmp(value, q->after[i]) == 0));
	}
	other.n_filters = 0;
	FUZZ_CHECK(!take(a, &other, text, strlen(text)));
	other = query_of(a, list_of((uint8_t)(at % 4)));
	FUZZ_CHECK(take(a, &other, text, strlen(text)) == (other.resource == q->resource && other.n_keys == q->n_keys &&
							   memcmp(other.keys, q->keys, q->n_keys * sizeof(*q->keys)) == 0));
	changed = arena_strdup(a, text);
	FUZZ_CHECK(changed);
	at %= strlen(text);
	changed[at] = changed[at] == 'A' ? 'B' : 'A';
	FUZZ_CHECK(!take(a, q, changed, strlen(text)));
	FUZZ_CHECK(!take(a, q, text, at));
}

/* Values by their lengths, as a cursor holds them. */
static bool values_are_whole(const uint8_t *p, size_t n, size_t count)
{
	for (; count > 0; count--) {
		size_t len;

		if (n < 5)
			return false;
		len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
		if (len > n - 5)
			return false;
		p += 5 + len;
		n -= 5 + len;
	}
	return n == 0;
}

/* One that was signed by us: however it came about, it is read to the letter or refused. */
static void check_signed(struct arena *a, struct list_query *q, const uint8_t *bytes, size_t n)
{
	uint8_t *cursor = arena_alloc(a, HEAD + n + 32);
	char *text = arena_alloc(a, (HEAD + n + 32) * 2);
	const char *model = make(a, q, record_new(a, q->resource));
	struct call *c = fuzz_call(a, q->resource);
	size_t len = strlen(model);
	uint8_t *bound = arena_alloc(a, len);

	FUZZ_CHECK(cursor && text && bound && digest_from_base64url(model, len, bound, &len));
	memcpy(cursor, bound, HEAD);
	if (n > 0)
		memcpy(cursor + HEAD, bytes, n);
	digest_hmac_sha256(c->api->cursor_secret, sizeof(c->api->cursor_secret), cursor, HEAD + n, cursor + HEAD + n);
	len = digest_base64url(cursor, HEAD + n + MAC, text);
	FUZZ_CHECK(take(a, q, text, len) == values_are_whole(bytes, n, q->n_keys));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < 2)
		return 0;
	struct arena *a = arena_new(FUZZ_ARENA);
	struct list_query q = query_of(a, list_of(bytes[0]));
	const uint8_t kind = bytes[1];

	bytes += 2;
	n -= 2;
	if (kind == 't')
		FUZZ_CHECK(!take(a, &q, (const char *)bytes, n));
	else if (kind == 's')
		check_signed(a, &q, bytes, n);
	else
		check_made(a, &q, row_of(a, &q, bytes, n), kind);
	arena_free(a);
	return 0;
}

#include "api_case.h"

#include <libpq-fe.h>
#include <string.h>
#include "../../src/db/result_internal.h"
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"

const struct resource *fuzz_resource(uint8_t choice)
{
	static const char *const first[] = { "shareholders", "projects", "stakes" };
	size_t n = 0, k = choice >= '0' ? (size_t)(choice - '0') : choice, n_first = sizeof(first) / sizeof(first[0]);

	while (resources[n])
		n++;
	k = n > 0 ? k % n : 0;
	if (k < n_first)
		return resource_find(first[k]);
	for (size_t i = 0, others = n_first;; i++) {
		bool is_first = false;

		for (size_t f = 0; f < n_first; f++)
			is_first = is_first || strcmp(resources[i]->name, first[f]) == 0;
		if (!is_first && others++ == k)
			return resources[i];
	}
}

struct call *fuzz_call(struct arena *a, const struct resource *r)
{
	struct call *c = arena_alloc(a, sizeof(*c));

	FUZZ_CHECK(c);
	c->api = arena_alloc(a, sizeof(*c->api));
	c->request = arena_alloc(a, sizeof(*c->request));
	FUZZ_CHECK(c->api && c->request);
	c->arena = c->request->arena = a;
	c->resource = r;
	memset(c->api->cursor_secret, 7, sizeof(c->api->cursor_secret));
	c->api->has_cursor_secret = true;
	faults_init(&c->faults, a);
	return c;
}

void fuzz_check_faults(const struct faults *f)
{
	struct problem p = { .status = 422, .type = "invalid", .faults = f };
	struct buf out;
	json_t *document;

	FUZZ_CHECK(f->n <= FAULTS_MAX);
	for (size_t i = 0; i < f->n; i++) {
		FUZZ_CHECK(f->items[i].place != FAULT_POINTER || *f->items[i].where == '/' || !*f->items[i].where);
		FUZZ_CHECK(*f->items[i].code && *f->items[i].detail);
	}
	buf_init(&out, (size_t)64 << 20);
	problem_write(&out, &p, "/v1", "fuzz");
	FUZZ_CHECK(!out.failed && text_is_utf8(out.data, out.len));
	document = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	FUZZ_CHECK(document && json_array_size(json_object_get(document, "errors")) == f->n);
	json_decref(document);
	buf_done(&out);
}

/* jsonb has a blank behind every comma and colon. */
static const char *spaced(struct arena *a, const char *json)
{
	char *out = arena_alloc(a, strlen(json) * 2 + 1);
	bool in_string = false;
	size_t n = 0;

	FUZZ_CHECK(out);
	for (const char *s = json; *s; s++) {
		out[n++] = *s;
		if (in_string && *s == '\\')
			out[n++] = *++s;
		else if (*s == '"')
			in_string = !in_string;
		else if (!in_string && (*s == ',' || *s == ':'))
			out[n++] = ' ';
	}
	return out;
}

/* A canonical value as PostgreSQL prints it. */
static const char *printed(struct arena *a, const struct field *f, const char *value)
{
	const char *text = value;

	if (f->type == FIELD_BOOL)
		text = *value == 't' ? "t" : "f";
	else if (f->type == FIELD_TIME)
		text = arena_printf(a, "%.10s %.15s+00", value, value + 11);
	else if (strcmp(compose_type(f), "jsonb") == 0)
		text = spaced(a, value);
	FUZZ_CHECK(text);
	return text;
}

static void set(PGresult *row, int column, const char *text)
{
	/* libpq copies what it is given, though it does not say const. */
	FUZZ_CHECK(PQsetvalue(row, 0, column, (char *)(uintptr_t)text, text ? (int)strlen(text) : -1));
}

struct db_result *fuzz_row(struct arena *a, const struct resource *r, const struct record *record)
{
	PGresult *row = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	static char name[] = "column";
	PGresAttDesc columns[256] = { 0 };
	int n = (int)r->n_fields;

	for (size_t i = 0; i < r->n_fields; i++)
		n += field_is_reference(&r->fields[i]) ? 2 : 0;
	FUZZ_CHECK(row && n <= 256);
	for (int i = 0; i < n; i++)
		columns[i].name = name;
	FUZZ_CHECK(PQsetResultAttrs(row, n, columns));
	n = (int)r->n_fields;
	for (size_t i = 0; i < r->n_fields; i++) {
		const char *value = record->values[i];

		set(row, (int)i, value ? printed(a, &r->fields[i], value) : NULL);
		if (field_is_reference(&r->fields[i])) { /* its summary */
			set(row, n++, value ? "some-slug" : NULL);
			set(row, n++, value ? "Some \"name\"" : NULL);
		}
	}
	struct db_result *result = db_result_wrap(row);

	FUZZ_CHECK(result);
	return result;
}

void fuzz_settle(struct arena *a, const struct resource *r, struct record *record)
{
	record->values[RESOURCE_ID] = "01900000-0000-7000-8000-000000000001";
	record->values[RESOURCE_VERSION] = "1";
	record->values[RESOURCE_CREATED_AT] = "2025-12-15T09:30:00.000000Z";
	record->values[RESOURCE_UPDATED_AT] = "2025-12-15T09:30:00.000001Z";
	for (size_t i = 0; i < r->n_fields; i++) {
		const char *value = record->values[i];
		uint8_t digest[32];

		if (!field_is_reference(&r->fields[i]) || !value || uuid_is_text(value, strlen(value)))
			continue;
		digest_sha256(value, strlen(value), digest);
		record->values[i] = arena_printf(a, "01900000-0000-7000-8000-%02x%02x%02x%02x%02x%02x", digest[0], digest[1],
						 digest[2], digest[3], digest[4], digest[5]);
		FUZZ_CHECK(record->values[i]);
	}
}

/* A record's body: the resource's digit, then JSON. What passes is stored, comes back as GET gives it, and that can be sent
 * again: as a replacement, and as a creation elsewhere. Whatever does not pass is refused by faults that can be told. */
#include "api_case.h"

#include <string.h>
#include "lodebase/base/text.h"

struct reading {
	struct arena *arena;
	const struct resource *resource;
	struct json_document document;
	struct record_input input;
	struct faults faults;
};

/* Reads and judges a whole record; true where nothing is wrong with it. The document is to be done away with. */
static bool read_whole(struct reading *g, const char *text, size_t n, const struct record *stored)
{
	struct json_fault fault;

	faults_init(&g->faults, g->arena);
	if (json_document_parse(text, n, &g->document, &fault) != OK) {
		FUZZ_CHECK(*fault.reason && text_is_utf8(fault.reason, strlen(fault.reason)));
		return false;
	}
	FUZZ_CHECK(validate_read(g->arena, g->resource, &g->document, g->document.root, &g->faults, &g->input));
	FUZZ_CHECK(g->input.readable || g->faults.n > 0);
	for (size_t i = 0; g->input.readable && i < g->resource->n_fields; i++) {
		const json_t *sent = json_object_get(g->document.root, g->resource->fields[i].name);

		/* Nothing that was sent is lost without a word. */
		FUZZ_CHECK(g->input.record.given[i] == (sent != NULL));
		FUZZ_CHECK(!sent || !g->input.record.values[i] == json_is_null(sent) ||
			   faults_has_member(&g->faults, g->resource->fields[i].name));
	}
	validate_read_only(g->resource, &g->input, stored, false, &g->faults);
	if (g->input.readable)
		validate_complete(g->arena, g->resource, &g->input.record, NULL, stored, &g->faults);
	fuzz_check_faults(&g->faults);
	return g->faults.n == 0;
}

/* The JSON of a row, with what the service gives or without. */
static void check_again(struct arena *a, const struct resource *r, const struct db_result *row, const struct record *stored,
			bool as_given)
{
	struct reading g = { .arena = a, .resource = r };
	struct projection writable = { arena_alloc(a, r->n_fields * sizeof(bool)), arena_alloc(a, r->n_fields * sizeof(bool)) };
	struct buf out;

	FUZZ_CHECK(writable.fields && writable.summaries);
	for (size_t i = 0; i < r->n_fields; i++)
		writable.fields[i] = !(r->fields[i].flags & FIELD_READ_ONLY);
	buf_init(&out, 16u << 20);
	encode_record(&out, r, row, 0, as_given ? NULL : &writable);
	FUZZ_CHECK(!out.failed && read_whole(&g, out.data, out.len, as_given ? stored : NULL));
	FUZZ_CHECK(record_equal(r, &g.input.record, stored));
	json_document_done(&g.document);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n == 0)
		return 0;
	struct arena *a = arena_new(FUZZ_ARENA);
	struct reading g = { .arena = a, .resource = fuzz_resource(bytes[0]) };
	struct record *record = &g.input.record, *stored;

	FUZZ_CHECK(a);
	if (read_whole(&g, (const char *)bytes + 1, n - 1, NULL)) {
		struct db_result *row;

		fuzz_settle(a, g.resource, record);
		row = fuzz_row(a, g.resource, record);
		stored = encode_to_record(a, g.resource, row, 0);
		FUZZ_CHECK(stored && record_equal(g.resource, stored, record));
		check_again(a, g.resource, row, stored, true);
		check_again(a, g.resource, row, stored, false);
		db_result_free(row);
	}
	json_document_done(&g.document);
	arena_free(a);
	return 0;
}

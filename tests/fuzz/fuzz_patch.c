/* Merge patches: a digit that chooses a stored record, then the patch. One that passes gives a record that would be taken whole;
 * the same once more changes nothing; and it comes to what the patched document, sent whole, does (RFC 7396). */
#include "api_case.h"

#include <string.h>

static const struct {
	uint8_t resource;
	const char *json;
} bases[] = {
	{ 0, "{\"slug\":\"acme\",\"name\":\"Acme\",\"kind\":\"company\",\"country\":\"KR\",\"aliases\":[\"A\",\"B\"],"
	     "\"identifiers\":[{\"scheme\":\"XI-LEI\",\"id\":\"1\"}],\"website\":\"https://example.org/"
	     "\",\"description\":\"x\"}" },
	{ 1, "{\"slug\":\"pit\",\"name\":\"Pit\",\"kind\":\"mine\",\"status\":\"operating\",\"latitude\":1.5,\"longitude\":-2,"
	     "\"operator_id\":\"acme\",\"capex_amount\":12.5,\"capex_currency\":\"USD\",\"start_year\":1990}" },
	{ 2,
	  "{\"slug\":\"s\",\"holder_id\":\"a\",\"issuer_id\":\"b\",\"instrument\":\"common_equity\",\"stage\":\"closed\","
	  "\"economic_pct\":25,\"valid_from\":\"2020-01-01\",\"valid_to\":\"2021-01-01\",\"amount\":1,\"currency\":\"EUR\"}" },
	{ 2,
	  "{\"holder_id\":\"a\",\"project_id\":\"p\",\"instrument\":\"option\",\"stage\":\"rumoured\",\"economic_min_pct\":5,"
	  "\"economic_max_pct\":10,\"voting_pct\":50,\"contingent\":true,\"trigger_kind\":\"date\",\"trigger\":\"t\"}" },
	{ 2, "{\"holder_id\":\"a\",\"issuer_id\":\"b\",\"instrument\":\"common_equity\",\"stage\":\"closed\",\"shares_held\":1,"
	     "\"shares_issued\":4}" },
	{ 2,
	  "{\"holder_id\":\"a\",\"issuer_id\":\"b\",\"instrument\":\"preferred_equity\",\"stage\":\"closed\",\"shares_held\":1,"
	  "\"shares_issued\":3,\"voting_max_pct\":9}" },
};

struct change {
	struct arena *arena;
	const struct resource *resource;
	struct json_document document;
	struct record_input input;
	struct faults faults;
};

/* A patch of what is stored, or (patch false) a whole record in its place. true: it passes, and stands settled in the input. */
static bool change(struct change *g, const char *text, size_t n, const struct record *stored, bool patch)
{
	struct json_fault fault;

	faults_init(&g->faults, g->arena);
	if (json_document_parse(text, n, &g->document, &fault) != OK)
		return false;
	FUZZ_CHECK(validate_read(g->arena, g->resource, &g->document, g->document.root, &g->faults, &g->input));
	validate_read_only(g->resource, &g->input, stored, false, &g->faults);
	if (g->input.readable)
		validate_complete(g->arena, g->resource, &g->input.record, patch ? stored : NULL, stored, &g->faults);
	fuzz_check_faults(&g->faults);
	if (g->faults.n > 0)
		return false;
	fuzz_settle(g->arena, g->resource, &g->input.record);
	return true;
}

static struct record *stored_of(struct arena *a, const struct resource *r, const struct record *record,
				struct db_result **ret_row)
{
	struct record *stored;

	*ret_row = fuzz_row(a, r, record);
	stored = encode_to_record(a, r, *ret_row, 0);
	FUZZ_CHECK(stored);
	return stored;
}

static bool given(const struct change *g, const char *name)
{
	int i = resource_field(g->resource, name, strlen(name));

	return i >= 0 && g->input.record.given[i];
}

/* A share in per cent beside the shares that define it means the stored one too, so it means something else afterwards. */
static bool speaks_of_derived(const struct change *g)
{
	return given(g, "economic_pct") || given(g, "voting_pct");
}

/* Whether it speaks of a summary: one names the record that the reference is to before the change. */
static bool speaks_of_summary(const struct change *g)
{
	for (size_t i = 0; i < g->resource->n_fields; i++) {
		const struct field *f = &g->resource->fields[i];
		char name[64] = "";

		if (!field_is_reference(f))
			continue;
		memcpy(name, f->name, strlen(f->name) - 3);
		if (json_object_get(g->document.root, name))
			return true;
	}
	return false;
}

static bool takes_away_what_is_given(const struct change *g)
{
	for (size_t i = 0; i < g->resource->n_fields; i++)
		if ((g->resource->fields[i].flags & FIELD_READ_ONLY) &&
		    json_is_null(json_object_get(g->document.root, g->resource->fields[i].name)))
			return true;
	return false;
}

static void put_member(struct buf *out, const char *name, const struct json_document *d, const json_t *value)
{
	char *text = json_canonical(d, value);

	FUZZ_CHECK(text);
	buf_printf(out, "%s\"%s\":%s", out->len > 1 ? "," : "", name, text);
	free(text);
}

/* The stored document with the patch merged into it, by the text alone. */
static void merge(struct change *g, const struct db_result *row, struct buf *out)
{
	struct json_document whole;
	struct json_fault fault;
	struct buf shown;
	const char *name;
	json_t *value;

	buf_init(&shown, 1u << 20);
	encode_record(&shown, g->resource, row, 0, NULL);
	FUZZ_CHECK(!shown.failed && json_document_parse(shown.data, shown.len, &whole, &fault) == OK);
	buf_putc(out, '{');
	json_object_foreach(whole.root, name, value) if (!json_object_get(g->document.root, name))
		put_member(out, name, &whole, value);
	json_object_foreach(g->document.root, name, value) if (!json_is_null(value)) put_member(out, name, &g->document, value);
	buf_putc(out, '}');
	FUZZ_CHECK(!out->failed);
	json_document_done(&whole);
	buf_done(&shown);
}

/* Whether it names something else than the record's own members: that is refused, null too, though it would take away nothing;
 * or a summary, whose members are merged one by one. */
static bool speaks_of_unknown(const struct change *g)
{
	const char *name;
	json_t *value;

	json_object_foreach(g->document.root, name, value) if (resource_field(g->resource, name, strlen(name)) < 0) return true;
	return false;
}

static void check_merged(struct change *g, bool passed, const struct record *stored, const struct db_result *row)
{
	struct change whole = { .arena = g->arena, .resource = g->resource };
	struct buf text;

	if (!json_is_object(g->document.root) || speaks_of_unknown(g) || takes_away_what_is_given(g))
		return;
	/* whether a derived figure was sent makes a difference, and a whole document sends all */
	if (g->resource == fuzz_resource(2) && (stored->values[resource_field(g->resource, "shares_held", 11)] ||
						given(g, "shares_held") || given(g, "shares_issued")))
		return;
	buf_init(&text, 4u << 20);
	merge(g, row, &text);
	FUZZ_CHECK(change(&whole, text.data, text.len, stored, false) == passed);
	FUZZ_CHECK(!passed || record_equal(g->resource, &whole.input.record, &g->input.record));
	json_document_done(&whole.document);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n == 0)
		return 0;
	struct arena *a = arena_new(FUZZ_ARENA);
	const size_t base = bytes[0] % (sizeof(bases) / sizeof(bases[0]));
	const struct resource *r = fuzz_resource(bases[base].resource);
	struct change first = { .arena = a, .resource = r }, patch = first, again = first;
	struct db_result *row, *next_row = NULL;
	struct record *stored, *next;

	FUZZ_CHECK(change(&first, bases[base].json, strlen(bases[base].json), NULL, false));
	stored = stored_of(a, r, &first.input.record, &row);
	const bool passed = change(&patch, (const char *)bytes + 1, n - 1, stored, true);
	if (passed) {
		next = stored_of(a, r, &patch.input.record, &next_row);
		bool same = change(&again, (const char *)bytes + 1, n - 1, next, true) &&
			    record_equal(r, next, &again.input.record);

		FUZZ_CHECK(same || speaks_of_derived(&patch) || speaks_of_summary(&patch));
	}
	if (patch.document.root)
		check_merged(&patch, passed, stored, row);
	json_document_done(&again.document);
	json_document_done(&patch.document);
	json_document_done(&first.document);
	db_result_free(next_row);
	db_result_free(row);
	arena_free(a);
	return 0;
}

/* GET of a record's provenance: what its sources claim of its fields, against what the base has accepted. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "lodebase/base/clock.h"
#include "lodebase/base/decimal.h"
#include "lodebase/base/text.h"
#include "validate_value.h"

#define CLAIMS_MAX 5000
#define CLAIMS_BYTES_MAX (16 << 20)

struct provenance {
	const char *published_until;
	const struct resource *claims;
	int field, value, status; /* columns of claims */
	const char *params[6];
	const struct db_result *subject; /* c->kept */
};

void provenance_check(struct call *c)
{
	struct provenance *s = arena_alloc(c->arena, sizeof(*s));

	c->state = s;
	if (!s)
		return;
	for (size_t i = 0; i < c->request->n_params; i++) {
		const struct http_field *p = &c->request->params[i];

		if (check_repeated(c, i))
			continue;
		if (strcmp(p->name, "known_at") == 0)
			known_parse(c, p->value, p->value_len, &c->known);
		else if (strcmp(p->name, "published_until") != 0)
			check_unknown(c, p);
		else if (clock_is_date(p->value, p->value_len))
			s->published_until = p->value;
		else
			faults_add(&c->faults, FAULT_PARAMETER, p->name, "format",
				   "published_until must be a date YYYY-MM-DD that exists");
	}
}

static int column(const struct resource *r, const char *name)
{
	return resource_field(r, name, strlen(name));
}

/* Whether a claim's JSON value is a number or a decimal string of the same value. */
static bool same_number(const json_t *claimed, const struct json_document *d, const char *accepted)
{
	struct decimal n;
	size_t len;
	const char *token;

	if (json_is_string(claimed))
		return decimal_from_string(json_string_value(claimed), json_string_length(claimed), &n) == OK &&
		       decimal_compare(n.text, accepted) == 0;
	if (!json_is_integer(claimed)) /* every number of a document is one */
		return false;
	token = json_number(d, claimed, &len);
	return decimal_from_json(token, len, &n) == OK && decimal_compare(n.text, accepted) == 0;
}

static bool same_text(const json_t *claimed, const char *accepted)
{
	return json_is_string(claimed) && strcmp(json_string_value(claimed), accepted) == 0;
}

static bool same_json(const struct json_document *d, const json_t *claimed, const char *canonical)
{
	char *text = json_canonical(d, claimed);
	bool same = text && canonical && strcmp(text, canonical) == 0;

	free(text);
	return same;
}

static bool is_json(const struct field *f)
{
	return f->type == FIELD_STRINGS || f->type == FIELD_OBJECTS || f->type == FIELD_COUNTRIES || f->type == FIELD_ENUMS ||
	       f->type == FIELD_KEYS || f->type == FIELD_JSON;
}

/* What the base has accepted for a field, as claims are compared with it. */
struct accepted {
	const struct field *field;
	const char *text; /* canonical; NULL: null */
	const char *slug; /* of a reference; NULL: none */
	char *json; /* of lists and objects; to be freed */
};

static struct accepted accepted_of(struct call *c, size_t i)
{
	const struct db_result *subject = ((struct provenance *)c->state)->subject;
	const struct field *f = &c->resource->fields[i];
	struct accepted a = { .field = f };
	int summary = (int)c->resource->n_fields;

	if (db_result_is_null(subject, 0, (int)i))
		return a;
	a.text = encode_value(c->arena, f, db_result_value(subject, 0, (int)i), (size_t)db_result_length(subject, 0, (int)i));
	for (size_t k = 0; k < i; k++)
		summary += field_is_reference(&c->resource->fields[k]) ? 2 : 0;
	if (field_is_reference(f) && !db_result_is_null(subject, 0, summary))
		a.slug = db_result_value(subject, 0, summary);
	if (a.text && is_json(f))
		a.json = json_canonical_text(a.text, strlen(a.text));
	return a;
}

/* By value: numbers whatever their notation, references by id or slug. */
static bool agrees(struct call *c, const struct accepted *a, const char *text, size_t n)
{
	struct json_document d;
	struct json_fault fault;
	bool same;

	/* a document is an object or a list: so the value goes into one */
	const char *wrapped = arena_printf(c->arena, "[%.*s]", (int)n, text);
	if (!wrapped || json_document_parse(wrapped, strlen(wrapped), &d, &fault) != OK)
		return false;
	const json_t *claimed = json_array_get(d.root, 0);
	if (!a->text || json_is_null(claimed))
		same = !a->text && json_is_null(claimed);
	else if (field_is_reference(a->field))
		same = same_text(claimed, a->text) || (a->slug && same_text(claimed, a->slug));
	else if (a->field->type == FIELD_INTEGER || a->field->type == FIELD_DECIMAL)
		same = same_number(claimed, &d, a->text);
	else if (a->field->type == FIELD_BOOL)
		same = json_is_boolean(claimed) && json_is_true(claimed) == (*a->text == 't');
	else if (is_json(a->field))
		same = same_json(&d, claimed, a->json);
	else
		same = same_text(claimed, a->text);
	json_document_done(&d);
	return same;
}

static bool is_out_of_force(const char *status)
{
	return strcmp(status, "superseded") == 0 || strcmp(status, "denied") == 0;
}

static void write_claim(struct call *c, struct json_writer *w, const struct db_result *r, int row, const bool *agree)
{
	const struct provenance *s = c->state;

	json_raw(w, "", 0);
	encode_record(w->out, s->claims, r, row, NULL);
	if (!agree)
		return;
	w->out->len--; /* goes on in the object that was closed */
	buf_printf(w->out, ",\"agrees\":%s}", *agree ? "true" : "false");
}

static void write_field(struct call *c, struct json_writer *w, const struct db_result *r, size_t i, const int *rows, size_t n)
{
	const struct provenance *s = c->state;
	bool *agree = arena_alloc(c->arena, n * sizeof(*agree)), conflict = false;
	struct accepted accepted = accepted_of(c, i);
	int latest = -1;

	for (size_t k = 0; agree && k < n; k++) {
		bool over = is_out_of_force(db_result_value(r, rows[k], s->status));

		/* a claim without a value claims that there is none */
		agree[k] = agrees(c, &accepted,
				  db_result_is_null(r, rows[k], s->value) ? "null" : db_result_value(r, rows[k], s->value),
				  db_result_is_null(r, rows[k], s->value) ? 4 : db_result_length(r, rows[k], s->value));
		conflict = conflict || (!over && !agree[k]);
		if (latest < 0 && !over)
			latest = rows[k];
	}
	free(accepted.json);
	json_object_begin(w);
	json_member_string(w, "field", c->resource->fields[i].name);
	json_key(w, "accepted");
	encode_cell(w, &c->resource->fields[i], s->subject, 0, (int)i);
	json_key(w, "latest");
	if (latest < 0)
		json_nil(w);
	else
		write_claim(c, w, r, latest, NULL);
	json_member_bool(w, "conflict", conflict);
	json_key(w, "claims");
	json_array_begin(w);
	for (size_t k = 0; agree && k < n; k++)
		write_claim(c, w, r, rows[k], &agree[k]);
	json_array_end(w);
	json_object_end(w);
}

static void write_subject(struct call *c, struct json_writer *w)
{
	const struct provenance *s = c->state;
	int name = column(c->resource, resource_name_column(c->resource));

	json_key(w, "subject");
	json_object_begin(w);
	json_member_string(w, "resource", c->resource->name);
	json_member_string(w, "id", db_result_value(s->subject, 0, RESOURCE_ID));
	json_key(w, "slug");
	encode_cell(w, &c->resource->fields[RESOURCE_SLUG], s->subject, 0, RESOURCE_SLUG);
	json_key(w, "name");
	encode_cell(w, &c->resource->fields[name], s->subject, 0, name);
	json_object_end(w);
}

static void answer(struct call *c)
{
	struct provenance *s = c->state;
	const struct db_result *r = c->job.results[0];
	int n = db_result_rows(r), *rows = arena_alloc(c->arena, (size_t)n * sizeof(*rows));
	int measured = db_result_columns(r) - 2;
	struct json_writer w;

	if (strtoll(db_result_value(r, 0, measured), NULL, 10) > CLAIMS_MAX ||
	    strtoll(db_result_value(r, 0, measured + 1), NULL, 10) > CLAIMS_BYTES_MAX) {
		faults_add(&c->faults, FAULT_PARAMETER, "published_until", "length",
			   "there are more than %d claims about this record, or more than %d MiB of them", CLAIMS_MAX,
			   CLAIMS_BYTES_MAX >> 20);
		call_fail(c, 400, "malformed",
			  "there are too many claims about this record for one answer: ask with an earlier published_until, or "
			  "read them page by page at /v1/claims?subject_id=");
		return;
	}
	if (db_result_is_null(r, 0, RESOURCE_ID)) /* what was measured stands alone */
		n = 0;
	json_begin(&w, &c->out);
	json_object_begin(&w);
	write_subject(c, &w);
	json_key(&w, "fields");
	json_array_begin(&w);
	for (size_t i = 0; rows && i < c->resource->n_fields; i++) {
		size_t found = 0;

		for (int row = 0; row < n; row++)
			if (strcmp(db_result_value(r, row, s->field), c->resource->fields[i].name) == 0)
				rows[found++] = row;
		if (found > 0)
			write_field(c, &w, r, i, rows, found);
	}
	json_array_end(&w);
	if (c->known.kind != KNOWN_UNASKED) {
		json_member_string(&w, "known_at", c->known.time);
		json_member_string(&w, "revision", c->known.revision);
	}
	json_object_end(&w);
	buf_putc(&c->out, '\n');
	call_header(c, "Cache-Control", "no-cache");
	known_headers(c);
	call_answer(c, 200, "application/json");
}

static void subject_read(struct call *c)
{
	struct provenance *s = c->state;
	struct visibility v;
	const char *sql;
	int n = 3;

	if (db_result_rows(c->job.results[0]) == 0) {
		record_not_found(c);
		return;
	}
	c->kept = c->job.results[0];
	c->job.results[0] = NULL;
	s->subject = c->kept;
	s->params[0] = c->resource->name;
	s->params[1] = db_result_value(s->subject, 0, RESOURCE_ID);
	s->params[2] = s->published_until;
	sql = compose_claims(c->arena, known_visibility(c, s->params, &n, &v), CLAIMS_MAX, CLAIMS_BYTES_MAX);
	if (!sql) {
		call_out_of_memory(c);
		return;
	}
	call_statement(c, 0, c->known.kind == KNOWN_UNASKED ? "claims_of" : NULL, sql, s->params, n);
	call_query(c, DB_SLOW, 1, false, answer);
}

static void read_subject(struct call *c)
{
	if (record_statement_known(c, 0))
		call_query(c, DB_READ, 1, false, subject_read);
	else
		call_out_of_memory(c);
}

void provenance_run(struct call *c)
{
	struct provenance *s = c->state;

	if (!s) {
		call_out_of_memory(c);
		return;
	}
	if (!record_path_is_id(c) && !text_is_slug(c->segment, strlen(c->segment))) {
		record_not_found(c);
		return;
	}
	s->claims = resource_find("claims");
	s->field = column(s->claims, "field");
	s->value = column(s->claims, "value");
	s->status = column(s->claims, "status");
	known_resolve(c, read_subject);
}

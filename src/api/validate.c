/* From a JSON object to a record: known and unknown members, summaries, read-only ones, defaults, rules. */
#include "lodebase/api/validate.h"

#include <string.h>
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"
#include "validate_value.h"

/* The reference field whose summary a member is ("holder" of holder_id), or -1. */
static int summary_of(const struct resource *r, const char *name, size_t n)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (field_is_summarised_as(&r->fields[i], name, n))
			return (int)i;
	return -1;
}

/* A summary is known by its id; one without an id names no record and so contradicts none. */
static void read_summary(struct value_context *c, size_t i, const json_t *v, struct record_input *ret)
{
	const json_t *id = json_is_object(v) ? json_object_get(v, "id") : NULL;

	if (json_is_object(v) && !id)
		return;
	ret->summary_given[i] = true;
	if (json_is_null(v) || json_is_null(id))
		ret->summary_ids[i] = "";
	else if (json_is_string(id) && uuid_is_text(json_string_value(id), json_string_length(id)))
		ret->summary_ids[i] = validate_canonical_uuid(c->arena, json_string_value(id));
	else
		ret->summary_ids[i] = "no id";
}

struct record *record_new(struct arena *arena, const struct resource *r)
{
	struct record *record = arena_alloc(arena, sizeof(*record));

	if (!record)
		return NULL;
	record->values = arena_alloc(arena, r->n_fields * sizeof(*record->values));
	record->given = arena_alloc(arena, r->n_fields * sizeof(*record->given));
	return record->values && record->given ? record : NULL;
}

bool validate_read(struct arena *arena, const struct resource *r, const struct json_document *d, const json_t *object,
		   struct faults *faults, struct record_input *ret)
{
	struct value_context c = { arena, d, faults };
	struct record *record = record_new(arena, r);
	const char *name;
	size_t name_len;
	json_t *v;

	*ret = (struct record_input){
		.summary_ids = arena_alloc(arena, r->n_fields * sizeof(*ret->summary_ids)),
		.summary_given = arena_alloc(arena, r->n_fields * sizeof(*ret->summary_given)),
		.readable = json_is_object(object),
	};
	if (!record || !ret->summary_ids || !ret->summary_given)
		return false;
	ret->record = *record;
	if (!ret->readable) {
		faults_add(faults, FAULT_POINTER, faults->prefix, "type", "a %s is a JSON object, not %s", r->singular,
			   validate_type_name(object));
		return true;
	}
	json_object_keylen_foreach((json_t *)object, name, name_len, v)
	{
		int i = resource_field(r, name, name_len), s;

		if (i >= 0) {
			ret->record.given[i] = true;
			ret->record.values[i] = json_is_null(v) ? NULL : validate_value(&c, &r->fields[i], v);
		} else if ((s = summary_of(r, name, name_len)) >= 0) {
			read_summary(&c, (size_t)s, v, ret);
		} else {
			faults_member(faults, validate_pointer_token(arena, name, name_len), "unknown",
				      "a %s has no such member", r->singular);
		}
	}
	return !arena_failed(arena);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

void validate_read_only(const struct resource *r, const struct record_input *input, const struct record *stored, bool allow_id,
			struct faults *faults)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];
		const char *was = stored ? stored->values[i] : NULL;

		if ((f->flags & FIELD_READ_ONLY) && input->record.given[i] && !faults_has_member(faults, f->name)) {
			if (stored ? !same_text(input->record.values[i], was)
				   : !(allow_id && i == RESOURCE_ID && input->record.values[i]))
				faults_member(faults, f->name, "read-only",
					      stored ? "%s cannot be changed: leave it out, or send it as it is"
						     : "%s is given by the service: leave it out",
					      f->name);
		}
		if (field_is_reference(f) && input->summary_given[i]) {
			char name[FIELD_NAME_SIZE];

			field_summary_name(f, name);
			if (!stored || !same_text(*input->summary_ids[i] ? input->summary_ids[i] : NULL, was))
				faults_member(faults, name, "read-only", "a summary cannot be set: set %s instead", f->name);
		}
	}
}

void validate_complete(struct arena *arena, const struct resource *r, struct record *record, const struct record *base,
		       const struct record *stored, struct faults *faults)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];

		if (f->flags & FIELD_READ_ONLY) {
			record->values[i] = stored ? stored->values[i] : record->values[i];
			continue;
		}
		if (base && !record->given[i])
			record->values[i] = base->values[i];
		else if (base && f->type == FIELD_JSON && record->values[i])
			record->values[i] = validate_merge(arena, f, base->values[i], record->values[i], faults);
		if (!record->values[i] && !faults_has_member(faults, f->name)) {
			record->values[i] = f->default_value;
			if ((f->flags & FIELD_REQUIRED) && !f->default_value)
				faults_member(faults, f->name, "required", "%s is required", f->name);
		}
	}
	faults->own = faults->n;
	if (r->check)
		r->check(arena, record, stored, faults);
}

bool record_equal(const struct resource *r, const struct record *a, const struct record *b)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (!(r->fields[i].flags & FIELD_READ_ONLY) && !same_text(a->values[i], b->values[i]))
			return false;
	return true;
}

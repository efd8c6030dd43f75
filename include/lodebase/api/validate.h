/* From JSON to a record: types, formats, ranges, unknown and read-only members. Used by single writes and imports alike. */
#pragma once

#include "lodebase/api/problem.h"
#include "lodebase/api/resource.h"
#include "lodebase/base/json_document.h"

/* Reads an object's members into a fresh record (values in canonical text, from the arena), adding a fault for each that is
 * wrong. Nothing is said yet about missing members, rules between members, read-only ones or references: a reference's value
 * is the id (canonical) or slug as it was sent, summaries are kept aside. object may be any JSON: what is no object is a fault
 * at the prefix ("" where the body is the record). false: no memory, also where the arena had failed before. */
struct record_input {
	struct record record;
	/* Summaries sent: per field index of the reference: the summary's id in canonical form, "" where it has none. */
	const char **summary_ids;
	bool *summary_given;
	bool readable; /* it was an object */
};
bool validate_read(struct arena *arena, const struct resource *r, const struct json_document *d, const json_t *object,
		   struct faults *faults, struct record_input *ret);

/* Read-only members and summaries that were sent must equal the stored record's; stored NULL (a creation): none may be sent,
 * except id where allow_id. */
void validate_read_only(const struct resource *r, const struct record_input *input, const struct record *stored, bool allow_id,
			struct faults *faults);

/* Makes the record whole: creation and replacement (base NULL) take defaults for what is missing or null; a merge patch takes
 * the base's values for what was not given. Then: required members, and the resource's own rules (which may derive values).
 * `stored` as in struct resource's check. */
void validate_complete(struct arena *arena, const struct resource *r, struct record *record, const struct record *base,
		       const struct record *stored, struct faults *faults);

struct record *record_new(struct arena *arena, const struct resource *r); /* all null, nothing given; NULL: no memory */
/* Whether two records agree in all writable fields. */
bool record_equal(const struct resource *r, const struct record *a, const struct record *b);
/* A member's name escaped for a JSON Pointer (RFC 6901); long ones are cut, they are only for reading. NULL: no memory. */
const char *validate_pointer_token(struct arena *arena, const char *name, size_t n);
/* One value of a field from its text in a query parameter, canonical; NULL with *ret_why (English) and the fault's code where it does not fit. */
const char *validate_parameter(struct arena *arena, const struct field *f, const char *text, size_t n, const char **ret_why,
			       const char **ret_code);

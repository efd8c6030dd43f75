/* The values of members, one type at a time. Private to validation. */
#pragma once

#include "lodebase/api/validate.h"

struct value_context {
	struct arena *arena;
	const struct json_document *document;
	struct faults *faults;
};

/* A member's value, not null, in canonical text; NULL with a fault added. */
const char *validate_value(struct value_context *c, const struct field *f, const json_t *v);

/* "a number", "an object" … for sentences. */
const char *validate_type_name(const json_t *v);
const char *validate_canonical_uuid(struct arena *arena, const char *s);

/* Adds a fault for what cannot be kept of a member that takes any JSON: NUL in a string, a number of too many digits. */
void validate_json(struct value_context *c, const char *name, const json_t *v);
/* The canonical text of a field's JSON with a merge patch done to it (RFC 7396). target NULL: null. NULL with a fault added
 * where it gets too large. */
const char *validate_merge(struct arena *arena, const struct field *f, const char *target, const char *patch,
			   struct faults *faults);

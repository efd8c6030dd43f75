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
/* A member's name escaped for a JSON Pointer (RFC 6901); long ones are cut, they are only for reading. NULL: no memory. */
const char *validate_pointer_token(struct arena *arena, const char *name, size_t n);
const char *validate_canonical_uuid(struct arena *arena, const char *s);

/* Writes JSON straight into a buf: no tree, no copies. Commas are its business; nesting up to 64. Errors are the
 * buf's (sticky). Strings must be valid UTF-8; they are escaped as RFC 8259 wants and not further. The names json_string
 * and json_null are Jansson's, so here they are json_str and json_nil. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "lodebase/base/buf.h"

struct json_writer {
	struct buf *out;
	unsigned depth;
	uint64_t has_member; /* bit per level: something was written there, so a comma comes first */
	bool after_key;
};

void json_begin(struct json_writer *w, struct buf *out);
void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_str(struct json_writer *w, const char *s); /* NULL writes null */
void json_str_n(struct json_writer *w, const char *s, size_t n);
void json_int(struct json_writer *w, int64_t v);
void json_bool(struct json_writer *w, bool v);
void json_nil(struct json_writer *w);
/* Bytes that are JSON already (a canonical decimal, a jsonb text). */
void json_raw(struct json_writer *w, const char *json, size_t n);
/* A string by itself, in its quotes, with no comma before it: for who writes commas and keys himself. */
void json_text(struct buf *out, const char *s, size_t n);
/* key + value in one */
void json_member_string(struct json_writer *w, const char *key, const char *s);
void json_member_int(struct json_writer *w, const char *key, int64_t v);
void json_member_bool(struct json_writer *w, const char *key, bool v);

/* The pass over a JSON text before Jansson: checks all of the grammar and takes the numbers out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lodebase/base/buf.h"
#include "lodebase/base/err.h"
#include "lodebase/base/json_document.h"

struct json_token {
	uint32_t offset, length; /* in the text that was given */
};

struct json_scan {
	const char *text;
	size_t n, at;
	size_t copied; /* text[0..copied) is in out */
	struct buf *out;
	struct json_token *tokens; /* malloc'ed, the caller's in the end */
	size_t n_tokens, capacity;
	unsigned depth;
	uint64_t is_object; /* a bit per level */
	struct json_fault *fault;
};

/* Checks s->text[0..n) against RFC 8259, UTF-8 and the depth, and writes it to s->out with every number replaced by its
 * ordinal. ERR_INVALID with *s->fault filled, or ERR_NOMEM. */
enum err json_scan(struct json_scan *s) MUST_CHECK;

size_t json_ordinal_length(size_t ordinal); /* its decimal digits */

/* Fills the fault at text[offset]; the reason is given already formatted. */
void json_fault_at(const char *text, size_t offset, const char *reason, struct json_fault *ret_fault);

/* A parsed JSON text whose numbers stay exact. Before Jansson sees the text every number token is replaced by its
 * ordinal, so json_is_integer(v) means "a number" and json_number() gives its token as it was written. No double is
 * ever made, and nothing inside a string can spoof a number. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include "lodebase/base/err.h"

#define JSON_DEPTH_MAX 64 /* contract section 1: nested deeper is 400 */

struct json_document {
	json_t *root;
	const char *text; /* the caller's, must outlive the document */
	struct json_token *tokens; /* one per number, malloc'ed */
	size_t n_tokens;
};

struct json_fault {
	int line, column; /* from 1; 0 where unknown */
	size_t offset; /* byte offset into the text */
	char reason[160]; /* plain English, no library names: "a member twice: \"name\"", "nested deeper than 64" … */
};

/* Parses text[0..n) (UTF-8, any JSON value). ERR_INVALID with *ret_fault filled where it is not JSON, has a member
 * twice, is nested deeper than JSON_DEPTH_MAX, is not UTF-8 or has an unpaired surrogate. "\u0000" is accepted here
 * (the field that gets it refuses it with a pointer). */
enum err json_document_parse(const char *text, size_t n, struct json_document *ret, struct json_fault *ret_fault) MUST_CHECK;
void json_document_done(struct json_document *d);

/* The token of a number value as written ("1.50e1") and its length. v must be a number of this document. */
const char *json_number(const struct json_document *d, const json_t *v, size_t *ret_len);

/* Compact canonical text of a value of the document: keys in byte order, no spaces, numbers as base/decimal.h writes them
 * (those of more digits than it takes as they were written). malloc'ed, NULL where memory is out. Two values that are the same JSON give the same text. */
char *json_canonical(const struct json_document *d, const json_t *v);
/* The same for any JSON text; NULL where it does not parse. */
char *json_canonical_text(const char *text, size_t n);

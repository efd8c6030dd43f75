#include "lodebase/base/json_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_scan.h"
#include "lodebase/base/decimal.h"
#include "lodebase/base/json_writer.h"

#define TEXT_MAX ((size_t)256 * 1024 * 1024) /* offsets in 32 bits, with room for the ordinals */
#define NAME_SHOWN 100

/* The place in the text that was given of a place in the one with ordinals. */
static size_t original_offset(const struct json_document *d, size_t offset)
{
	size_t shift = 0; /* text before ordinals minus ordinals so far; taken modulo 2^64 */

	for (size_t i = 0; i < d->n_tokens; i++) {
		if (d->tokens[i].offset - shift >= offset)
			break;
		shift += d->tokens[i].length - json_ordinal_length(i);
	}
	return offset + shift;
}

/* A member name that the parser refused: it ends before text[end], and begins at the quote that is no escape. */
static enum err name_fault(const struct json_document *d, const char *text, size_t end, const char *what,
			   struct json_fault *ret_fault)
{
	char reason[sizeof ret_fault->reason];
	size_t start = end - 1;

	for (size_t slashes = 1; slashes % 2 != 0;) {
		do
			start--;
		while (text[start] != '"');
		slashes = 0;
		while (text[start - 1 - slashes] == '\\') /* a '{', at least, is before the first name */
			slashes++;
	}
	size_t length = end - 1 - (start + 1), shown = length;
	if (shown > NAME_SHOWN)
		for (shown = NAME_SHOWN; ((unsigned char)text[start + 1 + shown] & 0xC0) == 0x80;)
			shown--;
	(void)snprintf(reason, sizeof reason, "%s: \"%.*s%s\"", what, (int)shown, text + start + 1, shown < length ? "…" : "");
	json_fault_at(d->text, original_offset(d, start), reason, ret_fault);
	return ERR_INVALID;
}

static enum err load(struct json_document *d, const struct buf *rewritten, struct json_fault *ret_fault)
{
	json_error_t error = { 0 };

	d->root =
		json_loadb(rewritten->data, rewritten->len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (d->root)
		return OK;
	/* The grammar is known to hold; what is left are names, and memory. */
	switch (json_error_code(&error)) {
	case json_error_duplicate_key:
		return name_fault(d, rewritten->data, (size_t)error.position, "a member twice", ret_fault);
	case json_error_null_byte_in_key:
		return name_fault(d, rewritten->data, (size_t)error.position, "a NUL in a member name", ret_fault);
	default:
		return ERR_NOMEM;
	}
}

enum err json_document_parse(const char *text, size_t n, struct json_document *ret, struct json_fault *ret_fault)
{
	struct buf rewritten;
	struct json_scan scan = { .text = text, .n = n, .out = &rewritten, .fault = ret_fault };

	*ret = (struct json_document){ .text = text };
	*ret_fault = (struct json_fault){ 0 };
	if (n > TEXT_MAX) {
		json_fault_at(text, 0, "longer than 256 MiB", ret_fault);
		return ERR_INVALID;
	}

	/* The worst is one-digit numbers: two bytes with the comma, up to ten with their ordinals. */
	buf_init(&rewritten, n * 6 + 64);
	enum err e = json_scan(&scan);
	ret->tokens = scan.tokens;
	ret->n_tokens = scan.n_tokens;
	if (e == OK)
		e = load(ret, &rewritten, ret_fault);
	if (e != OK)
		json_document_done(ret);
	buf_done(&rewritten);
	return e;
}

void json_document_done(struct json_document *d)
{
	json_decref(d->root);
	free(d->tokens);
	*d = (struct json_document){ 0 };
}

const char *json_number(const struct json_document *d, const json_t *v, size_t *ret_len)
{
	const struct json_token *token = &d->tokens[json_integer_value(v)];

	*ret_len = token->length;
	return d->text + token->offset;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_value(const struct json_document *d, const json_t *v, struct json_writer *w);

static void write_object(const struct json_document *d, const json_t *v, struct json_writer *w)
{
	size_t count = json_object_size(v), at = 0, i;
	const char **names = malloc((count ? count : 1) * sizeof *names);
	const char *name;
	json_t *member;

	if (!names) {
		w->out->failed = true;
		return;
	}
	/* The iteration macro wants a json_t that is not const, but only reads. */
	json_t *object = (json_t *)(uintptr_t)v;
	json_object_foreach(object, name, member) names[at++] = name;
	qsort(names, count, sizeof *names, compare_names);
	json_object_begin(w);
	for (i = 0; i < count; i++) {
		json_key(w, names[i]);
		write_value(d, json_object_get(v, names[i]), w);
	}
	json_object_end(w);
	free(names);
}

static void write_value(const struct json_document *d, const json_t *v, struct json_writer *w)
{
	size_t length;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		write_object(d, v, w);
		break;
	case JSON_ARRAY:
		json_array_begin(w);
		for (size_t i = 0; i < json_array_size(v); i++)
			write_value(d, json_array_get(v, i), w);
		json_array_end(w);
		break;
	case JSON_STRING:
		json_str_n(w, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER: {
		const char *number = json_number(d, v, &length);
		struct decimal exact;

		if (decimal_from_json(number, length, &exact) == OK)
			json_raw(w, exact.text, strlen(exact.text));
		else
			json_raw(w, number, length);
		break;
	}
	case JSON_REAL: /* there is none in a document */
	case JSON_NULL:
		json_nil(w);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		json_bool(w, json_is_true(v));
		break;
	}
}

char *json_canonical(const struct json_document *d, const json_t *v)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	json_begin(&w, &out);
	write_value(d, v, &w);
	char *text = buf_steal(&out, NULL);
	return text;
}

char *json_canonical_text(const char *text, size_t n)
{
	struct json_document d;
	struct json_fault fault;

	if (json_document_parse(text, n, &d, &fault) != OK)
		return NULL;
	char *canonical = json_canonical(&d, d.root);
	json_document_done(&d);
	return canonical;
}

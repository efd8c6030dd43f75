/* A member that takes any JSON: what of it cannot be kept, and what a merge patch makes of it (RFC 7396). */
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/decimal.h"
#include "lodebase/base/json_writer.h"
#include "validate_value.h"

#define VALUE_MAX ((size_t)1 << 20) /* a record may have as much; patches must not make more of it */

/* Where a value is: its member's or entry's place within the place above. */
struct place {
	const struct place *above;
	const char *name; /* NULL: the entry `index` */
	size_t name_len, index;
};

static const char *pointer_of(struct arena *arena, const struct place *p)
{
	const char *above, *name;

	if (!p->above)
		return p->name;
	above = pointer_of(arena, p->above);
	if (!above)
		return NULL;
	if (!p->name)
		return arena_printf(arena, "%s/%zu", above, p->index);
	name = validate_pointer_token(arena, p->name, p->name_len);
	return name ? arena_printf(arena, "%s/%s", above, name) : NULL;
}

static void fault(struct value_context *c, const struct place *p, const char *code, const char *detail)
{
	const char *where = pointer_of(c->arena, p);

	if (where)
		faults_member(c->faults, where, code, "%s", detail);
	else
		c->faults->truncated = true;
}

static void check_number(struct value_context *c, const struct place *p, const json_t *v)
{
	struct decimal d;
	size_t n;
	const char *token = json_number(c->document, v, &n);
	enum err e = decimal_from_json(token, n, &d);

	if (e == ERR_PRECISION)
		fault(c, p, "precision", "a number here may have 40 decimals; nothing is rounded");
	else if (e != OK)
		fault(c, p, "range", "a number here may have 40 digits before the point");
}

static void check(struct value_context *c, const struct place *p, const json_t *v)
{
	json_t *value = (json_t *)(uintptr_t)v, *member; /* the iteration macro only reads */
	const char *name;
	size_t n;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		json_object_keylen_foreach(value, name, n, member)
			check(c, &(struct place){ .above = p, .name = name, .name_len = n }, member);
		break;
	case JSON_ARRAY:
		json_array_foreach(value, n, member) check(c, &(struct place){ .above = p, .index = n }, member);
		break;
	case JSON_STRING:
		if (memchr(json_string_value(v), '\0', json_string_length(v)))
			fault(c, p, "format", "a text cannot contain the character NUL (U+0000)");
		break;
	case JSON_INTEGER:
		check_number(c, p, v);
		break;
	default:
		break;
	}
}

void validate_json(struct value_context *c, const char *name, const json_t *v)
{
	check(c, &(struct place){ .name = name }, v);
}

struct side { /* a value and the document that its numbers are of */
	const struct json_document *document;
	const json_t *value;
};

static struct side member_of(struct side s, const char *name)
{
	return (struct side){ s.document, json_is_object(s.value) ? json_object_get(s.value, name) : NULL };
}

static void write_as_is(struct json_writer *w, struct side s)
{
	char *text = json_canonical(s.document, s.value);

	if (text)
		json_raw(w, text, strlen(text));
	else
		w->out->failed = true;
	free(text);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t collect_names(const json_t *v, const char **names, size_t n)
{
	const char *name;
	json_t *member;

	if (json_is_object(v))
		json_object_foreach((json_t *)(uintptr_t)v, name, member) names[n++] = name;
	return n;
}

/* What is merged has a member where the patch gives one, or leaves that of the target. */
static void merge(struct json_writer *w, struct side target, struct side patch)
{
	size_t n = 0, most = json_object_size(patch.value);
	const char **names;

	if (!json_is_object(patch.value)) {
		write_as_is(w, patch);
		return;
	}
	if (json_is_object(target.value))
		most += json_object_size(target.value);
	names = malloc((most + 1) * sizeof(*names));
	if (!names) {
		w->out->failed = true;
		return;
	}
	n = collect_names(target.value, names, 0);
	n = collect_names(patch.value, names, n);
	if (n > 1)
		qsort(names, n, sizeof(*names), compare_names);
	json_object_begin(w);
	for (size_t i = 0; i < n; i++) {
		struct side was = member_of(target, names[i]), becomes = member_of(patch, names[i]);

		if ((i > 0 && strcmp(names[i], names[i - 1]) == 0) || json_is_null(becomes.value))
			continue;
		json_key(w, names[i]);
		if (becomes.value)
			merge(w, was, becomes);
		else
			write_as_is(w, was);
	}
	json_object_end(w);
	free(names);
}

const char *validate_merge(struct arena *arena, const struct field *f, const char *target, const char *patch,
			   struct faults *faults)
{
	struct json_document was = { 0 }, becomes = { 0 };
	struct json_fault ignored;
	const char *merged = NULL;
	struct buf out;

	buf_init(&out, VALUE_MAX);
	/* both are canonical texts of ours, so what can fail is memory */
	if (json_document_parse(patch, strlen(patch), &becomes, &ignored) == OK &&
	    (!target || json_document_parse(target, strlen(target), &was, &ignored) == OK)) {
		struct json_writer w;

		json_begin(&w, &out);
		merge(&w, (struct side){ &was, was.root }, (struct side){ &becomes, becomes.root });
		merged = out.failed ? NULL : arena_strndup(arena, out.data, out.len);
	}
	json_document_done(&was);
	json_document_done(&becomes);
	buf_done(&out);
	if (!merged)
		faults_member(faults, f->name, "length", "merged with what is stored it would have more than 1 MiB");
	return merged;
}

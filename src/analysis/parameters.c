#include "parameters.h"

#include <stdarg.h>
#include <string.h>
#include "lodebase/api/validate.h"
#include "lodebase/base/decimal.h"
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"

void parameter_fault(const struct parameter_source *s, const char *name, const char *code, const char *format, ...)
{
	va_list args;
	const char *detail;

	va_start(args, format);
	detail = arena_vprintf(s->arena, format, args);
	va_end(args);
	if (s->place == FAULT_POINTER)
		faults_member(s->faults, name, code, "%s", detail ? detail : "");
	else
		faults_add(s->faults, s->place, name, code, "%s", detail ? detail : "");
}

size_t parameter_place(const char *const *values, const char *text)
{
	size_t i = 0;

	while (values[i] && strcmp(values[i], text) != 0)
		i++;
	return i;
}

static bool is_skipped(const char *const *skip, const char *name)
{
	for (; skip && *skip; skip++)
		if (strcmp(*skip, name) == 0)
			return true;
	return false;
}

static size_t find(const struct parameter *table, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(table[i].field.name, name) != 0)
		i++;
	return i;
}

const char *parameter_key(struct arena *arena, const char *text, size_t n)
{
	char id[UUID_TEXT_SIZE];

	if (!uuid_is_text(text, n))
		return text_is_slug(text, n) ? arena_strndup(arena, text, n) : NULL;
	uuid_canonical(text, id);
	return arena_strdup(arena, id);
}

/* The same with "shareholders/" or "projects/" before it, where it says which. */
static const char *read_node(struct arena *arena, const char *text, size_t n, const char **ret_why)
{
	static const char *const prefixes[] = { "shareholders/", "projects/" };
	const char *value;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i]);

		if (n <= len || memcmp(text, prefixes[i], len) != 0)
			continue;
		value = parameter_key(arena, text + len, n - len);
		return value ? arena_printf(arena, "%s%s", prefixes[i], value) : NULL;
	}
	*ret_why = "must be an id, a slug, or a resource and a slug such as projects/the-mine";
	return parameter_key(arena, text, n);
}

static void add_value(const struct parameter_source *s, const struct parameter *p, const char *text, size_t n,
		      struct parameter_value *ret, size_t *capacity)
{
	const char *why = "must be an id or a slug", *code = "format", *value;

	if (ret->n >= PARAMETER_VALUES_MAX) {
		if (ret->n++ == PARAMETER_VALUES_MAX)
			parameter_fault(s, p->field.name, "length", "%s takes at most %d values", p->field.name,
					PARAMETER_VALUES_MAX);
		return;
	}
	if (p->is_node)
		value = read_node(s->arena, text, n, &why);
	else if (p->field.type == FIELD_SLUG)
		value = parameter_key(s->arena, text, n);
	else
		value = validate_parameter(s->arena, &p->field, text, n, &why, &code);
	if (!value) {
		parameter_fault(s, p->field.name, code, "%s %s", p->field.name, why);
		return;
	}
	for (size_t i = 0; i < ret->n; i++)
		if (strcmp(ret->values[i], value) == 0) {
			parameter_fault(s, p->field.name, "repeated", "%s names \"%.*s\" twice", p->field.name,
					faults_quoted(text, n), text);
			return;
		}
	if (arena_grow(s->arena, (void **)&ret->values, capacity, ret->n + 1, sizeof(*ret->values)) == 0)
		ret->values[ret->n++] = value;
}

static void read_text(const struct parameter_source *s, const struct parameter *p, const char *text, size_t n,
		      struct parameter_value *ret)
{
	size_t capacity = 0;

	ret->given = true;
	for (;;) {
		const char *comma = p->is_list ? memchr(text, ',', n) : NULL;
		size_t len = comma ? (size_t)(comma - text) : n;

		add_value(s, p, text, len, ret, &capacity);
		if (!comma)
			break;
		text = comma + 1;
		n -= len + 1;
	}
}

void parameters_of_query(const struct parameter_source *s, const struct parameter *table, size_t n,
			 const struct http_field *fields, size_t n_fields, const char *const *skip, struct parameter_value *ret)
{
	for (size_t i = 0; i < n_fields; i++) {
		size_t k = find(table, n, fields[i].name), before = 0;

		while (before < i && strcmp(fields[before].name, fields[i].name) != 0)
			before++;
		if (before < i)
			parameter_fault(s, fields[i].name, "repeated", "a parameter may be given once");
		else if (is_skipped(skip, fields[i].name))
			continue;
		else if (k == n)
			parameter_fault(s, fields[i].name, "unknown", "there is no parameter %s here", fields[i].name);
		else
			read_text(s, &table[k], fields[i].value, fields[i].value_len, &ret[k]);
	}
}

static void read_json(const struct parameter_source *s, const struct parameter *p, const struct json_document *d,
		      const json_t *v, struct parameter_value *ret, size_t *capacity)
{
	size_t n;
	const char *token;
	struct decimal number;

	if (json_is_string(v)) {
		add_value(s, p, json_string_value(v), json_string_length(v), ret, capacity);
	} else if (json_is_integer(v)) { /* every number of a document is one */
		token = json_number(d, v, &n);
		if (decimal_from_json(token, n, &number) == OK)
			add_value(s, p, number.text, strlen(number.text), ret, capacity);
		else
			parameter_fault(s, p->field.name, "range", "%s is a number of too many digits", p->field.name);
	} else if (json_is_boolean(v)) {
		token = json_is_true(v) ? "true" : "false";
		add_value(s, p, token, strlen(token), ret, capacity);
	} else {
		parameter_fault(s, p->field.name, "type", "%s must be a %s", p->field.name,
				p->is_list ? "list of values" : "single value");
	}
}

void parameters_of_object(const struct parameter_source *s, const struct parameter *table, size_t n,
			  const struct json_document *d, const json_t *object, const char *const *skip,
			  struct parameter_value *ret)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)object, name, v)
	{
		size_t k = find(table, n, name), capacity = 0;

		if (is_skipped(skip, name) || json_is_null(v))
			continue;
		if (k == n) {
			parameter_fault(s, validate_pointer_token(s->arena, name, strlen(name)), "unknown",
					"there is no member %.*s here", faults_quoted(name, strlen(name)), name);
			continue;
		}
		ret[k].given = true;
		if (!json_is_array(v) || !table[k].is_list) {
			read_json(s, &table[k], d, v, &ret[k], &capacity);
			continue;
		}
		for (size_t i = 0; i < json_array_size(v); i++)
			read_json(s, &table[k], d, json_array_get(v, i), &ret[k], &capacity);
	}
}

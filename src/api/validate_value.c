/* One value at a time, by its field's type. */
#include "validate_value.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/api/resource.h"
#include "lodebase/base/clock.h"
#include "lodebase/base/decimal.h"
#include "lodebase/base/iso.h"
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"

#define TEXT_MAX 20000
#define LIST_MAX 1000

const char *validate_pointer_token(struct arena *arena, const char *name, size_t n)
{
	char *out;
	size_t len = 0;

	if (n > 200) {
		n = 200;
		while (n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80)
			n--;
	}
	out = arena_alloc(arena, n * 2 + 1);
	for (size_t i = 0; out && i < n; i++) {
		if (name[i] == '~' || name[i] == '/') {
			out[len++] = '~';
			out[len++] = name[i] == '~' ? '0' : '1';
		} else {
			out[len++] = name[i] ? name[i] : '?';
		}
	}
	return out;
}

const char *validate_type_name(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	default:
		return "null";
	}
}

/* A text's own rules, apart from its format: not empty, no NUL, length, visible. */
static bool check_text(struct value_context *c, const char *where, const char *s, size_t n, size_t max, bool visible)
{
	size_t length;

	if (n == 0) {
		faults_member(c->faults, where, "length", "must not be empty: null says that there is no value");
		return false;
	}
	if (memchr(s, '\0', n)) {
		faults_member(c->faults, where, "format", "a text cannot contain the character NUL (U+0000)");
		return false;
	}
	length = text_code_points(s, n);
	if (length > max) {
		faults_member(c->faults, where, "length", "%zu characters, at most %zu are allowed", length, max);
		return false;
	}
	if (visible && !text_has_visible(s, n)) {
		faults_member(c->faults, where, "format", "it needs at least one visible character");
		return false;
	}
	return true;
}

/* The value's place in the enumeration, -1 with a fault added. */
static int enum_place(const struct field *f, const char *s, size_t n)
{
	for (int i = 0; f->values[i]; i++)
		if (strlen(f->values[i]) == n && memcmp(f->values[i], s, n) == 0)
			return i;
	return -1;
}

/* What one of its values is told to be. NULL: no memory. */
static const char *enum_why(struct arena *arena, const struct field *f)
{
	char list[400];
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; f->values[i] && used < sizeof(list) - 40; i++) {
		size_t len = strlen(f->values[i]);

		if (i > 0) {
			list[used++] = ',';
			list[used++] = ' ';
		}
		memcpy(list + used, f->values[i], len + 1);
		used += len;
	}
	return arena_printf(arena, "must be one of: %s", list);
}

static int read_enum(struct value_context *c, const struct field *f, const char *where, const char *s, size_t n)
{
	int place = enum_place(f, s, n);
	const char *why = place < 0 ? enum_why(c->arena, f) : NULL;

	if (why)
		faults_member(c->faults, where, "enum", "%s", why);
	return place;
}

static const char *format_fault(enum field_type type, const char *s, size_t n)
{
	switch (type) {
	case FIELD_SLUG:
		return text_is_slug(s, n)
			       ? NULL
			       : "a slug has 1 to 100 characters a-z, 0-9 and single hyphens between them, and is no UUID";
	case FIELD_URL:
		return text_is_http_url(s, n) ? NULL : "must be an http or https URL";
	case FIELD_DATE:
		return clock_is_date(s, n) ? NULL : "must be a date YYYY-MM-DD that exists, in the years 1000 to 2999";
	case FIELD_COUNTRY:
		return iso_is_country(s, n) ? NULL : "must be a country of ISO 3166-1 as two capital letters, such as KR";
	case FIELD_CURRENCY:
		return iso_is_currency(s, n) ? NULL : "must be a currency of ISO 4217 as three capital letters, such as USD";
	case FIELD_LEI:
		return text_is_lei(s, n) ? NULL : "must be an LEI: 20 characters with right check digits (ISO 17442)";
	case FIELD_ISIN:
		return text_is_isin(s, n) ? NULL : "must be an ISIN: 12 characters with a right check digit (ISO 6166)";
	case FIELD_LANGUAGE:
		return text_is_language(s, n) ? NULL : "must be a language tag of BCP 47, such as ko or en-US";
	case FIELD_REF:
	case FIELD_SUBJECT:
		return uuid_is_text(s, n) || text_is_slug(s, n) ? NULL : "must be the id or slug of a record";
	case FIELD_UUID:
		return uuid_is_text(s, n) ? NULL : "must be a UUID";
	default:
		return NULL;
	}
}

/* Countries and currencies are code lists, so a wrong one is a wrong value of an enumeration. */
static const char *format_code(enum field_type type)
{
	return type == FIELD_COUNTRY || type == FIELD_CURRENCY ? "enum" : "format";
}

const char *validate_canonical_uuid(struct arena *arena, const char *s)
{
	char text[UUID_TEXT_SIZE];

	uuid_canonical(s, text);
	return arena_strdup(arena, text);
}

static const char *read_string(struct value_context *c, const struct field *f, const json_t *v)
{
	const char *s, *why;
	size_t n, max = f->max_length ? f->max_length : f->type == FIELD_TEXT ? TEXT_MAX : 300;

	if (!json_is_string(v)) {
		faults_member(c->faults, f->name, "type", "must be a string, not %s", validate_type_name(v));
		return NULL;
	}
	s = json_string_value(v);
	n = json_string_length(v);
	if (!check_text(c, f->name, s, n, max, f->flags & FIELD_VISIBLE))
		return NULL;
	if (f->type == FIELD_ENUM) {
		int i = read_enum(c, f, f->name, s, n);

		return i < 0 ? NULL : f->values[i];
	}
	why = format_fault(f->type, s, n);
	if (why) {
		faults_member(c->faults, f->name, format_code(f->type), "%s", why);
		return NULL;
	}
	if (f->type == FIELD_UUID || (field_is_reference(f) && uuid_is_text(s, n)))
		return validate_canonical_uuid(c->arena, s);
	return arena_strndup(c->arena, s, n);
}

/* Whether a canonical number fits a field; else *ret_code and a sentence. */
static const char *number_fault(struct arena *arena, const struct field *f, const struct decimal *d, const char **ret_code)
{
	bool whole = f->type == FIELD_INTEGER;

	if (d->scale > (whole ? 0 : f->scale)) {
		*ret_code = "precision";
		return whole ? "must be a whole number"
			     : arena_printf(arena, "must have at most %u decimals; nothing is rounded", f->scale);
	}
	*ret_code = "range";
	if (f->min && decimal_compare(d->text, f->min) < 0)
		return arena_printf(arena, "must be at least %s", f->min);
	if (f->max && decimal_compare(d->text, f->max) > 0)
		return arena_printf(arena, f->flags & FIELD_MAX_EXCLUSIVE ? "must be below %s" : "must be at most %s", f->max);
	if (f->max && (f->flags & FIELD_MAX_EXCLUSIVE) && decimal_compare(d->text, f->max) == 0)
		return arena_printf(arena, "must be below %s", f->max);
	return NULL;
}

static const char *read_number(struct value_context *c, const struct field *f, const json_t *v)
{
	struct decimal d;
	enum err e;
	const char *why, *code;

	if (json_is_integer(v)) {
		size_t n;
		const char *token = json_number(c->document, v, &n);

		e = decimal_from_json(token, n, &d);
	} else if (json_is_string(v)) {
		e = decimal_from_string(json_string_value(v), json_string_length(v), &d);
		if (e == ERR_INVALID) {
			faults_member(c->faults, f->name, "format", "must be a number, or a string of digits such as \"12.5\"");
			return NULL;
		}
	} else {
		faults_member(c->faults, f->name, "type", "must be a number or a decimal string, not %s",
			      validate_type_name(v));
		return NULL;
	}
	if (e == ERR_PRECISION) {
		faults_member(c->faults, f->name, "precision", "must have at most %u decimals; nothing is rounded",
			      f->type == FIELD_INTEGER ? 0 : f->scale);
		return NULL;
	}
	if (e != OK) {
		faults_member(c->faults, f->name, "range", "the number is out of range");
		return NULL;
	}
	why = number_fault(c->arena, f, &d, &code);
	if (why) {
		faults_member(c->faults, f->name, code, "%s", why);
		return NULL;
	}
	return arena_strdup(c->arena, d.text);
}

static const char *canonical_json(struct value_context *c, const json_t *v)
{
	char *text = json_canonical(c->document, v);
	const char *copy = text ? arena_strdup(c->arena, text) : NULL;

	free(text);
	return copy;
}

static void check_list_text(struct value_context *c, const struct field *f, const char *where, const json_t *v, bool visible)
{
	if (!json_is_string(v))
		faults_member(c->faults, where, "type", "must be a string, not %s", validate_type_name(v));
	else
		check_text(c, where, json_string_value(v), json_string_length(v), f->max_length, visible);
}

static void check_list_country(struct value_context *c, const char *where, const json_t *v)
{
	const char *why;

	if (!json_is_string(v)) {
		faults_member(c->faults, where, "type", "must be a string, not %s", validate_type_name(v));
		return;
	}
	why = format_fault(FIELD_COUNTRY, json_string_value(v), json_string_length(v));
	if (why)
		faults_member(c->faults, where, format_code(FIELD_COUNTRY), "%s", why);
}

/* `seen` has a bit for each value that stood before. */
static void check_list_enum(struct value_context *c, const struct field *f, const char *where, const json_t *v, uint64_t *seen)
{
	int i;

	if (!json_is_string(v)) {
		faults_member(c->faults, where, "type", "must be a string, not %s", validate_type_name(v));
		return;
	}
	i = read_enum(c, f, where, json_string_value(v), json_string_length(v));
	if (i >= 0 && (*seen & UINT64_C(1) << i))
		faults_member(c->faults, where, "repeated", "%s is there already", f->values[i]);
	else if (i >= 0)
		*seen |= UINT64_C(1) << i;
}

static void check_list_key(struct value_context *c, const char *where, const json_t *v)
{
	const char *why;

	if (!json_is_string(v)) {
		faults_member(c->faults, where, "type", "must be a string, not %s", validate_type_name(v));
		return;
	}
	why = format_fault(FIELD_REF, json_string_value(v), json_string_length(v));
	if (why)
		faults_member(c->faults, where, "format", "%s", why);
}

static void check_list_object(struct value_context *c, const struct field *f, const char *where, json_t *v)
{
	const char *name;
	size_t name_len;
	json_t *member;

	if (!json_is_object(v)) {
		faults_member(c->faults, where, "type", "must be an object, not %s", validate_type_name(v));
		return;
	}
	for (size_t i = 0; f->members[i]; i++) {
		const char *at = arena_printf(c->arena, "%s/%s", where, f->members[i]);

		member = json_object_get(v, f->members[i]);
		if (!at)
			return;
		if (!member || json_is_null(member))
			faults_member(c->faults, at, "required", "%s is required", f->members[i]);
		else
			check_list_text(c, f, at, member, true);
	}
	json_object_keylen_foreach(v, name, name_len, member)
	{
		bool known = false;
		const char *at = arena_printf(c->arena, "%s/%s", where, validate_pointer_token(c->arena, name, name_len));

		for (size_t i = 0; f->members[i]; i++)
			known = known || (strlen(f->members[i]) == name_len && memcmp(f->members[i], name, name_len) == 0);
		if (!known && at)
			faults_member(c->faults, at, "unknown", "there is no such member");
	}
}

static const char *read_list(struct value_context *c, const struct field *f, const json_t *v)
{
	size_t n = json_array_size(v), before = c->faults->n;
	uint64_t seen = 0;

	if (!json_is_array(v)) {
		faults_member(c->faults, f->name, "type", "must be a list, not %s", validate_type_name(v));
		return NULL;
	}
	if (n > LIST_MAX) {
		faults_member(c->faults, f->name, "length", "%zu entries, at most %d are allowed", n, LIST_MAX);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		const char *where = arena_printf(c->arena, "%s/%zu", f->name, i);

		if (!where)
			return NULL;
		if (f->type == FIELD_STRINGS)
			check_list_text(c, f, where, json_array_get(v, i), f->flags & FIELD_VISIBLE);
		else if (f->type == FIELD_COUNTRIES)
			check_list_country(c, where, json_array_get(v, i));
		else if (f->type == FIELD_ENUMS)
			check_list_enum(c, f, where, json_array_get(v, i), &seen);
		else if (f->type == FIELD_KEYS)
			check_list_key(c, where, json_array_get(v, i));
		else
			check_list_object(c, f, where, json_array_get(v, i));
	}
	return c->faults->n == before ? canonical_json(c, v) : NULL;
}

static const char *read_json(struct value_context *c, const struct field *f, const json_t *v)
{
	size_t before = c->faults->n;

	validate_json(c, f->name, v);
	return c->faults->n == before ? canonical_json(c, v) : NULL;
}

static const char *read_time(struct value_context *c, const struct field *f, const json_t *v)
{
	int64_t us;
	char text[CLOCK_TIME_SIZE];

	if (!json_is_string(v) || !clock_parse_us(json_string_value(v), json_string_length(v), &us)) {
		faults_member(c->faults, f->name, "read-only", "%s cannot be set", f->name);
		return NULL;
	}
	clock_format_us(us, text);
	return arena_strdup(c->arena, text);
}

const char *validate_value(struct value_context *c, const struct field *f, const json_t *v)
{
	switch (f->type) {
	case FIELD_BOOL:
		if (json_is_boolean(v))
			return json_is_true(v) ? "true" : "false";
		faults_member(c->faults, f->name, "type", "must be true or false, not %s", validate_type_name(v));
		return NULL;
	case FIELD_INTEGER:
	case FIELD_DECIMAL:
		return read_number(c, f, v);
	case FIELD_STRINGS:
	case FIELD_OBJECTS:
	case FIELD_COUNTRIES:
	case FIELD_ENUMS:
	case FIELD_KEYS:
		return read_list(c, f, v);
	case FIELD_JSON:
		return read_json(c, f, v);
	case FIELD_TIME:
		return read_time(c, f, v);
	default:
		return read_string(c, f, v);
	}
}

const char *validate_parameter(struct arena *arena, const struct field *f, const char *text, size_t n, const char **ret_why,
			       const char **ret_code)
{
	struct decimal d;
	int64_t us;
	char time[CLOCK_TIME_SIZE];
	enum err e;

	*ret_code = "format";
	if (!text_is_utf8(text, n)) {
		*ret_why = "must be UTF-8";
		return NULL;
	}
	switch (f->type) {
	case FIELD_INTEGER:
	case FIELD_DECIMAL:
		e = decimal_from_string(text, n, &d);
		if (e == OK) {
			*ret_why = number_fault(arena, f, &d, ret_code);
			return *ret_why ? NULL : arena_strdup(arena, d.text);
		}
		*ret_why = "must be a number";
		if (e == ERR_PRECISION || e == ERR_RANGE) {
			*ret_why = e == ERR_RANGE ? "is out of range" : "has too many decimals";
			*ret_code = e == ERR_RANGE ? "range" : "precision";
		}
		return NULL;
	case FIELD_BOOL:
		*ret_why = "must be true or false";
		*ret_code = "enum";
		return n == 4 && memcmp(text, "true", 4) == 0    ? "true"
		       : n == 5 && memcmp(text, "false", 5) == 0 ? "false"
								 : NULL;
	case FIELD_TIME:
		if (!clock_parse_us(text, n, &us)) {
			*ret_why = "must be a time like 2025-12-15T09:30:00Z";
			return NULL;
		}
		clock_format_us(us, time);
		return arena_strdup(arena, time);
	case FIELD_ENUM:
		if (enum_place(f, text, n) >= 0)
			return f->values[enum_place(f, text, n)];
		*ret_why = enum_why(arena, f);
		if (!*ret_why)
			*ret_why = "is none of its values";
		*ret_code = "enum";
		return NULL;
	case FIELD_LEI:
	case FIELD_ISIN:
	case FIELD_SLUG:
	case FIELD_TEXT:
	case FIELD_URL:
	case FIELD_LANGUAGE:
	case FIELD_REF:
	case FIELD_SUBJECT:
		/* whatever text may be asked for; nothing may match */
		return field_is_reference(f) && uuid_is_text(text, n) ? validate_canonical_uuid(arena, text)
								      : arena_strndup(arena, text, n);
	default:
		*ret_code = format_code(f->type);
		*ret_why = format_fault(f->type, text, n);
		if (*ret_why)
			return NULL;
		return uuid_is_text(text, n) ? validate_canonical_uuid(arena, text) : arena_strndup(arena, text, n);
	}
}

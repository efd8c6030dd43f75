/* `lodebase contract`: what this program serves, as JSON, from the tables that serve it. */
#include <stdio.h>
#include <string.h>
#include "internal.h"

static const char *type_name(enum field_type type)
{
	static const char *const names[] = {
		[FIELD_UUID] = "uuid",         [FIELD_SLUG] = "slug",
		[FIELD_TEXT] = "text",         [FIELD_URL] = "url",
		[FIELD_ENUM] = "enum",         [FIELD_BOOL] = "boolean",
		[FIELD_INTEGER] = "integer",   [FIELD_DECIMAL] = "decimal",
		[FIELD_DATE] = "date",         [FIELD_TIME] = "time",
		[FIELD_REF] = "reference",     [FIELD_COUNTRY] = "country",
		[FIELD_CURRENCY] = "currency", [FIELD_LEI] = "lei",
		[FIELD_ISIN] = "isin",         [FIELD_STRINGS] = "strings",
		[FIELD_OBJECTS] = "objects",   [FIELD_SUBJECT] = "subject",
		[FIELD_LANGUAGE] = "language", [FIELD_COUNTRIES] = "countries",
		[FIELD_ENUMS] = "enums",       [FIELD_KEYS] = "keys",
		[FIELD_JSON] = "json",
	};

	return names[type];
}

static void write_strings(struct json_writer *w, const char *key, const char *const *values)
{
	if (!values)
		return;
	json_key(w, key);
	json_array_begin(w);
	for (size_t i = 0; values[i]; i++)
		json_str(w, values[i]);
	json_array_end(w);
}

static void write_field(struct json_writer *w, const struct field *f)
{
	static const char *const suffixes[] = { "gte", "lte", "gt", "lt", "ne", "contains", "null" };
	bool filters = !(f->flags & FIELD_NO_FILTER);

	json_object_begin(w);
	json_member_string(w, "name", f->name);
	json_member_string(w, "type", type_name(f->type));
	json_member_bool(w, "required", f->flags & FIELD_REQUIRED);
	json_member_bool(w, "read_only", f->flags & FIELD_READ_ONLY);
	json_key(w, "filters");
	json_array_begin(w);
	if (filters)
		json_str(w, "");
	for (size_t i = 0; filters && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (list_operator_applies(f, suffixes[i]))
			json_str(w, suffixes[i]);
	json_array_end(w);
	json_member_bool(w, "sort", filters);
	json_member_bool(w, "indexed", f->flags & FIELD_INDEXED);
	write_strings(w, "values", f->values);
	write_strings(w, "members", f->members);
	if (f->max_length)
		json_member_int(w, "max_length", (int64_t)f->max_length);
	else if (f->type == FIELD_TEXT)
		json_member_int(w, "max_length", 20000);
	if (f->min)
		json_member_string(w, "min", f->min);
	if (f->max)
		json_member_string(w, "max", f->max);
	if (f->flags & FIELD_MAX_EXCLUSIVE)
		json_member_bool(w, "max_exclusive", true);
	if (f->type == FIELD_DECIMAL)
		json_member_int(w, "scale", f->scale);
	if (f->target)
		json_member_string(w, "target", f->target);
	if (f->default_value)
		json_member_string(w, "default", f->default_value);
	json_object_end(w);
}

static void write_resources(struct json_writer *w)
{
	json_key(w, "resources");
	json_array_begin(w);
	for (size_t i = 0; resources[i]; i++) {
		json_object_begin(w);
		json_member_string(w, "name", resources[i]->name);
		json_member_string(w, "table", resources[i]->table);
		json_member_string(w, "name_field", resources[i]->name_field);
		json_member_bool(w, "slug_optional", resources[i]->slug_optional);
		json_key(w, "fields");
		json_array_begin(w);
		for (size_t k = 0; k < resources[i]->n_fields; k++)
			write_field(w, &resources[i]->fields[k]);
		json_array_end(w);
		json_object_end(w);
	}
	json_array_end(w);
}

/* The route's pattern with the resource's name in place of {resource}. */
static void write_path(struct json_writer *w, const char *pattern, const char *resource)
{
	const char *at = strstr(pattern, "{resource}");
	char path[128];

	if (at)
		snprintf(path, sizeof(path), "%.*s%s%s", (int)(at - pattern), pattern, resource, at + strlen("{resource}"));
	json_member_string(w, "path", at ? path : pattern);
}

static void write_operations(struct json_writer *w, const struct route *r, const char *resource)
{
	static const char *const methods[] = {
		[HTTP_GET] = "GET", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE"
	};

	for (size_t i = 0; i < r->n_operations; i++) {
		json_object_begin(w);
		json_member_string(w, "method", methods[r->operations[i].method]);
		write_path(w, r->pattern, resource);
		json_key(w, "statuses");
		json_array_begin(w);
		for (const int *s = r->operations[i].statuses; *s; s++)
			json_int(w, *s);
		json_array_end(w);
		json_object_end(w);
	}
}

enum err api_print_contract(void)
{
	struct json_writer w;
	struct buf out;
	bool ok;

	buf_init(&out, 4u << 20);
	json_begin(&w, &out);
	json_object_begin(&w);
	write_resources(&w);
	json_key(&w, "operations");
	json_array_begin(&w);
	for (size_t i = 0; i < route_count(); i++) {
		const struct route *r = route_at(i);

		if (!r->per_resource)
			write_operations(&w, r, "");
		for (size_t k = 0; r->per_resource && resources[k]; k++)
			write_operations(&w, r, resources[k]->name);
	}
	json_array_end(&w);
	json_key(&w, "problems");
	json_array_begin(&w);
	for (size_t i = 0; i < problem_n_types; i++)
		json_str(&w, problem_types[i].slug);
	json_array_end(&w);
	json_object_end(&w);
	buf_putc(&out, '\n');
	ok = !out.failed && fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
	buf_done(&out);
	return ok ? OK : ERR_IO;
}

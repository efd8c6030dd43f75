/* The query: parameters in their order, duplicates kept. libmicrohttpd's own parser would lose what was malformed. */
#include "internal.h"

#include <string.h>

#define MOST 1000

static bool fault(struct request *r, const char *wrong)
{
	if (r->public.param_fault)
		return true;
	r->public.param_fault = arena_printf(r->public.arena, "The query %s.", wrong);
	return r->public.param_fault;
}

static bool parse_one(struct request *r, const char *s, size_t n, struct http_field *field)
{
	const char *equals = memchr(s, '=', n);
	const size_t name_len = equals ? (size_t)(equals - s) : n;
	const size_t value_len = equals ? n - name_len - 1 : 0;
	char *name = arena_alloc(r->public.arena, n + 2), *value = name + name_len + 1;
	size_t len;

	if (!name)
		return false;
	*field = (struct http_field){ .name = name, .value = value };
	const char *wrong = name_len ? guard_unescape(s, name_len, true, name, &len) : "has a parameter without a name";
	if (!wrong)
		name[len] = '\0';
	if (!wrong && equals) {
		wrong = guard_unescape(equals + 1, value_len, true, value, &field->value_len);
		if (!wrong)
			value[field->value_len] = '\0';
	}
	if (!wrong)
		return true;
	/* What of it was decoded half is not shown. */
	name[0] = value[0] = '\0';
	return fault(r, wrong);
}

bool query_parse(struct request *r)
{
	const char *s = r->public.raw_query;
	const size_t n = s ? strlen(s) : 0;
	size_t count = n > 0;

	for (size_t i = 0; i < n; i++)
		count += s[i] == '&';
	if (count > MOST)
		return fault(r, "has more than 1,000 parameters");
	if (!count)
		return true;
	struct http_field *fields = arena_alloc(r->public.arena, count * sizeof *fields);
	if (!fields)
		return false;
	r->public.params = fields;
	for (size_t at = 0; at <= n;) {
		const char *end = memchr(s + at, '&', n - at);
		const size_t len = end ? (size_t)(end - s) - at : n - at;

		if (!parse_one(r, s + at, len, &fields[r->public.n_params]))
			return false;
		r->public.n_params++;
		at += len + 1;
	}
	return true;
}

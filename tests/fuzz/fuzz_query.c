/* A list's parameters: the resource's digit, then a query as it stands behind the '?'. What passes becomes statements of the
 * program's own words, whose parameters the server takes; the order of the parameters does not matter. */
#include "api_case.h"

#include <ctype.h>
#include <string.h>
#include "../../src/http/internal.h"
#include "lodebase/base/clock.h"
#include "lodebase/base/decimal.h"
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"

/* Whether PostgreSQL's type takes a canonical value: else the statement would fail, and the client be told of an internal
 * fault. */
static bool server_takes(const struct field *f, const char *value)
{
	struct decimal d;
	size_t n = strlen(value);
	int64_t us;

	if (!text_is_utf8(value, n))
		return false;
	switch (f->type) {
	case FIELD_UUID:
		return uuid_is_text(value, n);
	case FIELD_BOOL:
		return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
	case FIELD_INTEGER:
		return decimal_from_string(value, n, &d) == OK && d.scale == 0 &&
		       decimal_compare(value, "-9223372036854775808") >= 0 &&
		       decimal_compare(value, "9223372036854775807") <= 0;
	case FIELD_DECIMAL:
		return decimal_from_string(value, n, &d) == OK;
	case FIELD_DATE:
		return clock_is_date(value, n);
	case FIELD_TIME:
		return clock_parse_us(value, n, &us) && strncmp(value, "0000", 4) != 0;
	default:
		return true;
	}
}

/* Reads an array literal back: what the server makes of it. */
static void check_array(struct arena *a, const struct filter *f)
{
	const char *s = compose_array(a, f->values, f->n_values);

	FUZZ_CHECK(s && *s++ == '{');
	for (size_t i = 0; i < f->n_values; i++) {
		FUZZ_CHECK((i == 0 || *s++ == ',') && *s++ == '"');
		for (const char *v = f->values[i]; *v; v++) {
			FUZZ_CHECK(*s != '"');
			s += *s == '\\';
			FUZZ_CHECK(*s++ == *v);
		}
		FUZZ_CHECK(*s++ == '"');
	}
	FUZZ_CHECK(strcmp(s, "}") == 0);
}

static void check_query(struct arena *a, const struct list_query *q)
{
	for (size_t i = 0; i < q->n_filters; i++) {
		const struct filter *f = &q->filters[i];

		FUZZ_CHECK(!(f->field->flags & FIELD_NO_FILTER) && (f->op == FILTER_NULL) == (f->n_values == 0));
		for (size_t k = 0; k < f->n_values; k++)
			FUZZ_CHECK(*f->values[k] && server_takes(f->field, f->values[k]));
		FUZZ_CHECK(f->n_values <= 500);
		check_array(a, f);
	}
	FUZZ_CHECK(q->n_keys > 0 && q->n_keys <= q->resource->n_fields);
	for (size_t i = 0; i < q->n_keys; i++)
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(q->keys[k].field != q->keys[i].field);
}

/* A statement: its names are columns, its parameters are all there and all used, its brackets close. */
static void check_statement(struct arena *a, const struct resource *r, const struct composed *s)
{
	bool used[1024] = { false };
	int depth = 0;

	FUZZ_CHECK(s->n_params >= 0 && s->n_params < 1024);
	for (const char *p = s->sql; *p; p++) {
		FUZZ_CHECK(isprint((unsigned char)*p) && *p != ';' && *p != '\\');
		depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
		FUZZ_CHECK(depth >= 0);
		if (*p == '"') {
			const char *end = strchr(p + 1, '"');

			FUZZ_CHECK(end);
			if (strncmp(p, "\"C.utf8\"", 8) != 0 && strncmp(p, "\"C\"", 3) != 0)
				FUZZ_CHECK(resource_field(r, p + 1, (size_t)(end - p - 1)) >= 0);
			p = end;
		} else if (*p == '\'') { /* the resources that a subject can be are the only words in quotes */
			const char *end = strchr(p + 1, '\'');
			char *word = end ? arena_strndup(a, p + 1, (size_t)(end - p - 1)) : NULL;

			FUZZ_CHECK(word && resource_find(word));
			p = end;
		} else if (*p == '$') {
			long n = strtol(p + 1, NULL, 10);

			FUZZ_CHECK(n >= 1 && n <= s->n_params);
			used[n - 1] = true;
		}
	}
	FUZZ_CHECK(depth == 0);
	for (int i = 0; i < s->n_params; i++)
		FUZZ_CHECK(used[i] && s->params[i] && text_is_utf8(s->params[i], strlen(s->params[i])));
}

static void check_same(const struct composed *x, const struct composed *y)
{
	FUZZ_CHECK(strcmp(x->sql, y->sql) == 0 && strcmp(x->name, y->name) == 0 && x->n_params == y->n_params);
	for (int i = 0; i < x->n_params; i++)
		FUZZ_CHECK(strcmp(x->params[i], y->params[i]) == 0);
}

/* Judges the parameters of a call. false: they are refused. */
static bool read_parameters(struct call *c, struct list_query *ret)
{
	const struct list_query *q;

	list_check(c);
	q = list_query(c);
	FUZZ_CHECK(q);
	fuzz_check_faults(&c->faults);
	for (size_t i = 0; i < c->faults.n; i++)
		FUZZ_CHECK(c->faults.items[i].place == FAULT_PARAMETER);
	if (c->faults.n > 0)
		return false;
	*ret = *q;
	ret->limit = 51;
	return true;
}

static void compose(struct arena *a, const struct list_query *q, struct composed *ret_list, struct composed *ret_count)
{
	FUZZ_CHECK(compose_list(a, q, ret_list) && compose_count(a, q, ret_count));
	(void)compose_is_indexed(q);
	check_statement(a, q->resource, ret_list);
	check_statement(a, q->resource, ret_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n == 0)
		return 0;
	struct arena *a = arena_new(FUZZ_ARENA);
	const struct resource *r = fuzz_resource(bytes[0]);
	struct call *c = fuzz_call(a, r), *reversed = fuzz_call(a, r);
	struct request request = { .public.arena = a };
	struct http_field *other;
	struct list_query q, again;
	struct composed list, count, list_again, count_again;

	request.public.raw_query = arena_strndup(a, (const char *)bytes + 1, n - 1);
	FUZZ_CHECK(request.public.raw_query && query_parse(&request));
	*c->request = *reversed->request = request.public;
	other = arena_alloc(a, c->request->n_params * sizeof(*other));
	FUZZ_CHECK(other);
	for (size_t i = 0; i < c->request->n_params; i++)
		other[i] = c->request->params[c->request->n_params - 1 - i];
	reversed->request->params = other;
	/* A query that is malformed is one more fault, in check.c: its parameters are judged all the same. */
	if (read_parameters(c, &q)) {
		check_query(a, &q);
		compose(a, &q, &list, &count);
		FUZZ_CHECK(read_parameters(reversed, &again));
		compose(a, &again, &list_again, &count_again);
		check_same(&list, &list_again);
		check_same(&count, &count_again);
	} else {
		FUZZ_CHECK(!read_parameters(reversed, &again));
	}
	arena_free(a);
	return 0;
}

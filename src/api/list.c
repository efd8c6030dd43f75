/* Lists: filters, sort, fields, limit, cursor, count. Everything a request asks for is checked; nothing is silently ignored,
 * cut or capped. */
#include "list.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"
#include "lodebase/base/json_writer.h"

/* A request's head takes no longer ones: of the fields that sort, only texts without a bound of their own come to this. */
#define CURSOR_USABLE ((size_t)14 << 10)
#define VALUES_MAX 500
#define PARAMETERS_MAX 200

static const struct {
	const char *suffix;
	enum filter_op op;
} operators[] = {
	{ "gte", FILTER_GTE },   { "lte", FILTER_LTE },           { "gt", FILTER_GT },     { "lt", FILTER_LT },
	{ "ne", FILTER_NOT_IN }, { "contains", FILTER_CONTAINS }, { "null", FILTER_NULL },
};

static bool operator_applies(const struct field *f, enum filter_op op)
{
	switch (op) {
	case FILTER_CONTAINS:
		return f->type == FIELD_TEXT || f->type == FIELD_SLUG || f->type == FIELD_LEI || f->type == FIELD_ISIN ||
		       f->type == FIELD_URL || f->type == FIELD_LANGUAGE;
	case FILTER_GTE:
	case FILTER_LTE:
	case FILTER_GT:
	case FILTER_LT:
		return f->type != FIELD_BOOL && !field_is_reference(f);
	default:
		return true;
	}
}

bool list_operator_applies(const struct field *f, const char *suffix)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (strcmp(operators[i].suffix, suffix) == 0)
			return operator_applies(f, operators[i].op);
	return true;
}

static void fault(struct call *c, const char *parameter, const char *code, const char *detail)
{
	faults_add(&c->faults, FAULT_PARAMETER, parameter, code, "%s", detail);
}

static void add_value(struct call *c, const struct http_field *p, struct filter *f, const char *text, size_t n,
		      size_t *capacity)
{
	const char *why = NULL, *code = "format", *value;
	void *values = f->values;

	if (n == 0) {
		fault(c, p->name, "format", "a value of it is empty");
		return;
	}
	value = validate_parameter(c->arena, f->field, text, n, &why, &code);
	if (!value) {
		faults_add(&c->faults, FAULT_PARAMETER, p->name, code, "%s: \"%.*s\" %s", p->name, faults_quoted(text, n), text,
			   why ? why : "is not allowed here");
		return;
	}
	if (arena_grow(c->arena, &values, capacity, f->n_values + 1, sizeof(*f->values)) != 0)
		return;
	f->values = values;
	f->values[f->n_values++] = value;
}

/* Splits at commas; "\," is a comma inside a value, "\\" a backslash. */
static void split_values(struct call *c, const struct http_field *p, struct filter *f)
{
	char *text = arena_alloc(c->arena, p->value_len + 1);
	size_t n = 0, count = 1, capacity = 0;

	if (!text)
		return;
	for (size_t i = 0; i <= p->value_len; i++) {
		if (i == p->value_len || p->value[i] == ',') {
			if (count++ > VALUES_MAX) {
				fault(c, p->name, "length", "more than 500 values");
				return;
			}
			add_value(c, p, f, text, n, &capacity);
			n = 0;
			continue;
		}
		if (p->value[i] == '\\') {
			i++;
			if (i == p->value_len || (p->value[i] != ',' && p->value[i] != '\\')) {
				fault(c, p->name, "format", "a backslash stands before a comma or another backslash only");
				return;
			}
		}
		text[n++] = p->value[i];
	}
}

static void read_filter(struct call *c, struct list_state *s, const struct http_field *p)
{
	const char *dot = strchr(p->name, '.');
	size_t name_len = dot ? (size_t)(dot - p->name) : strlen(p->name), capacity = 0;
	int i = resource_field(c->resource, p->name, name_len);
	struct filter f = { .op = FILTER_IN };
	void *filters = s->query.filters;
	bool known = !dot;

	for (size_t k = 0; dot && k < sizeof(operators) / sizeof(operators[0]); k++)
		if (strcmp(dot + 1, operators[k].suffix) == 0) {
			f.op = operators[k].op;
			known = true;
		}
	if (i < 0 || (c->resource->fields[i].flags & FIELD_NO_FILTER) || !known ||
	    !operator_applies(&c->resource->fields[i], f.op)) {
		faults_add(&c->faults, FAULT_PARAMETER, p->name, "unknown", "%s cannot be filtered by %s", c->resource->name,
			   p->name);
		return;
	}
	f.field = &c->resource->fields[i];
	if (p->value_len == 0) {
		fault(c, p->name, "format", "its value is empty");
		return;
	}
	if (f.op == FILTER_NULL) {
		f.is_null = strcmp(p->value, "true") == 0;
		if (!f.is_null && strcmp(p->value, "false") != 0) {
			fault(c, p->name, "enum", "must be true or false");
			return;
		}
	} else if (f.op == FILTER_IN || f.op == FILTER_NOT_IN) {
		split_values(c, p, &f);
	} else {
		add_value(c, p, &f, p->value, p->value_len, &capacity);
	}
	if (arena_grow(c->arena, &filters, &s->filters_capacity, s->query.n_filters + 1, sizeof(*s->query.filters)) != 0)
		return;
	s->query.filters = filters;
	s->query.filters[s->query.n_filters++] = f;
}

static int compare_filters(const void *a, const void *b)
{
	const struct filter *x = a, *y = b;

	if (x->field != y->field)
		return x->field < y->field ? -1 : 1;
	return (int)x->op - (int)y->op;
}

static void read_sort(struct call *c, struct list_state *s)
{
	struct list_query *q = &s->query;
	bool has_id = false;

	q->keys = arena_alloc(c->arena, (c->resource->n_fields + 2) * sizeof(*q->keys));
	if (!q->keys)
		return;
	for (const char *p = s->sort; p; p++) {
		bool descending = *p == '-';
		size_t n;
		int i;

		p += descending;
		n = strcspn(p, ",");
		i = resource_field(c->resource, p, n);
		if (n == 0) {
			fault(c, "sort", "format", "sort has an empty name in it");
		} else if (i < 0 || (c->resource->fields[i].flags & FIELD_NO_FILTER)) {
			faults_add(&c->faults, FAULT_PARAMETER, "sort", "unknown", "%s cannot be sorted by \"%.*s\"",
				   c->resource->name, faults_quoted(p, n), p);
		} else {
			for (size_t k = 0; k < q->n_keys; k++)
				if (q->keys[k].field == &c->resource->fields[i]) {
					faults_add(&c->faults, FAULT_PARAMETER, "sort", "repeated", "\"%.*s\" is named twice",
						   (int)n, p);
					return;
				}
			q->keys[q->n_keys++] = (struct sort_key){ &c->resource->fields[i], descending };
			has_id = has_id || i == RESOURCE_ID;
		}
		p += n;
		if (!*p)
			break;
	}
	if (!s->sort)
		q->keys[q->n_keys++] = (struct sort_key){ &c->resource->fields[RESOURCE_CREATED_AT], false };
	if (!has_id)
		q->keys[q->n_keys++] = (struct sort_key){ &c->resource->fields[RESOURCE_ID], false };
}

/* What has validity has both its ends, as stakes do. */
bool list_takes_valid_at(const struct resource *r)
{
	return resource_field(r, "valid_from", 10) >= 0 && resource_field(r, "valid_to", 8) >= 0;
}

static void read_parameter(struct call *c, struct list_state *s, const struct http_field *p)
{
	if (strcmp(p->name, "sort") == 0) {
		s->sort = p->value;
	} else if (strcmp(p->name, "fields") == 0) {
		s->projected = true;
		projection_parse(c, p->value, &s->projection);
	} else if (s->format != LIST_JSON &&
		   (strcmp(p->name, "limit") == 0 || strcmp(p->name, "cursor") == 0 || strcmp(p->name, "count") == 0)) {
		faults_add(&c->faults, FAULT_PARAMETER, p->name, "exclusive", "%s is of pages; %s comes whole", p->name,
			   c->media_type);
	} else if (strcmp(p->name, "limit") == 0) {
		check_limit(c, p, LIST_LIMIT_MAX, &s->limit);
	} else if (strcmp(p->name, "cursor") == 0) {
		s->cursor = p->value;
		s->cursor_len = p->value_len;
	} else if (strcmp(p->name, "known_at") == 0) {
		known_parse(c, p->value, p->value_len, &c->known);
	} else if (strcmp(p->name, "q") == 0) {
		s->query.text = search_text(c, p);
	} else if (strcmp(p->name, "valid_at") == 0 && list_takes_valid_at(c->resource)) {
		if (clock_is_date(p->value, p->value_len))
			s->query.valid_at = p->value;
		else
			fault(c, "valid_at", "format", "valid_at must be a date YYYY-MM-DD that exists");
	} else if (strcmp(p->name, "count") == 0) {
		s->count = strcmp(p->value, "exact") == 0;
		if (!s->count)
			fault(c, "count", "enum", "count must be exact, or missing");
	} else {
		read_filter(c, s, p);
	}
}

void list_check(struct call *c)
{
	struct list_state *s = arena_alloc(c->arena, sizeof(*s));

	c->state = s;
	if (!s)
		return;
	s->query.resource = c->resource;
	s->limit = LIST_LIMIT_DEFAULT;
	s->format = list_format(c->media_type);
	if (c->request->n_params > PARAMETERS_MAX) {
		fault(c, "", "length", "more than 200 parameters");
		return;
	}
	for (size_t i = 0; i < c->request->n_params; i++) {
		if (!check_repeated(c, i))
			read_parameter(c, s, &c->request->params[i]);
	}
	if (s->query.n_filters > 1)
		qsort(s->query.filters, s->query.n_filters, sizeof(*s->query.filters), compare_filters);
	read_sort(c, s);
	if (c->known.kind != KNOWN_UNASKED)
		s->query.known = &c->known;
	if (s->cursor)
		cursor_read(c, s->cursor, s->cursor_len, &s->query);
}

const struct list_query *list_query(const struct call *c)
{
	const struct list_state *s = c->state;

	return s ? &s->query : NULL;
}

static void listed(struct call *c)
{
	struct list_state *s = c->state;
	const struct db_result *result = c->job.results[0];
	int rows = db_result_rows(result), shown = 0;
	const char *cursor = NULL;
	struct json_writer w;

	json_begin(&w, &c->out);
	json_object_begin(&w);
	json_key(&w, "items");
	json_array_begin(&w);
	for (; shown < rows && shown < (int)s->limit && c->out.len < LIST_PAGE_BYTES; shown++) {
		json_raw(&w, "", 0);
		encode_record(&c->out, c->resource, result, shown, s->projected ? &s->projection : NULL);
	}
	json_array_end(&w);
	if (rows > shown)
		cursor = cursor_make(c, &s->query, result, shown - 1);
	json_member_string(&w, "next_cursor", cursor);
	if (s->count) {
		json_key(&w, "total");
		json_raw(&w, db_result_value(c->job.results[1], 0, 0), db_result_length(c->job.results[1], 0, 0));
	}
	if (s->query.known) {
		json_member_string(&w, "known_at", c->known.time);
		json_member_string(&w, "revision", c->known.revision);
	}
	json_object_end(&w);
	buf_putc(&c->out, '\n');
	if (rows > shown && (!cursor || strlen(cursor) > CURSOR_USABLE)) {
		fault(c, "sort", "length",
		      "the last record of this page has so long a text there that no cursor can go on from it");
		call_fail(c, 400, "malformed", "this list cannot be walked by so long a text: sort it by another field");
		return;
	}
	if (cursor)
		call_next_link(c, cursor);
	call_header(c, "Cache-Control", "no-cache");
	call_answer(c, 200, "application/json");
}

/* A limit that is a parameter is unknown to the planner, which guesses a tenth of the table, and so plans each list anew. As a
 * literal it is known; the few steps keep the texts, which are prepared, few. What is too much is not shown. */
static unsigned rows_for(unsigned wanted)
{
	static const unsigned steps[] = { 11, LIST_LIMIT_DEFAULT + 1, 101, 201 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (wanted <= steps[i])
			return steps[i];
	return LIST_LIMIT_MAX + 1;
}

static void query(struct call *c)
{
	struct list_state *s = c->state;
	int n = 1;
	enum db_lane lane;

	if (!s) {
		call_unavailable(c, "out of memory");
		return;
	}
	s->query.limit = rows_for(s->limit + 1); /* one more tells whether there is a next page */
	if (!compose_list(c->arena, &s->query, &s->list) || (s->count && !compose_count(c->arena, &s->query, &s->total))) {
		call_fail(c, 500, "internal", "the query is too large");
		return;
	}
	call_statement(c, 0, s->list.name, s->list.sql, s->list.params, s->list.n_params);
	c->statements[0].shape = true;
	if (s->count) {
		call_statement(c, n, s->total.name, s->total.sql, s->total.params, s->total.n_params);
		c->statements[n++].shape = true;
	}
	if (s->query.known || s->query.text) {
		/* planned with its values: a plan for any instant would read all that was ever replaced, one for any text all
		 * records */
		c->statements[0].name = c->statements[1].name = NULL;
		c->statements[0].shape = c->statements[1].shape = false;
	}
	lane = compose_is_indexed(&s->query) && !s->count && !s->query.known ? DB_READ : DB_SLOW;
	call_query(c, lane, n, false, listed);
}

static void run(struct call *c)
{
	const struct list_state *s = c->state;

	if (s && s->format != LIST_JSON)
		list_stream_run(c);
	else
		known_resolve(c, query);
}

void list_run(struct call *c)
{
	cursor_secret_load(c, run); /* the answer may need it for its next_cursor */
}

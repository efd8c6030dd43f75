/* Lists: one statement per shape, which is the set of filters with their operators, the sort, and whether it goes on from a
 * cursor. Nulls come last in both directions, so a nullable leading key is read in two arms, each in the order of one index:
 * first those that have a value, then those that have none. */
#include "compose.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/digest.h"
#include "lodebase/base/uuid.h"

#define SQL_MAX (256u << 10)

struct builder {
	struct arena *arena;
	struct buf sql;
	const char **params;
	size_t n_params, capacity;
	bool failed;
	const struct visibility *seen; /* as of an instant: past versions count too; NULL: what stands */
};

static size_t bind(struct builder *b, const char *value)
{
	void *params = b->params;

	if (arena_grow(b->arena, &params, &b->capacity, b->n_params + 1, sizeof(*b->params)) != 0) {
		b->failed = true;
		return 1;
	}
	b->params = params;
	b->params[b->n_params++] = value;
	return b->n_params;
}

const char *compose_array(struct arena *arena, const char *const *values, size_t n)
{
	size_t size = 3, len = 0;
	char *out;

	for (size_t i = 0; i < n; i++)
		size += strlen(values[i]) * 2 + 3;
	out = arena_alloc(arena, size);
	if (!out)
		return NULL;
	out[len++] = '{';
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			out[len++] = ',';
		out[len++] = '"';
		for (const char *s = values[i]; *s; s++) {
			if (*s == '"' || *s == '\\')
				out[len++] = '\\';
			out[len++] = *s;
		}
		out[len++] = '"';
	}
	out[len++] = '}';
	out[len] = '\0';
	return out;
}

static bool nullable(const struct field *f)
{
	return !(f->flags & FIELD_REQUIRED) && !f->default_value && f->type != FIELD_UUID && f->type != FIELD_TIME &&
	       strcmp(f->name, "version") != 0;
}

/* The ids of the records of a resource that bear the slugs of parameter p, or bore them at the instant asked for; its name
 * stands before them where they may be of several. */
static void select_ids(struct builder *b, const struct resource *target, bool named, bool many, size_t p)
{
	for (int past = 0; past < (b->seen ? 2 : 1); past++) {
		buf_puts(&b->sql, past ? " union all select " : "select ");
		if (named)
			buf_printf(&b->sql, "'%s' collate \"C\", ", target->name);
		buf_printf(&b->sql,
			   many ? "x.id from %s%s x where x.slug = any($%zu::text[])"
				: "x.id from %s%s x where x.slug = $%zu::text",
			   target->table, past ? "_past" : "", p);
		if (b->seen) {
			buf_puts(&b->sql, " and ");
			compose_visible(&b->sql, b->seen, "x", past);
		}
	}
}

struct asked { /* the values of a filter on a reference, by what they are: array literals */
	const char *ids, *slugs;
	size_t n_ids, n_slugs;
};

static bool asked_for(struct builder *b, const struct filter *f, struct asked *ret)
{
	const char **ids = arena_alloc(b->arena, f->n_values * sizeof(*ids));
	const char **slugs = arena_alloc(b->arena, f->n_values * sizeof(*slugs));
	size_t n_ids = 0, n_slugs = 0;

	if (!ids || !slugs) {
		b->failed = true;
		return false;
	}
	for (size_t i = 0; i < f->n_values; i++) {
		if (uuid_is_text(f->values[i], strlen(f->values[i])))
			ids[n_ids++] = f->values[i];
		else
			slugs[n_slugs++] = f->values[i];
	}
	*ret = (struct asked){ compose_array(b->arena, ids, n_ids), compose_array(b->arena, slugs, n_slugs), n_ids, n_slugs };
	return true;
}

/* References are asked for by id or slug, mixed. */
static void reference_set(struct builder *b, const struct filter *f)
{
	struct asked asked;

	if (!asked_for(b, f, &asked))
		return;
	buf_printf(&b->sql, "array(select unnest($%zu::uuid[]) union all ", bind(b, asked.ids));
	select_ids(b, resource_find(f->field->target), false, true, bind(b, asked.slugs));
	buf_putc(&b->sql, ')');
}

/* A subject is asked for by id, whatever it is, or by slug: that of any resource that it can be, since a filter on its
 * resource stands beside this one. */
static void subject_set(struct builder *b, const struct filter *f)
{
	const struct field *resource = f->field - 1;
	struct asked asked;

	if (!asked_for(b, f, &asked))
		return;
	buf_puts(&b->sql, f->op == FILTER_NOT_IN ? "not (" : "(");
	if (asked.n_ids > 0)
		buf_printf(&b->sql, "t.\"%s\" = any($%zu::uuid[])", f->field->name, bind(b, asked.ids));
	if (asked.n_slugs > 0) {
		size_t p = bind(b, asked.slugs);

		buf_printf(&b->sql, "%s(t.\"%s\", t.\"%s\") in (", asked.n_ids > 0 ? " or " : "", resource->name,
			   f->field->name);
		for (const char *const *name = resource->values; *name; name++) {
			buf_puts(&b->sql, name == resource->values ? "" : " union all ");
			select_ids(b, resource_find(*name), true, true, p);
		}
		buf_putc(&b->sql, ')');
	}
	buf_putc(&b->sql, ')');
}

/* One reference, as a plain equality: an array of a subquery would be planned for any number of records. */
static void one_reference(struct builder *b, const struct filter *f)
{
	const char *value = f->values[0];

	if (uuid_is_text(value, strlen(value)))
		buf_printf(&b->sql, "t.\"%s\" = $%zu::uuid", f->field->name, bind(b, value));
	else {
		buf_printf(&b->sql, "t.\"%s\" = (", f->field->name);
		select_ids(b, resource_find(f->field->target), false, false, bind(b, value));
		buf_puts(&b->sql, b->seen ? " limit 1)" : ")");
	}
}

static void filter_set(struct builder *b, const struct filter *f)
{
	if (f->field->type == FIELD_REF)
		reference_set(b, f);
	else
		buf_printf(&b->sql, "$%zu::%s[]", bind(b, compose_array(b->arena, f->values, f->n_values)),
			   compose_type(f->field));
}

static void filter(struct builder *b, const struct filter *f)
{
	static const char *const comparisons[] = {
		[FILTER_GTE] = ">=", [FILTER_LTE] = "<=", [FILTER_GT] = ">", [FILTER_LT] = "<"
	};
	const char *name = f->field->name;

	if (f->field->type == FIELD_SUBJECT && f->op != FILTER_NULL) {
		subject_set(b, f);
		return;
	}
	switch (f->op) {
	case FILTER_IN:
		if (f->field->type == FIELD_REF && f->n_values == 1) {
			one_reference(b, f);
			break;
		}
		buf_printf(&b->sql, "t.\"%s\" = any(", name);
		filter_set(b, f);
		buf_putc(&b->sql, ')');
		break;
	case FILTER_NOT_IN:
		buf_printf(&b->sql, "(t.\"%s\" is null or t.\"%s\" <> all(", name, name);
		filter_set(b, f);
		buf_puts(&b->sql, "))");
		break;
	case FILTER_CONTAINS:
		buf_printf(&b->sql, "strpos(lower(t.\"%s\" collate \"C.utf8\"), lower($%zu::text collate \"C.utf8\")) > 0",
			   name, bind(b, f->values[0]));
		break;
	case FILTER_NULL:
		buf_printf(&b->sql, "t.\"%s\" is %snull", name, f->is_null ? "" : "not ");
		break;
	default:
		buf_printf(&b->sql, "t.\"%s\" %s $%zu::%s", name, comparisons[f->op], bind(b, f->values[0]),
			   compose_type(f->field));
	}
}

static void filters(struct builder *b, const struct list_query *q)
{
	buf_puts(&b->sql, " where true");
	for (size_t i = 0; i < q->n_filters; i++) {
		buf_puts(&b->sql, " and ");
		filter(b, &q->filters[i]);
	}
	if (q->text) {
		const char *place = arena_printf(b->arena, "$%zu::text", bind(b, q->text));

		buf_puts(&b->sql, " and ");
		b->failed = b->failed || !place;
		if (place)
			compose_search_match(&b->sql, q->resource, "t", place);
	}
	if (q->valid_at) {
		size_t day = bind(b, q->valid_at);

		buf_printf(&b->sql,
			   " and (t.valid_from is null or t.valid_from <= $%zu::date) and (t.valid_to is null or t.valid_to > "
			   "$%zu::date)",
			   day, day);
	}
}

static bool nulls_in(const struct list_query *q, size_t key)
{
	return nullable(q->keys[key].field);
}

/* Whether one row comparison says it all: no nulls, one direction. */
static bool comparable_as_row(const struct list_query *q)
{
	for (size_t k = 0; k < q->n_keys; k++)
		if (nulls_in(q, k) || q->keys[k].descending != q->keys[0].descending || !q->after[k])
			return false;
	return true;
}

/* (a, b) > ($1, $2): an index on (a, b) starts right where the cursor stands, however many records share a. */
static void after_row(struct builder *b, const struct list_query *q)
{
	for (size_t k = 0; k < q->n_keys; k++)
		buf_printf(&b->sql, "%st.\"%s\"", k ? ", " : "(", q->keys[k].field->name);
	buf_printf(&b->sql, ") %s (", q->keys[0].descending ? "<" : ">");
	for (size_t k = 0; k < q->n_keys; k++) {
		size_t p = bind(b, q->after[k]);

		buf_printf(&b->sql, "%s$%zu::%s", k ? ", " : "", p, compose_type(q->keys[k].field));
	}
	buf_putc(&b->sql, ')');
}

/* "comes after the cursor" from key k on, as a nested or: later in k, or equal in k and later in the next ones. */
static void after(struct builder *b, const struct list_query *q, size_t k)
{
	const char *name = q->keys[k].field->name, *value = q->after[k];
	bool last = k + 1 == q->n_keys;

	if (!value) { /* null is last: nothing comes after it in this key */
		if (last) {
			buf_puts(&b->sql, "false");
			return;
		}
		buf_printf(&b->sql, "t.\"%s\" is null and (", name);
		after(b, q, k + 1);
		buf_putc(&b->sql, ')');
		return;
	}
	{
		size_t p = bind(b, value);
		const char *type = compose_type(q->keys[k].field), *than = q->keys[k].descending ? "<" : ">";

		/* the leading bound once more by itself, so that an index on it starts where the cursor stands */
		if (k == 0 && !nulls_in(q, 0))
			buf_printf(&b->sql, "t.\"%s\" %s= $%zu::%s and ", name, than, p, type);
		buf_printf(&b->sql, "(t.\"%s\" %s $%zu::%s", name, than, p, type);
		if (k > 0 && nulls_in(q, k))
			buf_printf(&b->sql, " or t.\"%s\" is null", name);
		if (!last) {
			buf_printf(&b->sql, " or (t.\"%s\" = $%zu::%s and ", name, p, type);
			after(b, q, k + 1);
			buf_putc(&b->sql, ')');
		}
		buf_putc(&b->sql, ')');
	}
}

static void order(struct builder *b, const struct list_query *q, size_t first)
{
	buf_puts(&b->sql, " order by ");
	for (size_t k = first; k < q->n_keys; k++)
		/* "desc nulls last" fits no index, so it stands only where there can be nulls */
		buf_printf(&b->sql, "%st.\"%s\"%s%s", k > first ? ", " : "", q->keys[k].field->name,
			   q->keys[k].descending ? " desc" : "", nulls_in(q, k) ? " nulls last" : "");
}

static void instant(struct builder *b, bool past)
{
	if (!b->seen)
		return;
	buf_puts(&b->sql, " and ");
	compose_visible(&b->sql, b->seen, "t", past);
}

/* One arm: records with (1), without (0) or regardless (-1) of a value in the leading key, as they stand or in the past. */
static void arm(struct builder *b, const struct list_query *q, int with_value, bool past)
{
	const char *lead = q->keys[0].field->name;

	buf_puts(&b->sql, "(select ");
	if (b->seen)
		compose_fields(&b->sql, q->resource, "t");
	else
		buf_puts(&b->sql, "t.*");
	buf_printf(&b->sql, " from %s%s t", q->resource->table, past ? "_past" : "");
	filters(b, q);
	instant(b, past);
	if (with_value == 1)
		buf_printf(&b->sql, " and t.\"%s\" is not null", lead);
	else if (with_value == 0)
		buf_printf(&b->sql, " and t.\"%s\" is null", lead);
	if (q->after && !(with_value == 0 && q->after[0])) {
		if (with_value == 1)
			buf_printf(&b->sql, " and t.\"%s\" %s= $%zu::%s", lead, q->keys[0].descending ? "<" : ">",
				   bind(b, q->after[0]), compose_type(q->keys[0].field));
		buf_puts(&b->sql, " and ");
		if (comparable_as_row(q))
			after_row(b, q);
		else
			after(b, q, with_value == 0 ? 1 : 0);
	}
	order(b, q, with_value == 0 ? 1 : 0);
	buf_printf(&b->sql, " limit %u)", q->limit);
}

static bool finish(struct builder *b, struct composed *ret)
{
	uint8_t digest[32];

	ret->sql = b->sql.failed || b->failed ? NULL : arena_strndup(b->arena, b->sql.data, b->sql.len);
	ret->params = b->params;
	ret->n_params = (int)b->n_params;
	buf_done(&b->sql);
	if (!ret->sql)
		return false;
	/* the values are all bound, so the text is the shape */
	digest_sha256(ret->sql, strlen(ret->sql), digest);
	memcpy(ret->name, "shape_", 6);
	digest_hex(digest, 8, ret->name + 6);
	return true;
}

/* The expressions of the instant asked for, bound once. */
static void see(struct builder *b, const struct known *known, struct visibility *v)
{
	if (!known)
		return;
	*v = (struct visibility){ .epoch_is_over = known->epoch_is_over };
	if (known->kind == KNOWN_TIME) {
		v->time = arena_printf(b->arena, "$%zu::timestamptz", bind(b, known->time));
	} else {
		v->epoch = arena_printf(b->arena, "$%zu::integer", bind(b, known->epoch));
		v->snapshot = arena_printf(b->arena, "$%zu::pg_snapshot", bind(b, known->snapshot));
	}
	if (!v->time && (!v->epoch || !v->snapshot))
		b->failed = true;
	else
		b->seen = v;
}

/* All arms of a list, each in the order of one index and cut by itself. */
static void arms(struct builder *b, const struct list_query *q)
{
	static const int halves[2] = { 1, 0 };
	bool split = nulls_in(q, 0), first = true;

	if (!split && !b->seen) {
		arm(b, q, -1, false);
		return;
	}
	for (int half = 0; half < (split ? 2 : 1); half++) {
		if (split && half == 0 && q->after && !q->after[0])
			continue; /* the walk is among those without a value already */
		for (int past = 0; past < (b->seen ? 2 : 1); past++) {
			buf_printf(&b->sql, "%sselect * from ", first ? "" : " union all ");
			arm(b, q, split ? halves[half] : -1, past);
			buf_printf(&b->sql, " a%d%d", half, past);
			first = false;
		}
	}
}

bool compose_list(struct arena *arena, const struct list_query *q, struct composed *ret)
{
	struct builder b = { .arena = arena };
	struct visibility v;

	buf_init(&b.sql, SQL_MAX);
	see(&b, q->known, &v);
	buf_puts(&b.sql, "select ");
	if (q->plain)
		compose_fields(&b.sql, q->resource, "t");
	else
		compose_columns(&b.sql, q->resource, "t");
	buf_puts(&b.sql, " from (");
	arms(&b, q);
	buf_puts(&b.sql, ") t");
	if (!q->plain && b.seen)
		compose_joins_known(&b.sql, q->resource, "t", b.seen);
	else if (!q->plain)
		compose_joins(&b.sql, q->resource, "t");
	order(&b, q, 0);
	buf_printf(&b.sql, " limit %u", q->limit);
	return finish(&b, ret);
}

bool compose_count(struct arena *arena, const struct list_query *q, struct composed *ret)
{
	struct builder b = { .arena = arena };
	struct visibility v;

	buf_init(&b.sql, SQL_MAX);
	see(&b, q->known, &v);
	buf_puts(&b.sql, "select count(*) from (");
	for (int past = 0; past < (b.seen ? 2 : 1); past++) {
		buf_printf(&b.sql, "%sselect from %s%s t", past ? " union all " : "", q->resource->table, past ? "_past" : "");
		filters(&b, q);
		instant(&b, past);
	}
	buf_puts(&b.sql, ") t");
	return finish(&b, ret);
}

bool compose_is_indexed(const struct list_query *q)
{
	if (q->text || !(q->keys[0].field->flags & FIELD_INDEXED))
		return false;
	if (q->n_filters == 0)
		return true;
	/* one filter that no index serves may have to look at every record, however good the others are */
	for (size_t i = 0; i < q->n_filters; i++)
		if (!(q->filters[i].field->flags & FIELD_INDEXED) || q->filters[i].op != FILTER_IN)
			return false;
	return true;
}

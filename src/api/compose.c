#include "compose.h"

#include <stdlib.h>
#include <string.h>

#define SQL_MAX (256u << 10)

const char *compose_type(const struct field *f)
{
	switch (f->type) {
	case FIELD_UUID:
	case FIELD_REF:
	case FIELD_SUBJECT:
		return "uuid";
	case FIELD_BOOL:
		return "boolean";
	case FIELD_INTEGER:
		return "bigint";
	case FIELD_DECIMAL:
		return "numeric";
	case FIELD_DATE:
		return "date";
	case FIELD_TIME:
		return "timestamptz";
	case FIELD_STRINGS:
	case FIELD_OBJECTS:
	case FIELD_COUNTRIES:
	case FIELD_ENUMS:
	case FIELD_KEYS:
	case FIELD_JSON:
		return "jsonb";
	default:
		return "text";
	}
}

size_t compose_own_fields(const struct resource *r)
{
	return r->n_fields - RESOURCE_COMMON_FIELDS;
}

void compose_columns(struct buf *out, const struct resource *r, const char *alias)
{
	for (size_t i = 0; i < r->n_fields; i++)
		buf_printf(out, "%s%s.\"%s\"", i ? ", " : "", alias, r->fields[i].name);
	for (size_t i = 0; i < r->n_fields; i++)
		if (field_is_reference(&r->fields[i]))
			buf_printf(out, ", r%zu.slug, r%zu.%s", i, i, compose_summary_column(r, i));
}

const char *compose_summary_column(const struct resource *r, size_t field)
{
	return r->fields[field].type == FIELD_REF ? resource_name_column(resource_find(r->fields[field].target)) : "name";
}

void compose_summary(struct buf *out, const struct resource *r, size_t field, const char *alias, const struct visibility *v)
{
	const struct field *f = &r->fields[field];
	const char *const one[] = { f->target, NULL }, *const *names = f->type == FIELD_REF ? one : f[-1].values;

	for (const char *const *name = names; *name; name++) {
		const struct resource *target = resource_find(*name);

		for (int past = 0; past < (v ? 2 : 1); past++) {
			buf_printf(out, "%sselect x.slug", name == names && !past ? "" : " union all ");
			if (f->type == FIELD_SUBJECT)
				buf_printf(out, ", x.%s as name", resource_name_column(target));
			else if (target->name_field)
				buf_printf(out, ", x.%s", target->name_field);
			buf_printf(out, " from %s%s x where x.id = %s.\"%s\"", target->table, past ? "_past" : "", alias,
				   f->name);
			if (f->type == FIELD_SUBJECT)
				buf_printf(out, " and %s.\"%s\" = '%s'", alias, f[-1].name, *name);
			if (v) {
				buf_puts(out, " and ");
				compose_visible(out, v, "x", past);
			}
		}
	}
}

static void join_summary(struct buf *out, const struct resource *r, size_t field, const char *alias)
{
	buf_puts(out, " left join lateral (");
	compose_summary(out, r, field, alias, NULL);
	buf_printf(out, " offset 0) r%zu on true", field);
}

void compose_joins(struct buf *out, const struct resource *r, const char *alias)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		if (r->fields[i].type == FIELD_REF)
			buf_printf(out, " left join %s r%zu on r%zu.id = %s.\"%s\"", resource_find(r->fields[i].target)->table,
				   i, i, alias, r->fields[i].name);
		else if (r->fields[i].type == FIELD_SUBJECT)
			join_summary(out, r, i, alias);
	}
}

/* The same, but looked up row by row whatever the planner guesses: how many keys an array has it cannot know, and for the ten
 * that it takes for granted it would read whole tables into hashes. */
static void look_ups(struct buf *out, const struct resource *r, const char *alias)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (field_is_reference(&r->fields[i]))
			join_summary(out, r, i, alias);
}

static void select_records(struct buf *out, const struct resource *r, const char *from)
{
	buf_puts(out, "select ");
	compose_columns(out, r, "t");
	buf_printf(out, " from %s t", from);
	compose_joins(out, r, "t");
}

static char *get(const struct resource *r, const char *where)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	select_records(&b, r, r->table);
	buf_printf(&b, " where %s", where);
	return buf_steal(&b, NULL);
}

static char *get_many(const struct resource *r, const char *where)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "select ");
	compose_columns(&b, r, "t");
	buf_printf(&b, " from %s t", r->table);
	look_ups(&b, r, "t");
	buf_printf(&b, " where %s", where);
	return buf_steal(&b, NULL);
}

/* One time stamp for created_at and updated_at, taken inside the statement: after the locks (postgres.md would call the
 * other order a history that shows 160 %). */
static char *insert(const struct resource *r, const char *conflict)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(
		&b,
		"with s as materialized (select clock_timestamp() as at), w as (insert into %s (id, slug, version, created_at, "
		"updated_at",
		r->table);
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++)
		buf_printf(&b, ", \"%s\"", r->fields[i].name);
	buf_puts(&b, ", known_xid, known_epoch) select $1::uuid, $2::text, 1, s.at, s.at");
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++)
		buf_printf(&b, ", $%zu::%s", i - RESOURCE_COMMON_FIELDS + 3, compose_type(&r->fields[i]));
	buf_printf(&b, ", pg_current_xact_id(), epoch() from s%s returning *) ", conflict);
	select_records(&b, r, "w");
	return buf_steal(&b, NULL);
}

static char *update(const struct resource *r)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(
		&b,
		"with w as (update %s t set slug = $2::text, version = t.version + 1, updated_at = greatest(clock_timestamp(), "
		"t.updated_at + interval '1 microsecond'), known_xid = pg_current_xact_id(), known_epoch = epoch()",
		r->table);
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++)
		buf_printf(&b, ", \"%s\" = $%zu::%s", r->fields[i].name, i - RESOURCE_COMMON_FIELDS + 3,
			   compose_type(&r->fields[i]));
	buf_printf(&b, " where t.id = $1::uuid and t.version = $%zu::bigint returning t.*) ", compose_own_fields(r) + 3);
	select_records(&b, r, "w");
	return buf_steal(&b, NULL);
}

static char *format(const char *before, const struct resource *r, const char *after)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(&b, "%s%s%s", before, r->table, after);
	return buf_steal(&b, NULL);
}

static char *referrers(const struct resource *target)
{
	struct buf b;
	bool any = false;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "select x.*, count(*) over () from (");
	for (size_t i = 0; resources[i]; i++) {
		const struct resource *r = resources[i];

		for (size_t k = 0; k < r->n_fields; k++) {
			if (!resource_may_refer(r, k, target))
				continue;
			buf_printf(&b,
				   "%sselect '%s' as resource, t.id, t.slug, '%s' as field from %s t where t.\"%s\" = $1::uuid",
				   any ? " union all " : "", r->name, r->fields[k].name, r->table, r->fields[k].name);
			if (r->fields[k].type == FIELD_SUBJECT)
				buf_printf(&b, " and t.\"%s\" = '%s'", r->fields[k - 1].name, target->name);
			any = true;
		}
	}
	buf_puts(&b, ") x order by x.resource collate \"C\", x.id, x.field collate \"C\" limit 100");
	if (!any) {
		buf_done(&b);
		return NULL;
	}
	return buf_steal(&b, NULL);
}

/* A struct of nothing but statements, looked at as a row of them. */
#define N_STATEMENTS (sizeof(struct statements) / sizeof(char *))

static char **statement(struct statements *s, size_t i)
{
	return (char **)(void *)s + i;
}

bool compose_statements(const struct resource *r, struct statements *ret)
{
	bool ok = true;

	*ret = (struct statements){
		.get_by_id = get(r, "t.id = $1::uuid"),
		.get_by_slug = get(r, "t.slug = $1::text"),
		.get_by_ids = get_many(r, "t.id = any($1::uuid[])"),
		.get_by_slugs = get_many(r, "t.slug = any($1::text[])"),
		.insert = insert(r, ""),
		.insert_if_absent = insert(r, " on conflict (slug) do nothing"),
		.update = update(r),
		.delete = format("delete from ", r, " where id = $1::uuid and version = $2::bigint returning id"),
		.lock_row = format("select 1 from ", r, " where id = $1::uuid for no key update"),
		.lock_for_delete = format("select 1 from ", r, " where id = $1::uuid for update"),
		.versions = compose_versions(r),
		.bore = compose_bore(r),
		.referrers = referrers(r),
	};
	for (size_t i = 0; ok && i < N_STATEMENTS; i++)
		ok = *statement(ret, i) || statement(ret, i) == &ret->referrers;
	if (ok)
		return true;
	compose_statements_done(ret);
	return false;
}

void compose_statements_done(struct statements *s)
{
	for (size_t i = 0; i < N_STATEMENTS; i++) {
		free(*statement(s, i));
		*statement(s, i) = NULL;
	}
}

char *compose_lock_many(const struct resource *r)
{
	return format("select 1 from ", r, " where id = any($1::uuid[]) order by id for no key update");
}

char *compose_find(const struct resource *r, bool by_slug)
{
	return format("select id from ", r, by_slug ? " where slug = $1::text" : " where id = $1::uuid");
}

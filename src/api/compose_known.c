/* Statements over both clocks' tables: the rows as they stand and those that a later version replaced. */
#include "compose.h"

#include <stdlib.h>
#include <string.h>

#define SQL_MAX (256u << 10)

void compose_visible(struct buf *out, const struct visibility *v, const char *alias, bool past)
{
	if (v->time) {
		buf_printf(out, "%s.updated_at <= %s", alias, v->time);
		if (past)
			buf_printf(out, " and %s.known_to > %s", alias, v->time);
		return;
	}
	buf_printf(out, "(%s.known_epoch < %s or %s.known_epoch = %s and pg_visible_in_snapshot(%s.known_xid, %s))", alias,
		   v->epoch, alias, v->epoch, alias, v->snapshot);
	if (!past)
		return;
	/* the bound on to_xid is what an index starts from; it holds only where no later epoch began its own count */
	buf_printf(out, v->epoch_is_over ? " and (%s.to_epoch > %s or " : " and (", alias, v->epoch);
	buf_printf(out, "%s.to_epoch = %s and %s.to_xid >= pg_snapshot_xmin(%s) and not pg_visible_in_snapshot(%s.to_xid, %s))",
		   alias, v->epoch, alias, v->snapshot, alias, v->snapshot);
}

void compose_fields(struct buf *out, const struct resource *r, const char *alias)
{
	for (size_t i = 0; i < r->n_fields; i++)
		buf_printf(out, "%s%s.\"%s\"", i ? ", " : "", alias, r->fields[i].name);
}

static void select_known(struct buf *out, const struct resource *r, const struct visibility *v, bool past)
{
	buf_puts(out, "select ");
	compose_fields(out, r, "x");
	buf_printf(out, " from %s%s x", r->table, past ? "_past" : "");
	if (v) {
		buf_puts(out, " where ");
		compose_visible(out, v, "x", past);
	}
}

void compose_rows_known(struct buf *out, const struct resource *r, const struct visibility *v)
{
	buf_putc(out, '(');
	select_known(out, r, v, false);
	if (v) {
		buf_puts(out, " union all ");
		select_known(out, r, v, true);
	}
	buf_putc(out, ')');
}

void compose_rows_known_of(struct buf *out, const struct resource *r, const struct visibility *v, bool past)
{
	buf_putc(out, '(');
	select_known(out, r, v, past);
	buf_putc(out, ')');
}

void compose_joins_known(struct buf *out, const struct resource *r, const char *alias, const struct visibility *v)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		if (!field_is_reference(&r->fields[i]))
			continue;
		buf_puts(out, " left join lateral (");
		compose_summary(out, r, i, alias, v);
		buf_printf(out, ") r%zu on true", i);
	}
}

char *compose_get_known(const struct resource *r, bool by_slug, const struct visibility *v)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "select ");
	compose_columns(&b, r, "t");
	buf_puts(&b, " from (");
	for (int past = 0; past < 2; past++) {
		buf_puts(&b, past ? " union all select " : "select ");
		compose_fields(&b, r, "t");
		buf_printf(&b, " from %s%s t where t.%s and ", r->table, past ? "_past" : "",
			   by_slug ? "slug = $1::text" : "id = $1::uuid");
		compose_visible(&b, v, "t", past);
	}
	buf_puts(&b, ") t");
	compose_joins_known(&b, r, "t", v);
	if (by_slug) /* two may bear it at an instant: an insert has its time before it waits for the deletion that frees the slug */
		buf_puts(&b, " order by t.updated_at desc limit 1");
	return buf_steal(&b, NULL);
}

/* One row per version asked for, in the order asked, with the summaries as of its time. A version is in one of the two tables
 * whatever happens meanwhile; a deletion's has no body, so its row is not there. */
char *compose_versions(const struct resource *r)
{
	static const struct visibility then = { .time = "k.at" };
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "select ");
	compose_columns(&b, r, "t");
	buf_puts(&b, " from unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) with ordinality k (id, version, at, place) "
		     "join lateral (");
	for (int past = 0; past < 2; past++) {
		buf_puts(&b, past ? " union all select " : "select ");
		compose_fields(&b, r, "t");
		buf_printf(&b, " from %s%s t where t.id = k.id and t.version = k.version", r->table, past ? "_past" : "");
	}
	buf_puts(&b, ") t on true");
	compose_joins_known(&b, r, "t", &then);
	buf_puts(&b, " order by k.place");
	return buf_steal(&b, NULL);
}

char *compose_bore(const struct resource *r)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(&b,
		   "(select t.id from %s t where t.slug = $1::text) union all (select p.id from %s_past p join change c on "
		   "c.id = p.id "
		   "and c.version = p.version + 1 and c.resource = $2::text and c.action = 'deleted' where p.slug = $1::text "
		   "order by p.known_to desc limit 1) limit 1",
		   r->table, r->table);
	return buf_steal(&b, NULL);
}

/* A record of `table` whose id is `id`: its column, as it stands or as known. */
static void look_up(struct buf *out, const char *table, const char *field, const char *id, const struct visibility *v)
{
	for (int past = 0; past < (v ? 2 : 1); past++) {
		buf_printf(out, "%sselect x.%s from %s%s x where x.id = %s", past ? " union all " : "", field, table,
			   past ? "_past" : "", id);
		if (v) {
			buf_puts(out, " and ");
			compose_visible(out, v, "x", past);
		}
	}
}

const char *compose_claims(struct arena *arena, const struct visibility *v, int max, int max_bytes)
{
	const struct resource *claims = resource_find("claims"), *sources = resource_find("sources");
	struct buf b;
	const char *copy;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "with asked as materialized (select c.*, p.published_on from (");
	for (int past = 0; past < (v ? 2 : 1); past++) {
		buf_puts(&b, past ? " union all select " : "select ");
		compose_fields(&b, claims, "t");
		buf_printf(&b, " from %s%s t where t.subject_resource = $1::text and t.subject_id = $2::uuid", claims->table,
			   past ? "_past" : "");
		if (v) {
			buf_puts(&b, " and ");
			compose_visible(&b, v, "t", past);
		}
	}
	buf_puts(&b, ") c left join lateral (");
	look_up(&b, sources->table, "published_on", "c.source_id", v);
	buf_puts(&b,
		 ") p on true where $3::date is null or p.published_on <= $3::date), "
		 "measure as (select count(*) as n, coalesce(sum(octet_length(c::text)), 0) as bytes from asked c) select ");
	compose_columns(&b, claims, "t");
	buf_printf(&b, ", m.n, m.bytes from measure m left join asked t on m.n <= %d and m.bytes <= %d", max, max_bytes);
	if (v)
		compose_joins_known(&b, claims, "t", v);
	else
		compose_joins(&b, claims, "t");
	buf_puts(&b, " order by t.published_on desc nulls last, t.created_at desc, t.id desc");
	copy = b.failed ? NULL : arena_strndup(arena, b.data, b.len);
	buf_done(&b);
	return copy;
}

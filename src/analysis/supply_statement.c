/* Statements of questions about supply, as they are composed. */
#include "supply_statement.h"

#include <string.h>
#include "lodebase/api/resource.h"
#include "lodebase/base/uuid.h"

#define PARAMS_MAX 16

bool statement_begin(struct call *c, struct statement *s)
{
	*s = (struct statement){ .c = c, .params = arena_alloc(c->arena, PARAMS_MAX * sizeof(*s->params)) };
	buf_init(&s->sql, SQL_MAX);
	return s->params && known_visibility(c, s->params, &s->n, &s->visibility);
}

void statement_rows(struct statement *s, const char *resource, const char *alias)
{
	compose_rows_known(&s->sql, resource_find(resource), &s->visibility);
	buf_printf(&s->sql, " %s", alias);
}

void statement_bind(struct statement *s, const char *value, const char *type)
{
	s->params[s->n++] = value;
	buf_printf(&s->sql, "$%d::%s", s->n, type);
}

void statement_bind_number(struct statement *s, int value)
{
	statement_bind(s, call_format(s->c, "%d", value), "bigint");
}

void statement_bind_key(struct statement *s, const char *alias, const char *id_or_slug)
{
	bool is_id = id_or_slug && uuid_is_text(id_or_slug, strlen(id_or_slug));

	buf_printf(&s->sql, "%s.%s = ", alias, is_id ? "id" : "slug");
	statement_bind(s, id_or_slug, is_id ? "uuid" : "text");
}

void statement_bind_keys(struct statement *s, const char *const *ids_or_slugs, size_t n)
{
	struct buf list;

	buf_init(&list, SQL_MAX);
	for (size_t i = 0; i < n; i++)
		buf_printf(&list, "%c%s", i ? ',' : '{', ids_or_slugs[i]);
	buf_putc(&list, '}');
	statement_bind(s, list.failed ? NULL : arena_strndup(s->c->arena, list.data, list.len), "text[]");
	buf_done(&list);
}

bool statement_end(struct statement *s, struct supply_reads *r, struct db_result **into)
{
	const char *sql = s->sql.failed ? NULL : arena_strndup(s->c->arena, s->sql.data, s->sql.len);

	buf_done(&s->sql);
	if (!sql)
		return false;
	call_statement(s->c, r->n, NULL, sql, s->params, s->n);
	r->into[r->n++] = into;
	return true;
}

void statement_newest_year(struct statement *s, const char *alias, const char *kind)
{
	for (int past = 0; past < 2; past++) {
		buf_puts(&s->sql, past ? ", (select n.year from " : "greatest((select n.year from ");
		compose_rows_known_of(&s->sql, resource_find("supply_figures"), &s->visibility, past == 1);
		buf_printf(&s->sql,
			   " n where n.mineral_id = %s.id and n.stage = s.stage and n.year is not null and n.kind = ", alias);
		statement_bind(s, kind, "text");
		buf_puts(&s->sql, " order by n.year desc limit 1)");
	}
	buf_putc(&s->sql, ')');
}

void statement_figures_of(struct statement *s, const char *condition)
{
	buf_puts(&s->sql, " cross join lateral (select f.* from ");
	statement_rows(s, "supply_figures", "f where ");
	buf_puts(&s->sql, condition);
}

void statement_figures_end(struct statement *s)
{
	buf_puts(&s->sql, " offset 0) f");
}

void statement_trade(struct statement *s, const char *alliance)
{
	static const char *const made = "production";

	buf_puts(&s->sql, ", members as materialized (select distinct l.country from ");
	statement_rows(s, "memberships", "l join ");
	statement_rows(s, "alliances",
		       "x on x.id = l.alliance_id where l.country is not null and l.role in ('member', 'chair') and ");
	statement_bind_key(s, "x", alliance);
	buf_puts(&s->sql, "), trade as materialized (select " FIGURE_COLUMNS " from ");
	statement_rows(
		s, "supply_figures",
		"f where f.country in (select country from members) and f.kind in ('imports', 'import_share', 'exports', "
		"'stock_change', 'secondary', 'net_import_reliance')");
	buf_puts(&s->sql, "), made as materialized (select " FIGURE_COLUMNS
			  " from (select distinct mineral_id, stage, year, country from trade where kind = 'imports') p");
	statement_figures_of(s,
			     "f.mineral_id = p.mineral_id and f.stage = p.stage and f.year = p.year and f.country = p.country "
			     "and f.kind = ");
	statement_bind(s, made, "text");
	statement_figures_end(s);
	buf_puts(&s->sql, "), f as materialized (select * from main union all select t.* from (select * from trade union all "
			  "select * from made) t where not exists (select from main where main.id = t.id))");
}

void statement_figures(struct statement *s, const char *more)
{
	buf_puts(&s->sql,
		 " select tag, id, mineral_id, source_id, stage, kind, scope, country, partner, product, year, quantity, unit, "
		 "basis, qualifier, excludes from (select 1 as tag, m.id, null::uuid as mineral_id, null::uuid as source_id, "
		 "m.slug as stage, m.name as kind, "
		 "null as scope, null as country, null as partner, null as product, null::bigint as year, null::numeric as "
		 "quantity, null as unit, null as basis, null as qualifier, null::jsonb as excludes, null::timestamptz as "
		 "created_at from ");
	statement_rows(s, "minerals", "m where m.id in (select mineral_id from f");
	buf_printf(&s->sql, "%s%s)", more ? " union all " : "", more ? more : "");
	buf_puts(&s->sql,
		 " union all select 2, s.id, null, null, s.slug, s.title, s.published_on::text, null, null, null, null, "
		 "null, null, null, null, null, null from ");
	statement_rows(s, "sources", "s where s.id in (select source_id from f)");
	buf_puts(&s->sql, " union all select 3, f.* from f) z order by tag, created_at, id");
}

/* What questions about supply read of the database, as it was known at their instant. */
#include "supply_get.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/api/resource.h"
#include "lodebase/api/rows.h"
#include "lodebase/base/uuid.h"

#define SQL_MAX (64u << 10)
#define PARAMS_MAX 12

/* One statement being composed: its parameters are bound as they are first used. */
struct statement {
	struct call *c;
	struct buf sql;
	const char **params;
	int n;
	struct visibility visibility;
};

static bool begin(struct call *c, struct statement *s)
{
	*s = (struct statement){ .c = c, .params = arena_alloc(c->arena, PARAMS_MAX * sizeof(*s->params)) };
	buf_init(&s->sql, SQL_MAX);
	return s->params && known_visibility(c, s->params, &s->n, &s->visibility);
}

static void rows(struct statement *s, const char *resource, const char *alias)
{
	compose_rows_known(&s->sql, resource_find(resource), &s->visibility);
	buf_printf(&s->sql, " %s", alias);
}

/* A place for a value of a type. */
static void bind(struct statement *s, const char *value, const char *type)
{
	s->params[s->n++] = value;
	buf_printf(&s->sql, "$%d::%s", s->n, type);
}

static void bind_number(struct statement *s, int value)
{
	bind(s, call_format(s->c, "%d", value), "bigint");
}

static void bind_key(struct statement *s, const char *alias, const char *id_or_slug)
{
	bool is_id = id_or_slug && uuid_is_text(id_or_slug, strlen(id_or_slug));

	buf_printf(&s->sql, "%s.%s = ", alias, is_id ? "id" : "slug");
	bind(s, id_or_slug, is_id ? "uuid" : "text");
}

static bool end(struct statement *s, struct supply_reads *r, struct db_result **into)
{
	const char *sql = s->sql.failed ? NULL : arena_strndup(s->c->arena, s->sql.data, s->sql.len);

	buf_done(&s->sql);
	if (!sql)
		return false;
	call_statement(s->c, r->n, NULL, sql, s->params, s->n);
	r->into[r->n++] = into;
	return true;
}

/* Two may bear a slug at an instant: an insert has its time before it waits for the deletion that frees it. */
static bool read_subject(struct call *c, const struct supply_get *g, struct supply_reads *r, struct db_result **into)
{
	struct statement s;

	if (!begin(c, &s))
		return false;
	buf_puts(&s.sql, "select x.id, x.slug, x.name from ");
	rows(&s, c->resource->name, "x");
	buf_puts(&s.sql, " where ");
	bind_key(&s, "x", g->segment);
	buf_puts(&s.sql, " order by x.updated_at desc limit 1");
	return end(&s, r, into);
}

/* A list or alliance with its countries, however long they belong to it. */
static bool read_set(struct call *c, const char *resource, const char *links, const char *reference, const char *condition,
		     const char *key, struct supply_reads *r, struct db_result **into)
{
	struct statement s;

	if (!begin(c, &s))
		return false;
	buf_puts(&s.sql, "select x.id, x.slug, x.name, l.country, l.valid_from, l.valid_to from ");
	rows(&s, resource, "x left join ");
	rows(&s, links, "l on");
	buf_printf(&s.sql, " l.%s = x.id and l.country is not null%s where ", reference, condition);
	bind_key(&s, "x", key);
	return end(&s, r, into);
}

static bool read_rules(struct call *c, const struct supply_get *g, struct supply_reads *r, struct db_result **into)
{
	struct statement s;

	if (!begin(c, &s))
		return false;
	buf_puts(&s.sql,
		 "select x.id, x.slug, x.title, x.version, x.source_url, x.threshold_pct, x.comparator, x.measures from ");
	rows(&s, "rules", "x where ");
	if (g->n_rules == 0) {
		buf_puts(&s.sql, "x.measures in ('[\"coverage\"]', '[\"single_country_share\"]')");
	} else {
		struct buf list;

		buf_init(&list, SQL_MAX);
		for (size_t i = 0; i < g->n_rules; i++) /* ids and slugs have nothing to quote */
			buf_printf(&list, "%c%s", i ? ',' : '{', g->rules[i]);
		buf_putc(&list, '}');
		bind(&s, list.failed ? NULL : arena_strndup(c->arena, list.data, list.len), "text[]");
		buf_done(&list);
		buf_printf(&s.sql, " && array[x.id::text, x.slug]");
	}
	buf_puts(&s.sql, " order by x.slug");
	return end(&s, r, into);
}

/* The minerals that the question is about, joined with what follows. */
static void of_minerals(struct statement *s, const struct supply_get *g, const char *join)
{
	rows(s, "minerals", "m");
	buf_puts(&s->sql, join);
	if (g->which == SUPPLY_GET_CONCENTRATION || g->which == SUPPLY_GET_ALLIANCE || g->which == SUPPLY_GET_BENCHMARKS)
		return;
	buf_puts(&s->sql, " where ");
	bind_key(s, "m", g->segment);
}

#define COLUMNS                                                                                                            \
	"f.id, f.mineral_id, f.source_id, f.stage, f.kind, f.scope, f.country, f.partner, f.product, f.year, f.quantity, " \
	"f.unit, "                                                                                                         \
	"f.basis, f.qualifier, f.excludes, f.created_at"

/* All years of one mineral. */
static void every_year(struct statement *s, const struct supply_get *g)
{
	buf_puts(&s->sql, "select " COLUMNS " from ");
	rows(s, "supply_figures", "f where f.mineral_id in (select m.id from ");
	of_minerals(s, g, "");
	buf_puts(&s->sql, ") and f.kind = ");
}

/* Of each mineral and stage the figures of the kind asked for, of the newest year and of the one asked for: the newest say which
 * stages there are. */
static void newest_year(struct statement *s, const struct supply_get *g)
{
	const char *kind = supply_kind_names[g->question.kind];

	buf_puts(&s->sql, "select " COLUMNS " from (select m.id, s.stage, (select n.year from ");
	rows(s, "supply_figures", "n where n.mineral_id = m.id and n.stage = s.stage and n.year is not null and n.kind = ");
	bind(s, kind, "text");
	buf_puts(&s->sql, " order by n.year desc limit 1) as newest from ");
	of_minerals(
		s, g,
		" cross join unnest(array['mine', 'concentrate', 'smelter', 'refinery', 'separation', 'product', 'recycling'] "
		"collate \"C\") s (stage)");
	buf_puts(&s->sql, ") p join ");
	rows(s, "supply_figures", "f on f.mineral_id = p.id and f.stage = p.stage and f.kind = ");
	bind(s, kind, "text");
	if (!g->question.year) {
		buf_puts(&s->sql, " and f.year = p.newest");
		return;
	}
	buf_puts(&s->sql, " and f.year = any (array[p.newest, ");
	bind_number(s, g->question.year);
	buf_puts(&s->sql, "])");
}

/* What members import, export and take from stocks, and what they made in years with imports. */
static void trade(struct statement *s, const struct supply_get *g)
{
	static const char *const made = "production";

	buf_puts(&s->sql, ", members as materialized (select distinct l.country from ");
	rows(s, "memberships", "l join ");
	rows(s, "alliances", "x on x.id = l.alliance_id where l.country is not null and l.role in ('member', 'chair') and ");
	bind_key(s, "x", g->segment);
	buf_puts(&s->sql, "), trade as materialized (select " COLUMNS " from ");
	rows(s, "supply_figures",
	     "f where f.country in (select country from members) and f.kind in ('imports', 'import_share', 'exports', "
	     "'stock_change', 'secondary', 'net_import_reliance')");
	buf_puts(&s->sql, "), made as materialized (select " COLUMNS
			  " from (select distinct mineral_id, stage, year, country from trade where kind = 'imports') p join ");
	rows(s, "supply_figures",
	     "f on f.mineral_id = p.mineral_id and f.stage = p.stage and f.year = p.year and f.country = p.country and f.kind "
	     "= ");
	bind(s, made, "text");
	buf_puts(&s->sql, "), f as materialized (select * from main union all select t.* from (select * from trade union all "
			  "select * from made) t where not exists (select from main where main.id = t.id))");
}

static bool read_figures(struct call *c, const struct supply_get *g, struct supply_reads *r, struct db_result **into)
{
	struct statement s;

	if (!begin(c, &s))
		return false;
	buf_puts(&s.sql, "with main as materialized (");
	if (g->which == SUPPLY_GET_TREND) {
		every_year(&s, g);
		bind(&s, supply_kind_names[g->question.kind], "text");
	} else if (g->which == SUPPLY_GET_RELIANCE) {
		every_year(&s, g);
		buf_puts(&s.sql,
			 "any (array['production', 'imports', 'exports', 'stock_change', 'secondary', 'net_import_reliance']) "
			 "and f.scope = 'country'");
		if (g->country) {
			buf_puts(&s.sql, " and f.country = ");
			bind(&s, g->country, "text");
		}
	} else {
		newest_year(&s, g);
	}
	buf_putc(&s.sql, ')');
	if (g->which == SUPPLY_GET_ALLIANCE && g->of)
		trade(&s, g);
	else
		buf_puts(&s.sql, ", f as (select * from main)");
	buf_puts(&s.sql,
		 " select 1 as tag, m.id, null::uuid as mineral_id, null::uuid as source_id, m.slug as stage, m.name as kind, "
		 "null as scope, null as country, null as partner, null as product, null::bigint as year, null::numeric as "
		 "quantity, null as unit, null as basis, null as qualifier, null::jsonb as excludes, null::timestamptz as "
		 "created_at from ");
	rows(&s, "minerals", "m where m.id in (select mineral_id from f)");
	buf_puts(&s.sql,
		 " union all select 2, s.id, null, null, s.slug, s.title, s.published_on::text, null, null, null, null, "
		 "null, null, null, null, null, null from ");
	rows(&s, "sources", "s where s.id in (select source_id from f)");
	buf_puts(&s.sql, " union all select 3, f.* from f order by tag, created_at, id");
	return end(&s, r, into);
}

bool supply_read_statements(struct call *c, struct supply_get *g, struct supply_reads *r)
{
	r->n = 0;
	if (g->segment && !read_subject(c, g, r, &g->subject))
		return false;
	if (g->of && !g->of_country && !read_set(c, "designation_lists", "designations", "list_id", "", g->of, r, &g->list))
		return false;
	if (g->which == SUPPLY_GET_ALLIANCE || g->which == SUPPLY_GET_BENCHMARKS)
		g->alliance = g->segment;
	if (g->alliance && !read_set(c, "alliances", "memberships", "alliance_id", " and l.role in ('member', 'chair')",
				     g->alliance, r, &g->members))
		return false;
	if (g->which == SUPPLY_GET_BENCHMARKS && !read_rules(c, g, r, &g->rules_found))
		return false;
	return read_figures(c, g, r, &g->figures);
}

/* What questions about supply read of the database, as it was known at their instant. */
#include "supply_statement.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/api/resource.h"
#include "lodebase/api/rows.h"
#include "lodebase/base/uuid.h"

/* Two may bear a slug at an instant: an insert has its time before it waits for the deletion that frees it. */
static bool read_subject(struct call *c, const struct supply_get *g, struct supply_reads *r, struct db_result **into)
{
	struct statement s;

	if (!statement_begin(c, &s))
		return false;
	buf_puts(&s.sql, "select x.id, x.slug, x.name from ");
	statement_rows(&s, c->resource->name, "x");
	buf_puts(&s.sql, " where ");
	statement_bind_key(&s, "x", g->segment);
	buf_puts(&s.sql, " order by x.updated_at desc limit 1");
	return statement_end(&s, r, into);
}

/* A list or alliance with its countries, however long they belong to it. */
static bool read_set(struct call *c, const char *resource, const char *links, const char *reference, const char *condition,
		     const char *key, struct supply_reads *r, struct db_result **into)
{
	struct statement s;

	if (!statement_begin(c, &s))
		return false;
	buf_puts(&s.sql, "select x.id, x.slug, x.name, l.country, l.valid_from, l.valid_to from ");
	statement_rows(&s, resource, "x left join ");
	statement_rows(&s, links, "l on");
	buf_printf(&s.sql, " l.%s = x.id and l.country is not null%s where ", reference, condition);
	statement_bind_key(&s, "x", key);
	return statement_end(&s, r, into);
}

static bool read_rules(struct call *c, const struct supply_get *g, struct supply_reads *r, struct db_result **into)
{
	struct statement s;

	if (!statement_begin(c, &s))
		return false;
	buf_puts(&s.sql,
		 "select x.id, x.slug, x.title, x.version, x.source_url, x.threshold_pct, x.comparator, x.measures from ");
	statement_rows(&s, "rules", "x where ");
	if (g->n_rules == 0) {
		buf_puts(&s.sql, "x.measures in ('[\"coverage\"]', '[\"single_country_share\"]')");
	} else {
		statement_bind_keys(&s, g->rules, g->n_rules);
		buf_printf(&s.sql, " && array[x.id::text, x.slug]");
	}
	buf_puts(&s.sql, " order by x.slug");
	return statement_end(&s, r, into);
}

/* The minerals that the question is about, joined with what follows. */
static void of_minerals(struct statement *s, const struct supply_get *g, const char *join)
{
	statement_rows(s, "minerals", "m");
	buf_puts(&s->sql, join);
	if (g->which == SUPPLY_GET_CONCENTRATION || g->which == SUPPLY_GET_ALLIANCE || g->which == SUPPLY_GET_BENCHMARKS)
		return;
	buf_puts(&s->sql, " where ");
	statement_bind_key(s, "m", g->segment);
}

/* All years of one mineral; a condition on the kind is to follow. */
static void every_year(struct statement *s, const struct supply_get *g)
{
	buf_puts(&s->sql, "with main as materialized (select " FIGURE_COLUMNS " from (select m.id from ");
	of_minerals(s, g, "");
	buf_puts(&s->sql, ") p");
	statement_figures_of(s, "f.mineral_id = p.id and f.kind = ");
}

/* Of each mineral and stage the figures of the kind asked for, of the newest year and of the one asked for: the newest say which
 * stages there are. */
static void newest_year(struct statement *s, const struct supply_get *g)
{
	const char *kind = supply_kind_names[g->question.kind];

	buf_puts(&s->sql, "with places as materialized (select m.id, s.stage, ");
	statement_newest_year(s, "m", kind);
	buf_puts(&s->sql, " as newest from ");
	of_minerals(s, g, " cross join " ALL_STAGES " s (stage)");
	buf_puts(&s->sql,
		 "), main as materialized (select " FIGURE_COLUMNS " from (select * from places where newest is not null) p");
	statement_figures_of(s, "f.mineral_id = p.id and f.stage = p.stage and f.kind = ");
	statement_bind(s, kind, "text");
	if (g->question.year) {
		buf_puts(&s->sql, " and f.year = any (array[p.newest, ");
		statement_bind_number(s, g->question.year);
		buf_puts(&s->sql, "])");
	} else {
		buf_puts(&s->sql, " and f.year = p.newest");
	}
}

static bool read_figures(struct call *c, const struct supply_get *g, struct supply_reads *r, struct db_result **into)
{
	struct statement s;

	if (!statement_begin(c, &s))
		return false;
	if (g->which == SUPPLY_GET_TREND) {
		every_year(&s, g);
		statement_bind(&s, supply_kind_names[g->question.kind], "text");
	} else if (g->which == SUPPLY_GET_RELIANCE) {
		every_year(&s, g);
		buf_puts(&s.sql,
			 "any (array['production', 'imports', 'exports', 'stock_change', 'secondary', 'net_import_reliance']) "
			 "and f.scope = 'country'");
		if (g->country) {
			buf_puts(&s.sql, " and f.country = ");
			statement_bind(&s, g->country, "text");
		}
	} else {
		newest_year(&s, g);
	}
	statement_figures_end(&s);
	buf_putc(&s.sql, ')');
	if (g->which == SUPPLY_GET_ALLIANCE && g->of)
		statement_trade(&s, g->segment);
	else
		buf_puts(&s.sql, ", f as (select * from main)");
	statement_figures(&s, NULL);
	return statement_end(&s, r, into);
}

bool supply_read_statements(struct call *c, struct supply_get *g, struct supply_reads *r)
{
	r->n = 0;
	if (g->segment && !read_subject(c, g, r, &g->subject))
		return false;
	if (supply_is_of_plants(g) && !supply_read_plants(c, g, r))
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
	return supply_is_of_plants(g) || read_figures(c, g, r, &g->figures);
}

/* What questions about plants read: projects, outputs, feeds, and the production that they are held against. */
#include <string.h>
#include "supply_statement.h"

/* Which projects are asked about, as a condition on p; nothing where it is all. */
static void of_projects(struct statement *s, const struct supply_get *g)
{
	if (g->which == SUPPLY_GET_PROJECT_EFFECT) {
		buf_puts(&s->sql, " where ");
		statement_bind_key(s, "p", g->segment);
	} else if (g->asked.n_projects > 0) {
		buf_puts(&s->sql, " where ");
		statement_bind_keys(s, g->asked.projects, g->asked.n_projects);
		buf_puts(&s->sql, " && array[p.id::text, p.slug]");
	}
}

/* The outputs of those projects, or of a mineral; the common tables `asked` and `mine`. */
static void asked(struct statement *s, const struct supply_get *g)
{
	buf_puts(&s->sql, "with asked as materialized (select p.id from ");
	statement_rows(s, "projects", "p");
	of_projects(s, g);
	buf_puts(&s->sql, "), mine as materialized (select o.* from ");
	if (g->which == SUPPLY_GET_CAPACITY) {
		statement_rows(s, "outputs", "o where o.mineral_id in (select m.id from ");
		statement_rows(s, "minerals", "m where ");
		statement_bind_key(s, "m", g->asked.mineral);
		buf_puts(&s->sql, ")");
	} else {
		statement_rows(s, "outputs", "o where o.project_id in (select id from asked)");
	}
	buf_puts(&s->sql, ")");
}

/* One row for each: a tag, what it is sorted by, then its columns (PLANT_…). */
static bool read_plants(struct call *c, const struct supply_get *g, struct supply_reads *r, struct db_result **into)
{
	bool effect = g->which != SUPPLY_GET_CAPACITY;
	struct statement s;

	if (!statement_begin(c, &s))
		return false;
	asked(&s, g);
	buf_puts(&s.sql, ", used as materialized (select * from mine");
	if (effect) {
		buf_puts(&s.sql, " union all select o.* from ");
		statement_rows(&s, "outputs",
			       "o where o.id in (select replaces_output_id from mine) and o.id not in (select id from mine)");
	}
	buf_puts(&s.sql, ") select 1 as tag, p.slug as key, p.id::text as id, p.slug, p.name, p.country, p.status, "
			 "p.start_year::text, (p.id in (select id from asked))::text, null, null, null, null, null from ");
	statement_rows(&s, "projects", "p where p.id in (select project_id from used)");
	if (effect)
		buf_puts(&s.sql, " or p.id in (select id from asked)");
	buf_puts(&s.sql,
		 " union all select 2, u.created_at::text, u.id::text, u.project_id::text, u.mineral_id::text, u.stage, "
		 "coalesce(u.capacity, u.capacity_min)::text, coalesce(u.capacity, u.capacity_max)::text, u.unit, u.basis, "
		 "u.start_year::text, u.end_year::text, u.status, u.replaces_output_id::text from used u");
	if (effect) {
		buf_puts(&s.sql,
			 " union all select 3, f.created_at::text, f.id::text, f.output_id::text, f.country, f.pct::text, "
			 "null, null, null, null, null, null, null, null from ");
		statement_rows(&s, "feeds", "f where f.output_id in (select id from mine)");
	}
	buf_puts(&s.sql, " order by tag, key, id");
	return statement_end(&s, r, into);
}

/* The newest production of every stage of their minerals with the capacity of that year; and what members trade. */
static bool read_baselines(struct call *c, const struct supply_get *g, struct supply_reads *r, struct db_result **into)
{
	struct statement s;

	if (!statement_begin(c, &s))
		return false;
	asked(&s, g);
	buf_puts(&s.sql, ", wanted as materialized (select mineral_id as id from mine union select o.mineral_id from ");
	statement_rows(&s, "outputs", "o where o.id in (select replaces_output_id from mine)");
	buf_puts(&s.sql, "), newest as materialized (select w.id, s.stage, ");
	statement_newest_year(&s, "w", "production");
	buf_puts(&s.sql,
		 " as year from wanted w cross join " ALL_STAGES " s (stage)), main as materialized (select " FIGURE_COLUMNS
		 " from (select * from newest where year is not null) p");
	statement_figures_of(&s,
			     "f.mineral_id = p.id and f.stage = p.stage and f.kind = any (array['production', 'capacity']) and "
			     "f.year = p.year");
	statement_figures_end(&s);
	buf_putc(&s.sql, ')');
	if (g->of && g->alliance)
		statement_trade(&s, g->alliance);
	else
		buf_puts(&s.sql, ", f as (select * from main)");
	statement_figures(&s, "select id from wanted");
	return statement_end(&s, r, into);
}

static bool read_mineral(struct call *c, const struct supply_get *g, struct supply_reads *r, struct db_result **into)
{
	struct statement s;

	if (!statement_begin(c, &s))
		return false;
	buf_puts(&s.sql, "select x.id, x.slug, x.name from ");
	statement_rows(&s, "minerals", "x where ");
	statement_bind_key(&s, "x", g->asked.mineral);
	buf_puts(&s.sql, " order by x.updated_at desc limit 1");
	return statement_end(&s, r, into);
}

bool supply_read_plants(struct call *c, struct supply_get *g, struct supply_reads *r)
{
	if (!read_plants(c, g, r, &g->plants))
		return false;
	if (g->which == SUPPLY_GET_CAPACITY)
		return read_mineral(c, g, r, &g->subject);
	return read_baselines(c, g, r, &g->figures);
}

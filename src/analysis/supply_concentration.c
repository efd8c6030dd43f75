/* A mineral's table, its years, its stages, and the ranking of all minerals. */
#include "supply_write.h"

#include <stdlib.h>
#include <string.h>

/* Rows as they are told: by minimum share, then code; what has no share behind them, other countries last. */
struct told {
	size_t row;
	struct supply_span share;
	bool other;
};

static int by_share(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	if (x->other != y->other)
		return x->other ? 1 : -1;
	if (x->share.known != y->share.known)
		return x->share.known ? -1 : 1;
	if (x->share.known) {
		int order = mpq_cmp(y->share.min, x->share.min);

		if (order)
			return order;
	}
	return x->row < y->row ? -1 : 1; /* by code */
}

static enum err write_rows(const struct supply_data *d, const struct supply_table *t, const struct supply_output *out)
{
	struct told *told = arena_alloc(out->memory, t->n_rows * sizeof(*told));

	if (!told)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->n_rows; i++) {
		told[i].row = i;
		told[i].other = t->rows[i].scope == SUPPLY_OTHER;
		supply_span_init(&told[i].share);
		supply_row_share(t, i, &told[i].share);
	}
	if (t->n_rows > 0)
		qsort(told, t->n_rows, sizeof(*told), by_share);
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct supply_row *row = &t->rows[told[i].row];

		if (out->csv) {
			buf_puts(out->csv, supply_scope_names[row->scope]);
			csv_country(out->csv, row->country);
			csv_cells(out->csv, d, &row->cell);
			csv_span(out->csv, &told[i].share, 100);
			buf_puts(out->csv, "\r\n");
		} else {
			json_object_begin(out->json);
			write_country(out->json, "country", row->country);
			json_member_string(out->json, "scope", supply_scope_names[row->scope]);
			write_figure_members(out->json, d, &row->cell);
			supply_write_share(out->json, &told[i].share);
			json_object_end(out->json);
		}
		supply_span_clear(&told[i].share);
	}
	return OK;
}

enum err supply_write_table(const struct supply_data *d, const struct supply_question *q, uint32_t mineral,
			    const struct supply_output *out)
{
	struct supply_summary s;
	enum err e = supply_summarise(d, q, mineral, q->stage < 0 ? SUPPLY_MINE : (enum supply_stage)q->stage,
				      q->stage < 0 ? 0 : q->year, out->memory, out->warnings, &s);

	if (e != OK)
		return e;
	if (out->csv) {
		buf_puts(out->csv, "scope,country," CSV_FIGURE "," CSV_PCT("") "\r\n");
		e = write_rows(d, &s.table, out);
	} else {
		json_key(out->json, "rows");
		json_array_begin(out->json);
		e = write_rows(d, &s.table, out);
		json_array_end(out->json);
		write_summary(out->json, d, q, &s);
	}
	supply_summary_clear(&s);
	return e;
}

/* One of several tables of a mineral, without its rows. */
static enum err write_one(const struct supply_data *d, const struct supply_question *q, uint32_t mineral,
			  enum supply_stage stage, int year, const struct supply_output *out)
{
	struct supply_summary s;
	enum err e = supply_summarise(d, q, mineral, stage, year, out->memory, out->warnings, &s);

	if (e != OK)
		return e;
	if (out->csv) {
		if (year)
			buf_printf(out->csv, "%s,%d", supply_stage_names[stage], year);
		else
			buf_printf(out->csv, "%s,", supply_stage_names[stage]);
		csv_summary(out->csv, q, &s);
	} else {
		json_object_begin(out->json);
		json_member_string(out->json, "stage", supply_stage_names[stage]);
		write_year(out->json, year);
		write_summary(out->json, d, q, &s);
		json_object_end(out->json);
	}
	supply_summary_clear(&s);
	return OK;
}

static void begin(const struct supply_output *out, const char *key)
{
	if (out->csv) {
		buf_puts(out->csv, "stage,year," CSV_SUMMARY "\r\n");
		return;
	}
	json_key(out->json, key);
	json_array_begin(out->json);
}

enum err supply_write_trend(const struct supply_data *d, const struct supply_question *q, uint32_t mineral,
			    const struct supply_output *out)
{
	struct supply_figures all = { 0 };
	enum err e = OK;
	int last = 0;

	if (q->stage >= 0)
		all = supply_find(d, mineral, (enum supply_stage)q->stage, q->kind, 0);
	begin(out, "years");
	for (size_t i = 0; e == OK && i < all.count; i++) {
		if (all.first[i].year == last)
			continue;
		last = all.first[i].year;
		e = write_one(d, q, mineral, (enum supply_stage)q->stage, last, out);
	}
	if (out->json)
		json_array_end(out->json);
	return e;
}

enum err supply_write_chain(const struct supply_data *d, const struct supply_question *q, uint32_t mineral,
			    const struct supply_output *out)
{
	unsigned stages = supply_stages_on_file(d, mineral, q->kind);
	enum err e = OK;

	begin(out, "stages");
	for (unsigned stage = 0; e == OK && stage < SUPPLY_STAGES; stage++) {
		int year = q->year ? q->year : supply_newest_year(d, mineral, (enum supply_stage)stage, q->kind);

		if (stages & 1u << stage)
			e = write_one(d, q, mineral, (enum supply_stage)stage, year, out);
	}
	if (out->json)
		json_array_end(out->json);
	return e;
}

/* --- the ranking --- */

const char *const supply_sort_names[] = { "hhi", "leading", "list", "alliance", "year", "mineral", NULL };

struct ranked {
	struct supply_summary summary;
	const char *slug;
	enum supply_sort sort;
	bool descending;
};

static const struct supply_span *sorted_by(const struct ranked *r)
{
	switch (r->sort) {
	case SUPPLY_BY_HHI:
		return &r->summary.hhi;
	case SUPPLY_BY_LEADING:
		return &r->summary.leading;
	case SUPPLY_BY_LIST:
		return &r->summary.list;
	case SUPPLY_BY_ALLIANCE:
		return &r->summary.alliance;
	default:
		return NULL;
	}
}

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	const struct supply_span *m = sorted_by(x), *n = sorted_by(y);
	int order = 0;

	if (m && m->known != n->known)
		return m->known ? -1 : 1;
	if (m && m->known)
		order = mpq_cmp(m->min, n->min);
	else if (x->sort == SUPPLY_BY_YEAR)
		order = x->summary.table.year - y->summary.table.year;
	else if (x->sort == SUPPLY_BY_MINERAL)
		order = strcmp(x->slug, y->slug);
	if (order)
		return x->descending ? -order : order;
	order = strcmp(x->slug, y->slug);
	return order ? order : (int)x->summary.table.stage - (int)y->summary.table.stage;
}

static void write_ranked(const struct supply_data *d, const struct supply_question *q, const struct supply_summary *s,
			 const struct supply_output *out)
{
	if (out->csv) {
		buf_printf(out->csv, "%s,%s,%d", d->minerals[s->table.mineral].slug, supply_stage_names[s->table.stage],
			   s->table.year);
		csv_summary(out->csv, q, s);
		return;
	}
	json_object_begin(out->json);
	json_key(out->json, "mineral");
	supply_write_node(out->json, "minerals", &d->minerals[s->table.mineral]);
	json_member_string(out->json, "stage", supply_stage_names[s->table.stage]);
	write_year(out->json, s->table.year);
	write_concentration(out->json, q, s);
	json_object_end(out->json);
}

static enum err rank(const struct supply_data *d, const struct supply_question *q, enum supply_sort sort, bool descending,
		     const struct supply_output *out, struct ranked **ret, size_t *ret_n)
{
	size_t capacity = 0;

	for (uint32_t mineral = 0; mineral < d->n_minerals; mineral++) {
		unsigned stages = supply_stages_on_file(d, mineral, q->kind);

		for (unsigned stage = 0; stage < SUPPLY_STAGES; stage++) {
			int year = supply_newest_year(d, mineral, (enum supply_stage)stage, q->kind);
			enum err e;

			if (!(stages & 1u << stage) || (q->stage >= 0 && (unsigned)q->stage != stage))
				continue;
			year = q->year ? q->year : year;
			if (!year || supply_find(d, mineral, (enum supply_stage)stage, q->kind, year).count == 0)
				continue;
			if (arena_grow(out->memory, (void **)ret, &capacity, *ret_n + 1, sizeof(**ret)) != 0)
				return ERR_NOMEM;
			e = supply_summarise(d, q, mineral, (enum supply_stage)stage, year, out->memory, out->warnings,
					     &(*ret)[*ret_n].summary);
			if (e != OK)
				return e;
			(*ret)[*ret_n].slug = d->minerals[mineral].slug;
			(*ret)[*ret_n].sort = sort;
			(*ret)[(*ret_n)++].descending = descending;
		}
	}
	return OK;
}

enum err supply_write_concentration(const struct supply_data *d, const struct supply_question *q, enum supply_sort sort,
				    bool descending, size_t limit, const struct supply_output *out)
{
	struct ranked *all = NULL;
	size_t n = 0;
	enum err e = rank(d, q, sort, descending, out, &all, &n);

	if (e == OK && n > 0)
		qsort(all, n, sizeof(*all), by_rank);
	if (out->csv) {
		buf_puts(out->csv, "mineral,stage,year," CSV_SUMMARY "\r\n");
	} else {
		json_key(out->json, "items");
		json_array_begin(out->json);
	}
	for (size_t i = 0; i < n; i++) {
		if (e == OK && i < limit)
			write_ranked(d, q, &all[i].summary, out);
		supply_summary_clear(&all[i].summary);
	}
	if (out->json)
		json_array_end(out->json);
	return e;
}

/* The cap table: who is recorded to hold a subject directly, as it stands and fully diluted. */
#include "ownership.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/graph/strip.h"

struct holding {
	struct graph_link link; /* its pct as the table says it */
	struct graph_node holder;
};

static int greatest_first(const void *left, const void *right)
{
	const struct holding *l = left, *r = right;

	int order = pct_order(&l->link.pct, &r->link.pct);

	return order ? order : node_order(&l->holder, &r->holder);
}

/* One of the two tables; its holders, greatest first. */
struct table {
	struct graph_view *view;
	struct holding *holdings;
	size_t n;
	struct graph_pct total, unexplained;
};

/* The votes that are left when those of cross-holdings are gone, in place of all. */
static enum err strip(const struct inquiry *i, struct table *t)
{
	struct graph_scratch *scratch = graph_scratch_new(t->view->graph);
	struct graph_strip stripped;
	enum err e =
		scratch ? graph_strip_votes(t->view->graph, scratch, t->view->roots[0], false, i->arena, &stripped) : ERR_NOMEM;

	graph_scratch_free(scratch);
	for (size_t k = 0; e == OK && k < stripped.count; k++)
		t->holdings[k].link.pct = stripped.rows[k].pct;
	if (e == OK) {
		t->total = stripped.total_pct;
		t->unexplained = stripped.unexplained_pct;
	}
	return e;
}

static enum err collect(const struct inquiry *i, const struct ownership_query *q, struct table *t)
{
	uint32_t subject = t->view->roots[0], first;
	enum err e = OK;
	struct graph_column column = graph_column(t->view->graph, subject);

	t->n = graph_links_of_subject(t->view->graph, subject, &first);
	t->holdings = arena_alloc(i->arena, (t->n + 1) * sizeof(*t->holdings));
	if (!t->holdings)
		return ERR_NOMEM;
	for (size_t k = 0; k < t->n; k++) {
		t->holdings[k].link = graph_link(t->view->graph, first + (uint32_t)k);
		inquiry_node(i, t->view->nodes[t->holdings[k].link.holder], &t->holdings[k].holder);
	}
	t->total = pct_capped(column.sum_pct);
	t->unexplained = column.unexplained_pct;
	if (q->strip)
		e = strip(i, t);
	qsort(t->holdings, t->n, sizeof(*t->holdings), greatest_first);
	return e;
}

static void write_table(struct json_writer *w, const struct inquiry *i, const struct table *t)
{
	json_object_begin(w);
	json_key(w, "holders");
	json_array_begin(w);
	for (size_t k = 0; k < t->n; k++) {
		const struct holding *h = &t->holdings[k];

		json_object_begin(w);
		json_key(w, "holder");
		write_node(w, &h->holder);
		write_value(w, "", h->link.pct.min, h->link.pct.max);
		write_stake_ids(w, i, t->view, &h->link);
		json_object_end(w);
	}
	json_array_end(w);
	write_value(w, "total_", t->total.min, t->total.max);
	write_value(w, "unexplained_", t->unexplained.min, t->unexplained.max);
	json_object_end(w);
}

static void write_json(const struct inquiry *i, const struct ownership_query *q, uint32_t subject, const struct table tables[2],
		       struct answer *a)
{
	struct json_writer w;

	json_begin(&w, &a->body);
	json_object_begin(&w);
	write_echo(&w, i, q, ASK_CAP_TABLE, subject, tables[0].view, false);
	json_key(&w, "basic");
	write_table(&w, i, &tables[0]);
	json_key(&w, "fully_diluted");
	write_table(&w, i, &tables[1]);
	json_object_end(&w);
	buf_putc(&a->body, '\n');
}

static int by_holder(const void *left, const void *right)
{
	const struct holding *const *l = left, *const *r = right;

	return node_order(&(*l)->holder, &(*r)->holder);
}

/* A table's rows by holder. NULL: no memory. */
static const struct holding **index_of(const struct inquiry *i, const struct table *t)
{
	const struct holding **index = arena_alloc(i->arena, t->n * sizeof(*index));

	for (size_t k = 0; index && k < t->n; k++)
		index[k] = &t->holdings[k];
	if (index)
		qsort(index, t->n, sizeof(*index), by_holder);
	return index;
}

/* A row per holder of either table. */
static enum err write_csv(const struct inquiry *i, const struct table tables[2], struct answer *a)
{
	const struct graph_pct none = { 0, 0 };
	const struct holding **index[2] = { index_of(i, &tables[0]), index_of(i, &tables[1]) };

	if (!index[0] || !index[1])
		return ERR_NOMEM;

	a->content_type = "text/csv; charset=utf-8; header=present";
	csv_header(&a->body, "pct,min_pct,max_pct,diluted_pct,diluted_min_pct,diluted_max_pct");
	for (int which = 0; which < 2; which++)
		for (size_t k = 0; k < tables[which].n; k++) {
			const struct holding *h = &tables[which].holdings[k];
			const struct holding **found = bsearch(&h, index[!which], tables[!which].n, sizeof(*found), by_holder);
			const struct holding *other = found ? *found : NULL;

			if (which == 1 && other)
				continue; /* was among the first */
			csv_node(&a->body, &h->holder);
			csv_pct(&a->body, which == 0 ? h->link.pct : none);
			csv_pct(&a->body, which == 1 ? h->link.pct : other ? other->link.pct : none);
			csv_end(&a->body, &h->holder);
		}
	return OK;
}

static enum err answer_tables(const struct inquiry *i, const struct ownership_query *q, uint32_t subject,
			      struct table tables[2], struct answer *a)
{
	struct graph_filter filter = ownership_filter(i, q);
	bool answered = false;
	enum err e = OK;

	for (int which = 0; e == OK && !answered && which < 2; which++) {
		filter.exercised = which == 1;
		e = inquiry_view(i, &filter, q->strip ? GRAPH_ABOVE_AND_BELOW : GRAPH_COLUMNS, &subject, 1, a,
				 &tables[which].view, &answered);
		if (e == OK && !answered)
			e = collect(i, q, &tables[which]);
	}
	if (e != OK || answered)
		return e;
	if (q->csv)
		return write_csv(i, tables, a);
	write_json(i, q, subject, tables, a);
	return OK;
}

enum err cap_table_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a)
{
	uint32_t subject = inquiry_find(i, q->resource, q->subject);
	struct table tables[2] = { 0 };
	enum err e;

	if (subject == GRAPH_NONE)
		return inquiry_not_found(a, q->resource, q->subject);
	e = answer_tables(i, q, subject, tables, a);
	graph_view_free(tables[0].view);
	graph_view_free(tables[1].view);
	return e;
}

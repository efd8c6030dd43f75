/* Who owns a subject, and what a holder owns: rows by any method, with the paths they come from. */
#include "ownership.h"

#include <stdlib.h>
#include <string.h>

struct row {
	const struct graph_figure *figure;
	struct graph_node node;
	bool ultimate;
};

struct rows {
	const struct inquiry *i;
	const struct ownership_query *q;
	struct answer *a;
	struct graph_view *view;
	struct graph_scratch *scratch;
	struct graph_figures figures;
	uint32_t start; /* local: the subject, or the holder */
	struct row *items;
	size_t count;
	bool down;
	/* of their paths */
	struct graph_finder *finder; /* NULL: none are looked for */
	size_t rows_left, links_left;
};

#define PATH_LINKS_MAX 250000 /* in all rows of an answer: about 100 MB of JSON */

static bool is_among(const char *const *values, size_t n, const char *text)
{
	for (size_t k = 0; k < n; k++)
		if (strcmp(values[k], text) == 0)
			return true;
	return false;
}

static bool wanted(const struct ownership_query *q, const struct row *row)
{
	char country[3] = { row->node.country[0], row->node.country[1], '\0' };

	if (q->min_pct && row->figure->pct.max < q->min_units)
		return false;
	if (q->ultimate_given && q->ultimate != row->ultimate)
		return false;
	return (q->n_kinds == 0 || is_among(q->kinds, q->n_kinds, inquiry_kind(&row->node))) &&
	       (q->n_countries == 0 || is_among(q->countries, q->n_countries, country));
}

static int greatest_first(const void *left, const void *right)
{
	const struct row *l = left, *r = right;
	int order = pct_order(&l->figure->pct, &r->figure->pct);

	return order ? order : node_order(&l->node, &r->node);
}

static enum err collect(struct rows *x)
{
	struct arena *arena = x->i->arena;

	x->items = arena_alloc(arena, (x->figures.count + 1) * sizeof(*x->items));
	if (!x->items)
		return ERR_NOMEM;
	for (size_t k = 0; k < x->figures.count; k++) {
		struct row *row = &x->items[x->count];
		const uint32_t *links;
		uint32_t local;

		*row = (struct row){ .figure = &x->figures.items[k] };
		local = row->figure->node;
		if (row->figure->pct.max <= 0)
			continue; /* what prints as nothing is nothing */
		inquiry_node(x->i, x->view->nodes[local], &row->node);
		row->ultimate = x->down ? graph_links_of_holder(x->view->graph, local, &links) == 0
					: !graph_held(x->view->graph, local);
		x->count += wanted(x->q, row);
	}
	qsort(x->items, x->count, sizeof(*x->items), greatest_first);
	return OK;
}

/* How many steps each row's paths may still take. */
static size_t share_of_row(const struct rows *x)
{
	size_t used = graph_finder_steps(x->finder), most = inquiry_path_steps(x->i);

	return used < most ? (most - used) / x->rows_left + 1 : 1;
}

/* As many as there is room for, the greatest. */
static void keep_room(struct rows *x, struct graph_paths *paths)
{
	for (size_t k = 0; k < paths->count; k++) {
		if (paths->items[k].count > x->links_left) {
			paths->count = k;
			paths->truncated = true;
			x->links_left = 0;
			return;
		}
		x->links_left -= paths->items[k].count;
	}
}

static enum err find_paths(struct rows *x, uint32_t other, struct graph_paths *ret)
{
	enum err e = OK;

	*ret = (struct graph_paths){ .looped = other == x->start, .truncated = other != x->start };
	if (x->finder && x->links_left > 0)
		e = graph_finder_paths(x->finder, other, x->q->paths, share_of_row(x), ret);
	x->rows_left--;
	if (e == ERR_FULL && !x->i->inline_only)
		e = OK; /* those that were found, truncated */
	if (e == OK)
		keep_room(x, ret);
	return e;
}

/* The row's simple paths, and what loops add to them. */
static enum err write_paths(struct rows *x, struct json_writer *w, const struct row *row)
{
	const struct graph_pct *pct = &row->figure->pct;
	struct graph_pct loop = *pct;
	struct graph_paths paths;
	enum err e = find_paths(x, row->figure->node, &paths);

	if (e == OK)
		e = paths_sort(x->i, x->view, &paths);
	if (e != OK)
		return e;
	json_key(w, "paths");
	json_array_begin(w);
	for (size_t k = 0; k < paths.count; k++) {
		write_path(w, x->i, x->view, &paths.items[k]);
		loop.min -= paths.items[k].pct.min;
		loop.max -= paths.items[k].pct.max;
	}
	json_array_end(w);
	json_member_bool(w, "truncated", paths.truncated);
	if (x->q->method != GRAPH_INTEGRATED || paths.truncated || !paths.looped)
		return OK;
	loop.min = loop.min > 0 ? loop.min : 0;
	loop.max = loop.max > loop.min ? loop.max : loop.min;
	if (loop.max > 0)
		write_value(w, "loop_", loop.min, loop.max);
	return OK;
}

static enum err write_row(struct rows *x, struct json_writer *w, const struct row *row)
{
	enum err e;

	json_object_begin(w);
	json_key(w, x->down ? "subject" : "holder");
	write_node(w, &row->node);
	write_value(w, "", row->figure->pct.min, row->figure->pct.max);
	write_value(w, "direct_", row->figure->direct_pct.min, row->figure->direct_pct.max);
	if (!x->down) {
		json_member_bool(w, "ultimate", row->ultimate);
		json_member_bool(w, "certain", row->figure->certain);
	}
	e = write_paths(x, w, row);
	json_object_end(w);
	return e;
}

struct group {
	const char *key; /* "": none */
	struct graph_sum sum;
	struct graph_pct pct;
};

static int by_key(const void *left, const void *right)
{
	const struct group *l = left, *r = right;

	if (l->pct.max != r->pct.max)
		return l->pct.max > r->pct.max ? -1 : 1;
	return strcmp(l->key, r->key);
}

static const char *group_key(const struct rows *x, const struct graph_node *n)
{
	const char *code = x->q->group_by == GROUP_COUNTRY ? n->country : n->state;

	if (x->q->group_by == GROUP_KIND)
		return inquiry_kind(n);
	return code[0] ? arena_strndup(x->i->arena, code, 2) : "";
}

/* Sums owners without owners, whatever rows were asked for. */
static enum err write_groups(struct rows *x, struct json_writer *w)
{
	struct group *groups = NULL;
	size_t n = 0, capacity = 0;

	for (size_t k = 0; x->q->group_by && k < x->figures.count; k++) {
		const struct graph_figure *f = &x->figures.items[k];
		struct graph_node node;
		const char *key;
		size_t at = 0;

		if (graph_held(x->view->graph, f->node))
			continue;
		inquiry_node(x->i, x->view->nodes[f->node], &node);
		key = group_key(x, &node);
		if (!key)
			return ERR_NOMEM;
		while (at < n && strcmp(groups[at].key, key) != 0)
			at++;
		if (at == n) {
			if (arena_grow(x->i->arena, (void **)&groups, &capacity, n + 1, sizeof(*groups)) != 0)
				return ERR_NOMEM;
			groups[n++] = (struct group){ .key = key };
		}
		graph_sum_figure(&groups[at].sum, f);
	}
	for (size_t k = 0; k < n; k++)
		groups[k].pct = pct_capped(graph_sum_pct(&groups[k].sum));
	if (n > 1)
		qsort(groups, n, sizeof(*groups), by_key);
	json_key(w, "groups");
	json_array_begin(w);
	for (size_t k = 0; k < n; k++) {
		json_object_begin(w);
		json_member_string(w, "key", groups[k].key[0] ? groups[k].key : NULL);
		write_value(w, "", groups[k].pct.min, groups[k].pct.max);
		json_object_end(w);
	}
	json_array_end(w);
	return OK;
}

static enum err begin_paths(struct rows *x, size_t shown)
{
	enum err e;
	uint64_t *ranks;

	x->rows_left = shown;
	x->links_left = PATH_LINKS_MAX;
	if (x->q->paths == 0 || shown == 0)
		return OK;
	ranks = inquiry_ranks(x->i, x->view);
	e = ranks ? graph_finder_new(x->view->graph, x->scratch, x->start, x->down, ranks, inquiry_path_steps(x->i),
				     x->i->arena, &x->finder)
		  : ERR_NOMEM;
	if (e == OK || x->i->inline_only || e != ERR_FULL)
		return e;
	x->finder = NULL; /* all rows are truncated */
	return OK;
}

static enum err write_json(struct rows *x)
{
	size_t shown = x->count < x->q->limit ? x->count : x->q->limit;
	struct json_writer w;
	enum err e = begin_paths(x, shown);

	if (e != OK)
		return e;
	json_begin(&w, &x->a->body);
	json_object_begin(&w);
	write_echo(&w, x->i, x->q, x->down ? ASK_HOLDINGS : ASK_OWNERS, x->view->nodes[x->start], x->view, x->figures.coarse);
	json_key(&w, x->down ? "holdings" : "owners");
	json_array_begin(&w);
	for (size_t k = 0; e == OK && k < shown; k++)
		e = x->i->cancelled && atomic_load(x->i->cancelled) ? ERR_UNAVAILABLE : write_row(x, &w, &x->items[k]);
	json_array_end(&w);
	if (!x->down) {
		write_value(&w, "unexplained_", x->figures.unexplained_pct.min, x->figures.unexplained_pct.max);
		if (x->q->n_parties > 0)
			write_value(&w, "total_", x->figures.total_pct.min, x->figures.total_pct.max);
		if (e == OK)
			e = write_groups(x, &w);
	}
	json_member_bool(&w, "truncated", shown < x->count);
	json_object_end(&w);
	buf_putc(&x->a->body, '\n');
	return e;
}

#define FIGURES "pct,min_pct,max_pct,direct_pct,direct_min_pct,direct_max_pct"

static enum err write_csv(struct rows *x)
{
	size_t shown = x->count < x->q->limit ? x->count : x->q->limit;

	x->a->content_type = "text/csv; charset=utf-8; header=present";
	csv_header(&x->a->body, x->down ? FIGURES : FIGURES ",ultimate,certain");
	for (size_t k = 0; k < shown; k++) {
		const struct row *row = &x->items[k];

		csv_node(&x->a->body, &row->node);
		csv_pct(&x->a->body, row->figure->pct);
		csv_pct(&x->a->body, row->figure->direct_pct);
		if (!x->down)
			buf_printf(&x->a->body, ",%s,%s", row->ultimate ? "true" : "false",
				   row->figure->certain ? "true" : "false");
		csv_end(&x->a->body, &row->node);
	}
	return OK;
}

static enum err find_parties(struct rows *x, struct graph_question *question, bool *ret_answered)
{
	uint32_t *parties = arena_alloc(x->i->arena, (x->q->n_parties + 1) * sizeof(*parties));

	if (!parties)
		return ERR_NOMEM;
	for (size_t k = 0; k < x->q->n_parties; k++) {
		uint32_t node = inquiry_find(x->i, GRAPH_SHAREHOLDERS, x->q->parties[k]), local;

		if (node == GRAPH_NONE)
			faults_add(&x->a->faults, FAULT_PARAMETER, "parties", "reference", "there is no shareholder \"%s\"",
				   x->q->parties[k]);
		local = node == GRAPH_NONE ? GRAPH_NONE : graph_view_local(x->view, node);
		if (local != GRAPH_NONE)
			parties[question->parties_count++] = local;
	}
	question->parties = parties;
	*ret_answered = x->a->faults.n > 0;
	return *ret_answered ? answer_faults(x->a, 400) : OK;
}

static enum err answer_rows(struct rows *x)
{
	struct graph_question question = {
		.method = x->q->method,
		.raw = x->q->raw,
		.single_entity = x->q->single_entity,
		.threshold = x->q->threshold,
		.inclusive = x->q->inclusive,
		.budget = x->i->steps,
	};
	bool answered = false;
	enum err e = x->q->n_parties ? find_parties(x, &question, &answered) : OK;

	if (e != OK || answered)
		return e;

	e = x->down ? graph_holdings(x->view->graph, x->scratch, x->start, &question, x->i->arena, &x->figures)
		    : graph_owners(x->view->graph, x->scratch, x->start, &question, x->i->arena, &x->figures);
	if (e != OK)
		return inquiry_declined(x->i, x->view, e, &x->figures, x->a);
	if (x->figures.coarse && x->i->inline_only)
		return ERR_FULL; /* with more time it may be exact */
	e = collect(x);
	if (e != OK)
		return e;
	return x->q->csv ? write_csv(x) : write_json(x);
}

static enum err rows_answer(const struct inquiry *i, const struct ownership_query *q, bool down, struct answer *a)
{
	const struct graph_filter filter = ownership_filter(i, q);
	struct rows x = { .i = i, .q = q, .a = a, .down = down };
	uint32_t node = inquiry_find(i, q->resource, q->subject);
	bool answered = false;
	enum err e;

	if (node == GRAPH_NONE)
		return inquiry_not_found(a, q->resource, q->subject);
	e = inquiry_view(i, &filter, down ? GRAPH_BELOW : GRAPH_ABOVE, &node, 1, a, &x.view, &answered);
	if (e != OK || answered)
		return e;
	x.start = x.view->roots[0];
	x.scratch = graph_scratch_new(x.view->graph);
	e = x.scratch ? answer_rows(&x) : ERR_NOMEM;
	graph_scratch_free(x.scratch);
	graph_view_free(x.view);
	return e;
}

enum err owners_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a)
{
	return rows_answer(i, q, false, a);
}

enum err holdings_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a)
{
	return rows_answer(i, q, true, a);
}

/* The simple paths from a holder down to a subject, greatest first. */
#include "ownership.h"

#include <string.h>

/* On a compute thread a fourth: beyond what a processor has near, steps from path to path take that much longer. */
size_t inquiry_path_steps(const struct inquiry *i)
{
	return i->inline_only ? i->steps : i->steps / 4;
}

uint64_t *inquiry_ranks(const struct inquiry *i, const struct graph_view *v)
{
	uint64_t *ranks = arena_alloc(i->arena, ((size_t)v->count + 1) * sizeof(*ranks));

	for (uint32_t n = 0; ranks && n < v->count; n++) {
		struct graph_node node;

		inquiry_node(i, v->nodes[n], &node);
		memcpy(&ranks[n], (const char *)&node.id + sizeof(node.id) - sizeof(*ranks), sizeof(*ranks));
	}
	return ranks;
}

static int compare_nodes(const struct inquiry *i, const struct graph_view *v, uint32_t a, uint32_t b)
{
	struct graph_node left, right;

	if (a == b)
		return 0;
	inquiry_node(i, v->nodes[a], &left);
	inquiry_node(i, v->nodes[b], &right);
	return node_order(&left, &right);
}

static int compare_paths(const struct inquiry *i, const struct graph_view *v, const struct graph_path *a,
			 const struct graph_path *b)
{
	int order = 0;

	if (a->pct.max != b->pct.max)
		return a->pct.max > b->pct.max ? -1 : 1;
	if (a->pct.min != b->pct.min)
		return a->pct.min > b->pct.min ? -1 : 1;
	for (size_t k = 0; order == 0 && k < a->count && k < b->count; k++) {
		struct graph_link left = graph_link(v->graph, a->links[k]), right = graph_link(v->graph, b->links[k]);

		order = compare_nodes(i, v, left.holder, right.holder);
		if (order == 0)
			order = compare_nodes(i, v, left.subject, right.subject);
	}
	return order;
}

/* Two sorted runs become one. */
static void merge(const struct inquiry *i, const struct graph_view *v, const struct graph_path *runs, size_t middle, size_t end,
		  struct graph_path *ret)
{
	size_t left = 0, right = middle;

	for (size_t k = 0; k < end; k++) {
		bool take_right = left == middle || (right < end && compare_paths(i, v, &runs[right], &runs[left]) < 0);

		ret[k] = runs[take_right ? right++ : left++];
	}
}

/* By merging: paths are long to compare. */
enum err paths_sort(const struct inquiry *i, const struct graph_view *v, struct graph_paths *paths)
{
	struct graph_path *from = paths->items, *to;

	if (paths->count < 2)
		return OK;
	to = arena_alloc(i->arena, paths->count * sizeof(*to));
	if (!to)
		return ERR_NOMEM;
	for (size_t run = 1; run < paths->count; run *= 2) {
		struct graph_path *done = to;

		for (size_t at = 0; at < paths->count; at += 2 * run) {
			size_t left = paths->count - at, middle = run < left ? run : left,
			       end = 2 * run < left ? 2 * run : left;

			merge(i, v, from + at, middle, end, to + at);
		}
		to = from;
		from = done;
	}
	paths->items = from;
	return OK;
}

static enum err write_paths(const struct inquiry *i, const struct ownership_query *q, const struct graph_view *v, uint32_t to,
			    const struct graph_paths *paths, struct answer *a)
{
	uint8_t *about = arena_alloc(i->arena, (size_t)v->count + 1);
	struct json_writer w;

	if (!about)
		return ERR_NOMEM;
	for (size_t k = 0; k < paths->count; k++)
		for (size_t l = 0; l < paths->items[k].count; l++)
			about[graph_link(v->graph, paths->items[k].links[l]).subject] = 1;
	json_begin(&w, &a->body);
	json_object_begin(&w);
	write_echo_of_part(&w, i, q, ASK_PATHS, to, v, about);
	json_key(&w, "paths");
	json_array_begin(&w);
	for (size_t k = 0; k < paths->count; k++)
		write_path(&w, i, v, &paths->items[k]);
	json_array_end(&w);
	json_member_bool(&w, "truncated", paths->truncated);
	json_object_end(&w);
	buf_putc(&a->body, '\n');
	return OK;
}

static enum err find(const struct inquiry *i, const struct ownership_query *q, const struct graph_view *v, uint32_t holder,
		     struct graph_scratch *scratch, struct graph_paths *ret)
{
	uint64_t *ranks = inquiry_ranks(i, v);
	struct graph_finder *finder = NULL;
	enum err e = scratch && ranks ? graph_finder_new(v->graph, scratch, v->roots[0], false, ranks, inquiry_path_steps(i),
							 i->arena, &finder)
				      : ERR_NOMEM;

	if (e == OK)
		e = graph_finder_paths(finder, holder, q->limit, 0, ret);
	if (e == OK)
		e = paths_sort(i, v, ret);
	return e;
}

static enum err answer_view(const struct inquiry *i, const struct ownership_query *q, const struct graph_view *v, uint32_t from,
			    uint32_t to, struct answer *a)
{
	uint32_t holder = graph_view_local(v, from);
	struct graph_paths paths = { 0 };
	struct graph_scratch *scratch;
	enum err e = OK;

	if (holder != GRAPH_NONE) { /* else nothing leads from it to the subject */
		scratch = graph_scratch_new(v->graph);
		e = find(i, q, v, holder, scratch, &paths);
		graph_scratch_free(scratch);
	}
	if (e != OK)
		return inquiry_declined(i, v, e, NULL, a);
	return write_paths(i, q, v, to, &paths, a);
}

enum err paths_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a)
{
	const struct graph_filter filter = ownership_filter(i, q);
	uint32_t from = inquiry_named(i, "from", q->from, a), to = inquiry_named(i, "to", q->to, a);
	struct graph_view *view = NULL;
	bool answered = false;
	enum err e;

	if (from == GRAPH_NONE || to == GRAPH_NONE)
		return answer_faults(a, 400);
	e = inquiry_view(i, &filter, GRAPH_ABOVE, &to, 1, a, &view, &answered);
	if (e != OK || answered)
		return e;
	e = answer_view(i, q, view, from, to, a);
	graph_view_free(view);
	return e;
}

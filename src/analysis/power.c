/* Voting power: how often each direct holder of a subject decides. */
#include "lodebase/graph/power.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "ownership.h"

struct voter {
	struct graph_node holder;
	struct graph_pct pct;
	int64_t index; /* in units of 10^-12 */
};

static int mightiest_first(const void *left, const void *right)
{
	const struct voter *l = left, *r = right;
	int order;

	if (l->index != r->index)
		return l->index > r->index ? -1 : 1;
	order = pct_order(&l->pct, &r->pct);
	return order ? order : node_order(&l->holder, &r->holder);
}

static struct voter *name_voters(const struct inquiry *i, const struct graph_view *v, const struct graph_powers *powers)
{
	struct voter *voters = arena_alloc(i->arena, (powers->count + 1) * sizeof(*voters));

	for (size_t k = 0; voters && k < powers->count; k++) {
		voters[k].pct = powers->items[k].pct;
		voters[k].index = llround(powers->items[k].index * 1e12);
		inquiry_node(i, v->nodes[powers->items[k].holder], &voters[k].holder);
	}
	if (voters)
		qsort(voters, powers->count, sizeof(*voters), mightiest_first);
	return voters;
}

static void write_power_warnings(struct json_writer *w, const struct inquiry *i, const struct graph_view *v,
				 const struct graph_powers *powers)
{
	char detail[200];

	json_key(w, "warnings");
	json_array_begin(w);
	for (size_t k = 0; k < v->n_warnings; k++)
		write_warning(w, i, v, &v->warnings[k]);
	if (powers->ranged)
		write_plain_warning(w, "minima-vote", "of holders whose share is a range the minimum votes");
	if (powers->standard_error > 0) {
		snprintf(detail, sizeof(detail),
			 "there are too many holders to look at all coalitions: the indices come of random ones, always the "
			 "same, and have a standard error of at most %.2g",
			 powers->standard_error);
		write_plain_warning(w, "not-exact", detail);
	}
	json_array_end(w);
}

static enum err answer_view(const struct inquiry *i, const struct ownership_query *q, uint32_t subject,
			    const struct graph_view *v, struct answer *a)
{
	const struct graph_power_question question = {
		.index = q->banzhaf ? GRAPH_BANZHAF : GRAPH_SHAPLEY_SHUBIK,
		.quota = ownership_ratio(q->quota_pct),
		.budget = i->steps,
	};
	struct graph_powers powers = { 0 };
	enum err e = graph_power(v->graph, v->roots[0], &question, i->arena, &powers);
	struct voter *voters = e == OK ? name_voters(i, v, &powers) : NULL;
	struct json_writer w;

	if (e != OK)
		return inquiry_declined(i, v, e, NULL, a);
	if (!voters)
		return ERR_NOMEM;
	json_begin(&w, &a->body);
	json_object_begin(&w);
	write_echo_but_warnings(&w, i, q, ASK_POWER, subject);
	write_power_warnings(&w, i, v, &powers);
	json_member_string(&w, "index", q->banzhaf ? "banzhaf" : "shapley_shubik");
	json_key(&w, "holders");
	json_array_begin(&w);
	for (size_t k = 0; k < powers.count; k++) {
		json_object_begin(&w);
		json_key(&w, "holder");
		write_node(&w, &voters[k].holder);
		write_value(&w, "", voters[k].pct.min, voters[k].pct.max);
		json_key(&w, "index");
		write_units(&w, voters[k].index);
		json_object_end(&w);
	}
	json_array_end(&w);
	json_object_end(&w);
	buf_putc(&a->body, '\n');
	return OK;
}

enum err power_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a)
{
	const struct graph_filter filter = ownership_filter(i, q);
	uint32_t subject = inquiry_find(i, q->resource, q->subject);
	struct graph_view *view = NULL;
	bool answered = false;
	enum err e;

	if (subject == GRAPH_NONE)
		return inquiry_not_found(a, q->resource, q->subject);
	e = inquiry_view(i, &filter, GRAPH_COLUMNS, &subject, 1, a, &view, &answered);
	if (e != OK || answered)
		return e;
	e = answer_view(i, q, subject, view, a);
	graph_view_free(view);
	return e;
}

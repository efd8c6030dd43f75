#include "lodebase/graph/strip.h"
#include "internal.h"

static const struct graph_ratio half = { 1, 2 }, tenth = { 1, 10 };

struct strip {
	const struct graph *g;
	struct graph_scratch *s;
	struct arena *a;
	struct region region; /* below the subject, it first */
	struct closure low, high;
	struct graph_strip *ret;
	/* what certainly carries no vote at the minima, what may at the maxima; 1; what the subject's minima leave */
	mpq_t certain, possible, whole, room;
};

static enum err find_group(struct strip *x, uint32_t subject, bool remainders)
{
	const uint32_t seed = 0;
	enum err e = region_collect(x->g, x->s, subject, DOWN, x->a, &x->region);

	if (e == OK)
		e = closure_init(&x->low, x->g, x->s, &x->region, half, false, x->a);
	if (e == OK)
		e = closure_init(&x->high, x->g, x->s, &x->region, half, false, x->a);
	x->high.remainders = remainders;
	if (e == OK)
		e = closure_run(&x->low, BOUND_MIN, &seed, 1);
	return e == OK ? closure_run(&x->high, BOUND_MAX, &seed, 1) : e;
}

static void decide(struct strip *x, struct graph_strip_row *row)
{
	uint32_t local = region_local(x->s, row->holder);
	mpq_t share;

	if (local == NONE || local == 0)
		return; /* it holds none of it; its own shares are another matter */
	row->held = (struct graph_pct){ closure_pct(&x->low, local), closure_pct(&x->high, local) };
	if (row->held.max > GRAPH_PCT_WHOLE)
		row->held.max = GRAPH_PCT_WHOLE;
	if (row->held.max < row->held.min)
		row->held.max = row->held.min;
	row->certain = closure_compare(&x->low, local, tenth) > 0;
	row->possible = row->certain || closure_compare(&x->high, local, tenth) > 0;
	if (!row->possible)
		return;
	mpq_init(share);
	exact_link(x->g, BOUND_MIN, row->link, share);
	if (row->certain)
		mpq_add(x->certain, x->certain, share);
	exact_link_in(x->g, BOUND_MAX, row->link, x->room, share);
	mpq_add(x->possible, x->possible, share);
	mpq_clear(share);
}

/* share / (1 - stripped), at most 1; 0 where nothing is left to vote. */
static void divide(const struct strip *x, mpq_t share, const mpq_t stripped)
{
	mpq_t left;

	mpq_init(left);
	mpq_sub(left, x->whole, stripped);
	if (mpq_sgn(left) > 0)
		mpq_div(share, share, left);
	else
		mpq_set_ui(share, 0, 1);
	mpq_clear(left);
}

static void divide_capped(const struct strip *x, mpq_t share, const mpq_t stripped)
{
	divide(x, share, stripped);
	if (mpq_cmp(share, x->whole) > 0)
		mpq_set(share, x->whole);
}

/* Each end by itself: the least with all others that certainly vote, the greatest with as few as possible. */
static void vote(struct strip *x, struct graph_strip_row *row, mpq_t total_min, mpq_t total_max)
{
	bool overfull = x->g->flags[x->g->subject[row->link]] & COLUMN_OVERFULL;
	mpq_t min, max, others;

	mpq_inits(min, max, others, NULL);
	if (!row->certain) {
		exact_link_in(x->g, BOUND_MAX, row->link, x->room, max);
		mpq_set(others, x->possible);
		if (row->possible)
			mpq_sub(others, others, max);
		else
			exact_link(x->g, BOUND_MIN, row->link, min);
		if (overfull)
			divide(x, max, others);
		else
			divide_capped(x, max, others);
		divide(x, min, x->certain);
	}
	row->min = (double)exact_quad(min);
	row->max = (double)exact_quad(max);
	row->pct = (struct graph_pct){ pct_round_exact(min), pct_round_exact(max) };
	mpq_add(total_min, total_min, min);
	mpq_add(total_max, total_max, max);
	mpq_clears(min, max, others, NULL);
}

static void lay_remainder(struct strip *x, uint32_t subject)
{
	struct graph_strip *ret = x->ret;
	mpq_t room;

	mpq_init(room);
	exact_room(x->g, BOUND_MAX, subject, room);
	divide_capped(x, room, x->certain);
	ret->unexplained_pct.min = pct_round_exact(room);
	exact_room(x->g, BOUND_MIN, subject, room);
	divide_capped(x, room, x->possible);
	ret->unexplained_pct.max = pct_round_exact(room);
	if (!node_held(x->g, subject))
		ret->unexplained_pct = (struct graph_pct){ GRAPH_PCT_WHOLE, GRAPH_PCT_WHOLE };
	mpq_clear(room);
}

static void settle(struct strip *x, uint32_t subject)
{
	struct graph_strip *ret = x->ret;
	mpq_t total_min, total_max;

	mpq_inits(total_min, total_max, NULL);
	for (size_t i = 0; i < ret->count; i++)
		vote(x, &ret->rows[i], total_min, total_max);
	if (!(x->g->flags[subject] & COLUMN_OVERFULL) && mpq_cmp(total_max, x->whole) > 0)
		mpq_set(total_max, x->whole);
	ret->total_pct = (struct graph_pct){ pct_round_exact(total_min), pct_round_exact(total_max) };
	ret->stripped_pct = (struct graph_pct){ pct_round_exact(x->certain), pct_round_exact(x->possible) };
	lay_remainder(x, subject);
	mpq_clears(total_min, total_max, NULL);
}

enum err graph_strip_votes(const struct graph *g, struct graph_scratch *s, uint32_t subject, bool remainders, struct arena *a,
			   struct graph_strip *ret)
{
	struct strip x = { .g = g, .s = s, .a = a, .ret = ret };
	uint32_t first;
	enum err e;

	*ret = (struct graph_strip){ 0 };
	if (subject >= g->nodes)
		return ERR_INVALID;
	e = find_group(&x, subject, remainders);
	if (e != OK)
		return e;
	ret->count = graph_links_of_subject(g, subject, &first);
	ret->rows = arena_alloc(a, ret->count * sizeof(*ret->rows));
	if (!ret->rows)
		return ERR_NOMEM;
	mpq_inits(x.certain, x.possible, x.whole, x.room, NULL);
	exact_room(g, BOUND_MIN, subject, x.room);
	mpq_set_ui(x.whole, 1, 1);
	for (uint32_t i = 0; i < ret->count; i++) {
		ret->rows[i] = (struct graph_strip_row){ .link = first + i, .holder = g->holder[first + i] };
		decide(&x, &ret->rows[i]);
	}
	settle(&x, subject);
	mpq_clears(x.certain, x.possible, x.whole, x.room, NULL);
	return OK;
}

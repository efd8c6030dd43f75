/* What a subject's shares are once contingent instruments are exercised, in exact fractions (view.h says how). */
#include <stdlib.h>
#include <string.h>
#include "view_internal.h"

/* One column: the least and the greatest share of each piece. */
struct column {
	struct walk *w;
	uint32_t local;
	size_t first, n; /* pieces */
	mpq_t *low, *high;
	uint32_t *by_holder; /* pieces, sorted by holder, then place */
	mpq_t sum_low, sum_high; /* of all of them */
};

static void set_ratio(mpq_ptr q, struct graph_ratio r)
{
	mpq_set_ui(q, r.numerator, r.denominator);
	mpq_canonicalize(q);
}

static int compare_keys(const void *left, const void *right)
{
	uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;

	return l < r ? -1 : l > r;
}

static enum err sort_by_holder(struct column *c)
{
	uint64_t *keys = malloc(c->n * sizeof(*keys));

	if (!keys)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->n; i++)
		keys[i] = (uint64_t)c->w->pieces[c->first + i].holder << 32 | i;
	qsort(keys, c->n, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < c->n; i++)
		c->by_holder[i] = (uint32_t)keys[i];
	free(keys);
	return OK;
}

static uint32_t holder_at(const struct column *c, size_t rank)
{
	return c->w->pieces[c->first + c->by_holder[rank]].holder;
}

/* The pieces of a holder: ranks in by_holder, from *ret_first on, this many. */
static size_t pieces_of(const struct column *c, uint32_t holder, size_t *ret_first)
{
	size_t low = 0, high = c->n, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (holder_at(c, middle) < holder)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < c->n && holder_at(c, end) == holder; end++)
		;
	*ret_first = low;
	return end - low;
}

/* What a holder has: the sums of its pieces. */
static void sum_of(const struct column *c, size_t first, size_t n, mpq_ptr low, mpq_ptr high)
{
	mpq_set_ui(low, 0, 1);
	mpq_set_ui(high, 0, 1);
	for (size_t i = first; i < first + n; i++) {
		mpq_add(low, low, c->low[c->by_holder[i]]);
		mpq_add(high, high, c->high[c->by_holder[i]]);
	}
}

static void clamp_below(mpq_ptr value, mpq_srcptr bound)
{
	if (mpq_cmp(value, bound) < 0)
		mpq_set(value, bound);
}

static void clamp_above(mpq_ptr value, mpq_srcptr bound)
{
	if (mpq_cmp(value, bound) > 0)
		mpq_set(value, bound);
}

/* A holder's sums become `low` and `high`, in proportion: of its pieces what they have for certain, and what they may have beyond
 * (in the proportion of the former where all of it is certain). */
static void share_out(struct column *c, size_t first, size_t n, mpq_srcptr low, mpq_srcptr high)
{
	mpq_t was_low, width, certain, beyond, more;
	bool is_wide;

	mpq_inits(was_low, width, certain, beyond, more, NULL);
	sum_of(c, first, n, was_low, width);
	mpq_sub(c->sum_low, c->sum_low, was_low);
	mpq_add(c->sum_low, c->sum_low, low);
	mpq_sub(c->sum_high, c->sum_high, width);
	mpq_add(c->sum_high, c->sum_high, high);
	mpq_sub(width, width, was_low);
	is_wide = mpq_sgn(width) > 0;
	mpq_sub(beyond, high, low);
	if (mpq_sgn(was_low) > 0)
		mpq_div(certain, low, was_low);
	if (is_wide)
		mpq_div(beyond, beyond, width);
	else if (mpq_sgn(was_low) > 0)
		mpq_div(beyond, beyond, was_low);
	for (size_t i = first; i < first + n; i++) {
		uint32_t piece = c->by_holder[i];

		mpq_set(more, c->low[piece]);
		if (is_wide)
			mpq_sub(more, c->high[piece], c->low[piece]);
		mpq_mul(more, more, beyond);
		mpq_mul(c->low[piece], c->low[piece], certain);
		mpq_add(c->high[piece], c->low[piece], more);
	}
	mpq_clears(was_low, width, certain, beyond, more, NULL);
}

/* The most that a holder may have beside the others' minima, and no less than it has. */
static void cap(const struct column *c, mpq_srcptr low, mpq_ptr high)
{
	mpq_t room;

	mpq_init(room);
	mpq_set_ui(room, 1, 1);
	mpq_sub(room, room, c->sum_low);
	mpq_add(room, room, low);
	clamp_above(high, room);
	clamp_below(high, low);
	mpq_clear(room);
}

static void cap_all(struct column *c)
{
	mpq_t low, high;

	if (mpq_equal(c->sum_low, c->sum_high))
		return; /* no ranges */
	mpq_inits(low, high, NULL);
	for (size_t first = 0, n; first < c->n; first += n) {
		for (n = 1; first + n < c->n && holder_at(c, first + n) == holder_at(c, first); n++)
			;
		sum_of(c, first, n, low, high);
		cap(c, low, high);
		share_out(c, first, n, low, high);
	}
	mpq_clears(low, high, NULL);
}

/* The option's piece, which had nothing, gets this. */
static void give(struct column *c, size_t piece, mpq_srcptr low, mpq_srcptr high)
{
	mpq_set(c->low[piece], low);
	mpq_set(c->high[piece], high);
	mpq_add(c->sum_low, c->sum_low, low);
	mpq_add(c->sum_high, c->sum_high, high);
}

static enum err warn_of(struct column *c, enum graph_warning_code code, size_t piece)
{
	const uint32_t place = (uint32_t)(c->first + piece);

	return walk_warn(c->w, code, c->local, &place, 1);
}

/* p of the existing capital moves from the counterparty, at most what it holds. */
static enum err move_from(struct column *c, size_t piece, uint32_t counterparty, mpq_srcptr low, mpq_srcptr high)
{
	size_t first, n = counterparty == NONE ? 0 : pieces_of(c, counterparty, &first);
	mpq_t has_low, has_high, take_low, take_high;
	bool is_short;

	mpq_inits(has_low, has_high, take_low, take_high, NULL);
	if (n > 0) {
		sum_of(c, first, n, has_low, has_high);
		cap(c, has_low, has_high);
	}
	is_short = mpq_cmp(low, has_low) > 0 || mpq_cmp(high, has_high) > 0;
	mpq_set(take_low, low);
	clamp_above(take_low, has_low);
	mpq_set(take_high, high);
	clamp_above(take_high, has_high);
	if (n > 0) { /* its least is what the most that is taken leaves */
		mpq_sub(has_low, has_low, high);
		mpq_sub(has_high, has_high, low);
		if (mpq_sgn(has_low) < 0)
			mpq_set_ui(has_low, 0, 1);
		if (mpq_sgn(has_high) < 0)
			mpq_set_ui(has_high, 0, 1);
		share_out(c, first, n, has_low, has_high);
	}
	give(c, piece, take_low, take_high);
	mpq_clears(has_low, has_high, take_low, take_high, NULL);
	return is_short ? warn_of(c, GRAPH_WARNING_OPTION_SHORT, piece) : OK;
}

/* Nobody knows whose it was: it comes out of what nobody is recorded to hold. */
static enum err move_from_remainder(struct column *c, size_t piece, mpq_srcptr low, mpq_srcptr high)
{
	mpq_t take_low, take_high;

	mpq_inits(take_low, take_high, NULL);
	mpq_set_ui(take_low, 1, 1);
	mpq_sub(take_low, take_low, c->sum_high);
	mpq_set_ui(take_high, 1, 1);
	mpq_sub(take_high, take_high, c->sum_low);
	if (mpq_sgn(take_low) < 0)
		mpq_set_ui(take_low, 0, 1);
	if (mpq_sgn(take_high) < 0)
		mpq_set_ui(take_high, 0, 1);
	clamp_above(take_low, low);
	clamp_above(take_high, high);
	give(c, piece, take_low, take_high);
	mpq_clears(take_low, take_high, NULL);
	return warn_of(c, GRAPH_WARNING_COUNTERPARTY_UNKNOWN, piece);
}

static int compare_contingents(const void *left, const void *right)
{
	const struct contingent *l = left, *r = right;
	int order = memcmp(&l->id, &r->id, sizeof(l->id));

	return order != 0 ? order : l->place < r->place ? -1 : l->place > r->place;
}

static enum err exercise_options(struct column *c)
{
	mpq_t low, high;
	enum err e = OK;

	mpq_inits(low, high, NULL);
	qsort(c->w->contingents, c->w->n_contingents, sizeof(*c->w->contingents), compare_contingents);
	for (size_t i = 0; e == OK && i < c->w->n_contingents; i++) {
		const struct contingent *k = &c->w->contingents[i];
		const struct piece *p = &c->w->pieces[k->place];

		if (k->dilutive)
			continue;
		set_ratio(low, p->min);
		set_ratio(high, p->max);
		if (k->counterparty == NONE)
			e = move_from_remainder(c, k->place - c->first, low, high);
		else
			e = move_from(c, k->place - c->first, graph_view_local(c->w->view, k->counterparty), low, high);
	}
	mpq_clears(low, high, NULL);
	return e;
}

/* All dilutive instruments at once. */
static enum err exercise_warrants(struct column *c)
{
	mpq_t low, high, share;
	size_t warrants = 0;
	enum err e = OK;

	mpq_inits(low, high, share, NULL);
	for (size_t i = 0; i < c->w->n_contingents; i++) {
		const struct piece *p = &c->w->pieces[c->w->contingents[i].place];

		if (!c->w->contingents[i].dilutive)
			continue;
		warrants++;
		set_ratio(share, p->min);
		mpq_add(low, low, share);
		set_ratio(share, p->max);
		mpq_add(high, high, share);
	}
	if (mpq_cmp_ui(low, 1, 1) > 0) {
		c->w->view->over_exercised = c->w->view->nodes[c->local];
		e = ERR_RANGE;
	} else if (warrants > 0) {
		cap_all(c);
		mpq_set_ui(share, 1, 1);
		clamp_above(high, share);
		mpq_sub(low, share, low); /* what is left of a maximum */
		mpq_sub(high, share, high); /* of a minimum */
		for (size_t i = 0; i < c->n; i++) {
			mpq_mul(c->low[i], c->low[i], high);
			mpq_mul(c->high[i], c->high[i], low);
		}
		for (size_t i = 0; i < c->w->n_contingents; i++) {
			const struct contingent *k = &c->w->contingents[i];

			if (!k->dilutive)
				continue;
			set_ratio(c->low[k->place - c->first], c->w->pieces[k->place].min);
			set_ratio(c->high[k->place - c->first], c->w->pieces[k->place].max);
		}
	}
	mpq_clears(low, high, share, NULL);
	return e;
}

static enum err keep(struct column *c)
{
	struct walk *w = c->w;
	enum err e = walk_grow((void **)&w->big, &w->big_capacity, w->n_big + 2 * c->n, sizeof(*w->big));

	for (size_t i = 0; e == OK && i < c->n; i++) {
		struct piece *p = &w->pieces[c->first + i];

		p->min = (struct graph_ratio){ w->n_big, 0 };
		p->max = (struct graph_ratio){ w->n_big + 1, 0 };
		w->big[w->n_big++] = c->low[i][0];
		w->big[w->n_big++] = c->high[i][0];
		mpq_init(c->low[i]);
		mpq_init(c->high[i]);
	}
	return e;
}

enum err exercise_column(struct walk *w, uint32_t local, size_t first)
{
	struct column c = { .w = w, .local = local, .first = first, .n = w->view->n_stakes - first };
	enum err e;

	c.low = calloc(c.n, sizeof(*c.low));
	c.high = calloc(c.n, sizeof(*c.high));
	c.by_holder = calloc(c.n, sizeof(*c.by_holder));
	if (!c.low || !c.high || !c.by_holder) {
		free(c.low);
		free(c.high);
		free(c.by_holder);
		return ERR_NOMEM;
	}
	mpq_inits(c.sum_low, c.sum_high, NULL);
	for (size_t i = 0; i < c.n; i++) {
		mpq_init(c.low[i]);
		mpq_init(c.high[i]);
		if (w->view->stakes[first + i].exercised)
			continue; /* nothing yet */
		set_ratio(c.low[i], w->pieces[first + i].min);
		set_ratio(c.high[i], w->pieces[first + i].max);
		mpq_add(c.sum_low, c.sum_low, c.low[i]);
		mpq_add(c.sum_high, c.sum_high, c.high[i]);
	}
	e = sort_by_holder(&c);
	if (e == OK) {
		cap_all(&c);
		e = exercise_options(&c);
	}
	if (e == OK)
		e = exercise_warrants(&c);
	if (e == OK)
		e = keep(&c);
	for (size_t i = 0; i < c.n; i++) {
		mpq_clear(c.low[i]);
		mpq_clear(c.high[i]);
	}
	mpq_clears(c.sum_low, c.sum_high, NULL);
	free(c.low);
	free(c.high);
	free(c.by_holder);
	return e;
}

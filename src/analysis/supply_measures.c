/* Shares of rows and of groups of them, the greatest three, the leading country. */
#include "supply_internal.h"

#include <stdlib.h>

void supply_denominator(const struct supply_table *t, struct supply_span *ret)
{
	ret->known = t->n_placed > 0;
	mpq_set(ret->min, t->low);
	mpq_set(ret->max, t->high);
	if (t->n_open > 0)
		mpq_add(ret->max, ret->max, t->left);
}

/* part / (part + rest). Where both are 0: what it is as soon as there is anything at all, 1 or 0. */
static void fraction(mpq_t ret, const mpq_t part, const mpq_t rest, bool whole)
{
	mpq_t sum;

	mpq_init(sum);
	mpq_add(sum, part, rest);
	if (mpq_sgn(sum) > 0)
		mpq_div(ret, part, sum);
	else
		mpq_set_ui(ret, whole ? 1 : 0, 1);
	mpq_clear(sum);
}

void supply_share(const struct supply_table *t, const bool *member, struct supply_span *ret)
{
	mpq_t low[2], high[2]; /* of those that do not count, of those that do */
	bool open[2] = { false, false };

	ret->known = false;
	mpq_inits(low[0], low[1], high[0], high[1], NULL);
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct supply_cell *c = &t->rows[i].cell;
		int side = member[i] ? 1 : 0;

		if (!t->rows[i].placed)
			continue;
		mpq_add(low[side], low[side], c->low);
		mpq_add(high[side], high[side], c->high);
		open[side] = open[side] || c->open;
	}
	for (int side = 0; side < 2; side++)
		if (open[side])
			mpq_add(high[side], high[side], t->left);
	if (mpq_sgn(high[0]) > 0 || mpq_sgn(high[1]) > 0) {
		ret->known = true;
		fraction(ret->min, low[1], high[0], true);
		fraction(ret->max, high[1], low[0], false);
	}
	mpq_clears(low[0], low[1], high[0], high[1], NULL);
}

void supply_row_share(const struct supply_table *t, size_t row, struct supply_span *ret)
{
	struct supply_span total;

	ret->known = false;
	if (!t->rows[row].placed)
		return;
	supply_span_init(&total);
	supply_denominator(t, &total);
	if (mpq_sgn(total.max) > 0) {
		const struct supply_cell *c = &t->rows[row].cell;
		bool other_open = t->n_open > (c->open ? 1 : 0);

		ret->known = true;
		/* the rest at its most; what is left is in the total's maximum once, whoever is open */
		mpq_sub(total.max, total.max, c->high);
		if (c->open && !other_open)
			mpq_sub(total.max, total.max, t->left);
		fraction(ret->min, c->low, total.max, true);
		mpq_sub(total.min, total.min, c->low);
		mpq_set(total.max, c->high);
		if (c->open)
			mpq_add(total.max, total.max, t->left);
		fraction(ret->max, total.max, total.min, false);
	}
	supply_span_clear(&total);
}

enum err supply_set_share(const struct supply_table *t, const struct supply_set *s, int year, struct arena *a,
			  struct supply_span *ret, const uint16_t **ret_unlisted, size_t *ret_n_unlisted)
{
	size_t n, unlisted = 0;
	const uint16_t *countries = supply_set_countries(s, year, a, &n);
	uint16_t *missing = arena_alloc(a, n * sizeof(*missing));
	bool *member = arena_alloc(a, t->n_rows * sizeof(*member));
	const struct supply_row *other = supply_table_row(t, 0);

	ret->known = false;
	if (!countries || !missing || !member)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct supply_row *row = supply_table_row(t, countries[i]);

		if (row)
			member[row - t->rows] = true;
		else if (other)
			missing[unlisted++] = countries[i];
	}
	supply_share(t, member, ret);
	if (unlisted > 0 && ret->known) {
		struct supply_span with;

		supply_span_init(&with);
		member[other - t->rows] = true;
		supply_share(t, member, &with);
		mpq_set(ret->max, with.max);
		supply_span_clear(&with);
	}
	if (ret_unlisted) {
		*ret_unlisted = missing;
		*ret_n_unlisted = unlisted;
	}
	return OK;
}

/* A row's minimum share is low / whole, with the rest at its most. Where the whole is nothing it has all as soon as it has any. */
static void least_part(const struct supply_table *t, const struct supply_cell *c, const mpq_t all, mpq_t low, mpq_t whole)
{
	mpq_set(low, c->low);
	mpq_sub(whole, all, c->high);
	mpq_add(whole, whole, c->low);
	if (c->open && t->n_open == 1)
		mpq_sub(whole, whole, t->left);
	if (mpq_sgn(whole) == 0) {
		mpq_set_ui(low, 1, 1);
		mpq_set_ui(whole, 1, 1);
	}
}

long supply_leading(const struct supply_table *t)
{
	mpq_t low, whole, best_low, best_whole, ours, best;
	struct supply_span total;
	long leading = -1;

	mpq_inits(low, whole, best_low, best_whole, ours, best, NULL);
	supply_span_init(&total);
	supply_denominator(t, &total);
	for (size_t i = 0; i < t->n_rows && mpq_sgn(total.max) > 0; i++) {
		if (t->rows[i].scope != SUPPLY_COUNTRY || !t->rows[i].placed)
			continue;
		least_part(t, &t->rows[i].cell, total.max, low, whole);
		/* compared by products: quotients would be reduced, each at many times the cost */
		mpq_mul(ours, low, best_whole);
		mpq_mul(best, best_low, whole);
		if (leading >= 0 && mpq_cmp(ours, best) <= 0)
			continue;
		leading = (long)i;
		mpq_swap(low, best_low);
		mpq_swap(whole, best_whole);
	}
	mpq_clears(low, whole, best_low, best_whole, ours, best, NULL);
	supply_span_clear(&total);
	return leading;
}

enum err supply_greatest_outside(const struct supply_table *t, const struct supply_set *inside, int year, struct arena *a,
				 struct supply_span *ret)
{
	bool *is_free = arena_alloc(a, t->n_rows * sizeof(*is_free));
	struct supply_span share, total;
	struct supply_levels l;
	mpq_t level;
	enum err e;

	ret->known = false;
	if (!is_free)
		return ERR_NOMEM;
	supply_span_init(&share);
	supply_span_init(&total);
	mpq_init(level);
	supply_denominator(t, &total);
	for (size_t i = 0; i < t->n_rows; i++) {
		is_free[i] = t->rows[i].scope == SUPPLY_OTHER || supply_set_has(inside, t->rows[i].country, year);
		supply_row_share(t, i, &share);
		if (is_free[i] || !share.known)
			continue;
		if (!ret->known || mpq_cmp(share.max, ret->max) > 0)
			mpq_set(ret->max, share.max);
		ret->known = true;
	}
	/* at its least the greatest is at its minimum, and all others are as great as they can be without surpassing it */
	e = supply_levels_make(t, is_free, a, &l);
	if (e == OK && ret->known) {
		for (size_t i = 0; i < l.n; i++)
			if (mpq_cmp(*l.low[i], level) > 0)
				mpq_set(level, *l.low[i]);
		mpq_set(total.min, l.free);
		for (size_t i = 0; i < l.n; i++) {
			const mpq_t *q = supply_level(&l, i, level);

			mpq_add(total.min, total.min, q ? *q : level);
		}
		if (mpq_sgn(total.min) > 0)
			mpq_div(ret->min, level, total.min);
		else
			mpq_set_ui(ret->min, 1, l.positive);
	}
	supply_levels_clear(&l);
	supply_span_clear(&share);
	supply_span_clear(&total);
	mpq_clear(level);
	return e;
}

/* The sum of the three greatest shares of countries, between its ends. */
#include "supply_internal.h"

#include <stdlib.h>

#define THREE 3

/* The three greatest of what rows have at a level. */
static void sum_of_three(const struct supply_levels *l, const mpq_t level, mpq_t ret_three, mpq_t ret_all)
{
	const mpq_t *top[THREE] = { NULL, NULL, NULL };

	mpq_set(ret_all, l->free);
	mpq_set_ui(ret_three, 0, 1);
	for (size_t i = 0; i < l->n; i++) {
		const mpq_t *q = supply_level(l, i, level);

		q = q ? q : (const mpq_t *)level;
		mpq_add(ret_all, ret_all, *q);
		for (int k = 0; k < THREE && q; k++) {
			if (!top[k] || mpq_cmp(*q, *top[k]) > 0) {
				const mpq_t *moved = top[k];

				top[k] = q;
				q = moved;
			}
		}
	}
	for (int k = 0; k < THREE && top[k]; k++)
		mpq_add(ret_three, ret_three, *top[k]);
}

/* The least. Who is not among the three costs nothing up to the third's quantity; those above that are best at their minimum;
 * so all that can are at one level, at or above the third greatest minimum. Between ends the figure is monotone. */
static enum err least(const struct supply_levels *l, struct arena *a, mpq_t ret)
{
	size_t n;
	const mpq_t **ends = supply_level_ends(l, false, a, &n);
	mpq_t three, all, value;
	bool found = false;

	if (!ends)
		return ERR_NOMEM;
	mpq_inits(three, all, value, NULL);
	for (size_t i = 0; i < n; i++) {
		size_t above = 0;

		for (size_t k = 0; k < l->n && above < THREE; k++)
			above += mpq_cmp(*l->low[k], *ends[i]) > 0;
		if (above >= THREE)
			continue;
		sum_of_three(l, *ends[i], three, all);
		if (mpq_sgn(all) == 0)
			continue;
		mpq_div(value, three, all);
		if (!found || mpq_cmp(value, ret) < 0)
			mpq_set(ret, value);
		found = true;
		if (mpq_cmp(value, ret) > 0) /* it only rises from here */
			break;
	}
	if (!found)
		mpq_set_ui(ret, 0, 1);
	mpq_clears(three, all, value, NULL);
	return OK;
}

/* Who may be among the three, for the greatest. */
struct choice {
	const struct supply_table *t;
	size_t *rows; /* countries that have a share */
	size_t n;
	mpq_t *weight; /* by row: maximum + ratio * minimum */
};

static size_t pick(const struct choice *c, bool needs_open, size_t chosen[THREE])
{
	size_t n = 0, open = c->t->n_rows;
	bool has_open = false;

	for (size_t i = 0; i < c->n; i++) {
		size_t row = c->rows[i];

		if (c->t->rows[row].cell.open && (open == c->t->n_rows || mpq_cmp(c->weight[row], c->weight[open]) > 0))
			open = row;
		for (size_t k = 0; k < THREE && row < c->t->n_rows; k++) {
			if (k == n) {
				chosen[n++] = row;
				break;
			}
			if (mpq_cmp(c->weight[row], c->weight[chosen[k]]) > 0) {
				size_t moved = chosen[k];

				chosen[k] = row;
				row = moved;
			}
		}
	}
	for (size_t k = 0; k < n; k++)
		has_open = has_open || c->t->rows[chosen[k]].cell.open;
	if (needs_open && !has_open && open < c->t->n_rows)
		chosen[n - 1] = open;
	return n;
}

/* Dinkelbach's method on part / rest: the best three for a ratio give a greater ratio, until they give the same. */
static void greatest(struct choice *c, const mpq_t all_low, bool needs_open, mpq_t ret_part, mpq_t ret_rest)
{
	mpq_t ratio, part, rest;
	size_t chosen[THREE];

	mpq_inits(ratio, part, rest, NULL);
	mpq_set_ui(ret_part, 0, 1);
	mpq_set(ret_rest, all_low);
	for (bool first = true;; first = false) {
		size_t n;

		for (size_t i = 0; i < c->n; i++) {
			const struct supply_cell *cell = &c->t->rows[c->rows[i]].cell;

			mpq_mul(c->weight[c->rows[i]], ratio, cell->low);
			mpq_add(c->weight[c->rows[i]], c->weight[c->rows[i]], cell->high);
		}
		n = pick(c, needs_open, chosen);
		mpq_set_ui(part, 0, 1);
		mpq_set(rest, all_low);
		for (size_t k = 0; k < n; k++) {
			mpq_add(part, part, c->t->rows[chosen[k]].cell.high);
			mpq_sub(rest, rest, c->t->rows[chosen[k]].cell.low);
		}
		if (needs_open)
			mpq_add(part, part, c->t->left);
		mpq_set(ret_part, part);
		mpq_set(ret_rest, rest);
		if (mpq_sgn(rest) == 0)
			break;
		mpq_div(part, part, rest);
		if (!first && mpq_cmp(part, ratio) <= 0)
			break;
		mpq_swap(part, ratio);
	}
	mpq_clears(ratio, part, rest, NULL);
}

static enum err find_greatest(const struct supply_table *t, struct arena *a, const mpq_t all_low, mpq_t ret)
{
	struct choice c = { .t = t };
	mpq_t part, rest;
	bool open = false;

	c.rows = arena_alloc(a, t->n_rows * sizeof(*c.rows));
	c.weight = arena_alloc(a, t->n_rows * sizeof(*c.weight));
	if (!c.rows || !c.weight)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->n_rows; i++) {
		if (!t->rows[i].placed || t->rows[i].scope != SUPPLY_COUNTRY)
			continue;
		open = open || t->rows[i].cell.open;
		mpq_init(c.weight[i]);
		c.rows[c.n++] = i;
	}
	mpq_inits(part, rest, NULL);
	mpq_set_ui(ret, 0, 1);
	for (int needs_open = 0; needs_open < (open ? 2 : 1); needs_open++) {
		greatest(&c, all_low, needs_open == 1, part, rest);
		mpq_add(rest, rest, part);
		if (mpq_sgn(rest) > 0) {
			mpq_div(part, part, rest);
			if (mpq_cmp(part, ret) > 0)
				mpq_set(ret, part);
		}
	}
	for (size_t i = 0; i < c.n; i++)
		mpq_clear(c.weight[c.rows[i]]);
	mpq_clears(part, rest, NULL);
	return OK;
}

enum err supply_top3(const struct supply_table *t, struct arena *a, struct supply_span *ret)
{
	bool *is_free = arena_alloc(a, t->n_rows * sizeof(*is_free));
	struct supply_span total;
	struct supply_levels l;
	enum err e = OK;

	ret->known = false;
	if (!is_free)
		return ERR_NOMEM;
	supply_span_init(&total);
	supply_denominator(t, &total);
	if (total.known && mpq_sgn(total.max) > 0) {
		for (size_t i = 0; i < t->n_rows; i++)
			is_free[i] = t->rows[i].scope == SUPPLY_OTHER;
		e = supply_levels_make(t, is_free, a, &l);
		if (e == OK)
			e = least(&l, a, ret->min);
		supply_levels_clear(&l);
		if (e == OK && !supply_has_range(t))
			mpq_set(ret->max, ret->min);
		else if (e == OK)
			e = find_greatest(t, a, total.min, ret->max);
		ret->known = e == OK;
	}
	supply_span_clear(&total);
	return e;
}

/* Least values. What is least at unequal rows being small is found by raising rows to one level: see supply_hhi.c. */
#include "supply_internal.h"

#include <stdlib.h>

bool supply_has_range(const struct supply_table *t)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct supply_row *row = &t->rows[i];

		if (row->placed && (row->cell.open || !mpq_equal(row->cell.low, row->cell.high)))
			return true;
	}
	return false;
}

static int by_value(const void *a, const void *b)
{
	const mpq_t *const *x = a, *const *y = b;

	return mpq_cmp(**x, **y);
}

/* Raises the lowest of the open rows together until `left` is used up. */
static enum err pour(const struct supply_table *t, struct supply_levels *l, const bool *open, struct arena *a)
{
	const mpq_t **tops = arena_alloc(a, l->n * sizeof(*tops));
	size_t n = 0, used = 0;
	mpq_t level, sum, number;

	if (!tops)
		return ERR_NOMEM;
	for (size_t i = 0; i < l->n; i++)
		if (open[i])
			tops[n++] = (const mpq_t *)&l->cap[i];
	if (n == 0)
		return OK;
	qsort(tops, n, sizeof(*tops), by_value);
	mpq_inits(level, sum, number, NULL);
	mpq_set(sum, t->left); /* plus the tops of those raised, by their number, is the level */
	do {
		mpq_add(sum, sum, *tops[used++]);
		mpq_set_ui(number, used, 1);
		mpq_div(level, sum, number);
	} while (used < n && mpq_cmp(level, *tops[used]) > 0);
	for (size_t i = 0; i < l->n; i++)
		if (open[i] && mpq_cmp(l->cap[i], level) < 0)
			mpq_set(l->cap[i], level);
	mpq_clears(level, sum, number, NULL);
	return OK;
}

/* Tables are long and few of their rows move: searches look at these alone. */
static enum err find_moving(struct supply_levels *l, struct arena *a)
{
	mpq_t square;

	l->moving = arena_alloc(a, l->n * sizeof(*l->moving));
	if (!l->moving)
		return ERR_NOMEM;
	mpq_init(square);
	for (size_t i = 0; i < l->n; i++) {
		l->positive += mpq_sgn(l->cap[i]) > 0;
		if (!mpq_equal(*l->low[i], l->cap[i])) {
			l->moving[l->n_moving++] = i;
			continue;
		}
		mpq_add(l->fixed, l->fixed, l->cap[i]);
		mpq_mul(square, l->cap[i], l->cap[i]);
		mpq_add(l->fixed_squares, l->fixed_squares, square);
	}
	mpq_clear(square);
	return OK;
}

enum err supply_levels_make(const struct supply_table *t, const bool *is_free, struct arena *a, struct supply_levels *ret)
{
	bool *open = arena_alloc(a, t->n_rows * sizeof(*open)), free_open = false;
	enum err e = OK;

	*ret = (struct supply_levels){ 0 };
	mpq_inits(ret->free, ret->fixed, ret->fixed_squares, NULL);
	ret->low = arena_alloc(a, t->n_rows * sizeof(*ret->low));
	ret->cap = arena_alloc(a, t->n_rows * sizeof(*ret->cap));
	if (!open || !ret->low || !ret->cap)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct supply_cell *c = &t->rows[i].cell;

		if (!t->rows[i].placed)
			continue;
		if (is_free[i]) {
			mpq_add(ret->free, ret->free, c->high);
			free_open = free_open || c->open;
			continue;
		}
		open[ret->n] = c->open;
		ret->low[ret->n] = &c->low;
		mpq_init(ret->cap[ret->n]);
		mpq_set(ret->cap[ret->n++], c->high);
	}
	/* where a free row is open, everything goes to it: there it does not count */
	if (free_open)
		mpq_add(ret->free, ret->free, t->left);
	else
		e = pour(t, ret, open, a);
	return e == OK ? find_moving(ret, a) : e;
}

void supply_levels_clear(struct supply_levels *l)
{
	for (size_t i = 0; i < l->n; i++)
		mpq_clear(l->cap[i]);
	mpq_clears(l->free, l->fixed, l->fixed_squares, NULL);
}

const mpq_t *supply_level(const struct supply_levels *l, size_t i, const mpq_t level)
{
	if (mpq_cmp(level, *l->low[i]) <= 0)
		return l->low[i];
	return mpq_cmp(level, l->cap[i]) >= 0 ? (const mpq_t *)&l->cap[i] : NULL;
}

const mpq_t **supply_level_ends(const struct supply_levels *l, bool moving, struct arena *a, size_t *ret_n)
{
	const mpq_t **ends = arena_alloc(a, 2 * l->n * sizeof(*ends));
	size_t n = 0, distinct = 0;

	if (!ends)
		return NULL;
	for (size_t k = 0; k < (moving ? l->n_moving : l->n); k++) {
		size_t i = moving ? l->moving[k] : k;

		ends[n++] = l->low[i];
		ends[n++] = (const mpq_t *)&l->cap[i];
	}
	if (n > 0)
		qsort(ends, n, sizeof(*ends), by_value);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !mpq_equal(*ends[i], *ends[distinct - 1]))
			ends[distinct++] = ends[i];
	*ret_n = distinct;
	return ends;
}

/* The Herfindahl-Hirschman index between its ends.
 *
 * It is |q|^2 / (sum q)^2 of the quantities q, and its root a norm over a positive linear form, so it is quasi-convex: the
 * greatest lies where each quantity is at an end and all that the world leaves is with one row or none; the least is where all
 * that can are at one level, for the index falls while a quantity below sum(q^2) / sum(q) grows, and rises above. */
#include "supply_internal.h"

#include <stdlib.h>

#define RANGES_MOST 16 /* rows between two ends of which every combination is looked at */
#define CANDIDATES_MOST 64 /* of as good as the same value in doubles, which are looked at exactly */
#define NEARLY 1e-9

const char *const supply_class_names[] = { NULL, "low", "moderate", "high" };

enum supply_class supply_classify(const struct supply_span *hhi, enum supply_guideline guideline)
{
	static const unsigned long borders[][2] = { { 1000, 1800 }, { 1500, 2500 } };
	const mpq_t *ends[2] = { (const mpq_t *)&hhi->min, (const mpq_t *)&hhi->max };
	enum supply_class of[2];

	if (!hhi->known)
		return SUPPLY_CLASS_NONE;
	for (int i = 0; i < 2; i++)
		of[i] = mpq_cmp_ui(*ends[i], borders[guideline][0], 1) < 0    ? SUPPLY_LOW
			: mpq_cmp_ui(*ends[i], borders[guideline][1], 1) <= 0 ? SUPPLY_MODERATE
									      : SUPPLY_HIGH;
	return of[0] == of[1] ? of[0] : SUPPLY_CLASS_NONE;
}

/* squares / sum^2, as the index is told. sum > 0. */
static void index_of(mpq_t ret, const mpq_t squares, const mpq_t sum)
{
	mpq_t square;

	mpq_init(square);
	mpq_mul(square, sum, sum);
	mpq_div(ret, squares, square);
	mpq_set_ui(square, 10000, 1);
	mpq_mul(ret, ret, square);
	mpq_clear(square);
}

/* Sums of all rows at a level. */
static void sums_at(const struct supply_levels *l, const mpq_t level, mpq_t squares, mpq_t sum)
{
	mpq_t square;

	mpq_init(square);
	mpq_set(squares, l->fixed_squares);
	mpq_add(sum, l->free, l->fixed);
	for (size_t k = 0; k < l->n_moving; k++) {
		const mpq_t *q = supply_level(l, l->moving[k], level);

		mpq_mul(square, q ? *q : level, q ? *q : level);
		mpq_add(squares, squares, square);
		mpq_add(sum, sum, q ? *q : level);
	}
	mpq_clear(square);
}

/* Whether raising beyond the level no longer lessens the index: level * sum >= squares. */
static bool is_enough(const struct supply_levels *l, const mpq_t level, mpq_t squares, mpq_t sum)
{
	mpq_t product;
	bool enough;

	mpq_init(product);
	sums_at(l, level, squares, sum);
	mpq_mul(product, level, sum);
	enough = mpq_cmp(product, squares) >= 0;
	mpq_clear(product);
	return enough;
}

/* Between two neighbouring ends the rows that move are at the level, and the best level is squares / sum of those that do not. */
static void between(const struct supply_levels *l, const mpq_t from, const mpq_t to, mpq_t ret_level)
{
	mpq_t squares, sum, square;

	mpq_inits(squares, sum, square, NULL);
	mpq_set(squares, l->fixed_squares);
	mpq_add(sum, l->free, l->fixed);
	for (size_t k = 0; k < l->n_moving; k++) {
		size_t i = l->moving[k];
		const mpq_t *q = mpq_cmp(*l->low[i], to) >= 0    ? l->low[i]
				 : mpq_cmp(l->cap[i], from) <= 0 ? (const mpq_t *)&l->cap[i]
								 : NULL;

		if (!q)
			continue;
		mpq_mul(square, *q, *q);
		mpq_add(squares, squares, square);
		mpq_add(sum, sum, *q);
	}
	if (mpq_sgn(sum) > 0)
		mpq_div(ret_level, squares, sum);
	else
		mpq_set(ret_level, to);
	mpq_clears(squares, sum, square, NULL);
}

/* The least. false: there is nothing at all. */
static enum err least(const struct supply_levels *l, struct arena *a, mpq_t ret)
{
	size_t n, first = 0, last;
	const mpq_t **ends = supply_level_ends(l, true, a, &n);
	mpq_t level, squares, sum;

	if (!ends)
		return ERR_NOMEM;
	mpq_inits(level, squares, sum, NULL);
	/* the first end at which it is enough; where none is, all are at their caps */
	for (last = n; first < last;) {
		size_t middle = first + (last - first) / 2;

		if (is_enough(l, *ends[middle], squares, sum))
			last = middle;
		else
			first = middle + 1;
	}
	if (n > 0 && first == n)
		mpq_set(level, *ends[n - 1]);
	else if (n > 0 && first == 0)
		mpq_set(level, *ends[0]);
	else if (n > 0)
		between(l, *ends[first - 1], *ends[first], level);
	sums_at(l, level, squares, sum);
	if (mpq_sgn(sum) > 0)
		index_of(ret, squares, sum);
	else /* all minima are 0: any that can be above it, all alike */
		mpq_set_ui(ret, 10000, l->positive);
	mpq_canonicalize(ret);
	mpq_clears(level, squares, sum, NULL);
	return OK;
}

/* The greatest: which rows between two ends are at their maximum, and which open row has all that is left. */
struct corner {
	uint32_t high; /* bits, of the ranges looked at */
	long open; /* the row, -1: none */
	double value;
};

struct corners {
	const struct supply_table *t;
	size_t ranges[RANGES_MOST]; /* rows */
	size_t n_ranges;
	bool *more; /* rows beyond those: they count with the maximum above and the minimum below */
	struct corner *best;
	size_t n_best;
	double greatest;
};

static void keep(struct corners *c, uint32_t high, long open, double squares, double sum)
{
	double value = sum > 0 ? squares / (sum * sum) : 0;

	if (value > c->greatest)
		c->greatest = value;
	if (value < c->greatest * (1 - NEARLY))
		return;
	if (c->n_best == CANDIDATES_MOST) {
		size_t kept = 0;

		for (size_t i = 0; i < c->n_best; i++)
			if (c->best[i].value >= c->greatest * (1 - NEARLY))
				c->best[kept++] = c->best[i];
		c->n_best = kept;
	}
	if (c->n_best < CANDIDATES_MOST)
		c->best[c->n_best++] = (struct corner){ .high = high, .open = open, .value = value };
}

/* Every combination of ends for one open row, in an order in which neighbours differ in one. */
static void look(struct corners *c, const double (*row)[2], long open, double left, double squares, double sum)
{
	uint32_t high = 0;

	if (open >= 0 && left > 0) {
		squares += left * (left + 2 * row[open][0]);
		sum += left;
	}
	keep(c, high, open, squares, sum);
	for (uint32_t step = 1; step < 1u << c->n_ranges; step++) {
		unsigned bit = (unsigned)__builtin_ctz(step);
		size_t r = c->ranges[bit];
		double extra = (long)r == open ? left : 0, low = row[r][0] + extra, top = row[r][1] + extra;
		double sign = high & 1u << bit ? -1 : 1;

		squares += sign * (top * top - low * low);
		sum += sign * (top - low);
		high ^= 1u << bit;
		keep(c, high, open, squares, sum);
	}
}

static void exactly(const struct corners *c, const struct corner *corner, mpq_t ret)
{
	mpq_t squares, sum, q;

	mpq_inits(squares, sum, q, NULL);
	for (size_t i = 0; i < c->t->n_rows; i++) {
		const struct supply_row *row = &c->t->rows[i];
		bool high = false;

		if (!row->placed)
			continue;
		for (size_t k = 0; k < c->n_ranges; k++)
			high = high || (c->ranges[k] == i && corner->high & 1u << k);
		mpq_set(q, high ? row->cell.high : row->cell.low);
		if ((long)i == corner->open)
			mpq_add(q, q, c->t->left);
		mpq_add(sum, sum, q);
		if (c->more[i]) {
			mpq_sub(q, q, row->cell.low);
			mpq_add(q, q, row->cell.high);
		}
		mpq_mul(q, q, q);
		mpq_add(squares, squares, q);
	}
	mpq_set_ui(ret, 0, 1);
	if (mpq_sgn(sum) > 0)
		index_of(ret, squares, sum);
	mpq_clears(squares, sum, q, NULL);
}

/* Fills in the rows between two ends: those with the greatest maxima where they are too many. */
static void find_ranges(struct corners *c)
{
	for (size_t i = 0; i < c->t->n_rows; i++) {
		const struct supply_row *row = &c->t->rows[i];
		size_t place = c->n_ranges;

		if (!row->placed || mpq_equal(row->cell.low, row->cell.high))
			continue;
		for (size_t k = 0; c->n_ranges == RANGES_MOST && k < c->n_ranges; k++)
			if (place == RANGES_MOST ||
			    mpq_cmp(c->t->rows[c->ranges[k]].cell.high, c->t->rows[c->ranges[place]].cell.high) < 0)
				place = k;
		if (c->n_ranges < RANGES_MOST) {
			c->ranges[c->n_ranges++] = i;
		} else if (mpq_cmp(row->cell.high, c->t->rows[c->ranges[place]].cell.high) > 0) {
			c->more[c->ranges[place]] = true;
			c->ranges[place] = i;
		} else {
			c->more[i] = true;
		}
	}
}

/* Rows that are open and not between two ends differ in their minimum alone: only the greatest of them matters. */
static bool is_worth(const struct supply_table *t, size_t open)
{
	const struct supply_cell *c = &t->rows[open].cell;

	if (!t->rows[open].placed || !c->open)
		return false;
	for (size_t i = 0; mpq_equal(c->low, c->high) && i < t->n_rows; i++) {
		const struct supply_cell *o = &t->rows[i].cell;
		int order;

		if (i == open || !t->rows[i].placed || !o->open || !mpq_equal(o->low, o->high))
			continue;
		order = mpq_cmp(o->low, c->low);
		if (order > 0 || (order == 0 && i < open))
			return false;
	}
	return true;
}

static enum err greatest(const struct supply_table *t, struct arena *a, mpq_t ret, bool *ret_exact)
{
	struct corners c = { .t = t };
	double(*row)[2] = arena_alloc(a, t->n_rows * sizeof(*row)), left = mpq_get_d(t->left), squares = 0, sum = 0;
	mpq_t value;

	c.more = arena_alloc(a, t->n_rows * sizeof(*c.more));
	c.best = arena_alloc(a, CANDIDATES_MOST * sizeof(*c.best));
	if (!row || !c.more || !c.best)
		return ERR_NOMEM;
	find_ranges(&c);
	*ret_exact = true;
	for (size_t i = 0; i < t->n_rows; i++) {
		row[i][0] = mpq_get_d(t->rows[i].cell.low);
		row[i][1] = mpq_get_d(t->rows[i].cell.high);
		if (!t->rows[i].placed)
			continue;
		*ret_exact = *ret_exact && !c.more[i];
		squares += row[i][c.more[i]] * row[i][c.more[i]];
		sum += row[i][0];
	}
	look(&c, row, -1, 0, squares, sum);
	for (size_t i = 0; i < t->n_rows; i++)
		if (is_worth(t, i))
			look(&c, row, (long)i, left, squares, sum);
	mpq_init(value);
	mpq_set_ui(ret, 0, 1);
	for (size_t i = 0; i < c.n_best; i++) {
		if (c.best[i].value < c.greatest * (1 - NEARLY))
			continue;
		exactly(&c, &c.best[i], value);
		if (mpq_cmp(value, ret) > 0)
			mpq_set(ret, value);
	}
	mpq_clear(value);
	if (mpq_cmp_ui(ret, 10000, 1) > 0)
		mpq_set_ui(ret, 10000, 1);
	return OK;
}

/* Where all is known: other countries' square is all that makes a difference. */
static void without_ranges(const struct supply_table *t, struct supply_span *ret)
{
	mpq_t squares, others, square;

	mpq_inits(squares, others, square, NULL);
	for (size_t i = 0; i < t->n_rows; i++) {
		mpq_t *sum = t->rows[i].scope == SUPPLY_OTHER ? &others : &squares;

		if (!t->rows[i].placed)
			continue;
		mpq_mul(square, t->rows[i].cell.low, t->rows[i].cell.low);
		mpq_add(*sum, *sum, square);
	}
	index_of(ret->min, squares, t->low);
	mpq_add(squares, squares, others);
	index_of(ret->max, squares, t->low);
	ret->known = true;
	mpq_clears(squares, others, square, NULL);
}

enum err supply_hhi(const struct supply_table *t, struct arena *a, struct supply_span *ret, bool *ret_exact)
{
	struct supply_span total;
	struct supply_levels l;
	bool *is_free = arena_alloc(a, t->n_rows * sizeof(*is_free));
	enum err e = OK;

	*ret_exact = true;
	ret->known = false;
	if (!is_free)
		return ERR_NOMEM;
	supply_span_init(&total);
	supply_denominator(t, &total);
	if (total.known && mpq_sgn(total.max) > 0 && !supply_has_range(t)) {
		without_ranges(t, ret);
	} else if (total.known && mpq_sgn(total.max) > 0) {
		for (size_t i = 0; i < t->n_rows; i++)
			is_free[i] = t->rows[i].scope == SUPPLY_OTHER;
		e = supply_levels_make(t, is_free, a, &l);
		if (e == OK)
			e = least(&l, a, ret->min);
		supply_levels_clear(&l);
		if (e == OK)
			e = greatest(t, a, ret->max, ret_exact);
		ret->known = e == OK;
	}
	supply_span_clear(&total);
	return e;
}

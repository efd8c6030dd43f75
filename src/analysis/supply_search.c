/* The search itself. What may vary is a list of variables between two ends. Points are looked at in long doubles; what counts in the
 * end is the exact figure of the best. A change, and what gives way to what, have no simpler form: their extremes can lie anywhere on
 * the border of what is allowed. */
#include "supply_search.h"

#include <math.h>

#define STARTS_MOST 4096 /* combinations of ends, and of middles, of which all are looked at */
#define KEPT 6 /* of the starts, to climb from */
#define SWEEPS_MOST 40
#define GOLDEN_STEPS 60
#define GOLDEN_HOPE 10 /* steps after which there must be something better than the grid's best */

enum variable_kind { OF_ROW, OF_OPEN, OF_USE, OF_CAPACITY, OF_OLD };

struct variable {
	enum variable_kind kind;
	size_t index; /* of the row or part */
	const mpq_t *ends[2];
	long double low, high;
};

struct search {
	const struct model *m;
	enum model_measure measure;
	bool displace, change;
	int sign; /* 1: the greatest is looked for, -1: the least */
	struct variable *variables;
	size_t n, n_open; /* open rows come last */
	long double left;
	mpq_t none;
	/* the model in long doubles, and a state of it */
	long double *low, *q, *after, *capacity, *old, use;
	long double *kept[KEPT], value[KEPT]; /* best first */
	long double *from; /* a line's */
	size_t n_kept;
};

static long double number(const mpq_t exact)
{
	double high = mpq_get_d(exact), low;
	mpq_t rest;

	mpq_init(rest);
	mpq_set_d(rest, high);
	mpq_sub(rest, exact, rest);
	low = mpq_get_d(rest);
	mpq_clear(rest);
	return (long double)high + (long double)low;
}

static void exact_number(long double value, mpq_t ret)
{
	double high = (double)value;
	mpq_t low;

	mpq_init(low);
	mpq_set_d(ret, high);
	mpq_set_d(low, (double)(value - (long double)high));
	mpq_add(ret, ret, low);
	mpq_clear(low);
}

static void add_variable(struct search *s, enum variable_kind kind, size_t index, const mpq_t *low, const mpq_t *high)
{
	if (mpq_equal(*low, *high) && kind != OF_OPEN)
		return;
	s->variables[s->n++] = (struct variable){
		.kind = kind, .index = index, .ends = { low, high }, .low = number(*low), .high = number(*high)
	};
}

static bool search_init(struct search *s, struct arena *a)
{
	const struct model *m = s->m;

	s->variables = arena_alloc(a, (2 * m->n_rows + 2 * m->n_parts + 1) * sizeof(*s->variables));
	s->low = arena_alloc(a, m->n_rows * sizeof(*s->low));
	s->q = arena_alloc(a, m->n_rows * sizeof(*s->q));
	s->after = arena_alloc(a, m->n_rows * sizeof(*s->after));
	s->capacity = arena_alloc(a, m->n_parts * sizeof(*s->capacity));
	s->old = arena_alloc(a, m->n_parts * sizeof(*s->old));
	if (!s->variables || !s->low || !s->q || !s->after || !s->capacity || !s->old)
		return false;
	s->left = number(m->left);
	add_variable(s, OF_USE, 0, (const mpq_t *)&m->use[0], (const mpq_t *)&m->use[1]);
	for (size_t i = 0; i < m->n_parts; i++) {
		const struct model_part *p = &m->parts[i];

		add_variable(s, OF_CAPACITY, i, (const mpq_t *)&p->capacity[0], (const mpq_t *)&p->capacity[1]);
		add_variable(s, OF_OLD, i, (const mpq_t *)&p->old[0], (const mpq_t *)&p->old[1]);
		s->capacity[i] = number(p->capacity[0]);
		s->old[i] = number(p->old[0]);
	}
	s->use = number(m->use[0]);
	for (size_t i = 0; i < m->n_rows; i++) {
		add_variable(s, OF_ROW, i, (const mpq_t *)&m->rows[i].low, (const mpq_t *)&m->rows[i].high);
		s->low[i] = number(m->rows[i].low);
	}
	for (size_t i = 0; i < m->n_rows; i++) {
		if (!m->rows[i].open || mpq_sgn(m->left) == 0)
			continue;
		add_variable(s, OF_OPEN, i, (const mpq_t *)&s->none, (const mpq_t *)&m->left);
		s->n_open++;
	}
	s->from = arena_alloc(a, s->n * sizeof(*s->from));
	for (size_t i = 0; i < KEPT; i++) {
		s->kept[i] = arena_alloc(a, s->n * sizeof(*s->kept[i]));
		if (!s->from || !s->kept[i])
			return false;
	}
	return true;
}

/* --- a point in long doubles --- */

static void place(struct search *s, const long double *x)
{
	for (size_t i = 0; i < s->m->n_rows; i++)
		s->q[i] = s->low[i];
	for (size_t i = 0; i < s->n; i++) {
		const struct variable *v = &s->variables[i];

		if (v->kind == OF_ROW)
			s->q[v->index] = x[i];
		else if (v->kind == OF_OPEN) /* behind the row's own */
			s->q[v->index] += x[i];
		else if (v->kind == OF_CAPACITY)
			s->capacity[v->index] = x[i];
		else if (v->kind == OF_OLD)
			s->old[v->index] = x[i];
		else
			s->use = x[i];
	}
}

static void plants(struct search *s)
{
	const struct model *m = s->m;
	long double gives = 0, list = 0;

	for (size_t i = 0; i < m->n_rows; i++) {
		s->after[i] = s->q[i];
		list += m->rows[i].listed ? s->q[i] : 0;
	}
	for (size_t i = 0; i < m->n_parts; i++) {
		const struct model_part *p = &m->parts[i];

		s->after[p->row] += s->use * s->capacity[i];
		if (p->replaced != MODEL_NONE)
			s->after[p->replaced] -= s->use * s->old[i];
		if (!p->listed)
			gives += s->use * (s->capacity[i] - s->old[i]);
	}
	if (gives > list)
		gives = list;
	for (size_t i = 0; i < m->n_rows; i++) {
		if (s->displace && gives > 0 && m->rows[i].listed)
			s->after[i] -= gives * (s->q[i] / list);
		if (s->after[i] < 0)
			s->after[i] = 0;
	}
}

/* The figure of quantities; `others` says how other countries count. NAN: there is nothing. */
static long double figure(const struct search *s, const long double *q, bool others)
{
	const struct model *m = s->m;
	long double total = 0, part = 0;

	for (size_t i = 0; i < m->n_rows; i++) {
		const struct model_row *r = &m->rows[i];

		total += q[i];
		if (s->measure == MODEL_HHI)
			part += !r->other || others ? q[i] * q[i] : 0;
		else if (r->other)
			part += others ? q[i] : 0;
		else if (s->measure == MODEL_LIST ? r->listed : r->allied)
			part += q[i];
	}
	if (!(total > 0))
		return NAN;
	return s->measure == MODEL_HHI ? 10000 * part / (total * total) : part / total;
}

static bool has_others(const struct search *s)
{
	return s->measure == MODEL_HHI || (s->measure == MODEL_LIST ? s->m->list_unlisted : s->m->alliance_unlisted);
}

/* How far it is in the direction looked for, at the better of both ways to count other countries. */
static long double look(struct search *s, const long double *x)
{
	long double best = -INFINITY;

	place(s, x);
	plants(s);
	for (int others = 0; others <= has_others(s); others++) {
		long double after = figure(s, s->after, others);
		long double value = s->change ? after - figure(s, s->q, others) : after;

		if (!isnan(value) && value * s->sign > best)
			best = value * s->sign;
	}
	return best;
}

/* --- the same exactly --- */

struct state {
	mpq_t *q, *after, *capacity, *old, use;
};

static void exact_plants(const struct search *s, struct state *at)
{
	const struct model *m = s->m;
	mpq_t gives, list, product;

	mpq_inits(gives, list, product, NULL);
	for (size_t i = 0; i < m->n_rows; i++) {
		mpq_set(at->after[i], at->q[i]);
		if (m->rows[i].listed)
			mpq_add(list, list, at->q[i]);
	}
	for (size_t i = 0; i < m->n_parts; i++) {
		const struct model_part *p = &m->parts[i];

		mpq_mul(product, at->use, at->capacity[i]);
		mpq_add(at->after[p->row], at->after[p->row], product);
		if (!p->listed)
			mpq_add(gives, gives, product);
		mpq_mul(product, at->use, at->old[i]);
		if (p->replaced != MODEL_NONE)
			mpq_sub(at->after[p->replaced], at->after[p->replaced], product);
		if (!p->listed)
			mpq_sub(gives, gives, product);
	}
	if (mpq_cmp(gives, list) > 0)
		mpq_set(gives, list);
	if (s->displace && mpq_sgn(gives) > 0)
		mpq_div(gives, gives, list); /* the part of each that makes way */
	for (size_t i = 0; i < m->n_rows; i++) {
		if (s->displace && mpq_sgn(gives) > 0 && m->rows[i].listed) {
			mpq_mul(product, gives, at->q[i]);
			mpq_sub(at->after[i], at->after[i], product);
		}
		if (mpq_sgn(at->after[i]) < 0)
			mpq_set_ui(at->after[i], 0, 1);
	}
	mpq_clears(gives, list, product, NULL);
}

static bool exact_figure(const struct search *s, mpq_t *q, bool others, mpq_t ret)
{
	const struct model *m = s->m;
	mpq_t total, value;
	bool known;

	mpq_inits(total, value, NULL);
	mpq_set_ui(ret, 0, 1);
	for (size_t i = 0; i < m->n_rows; i++) {
		const struct model_row *r = &m->rows[i];
		bool counts = r->other                   ? others
			      : s->measure == MODEL_HHI  ? true
			      : s->measure == MODEL_LIST ? r->listed
							 : r->allied;

		mpq_add(total, total, q[i]);
		if (!counts)
			continue;
		if (s->measure == MODEL_HHI)
			mpq_mul(value, q[i], q[i]);
		else
			mpq_set(value, q[i]);
		mpq_add(ret, ret, value);
	}
	known = mpq_sgn(total) > 0;
	if (known)
		mpq_div(ret, ret, total);
	if (known && s->measure == MODEL_HHI) {
		mpq_div(ret, ret, total);
		mpq_set_ui(value, 10000, 1);
		mpq_mul(ret, ret, value);
	}
	mpq_clears(total, value, NULL);
	return known;
}

/* The variable's exact value: an end where it is there. `left` is what open rows may still have. */
static void exact_value(const struct variable *v, long double x, mpq_t left, mpq_t ret)
{
	if (x <= v->low)
		mpq_set(ret, *v->ends[0]);
	else if (x >= v->high)
		mpq_set(ret, *v->ends[1]);
	else
		exact_number(x, ret);
	if (mpq_cmp(ret, *v->ends[0]) < 0)
		mpq_set(ret, *v->ends[0]);
	if (mpq_cmp(ret, *v->ends[1]) > 0)
		mpq_set(ret, *v->ends[1]);
	if (v->kind != OF_OPEN)
		return;
	if (mpq_cmp(ret, left) > 0)
		mpq_set(ret, left);
	mpq_sub(left, left, ret);
}

static void exact_place(const struct search *s, const long double *x, struct state *at)
{
	const struct model *m = s->m;
	mpq_t value, left;

	mpq_inits(value, left, NULL);
	mpq_set(left, m->left);
	mpq_set(at->use, m->use[0]);
	for (size_t i = 0; i < m->n_rows; i++)
		mpq_set(at->q[i], m->rows[i].low);
	for (size_t i = 0; i < m->n_parts; i++) {
		mpq_set(at->capacity[i], m->parts[i].capacity[0]);
		mpq_set(at->old[i], m->parts[i].old[0]);
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct variable *v = &s->variables[i];

		exact_value(v, x[i], left, value);
		if (v->kind == OF_ROW)
			mpq_set(at->q[v->index], value);
		else if (v->kind == OF_OPEN) /* behind what may be a variable too */
			mpq_add(at->q[v->index], at->q[v->index], value);
		else if (v->kind == OF_USE)
			mpq_set(at->use, value);
		else
			mpq_set(v->kind == OF_CAPACITY ? at->capacity[v->index] : at->old[v->index], value);
	}
	mpq_clears(value, left, NULL);
}

/* Takes the exact figures of a point into the span. */
static void take(const struct search *s, const long double *x, struct state *at, struct supply_span *ret)
{
	mpq_t value, before;

	mpq_inits(value, before, NULL);
	exact_place(s, x, at);
	exact_plants(s, at);
	for (int others = 0; others <= has_others(s); others++) {
		if (!exact_figure(s, at->after, others, value))
			continue;
		if (s->change && !exact_figure(s, at->q, others, before))
			continue;
		mpq_sub(value, value, before);
		if (!ret->known || mpq_cmp(value, ret->min) < 0)
			mpq_set(ret->min, value);
		if (!ret->known || mpq_cmp(value, ret->max) > 0)
			mpq_set(ret->max, value);
		ret->known = true;
	}
	mpq_clears(value, before, NULL);
}

/* --- where to look --- */

static void keep(struct search *s, const long double *x)
{
	long double value = look(s, x), *last;
	size_t i;

	if (value == -INFINITY || (s->n_kept == KEPT && value <= s->value[KEPT - 1]))
		return;
	if (s->n_kept < KEPT)
		s->n_kept++;
	last = s->kept[s->n_kept - 1];
	for (i = s->n_kept - 1; i > 0 && s->value[i - 1] < value; i--) {
		s->kept[i] = s->kept[i - 1];
		s->value[i] = s->value[i - 1];
	}
	s->kept[i] = last;
	s->value[i] = value;
	for (size_t k = 0; k < s->n; k++)
		last[k] = x[k];
}

/* With what is left at nobody, and at each open row. */
static void keep_with_left(struct search *s, long double *x)
{
	size_t box = s->n - s->n_open;

	for (size_t i = 0; i <= s->n_open; i++) {
		for (size_t k = 0; k < s->n_open; k++)
			x[box + k] = k + 1 == i ? s->left : 0;
		keep(s, x);
	}
}

/* Whether a variable makes more of the list, or of whom the measure is about: then all of that side go together. */
static bool is_on_side(const struct search *s, const struct variable *v, bool alliance)
{
	size_t row = v->kind == OF_CAPACITY ? s->m->parts[v->index].row
		     : v->kind == OF_OLD    ? s->m->parts[v->index].replaced
					    : v->index;

	if (v->kind == OF_USE || row == MODEL_NONE)
		return false;
	return alliance ? s->m->rows[row].allied : s->m->rows[row].listed;
}

/* All rows as near to one level as they can be: where an index is least. */
static void start_level(struct search *s, long double level, bool rest_high, long double *x)
{
	for (size_t i = 0; i + s->n_open < s->n; i++) {
		const struct variable *v = &s->variables[i];

		if (v->kind == OF_ROW)
			x[i] = level < v->low ? v->low : level > v->high ? v->high : level;
		else
			x[i] = rest_high ? v->high : v->low;
	}
	keep_with_left(s, x);
}

static void start_levels(struct search *s, long double *x)
{
	for (size_t i = 0; i + s->n_open < s->n; i++) {
		const struct variable *v = &s->variables[i];

		for (int rest = 0; v->kind == OF_ROW && rest < 2; rest++) {
			start_level(s, v->low, rest, x);
			start_level(s, (v->low + v->high) / 2, rest, x);
			start_level(s, v->high, rest, x);
		}
	}
}

static void start(struct search *s, long double *x)
{
	size_t box = s->n - s->n_open;

	if (s->measure == MODEL_HHI)
		start_levels(s, x);
	for (size_t levels = 3; levels >= 2; levels--) {
		size_t points = 1;

		for (size_t i = 0; i < box && points <= STARTS_MOST; i++)
			points *= levels;
		if (points * (s->n_open + 1) > STARTS_MOST)
			continue;
		for (size_t point = 0; point < points; point++) {
			for (size_t i = 0, rest = point; i < box; i++, rest /= levels) {
				const struct variable *v = &s->variables[i];

				x[i] = rest % levels == 0 ? v->low : rest % levels == 1 ? v->high : (v->low + v->high) / 2;
			}
			keep_with_left(s, x);
		}
		return;
	}
	for (int use = 0; use < 2; use++)
		for (int pattern = 0; pattern < 8; pattern++) {
			bool listed = pattern & 1, rest = pattern & 2, alliance = pattern & 4;

			for (size_t i = 0; i < box; i++) {
				const struct variable *v = &s->variables[i];
				bool high = v->kind == OF_USE ? use == 1 : is_on_side(s, v, alliance) ? listed : rest;

				x[i] = high ? v->high : v->low;
			}
			keep_with_left(s, x);
			for (size_t i = 0; i < box; i++) { /* one the other way */
				long double was = x[i];

				x[i] = was <= s->variables[i].low ? s->variables[i].high : s->variables[i].low;
				keep_with_left(s, x);
				x[i] = was;
			}
		}
}

/* A line through a point: one variable; an exchange between two open rows; or all rows' parts above their minima together, since
 * figures are of proportions. */
struct line {
	enum { OF_ONE, OF_TWO, OF_ALL } kind;
	size_t one, other;
	long double sum, low, high, at;
	const long double *from; /* OF_ALL: the point at 1 */
};

static long double at_line(struct search *s, const struct line *l, long double *x, long double value)
{
	if (l->kind != OF_ALL)
		x[l->one] = value;
	if (l->kind == OF_TWO)
		x[l->other] = l->sum - value;
	for (size_t i = 0; l->kind == OF_ALL && i < s->n; i++) {
		const struct variable *v = &s->variables[i];

		if (v->kind == OF_ROW || v->kind == OF_OPEN)
			x[i] = v->low + value * (l->from[i] - v->low);
	}
	return look(s, x);
}

/* Parts of a line, dense where it begins: what is nearly nothing can matter as much as half. */
static const long double grid[] = { 0,    0x1p-20L, 0x1p-15L, 0x1p-11L, 0x1p-8L, 0x1p-6L, 0.0625L, 0.125L, 0.2L,
				    0.3L, 0.4L,     0.5L,     0.6L,     0.7L,    0.8L,    0.9L,    1 };
#define GRID (sizeof(grid) / sizeof(grid[0]))

/* The best of a line, by a grid and then between its best point's neighbours. true: x was moved. */
static bool climb_line(struct search *s, const struct line *l, long double *x, long double *value)
{
	static const long double golden = 0.61803398874989484820L;
	long double best = l->at, range = l->high - l->low, low = l->low, high = l->high, a, b, fa, fb;
	long double best_value = *value, of_grid;

	if (!(range > 0))
		return false;
	for (size_t i = 0; i < GRID; i++) {
		long double p = i + 1 == GRID ? l->high : l->low + range * grid[i], v = at_line(s, l, x, p);

		if (v > best_value) {
			best = p;
			best_value = v;
		}
	}
	for (size_t i = 0; i < GRID; i++) {
		long double p = i + 1 == GRID ? l->high : l->low + range * grid[i];

		if (p < best)
			low = p;
		else if (p > best && p < high)
			high = p;
	}
	of_grid = best_value;
	a = high - golden * (high - low);
	b = low + golden * (high - low);
	fa = at_line(s, l, x, a);
	fb = at_line(s, l, x, b);
	for (int i = 0; i < GOLDEN_STEPS; i++) {
		if (i == GOLDEN_HOPE && best_value == of_grid)
			break;
		if (fa > best_value || fb > best_value) {
			best = fa > fb ? a : b;
			best_value = fa > fb ? fa : fb;
		}
		if (fa > fb) {
			high = b;
			b = a;
			fb = fa;
			a = high - golden * (high - low);
			fa = at_line(s, l, x, a);
		} else {
			low = a;
			a = b;
			fa = fb;
			b = low + golden * (high - low);
			fb = at_line(s, l, x, b);
		}
	}
	at_line(s, l, x, best);
	*value = best_value;
	return best != l->at;
}

/* How far all rows' parts can grow together. */
static long double most_of_all(const struct search *s, const long double *x)
{
	long double most = INFINITY, open = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct variable *v = &s->variables[i];

		if (v->kind == OF_OPEN)
			open += x[i];
		else if (v->kind == OF_ROW && x[i] > v->low && (v->high - v->low) / (x[i] - v->low) < most)
			most = (v->high - v->low) / (x[i] - v->low);
	}
	if (open > 0 && s->left / open < most)
		most = s->left / open;
	return isinf(most) ? 0 : most;
}

static bool sweep(struct search *s, long double *x, long double *value)
{
	size_t box = s->n - s->n_open;
	bool moved = false;
	struct line all = { .kind = OF_ALL, .at = 1, .high = most_of_all(s, x), .from = s->from };

	for (size_t i = 0; i < s->n; i++)
		s->from[i] = x[i];
	moved = climb_line(s, &all, x, value);
	for (size_t i = 0; i < s->n; i++) {
		struct line l = { .one = i, .at = x[i], .low = s->variables[i].low, .high = s->variables[i].high };

		for (size_t k = box; i >= box && k < s->n; k++)
			l.high -= k == i ? 0 : x[k];
		moved = climb_line(s, &l, x, value) || moved;
	}
	for (size_t i = box; i < s->n; i++)
		for (size_t k = i + 1; k < s->n; k++) {
			struct line l = { .kind = OF_TWO, .one = i, .other = k, .at = x[i], .sum = x[i] + x[k] };

			l.high = l.sum;
			moved = climb_line(s, &l, x, value) || moved;
		}
	return moved;
}

static void climb(struct search *s, long double *x)
{
	long double value = look(s, x), before;

	for (int i = 0; i < SWEEPS_MOST; i++) {
		before = value;
		if (!sweep(s, x, &value) || value - before <= fabsl(value) * 1e-17L)
			return;
	}
}

static bool state_init(struct state *at, const struct model *m, struct arena *a)
{
	at->q = arena_alloc(a, m->n_rows * sizeof(mpq_t));
	at->after = arena_alloc(a, m->n_rows * sizeof(mpq_t));
	at->capacity = arena_alloc(a, m->n_parts * sizeof(mpq_t));
	at->old = arena_alloc(a, m->n_parts * sizeof(mpq_t));
	if (!at->q || !at->after || !at->capacity || !at->old)
		return false;
	mpq_init(at->use);
	for (size_t i = 0; i < m->n_rows; i++)
		mpq_inits(at->q[i], at->after[i], NULL);
	for (size_t i = 0; i < m->n_parts; i++)
		mpq_inits(at->capacity[i], at->old[i], NULL);
	return true;
}

static void state_clear(struct state *at, const struct model *m)
{
	mpq_clear(at->use);
	for (size_t i = 0; i < m->n_rows; i++)
		mpq_clears(at->q[i], at->after[i], NULL);
	for (size_t i = 0; i < m->n_parts; i++)
		mpq_clears(at->capacity[i], at->old[i], NULL);
}

enum err model_search(const struct model *m, enum model_measure measure, enum model_state state, struct arena *memory,
		      struct supply_span *ret)
{
	struct search s = { .m = m,
			    .measure = measure,
			    .displace = state == MODEL_DISPLACE || state == MODEL_DISPLACE_CHANGE,
			    .change = state == MODEL_ADD_CHANGE || state == MODEL_DISPLACE_CHANGE };
	struct state at;
	long double *x = NULL;
	enum err e = ERR_NOMEM;

	mpq_init(s.none);
	ret->known = false;
	if (search_init(&s, memory) && state_init(&at, m, memory)) {
		x = arena_alloc(memory, s.n * sizeof(*x));
		if (x && s.n == 0) {
			take(&s, x, &at, ret);
			e = OK;
		}
		for (s.sign = -1; x && s.n > 0 && s.sign <= 1; s.sign += 2) {
			s.n_kept = 0;
			start(&s, x);
			for (size_t i = 0; i < s.n_kept; i++) {
				take(&s, s.kept[i], &at, ret);
				climb(&s, s.kept[i]);
				take(&s, s.kept[i], &at, ret);
			}
			e = OK;
		}
		state_clear(&at, m);
	}
	mpq_clear(s.none);
	return e;
}

/* The search itself. What may vary is a list of variables between two ends. Points are looked at in long doubles; what counts in the
 * end is the exact figure of the best. A change, and what gives way to what, have no simpler form: their extremes can lie anywhere on
 * the border of what is allowed. */
#include <math.h>
#include "supply_point.h"

#define STARTS_MOST 4096 /* combinations of ends, and of middles, of which all are looked at */
#define SWEEPS_MOST 40
#define GOLDEN_STEPS 60
#define LOOKS_OF_LINE 40 /* about */
#define GOLDEN_HOPE 10 /* steps after which there must be something better than the grid's best */

/* --- where to look --- */

static void keep(struct search *s, const long double *x)
{
	long double value, *last;
	size_t i;

	if (!model_spend(s->m, s->m->n_rows + s->m->n_parts) && s->n_kept > 0)
		return;
	value = point_look(s, x);
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
	return point_look(s, x);
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

	if (!(range > 0) || !model_spend(s->m, LOOKS_OF_LINE * (s->m->n_rows + s->m->n_parts)))
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
	long double value = point_look(s, x), before;

	for (int i = 0; i < SWEEPS_MOST; i++) {
		before = value;
		if (!sweep(s, x, &value) || value - before <= fabsl(value) * 1e-17L)
			return;
	}
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
	if (point_variables(&s, memory) && point_state(&at, m, memory)) {
		x = arena_alloc(memory, s.n * sizeof(*x));
		if (x && s.n == 0) {
			point_take(&s, x, &at, ret);
			e = OK;
		}
		for (s.sign = -1; x && s.n > 0 && s.sign <= 1; s.sign += 2) {
			s.n_kept = 0;
			start(&s, x);
			for (size_t i = 0; i < s.n_kept; i++) {
				point_take(&s, s.kept[i], &at, ret);
				climb(&s, s.kept[i]);
				point_take(&s, s.kept[i], &at, ret);
			}
			e = OK;
		}
		point_state_clear(&at, m);
	}
	mpq_clear(s.none);
	return e;
}

/* The figure of a point: in long doubles, to find where to look, and exactly. */
#include <math.h>
#include "supply_point.h"

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

bool point_variables(struct search *s, struct arena *a)
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
long double point_look(struct search *s, const long double *x)
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
void point_take(const struct search *s, const long double *x, struct state *at, struct supply_span *ret)
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

bool point_state(struct state *at, const struct model *m, struct arena *a)
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

void point_state_clear(struct state *at, const struct model *m)
{
	mpq_clear(at->use);
	for (size_t i = 0; i < m->n_rows; i++)
		mpq_clears(at->q[i], at->after[i], NULL);
	for (size_t i = 0; i < m->n_parts; i++)
		mpq_clears(at->capacity[i], at->old[i], NULL);
}

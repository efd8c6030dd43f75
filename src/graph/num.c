#include "num.h"
#include <math.h>
#include "lodebase/graph/ownership.h"

#define NEAR_TIE 1e-12 /* of a unit, 1e-26 of 1: far above what 113 bits lose on their way */

void nums_init(struct nums *p, struct arena *a)
{
	*p = (struct nums){ .a = a };
	mpq_inits(p->work, p->spare, NULL);
}

void nums_clear(struct nums *p)
{
	for (size_t i = 0; i < p->count; i++)
		mpq_clear(p->all[i]);
	mpq_clears(p->work, p->spare, NULL);
	*p = (struct nums){ 0 };
}

mpq_ptr nums_of(struct nums *p, struct num *x)
{
	mpq_ptr made;

	if (x->exact)
		return x->exact;
	made = arena_alloc(p->a, sizeof(mpq_t));
	if (!made || arena_grow(p->a, (void **)&p->all, &p->capacity, p->count + 1, sizeof(mpq_ptr)) != 0) {
		p->failed = true;
		return p->spare;
	}
	mpq_init(made);
	p->all[p->count++] = made;
	x->exact = made;
	return made;
}

/* Two limbs hold 114 to 128 bits of the quotient: more than a quad does. */
quad exact_quad(mpq_srcptr x)
{
	mpz_t quotient;
	long shift;
	quad value;

	if (mpq_sgn(x) == 0)
		return 0;
	shift = (long)mpz_sizeinbase(mpq_denref(x), 2) - (long)mpz_sizeinbase(mpq_numref(x), 2) + 120;
	mpz_init(quotient);
	if (shift >= 0) {
		mpz_mul_2exp(quotient, mpq_numref(x), (mp_bitcnt_t)shift);
		mpz_tdiv_q(quotient, quotient, mpq_denref(x));
	} else {
		mpz_tdiv_q_2exp(quotient, mpq_numref(x), (mp_bitcnt_t)-shift);
		mpz_tdiv_q(quotient, quotient, mpq_denref(x));
	}
	value = (quad)mpz_getlimbn(quotient, 1) * 0x1p64 + (quad)mpz_getlimbn(quotient, 0);
	if (mpz_sgn(quotient) < 0)
		value = -value;
	mpz_clear(quotient);
	return value * (quad)ldexpl(1, (int)-shift);
}

void nums_set(struct nums *p, struct num *x, const struct num *y)
{
	if (y->exact)
		mpq_set(nums_of(p, x), y->exact);
	else if (x->exact)
		mpq_set_ui(x->exact, 0, 1);
}

void nums_add(struct nums *p, struct num *x, const struct num *y)
{
	if (y->exact)
		mpq_add(nums_of(p, x), nums_of(p, x), y->exact);
}

void nums_sub(struct nums *p, struct num *x, const struct num *y)
{
	if (y->exact)
		mpq_sub(nums_of(p, x), nums_of(p, x), y->exact);
	x->value = exact_quad(nums_of(p, x));
}

void nums_mul(struct num *x, const struct num *y)
{
	if (!x->exact)
		return;
	if (y->exact)
		mpq_mul(x->exact, x->exact, y->exact);
	else
		mpq_set_ui(x->exact, 0, 1);
}

void nums_div(struct num *x, const struct num *y)
{
	if (x->exact && y->exact && mpq_sgn(y->exact) != 0)
		mpq_div(x->exact, x->exact, y->exact);
}

void nums_add_product(struct nums *p, struct num *x, const struct num *a, const struct num *b)
{
	if (!a->exact || !b->exact)
		return;
	mpq_mul(p->work, a->exact, b->exact);
	mpq_add(nums_of(p, x), nums_of(p, x), p->work);
}

int nums_compare(const struct num *x, const struct num *y)
{
	if (x->exact && y->exact)
		return mpq_cmp(x->exact, y->exact);
	return (x->exact ? mpq_sgn(x->exact) : 0) - (y->exact ? mpq_sgn(y->exact) : 0);
}

void num_set_whole(struct nums *p, struct num *x, unsigned long whole)
{
	x->value = (quad)whole;
	if (p)
		mpq_set_ui(nums_of(p, x), whole, 1);
}

int64_t pct_round(quad x, bool *ret_near)
{
	quad scaled = x * (quad)GRAPH_PCT_WHOLE, rest;
	int64_t whole;

	*ret_near = false;
	if (scaled <= 0)
		return 0;
	if (scaled >= 0x1p63)
		return INT64_MAX;
	whole = (int64_t)scaled;
	rest = scaled - (quad)whole - 0.5;
	*ret_near = rest > -NEAR_TIE && rest < NEAR_TIE;
	return whole + (rest > -NEAR_TIE);
}

int64_t pct_round_exact(mpq_srcptr x)
{
	mpz_t units;
	int64_t result;

	if (mpq_sgn(x) <= 0)
		return 0;
	mpz_init(units);
	mpz_mul_si(units, mpq_numref(x), 2 * GRAPH_PCT_WHOLE); /* floor((2 n u + d) / 2 d) */
	mpz_add(units, units, mpq_denref(x));
	mpz_fdiv_q(units, units, mpq_denref(x));
	mpz_fdiv_q_2exp(units, units, 1);
	result = mpz_fits_slong_p(units) ? mpz_get_si(units) : INT64_MAX;
	mpz_clear(units);
	return result;
}

static void sum_add(struct graph_sum *s, const double added[4])
{
	quad_split((quad)s->min + (quad)s->min_rest + (quad)added[0] + (quad)added[1], &s->min, &s->min_rest);
	quad_split((quad)s->max + (quad)s->max_rest + (quad)added[2] + (quad)added[3], &s->max, &s->max_rest);
}

void graph_sum_figure(struct graph_sum *s, const struct graph_figure *f)
{
	sum_add(s, (const double[]){ f->min, f->min_rest, f->max, f->max_rest });
}

void graph_sum_path(struct graph_sum *s, const struct graph_path *p)
{
	sum_add(s, (const double[]){ p->min, p->min_rest, p->max, p->max_rest });
}

struct graph_pct graph_sum_pct(const struct graph_sum *s)
{
	bool near;

	return (struct graph_pct){ pct_round((quad)s->min + (quad)s->min_rest, &near),
				   pct_round((quad)s->max + (quad)s->max_rest, &near) };
}

/* Numbers in the making. Each has 113 bits, which decides all but ties; a question that comes to a tie is redone with fractions
 * beside them. The same code does both: without a pool there are no fractions. */
#pragma once

#include <float.h>
#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/arena.h"

#if LDBL_MANT_DIG == 113
typedef long double quad;
#else
__extension__ typedef __float128 quad;
#endif

/* Not to be copied by assignment where there is a pool: the fraction would be shared. */
struct num {
	quad value;
	mpq_ptr exact; /* NULL: 0 */
};

/* The fractions of one exact computation, freed as a whole. */
struct nums {
	struct arena *a;
	mpq_ptr *all;
	size_t count, capacity;
	mpq_t work, spare;
	bool failed; /* no memory: nothing that came out is to be believed */
};

void nums_init(struct nums *p, struct arena *a);
void nums_clear(struct nums *p);

quad exact_quad(mpq_srcptr x);
mpq_ptr nums_of(struct nums *p, struct num *x); /* its fraction, made where there is none */
/* The exact halves of what stands below. */
void nums_set(struct nums *p, struct num *x, const struct num *y);
void nums_add(struct nums *p, struct num *x, const struct num *y);
void nums_sub(struct nums *p, struct num *x, const struct num *y);
void nums_mul(struct num *x, const struct num *y);
void nums_div(struct num *x, const struct num *y);
void nums_add_product(struct nums *p, struct num *x, const struct num *a, const struct num *b);
int nums_compare(const struct num *x, const struct num *y);

void num_set_whole(struct nums *p, struct num *x, unsigned long whole);

static inline void num_set(struct nums *p, struct num *x, const struct num *y)
{
	x->value = y->value;
	if (p)
		nums_set(p, x, y);
}

static inline void num_add(struct nums *p, struct num *x, const struct num *y)
{
	x->value += y->value;
	if (p)
		nums_add(p, x, y);
}

static inline void num_sub(struct nums *p, struct num *x, const struct num *y)
{
	x->value -= y->value;
	if (p)
		nums_sub(p, x, y);
}

static inline void num_mul(struct nums *p, struct num *x, const struct num *y)
{
	x->value *= y->value;
	if (p)
		nums_mul(x, y);
}

static inline void num_div(struct nums *p, struct num *x, const struct num *y)
{
	x->value /= y->value;
	if (p)
		nums_div(x, y);
}

static inline void num_add_product(struct nums *p, struct num *x, const struct num *a, const struct num *b)
{
	x->value += a->value * b->value;
	if (p)
		nums_add_product(p, x, a, b);
}

static inline int num_compare(const struct nums *p, const struct num *x, const struct num *y)
{
	if (p)
		return nums_compare(x, y);
	return x->value < y->value ? -1 : x->value > y->value;
}

static inline quad quad_min(quad a, quad b)
{
	return a < b ? a : b;
}

static inline quad quad_max(quad a, quad b)
{
	return a > b ? a : b;
}

/* As two doubles, which hold 106 bits. */
static inline void quad_split(quad x, double *ret, double *ret_rest)
{
	*ret = (double)x;
	*ret_rest = (double)(x - (quad)*ret);
}

/* In units of 10^-12 per cent, half up; INT64_MAX: more than fits. *ret_near: so near to the border of two units that the last
 * digits of x decide; it is taken for a tie. */
int64_t pct_round(quad x, bool *ret_near);
int64_t pct_round_exact(mpq_srcptr x);

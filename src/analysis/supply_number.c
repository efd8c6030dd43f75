/* Exact numbers: decimals, units of mass, and how they are told. */
#include "lodebase/analysis/supply_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void supply_number(const char *decimal, mpq_t ret)
{
	char digits[128];
	size_t n = 0;
	unsigned long decimals = 0;
	bool behind = false;

	for (const char *p = decimal; *p && n + 1 < sizeof(digits); p++) {
		if (*p == '.') {
			behind = true;
			continue;
		}
		digits[n++] = *p;
		decimals += behind ? 1 : 0;
	}
	digits[n] = '\0';
	if (mpz_set_str(mpq_numref(ret), digits, 10) != 0)
		mpz_set_ui(mpq_numref(ret), 0);
	mpz_ui_pow_ui(mpq_denref(ret), 10, decimals);
	if (decimals > 0)
		mpq_canonicalize(ret);
}

/* Grams, in ten-millionths: the troy ounce is 31.1034768 g exactly. Per cent are themselves. */
static const unsigned long masses[SUPPLY_UNITS] = { 10000000000000, 10000000000000000, 10000000000, 311034768, 1 };

void supply_to_base(enum supply_unit unit, mpq_t quantity)
{
	mpz_mul_ui(mpq_numref(quantity), mpq_numref(quantity), masses[unit]);
	if (mpz_cmp_ui(mpq_denref(quantity), 1) != 0)
		mpq_canonicalize(quantity);
}

void supply_from_base(enum supply_unit unit, mpq_t quantity)
{
	mpz_mul_ui(mpq_denref(quantity), mpq_denref(quantity), masses[unit]);
	mpq_canonicalize(quantity);
}

char *supply_text(const mpq_t value, unsigned decimals, char *out, size_t size)
{
	char digits[SUPPLY_TEXT_MAX];
	size_t n, used = 0, zeros = 0, whole;
	bool negative = mpq_sgn(value) < 0;
	mpz_t scaled, twice;

	mpz_inits(scaled, twice, NULL);
	mpz_ui_pow_ui(scaled, 10, decimals);
	mpz_mul(scaled, scaled, mpq_numref(value));
	mpz_abs(scaled, scaled);
	/* half up, of what is not negative: floor((2 a + b) / 2 b) */
	mpz_mul_2exp(scaled, scaled, 1);
	mpz_add(scaled, scaled, mpq_denref(value));
	mpz_mul_2exp(twice, mpq_denref(value), 1);
	mpz_fdiv_q(scaled, scaled, twice);
	if (mpz_sizeinbase(scaled, 10) + decimals + 4 > sizeof(digits) || size < SUPPLY_TEXT_MAX) {
		mpz_clears(scaled, twice, NULL);
		return NULL;
	}
	mpz_get_str(digits, 10, scaled);
	negative = negative && mpz_sgn(scaled) != 0;
	mpz_clears(scaled, twice, NULL);
	n = strlen(digits);
	if (negative)
		out[used++] = '-';
	whole = n > decimals ? n - decimals : 0;
	if (whole == 0)
		out[used++] = '0';
	memcpy(out + used, digits, whole);
	used += whole;
	while (zeros < n - whole && digits[n - 1 - zeros] == '0')
		zeros++;
	if (n - whole > zeros) {
		out[used++] = '.';
		for (size_t i = n - whole; i < decimals; i++)
			out[used++] = '0';
		memcpy(out + used, digits + whole, n - whole - zeros);
		used += n - whole - zeros;
	}
	out[used] = '\0';
	return out;
}

void supply_span_init(struct supply_span *s)
{
	s->known = false;
	mpq_inits(s->min, s->max, NULL);
}

void supply_span_clear(struct supply_span *s)
{
	mpq_clears(s->min, s->max, NULL);
}

void supply_span_set(struct supply_span *ret, const mpq_t min, const mpq_t max)
{
	ret->known = true;
	mpq_set(ret->min, min);
	mpq_set(ret->max, max);
}

/* Which outputs count, and what of them whoever has. */
#include "lodebase/analysis/supply_capacity.h"

#include <stdlib.h>
#include <string.h>

#define WHOLE INT64_C(100000000000000) /* 100 per cent in units of 10^-12 per cent */
#define SIMPLE_MOST 1000000 /* the greatest denominator of a simple fraction */
#define SAME 4e-16 /* of a share: two units of a double's last place */

/* --- the outputs --- */

static bool is_wanted(const struct supply_plants *plants, const struct supply_capacity_question *q,
		      const struct supply_plant_output *o)
{
	return o->mineral == q->mineral && o->stage == q->stage && q->statuses >> supply_output_status(plants, o) & 1;
}

static bool is_in_year(const struct supply_plants *plants, const struct supply_plant_output *o, int year)
{
	return !year || (supply_output_start(plants, o) <= year && (!o->end_year || year < o->end_year));
}

static int newest_start(const struct supply_plants *plants, const struct supply_capacity_question *q)
{
	int newest = 0;

	for (size_t i = 0; i < plants->n_outputs; i++) {
		int start = supply_output_start(plants, &plants->outputs[i]);

		if (is_wanted(plants, q, &plants->outputs[i]) && start > newest)
			newest = start;
	}
	return newest;
}

static void warn(const struct supply_data *d, const struct supply_plants *plants, const struct supply_plant_output *o,
		 const char *code, const char *what, struct supply_warnings *warnings)
{
	supply_warn(warnings, code, NULL, 0, "%s %s of %s: %s", d->minerals[o->mineral].slug, supply_stage_names[o->stage],
		    plants->projects[o->project].node.slug, what);
}

enum err supply_capacity_choose(const struct supply_data *d, const struct supply_plants *plants,
				const struct supply_capacity_question *q, struct arena *memory,
				struct supply_warnings *warnings, struct supply_chosen *ret)
{
	uint32_t *chosen = arena_alloc(memory, plants->n_outputs * sizeof(*chosen));
	size_t n = 0, of_basis[2] = { 0, 0 };

	*ret = (struct supply_chosen){ .outputs = chosen, .year = q->year ? q->year : newest_start(plants, q) };
	if (!chosen)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < plants->n_outputs; i++) {
		const struct supply_plant_output *o = &plants->outputs[i];

		if (!is_wanted(plants, q, o) || !is_in_year(plants, o, ret->year))
			continue;
		if (!o->capacity_min) {
			warn(d, plants, o, "no-capacity", "its capacity is not on file, so it is not in the total", warnings);
			continue;
		}
		chosen[n++] = i;
		of_basis[o->basis]++;
	}
	ret->basis = of_basis[SUPPLY_GROSS] > of_basis[SUPPLY_CONTAINED] ? SUPPLY_GROSS : SUPPLY_CONTAINED;
	for (size_t i = 0; i < n; i++) {
		const struct supply_plant_output *o = &plants->outputs[chosen[i]];

		if (o->basis != ret->basis)
			warn(d, plants, o, "other-basis", "its capacity is of another basis than most, and left out", warnings);
		else
			chosen[ret->count++] = chosen[i];
	}
	if (ret->count > 0)
		ret->unit = (enum supply_unit)plants->outputs[chosen[0]].unit;
	return warnings->failed ? ERR_NOMEM : OK;
}

/* --- portions --- */

void supply_portions_begin(struct supply_portions *p, struct arena *a)
{
	*p = (struct supply_portions){ .arena = a };
}

void supply_portions_clear(struct supply_portions *p)
{
	for (size_t i = 0; i < p->count; i++)
		mpq_clears(p->items[i].min, p->items[i].max, NULL);
	p->count = 0;
}

uint32_t supply_portions_owner(struct supply_portions *p, const char *key)
{
	for (size_t i = 0; i < p->n_owners; i++) {
		const char *other = p->owners[i].key;

		if (key && other ? strcmp(key, other) == 0 : key == other)
			return (uint32_t)i;
	}
	if (arena_grow(p->arena, (void **)&p->owners, &p->c_owners, p->n_owners + 1, sizeof(*p->owners)) != 0)
		return SUPPLY_NONE;
	p->owners[p->n_owners] = (struct supply_owner){ .key = key };
	return (uint32_t)p->n_owners++;
}

enum err supply_portions_add(struct supply_portions *p, uint32_t output, uint32_t owner, const mpq_t min, const mpq_t max)
{
	struct supply_portion *item;

	if (arena_grow(p->arena, (void **)&p->items, &p->capacity, p->count + 1, sizeof(*p->items)) != 0)
		return ERR_NOMEM;
	item = &p->items[p->count++];
	*item = (struct supply_portion){ .output = output, .owner = owner };
	mpq_inits(item->min, item->max, NULL);
	mpq_set(item->min, min);
	mpq_set(item->max, max);
	return OK;
}

/* Whether a fraction rounds to the double, but for its last bits. */
static bool is_nearly(const mpq_t fraction, double share)
{
	double value = mpq_get_d(fraction), away = value > share ? value - share : share - value;

	return away <= share * SAME;
}

/* The first fraction of the continued fraction that the double is. */
static bool find_simple(struct supply_owned_share share, mpq_t ret)
{
	int64_t numerator = share.units, denominator = WHOLE, p[2] = { 0, 1 }, q[2] = { 1, 0 };

	while (denominator != 0) {
		int64_t whole = numerator / denominator, rest = numerator % denominator;
		int64_t next_p = whole * p[1] + p[0], next_q = whole * q[1] + q[0];

		if (next_q > SIMPLE_MOST)
			return false;
		p[0] = p[1];
		p[1] = next_p;
		q[0] = q[1];
		q[1] = next_q;
		numerator = denominator;
		denominator = rest;
		mpq_set_si(ret, p[1], (unsigned long)q[1]);
		mpq_canonicalize(ret);
		if (is_nearly(ret, share.share))
			return true;
	}
	return false;
}

void supply_portion_of(struct supply_owned_share share, mpq_t ret)
{
	mpq_set_si(ret, share.units, (unsigned long)WHOLE);
	mpq_canonicalize(ret);
	if (!is_nearly(ret, share.share) && !find_simple(share, ret))
		mpq_set_d(ret, share.share);
}

enum err supply_portions_divide(struct supply_portions *p, uint32_t output, const struct supply_owner_share *shares, size_t n,
				struct supply_owned_share unexplained_min, struct supply_owned_share unexplained_max)
{
	bool exact = unexplained_min.units == unexplained_max.units;
	size_t first = p->count, greatest = SIZE_MAX;
	mpq_t left, min, max;
	enum err e = OK;

	mpq_inits(left, min, max, NULL);
	mpq_set_ui(left, 1, 1);
	for (size_t i = 0; e == OK && i < n; i++) {
		bool same = shares[i].min.units == shares[i].max.units;

		exact = exact && same;
		supply_portion_of(shares[i].min, min);
		if (same)
			mpq_set(max, min);
		else
			supply_portion_of(shares[i].max, max);
		mpq_sub(left, left, min);
		e = supply_portions_add(p, output, shares[i].owner, min, max);
		if (greatest == SIZE_MAX || shares[i].min.units > shares[greatest].min.units)
			greatest = i;
	}
	supply_portion_of(unexplained_min, min);
	supply_portion_of(unexplained_max, max);
	if (exact) {
		mpq_sub(left, left, min);
		mpq_set(max, min);
	}
	if (e == OK && exact && greatest != SIZE_MAX) { /* what rounding left */
		struct supply_portion *x = &p->items[first + greatest];

		mpq_add(x->min, x->min, left);
		mpq_add(x->max, x->max, left);
	} else if (exact) {
		mpq_add(min, min, left);
		mpq_set(max, min);
	}
	if (e == OK && mpq_sgn(max) > 0)
		e = supply_portions_add(p, output, SUPPLY_NONE, min, max);
	mpq_clears(left, min, max, NULL);
	return e;
}

enum err supply_portions_by_location(const struct supply_plants *plants, const struct supply_chosen *chosen,
				     struct supply_portions *p)
{
	enum err e = OK;
	mpq_t whole;

	mpq_init(whole);
	mpq_set_ui(whole, 1, 1);
	for (uint32_t i = 0; e == OK && i < chosen->count; i++) {
		uint16_t country = plants->projects[plants->outputs[chosen->outputs[i]].project].country;
		char code[3];
		const char *key = NULL;
		uint32_t owner;

		supply_country_text(country, code);
		if (country)
			key = arena_strdup(p->arena, code);
		owner = country && !key ? SUPPLY_NONE : supply_portions_owner(p, key);
		e = owner == SUPPLY_NONE ? ERR_NOMEM : supply_portions_add(p, i, owner, whole, whole);
	}
	mpq_clear(whole);
	return e;
}

/* Net import reliance: what was published, and what its inputs give, side by side. */
#include "lodebase/analysis/supply_trade.h"

#include <stdlib.h>

/* As inputs are told. */
static const enum supply_kind inputs[] = { SUPPLY_PRODUCTION, SUPPLY_SECONDARY, SUPPLY_IMPORTS, SUPPLY_EXPORTS,
					   SUPPLY_STOCK_CHANGE };
#define INPUTS (sizeof(inputs) / sizeof(inputs[0]))

static struct supply_figures find(const struct supply_data *d, uint32_t mineral, const struct supply_reliance *r,
				  enum supply_kind kind)
{
	return supply_of_country(supply_find(d, mineral, r->stage, kind, r->year), r->country);
}

static enum supply_basis basis_of_inputs(const struct supply_data *d, uint32_t mineral, const struct supply_reliance *r)
{
	size_t rows[2] = { 0, 0 };

	for (size_t k = 0; k < INPUTS; k++) {
		struct supply_figures all = find(d, mineral, r, inputs[k]);

		if (all.count > 0)
			rows[supply_basis_of_most(all)]++;
	}
	return rows[SUPPLY_GROSS] > rows[SUPPLY_CONTAINED] ? SUPPLY_GROSS : SUPPLY_CONTAINED;
}

static enum err warn_other_basis(const struct supply_data *d, uint32_t mineral, const struct supply_reliance *r,
				 struct supply_figures all, enum supply_basis basis, struct supply_warnings *warnings)
{
	const struct supply_figure **out = arena_alloc(warnings->arena, all.count * sizeof(*out));
	size_t n = 0;

	if (!out)
		return ERR_NOMEM;
	for (size_t i = 0; i < all.count; i++)
		if (all.first[i].basis != basis)
			out[n++] = &all.first[i];
	if (n > 0)
		supply_warn(warnings, "other-basis", out, n, "%s %s %d: figures that are not %s, as most are, are left out",
			    d->minerals[mineral].slug, supply_stage_names[r->stage], r->year, supply_basis_names[basis]);
	return OK;
}

/* Imports - exports + what stocks lost, in net; that with production and secondary, in all. */
static enum err recompute(const struct supply_data *d, uint32_t mineral, struct arena *memory, struct supply_warnings *warnings,
			  struct supply_reliance *r)
{
	enum supply_basis basis = basis_of_inputs(d, mineral, r);
	unsigned none = 0;
	bool numbers = true;
	size_t capacity = 0;
	mpq_t net, all;
	enum err e = OK;

	mpq_inits(net, all, NULL);
	for (size_t k = 0; e == OK && k < INPUTS; k++) {
		struct supply_figures figures = find(d, mineral, r, inputs[k]);
		struct supply_cell cell;

		e = supply_cell_sum(d, figures, basis, memory, warnings, &cell);
		if (e != OK)
			break;
		e = warn_other_basis(d, mineral, r, figures, basis, warnings);
		if (arena_grow(memory, (void **)&r->inputs, &capacity, r->n_inputs + cell.figures, sizeof(*r->inputs)) != 0)
			e = ERR_NOMEM;
		for (size_t i = 0; e == OK && i < cell.figures; i++)
			r->inputs[r->n_inputs++] = cell.parts[i];
		none |= cell.figures ? 0 : 1u << inputs[k];
		numbers = numbers && !cell.open && mpq_equal(cell.low, cell.high);
		if (inputs[k] == SUPPLY_EXPORTS)
			mpq_neg(cell.low, cell.low);
		mpq_add(all, all, cell.low);
		if (inputs[k] != SUPPLY_PRODUCTION && inputs[k] != SUPPLY_SECONDARY)
			mpq_add(net, net, cell.low);
		supply_cell_clear(&cell);
	}
	if (e == OK && numbers && !(none & (1u << SUPPLY_IMPORTS | 1u << SUPPLY_EXPORTS)) && mpq_sgn(all) > 0) {
		mpq_div(net, net, all);
		supply_span_set(&r->recomputed, net, net);
		r->assumed_none = none;
	}
	mpq_clears(net, all, NULL);
	return e;
}

/* "Less than" has an end but no number: the cells of such differ in their ends, but one of 0 would not. */
static enum err item(const struct supply_data *d, uint32_t mineral, struct supply_reliance where, struct arena *memory,
		     struct supply_warnings *warnings, struct supply_reliance *ret)
{
	struct supply_figures published = find(d, mineral, &where, SUPPLY_RELIANCE);
	enum err e;

	*ret = where;
	e = supply_cell_sum(d, published, supply_basis_of_most(published), memory, warnings, &ret->published);
	if (e != OK)
		return e;
	supply_span_init(&ret->recomputed);
	e = recompute(d, mineral, memory, warnings, ret);
	if (e != OK)
		supply_reliances_clear(ret, 1);
	return e;
}

static int by_place(const void *a, const void *b)
{
	const struct supply_reliance *x = a, *y = b;

	if (x->stage != y->stage)
		return x->stage < y->stage ? -1 : 1;
	if (x->country != y->country)
		return x->country < y->country ? -1 : 1;
	return x->year < y->year ? -1 : x->year > y->year;
}

enum err supply_reliances(const struct supply_data *d, uint32_t mineral, int stage, uint16_t country, struct arena *memory,
			  struct supply_warnings *warnings, struct supply_reliance **ret, size_t *ret_n)
{
	static const enum supply_kind kinds[] = { SUPPLY_RELIANCE, SUPPLY_IMPORTS, SUPPLY_EXPORTS };
	struct supply_reliance *places = NULL;
	size_t n = 0, capacity = 0, done = 0;

	for (int s = stage < 0 ? 0 : stage; s < (stage < 0 ? SUPPLY_STAGES : stage + 1); s++) {
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			struct supply_figures all = supply_find(d, mineral, (enum supply_stage)s, kinds[k], 0);

			if (arena_grow(memory, (void **)&places, &capacity, n + all.count, sizeof(*places)) != 0)
				return ERR_NOMEM;
			for (size_t i = 0; i < all.count; i++)
				if (all.first[i].scope == SUPPLY_COUNTRY && all.first[i].year &&
				    (!country || all.first[i].country == country))
					places[n++] = (struct supply_reliance){ .stage = (enum supply_stage)s,
										.country = all.first[i].country,
										.year = all.first[i].year };
		}
	}
	if (n > 0)
		qsort(places, n, sizeof(*places), by_place);
	for (size_t i = 0; i < n; i++) {
		enum err e;

		if (i > 0 && by_place(&places[i], &places[done - 1]) == 0)
			continue;
		e = item(d, mineral, places[i], memory, warnings, &places[done]);
		if (e != OK) {
			supply_reliances_clear(places, done);
			return e;
		}
		done++;
	}
	*ret = places;
	*ret_n = done;
	return OK;
}

void supply_reliances_clear(struct supply_reliance *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		supply_cell_clear(&items[i].published);
		supply_span_clear(&items[i].recomputed);
	}
}

/* Exposure where only shares are published: net import reliance times the import shares of the list. */
#include <string.h>
#include "supply_exposure.h"

/* The newest figures of a country. */
static struct supply_figures newest(const struct supply_data *d, const struct supply_exposure_question *q,
				    enum supply_kind kind)
{
	struct supply_figures all = supply_find(d, q->mineral, q->stage, kind, 0);
	int year = 0;

	for (size_t i = 0; i < all.count; i++)
		if (all.first[i].scope == SUPPLY_COUNTRY && all.first[i].country == q->members[0] && all.first[i].year > year)
			year = all.first[i].year;
	return year ? exposure_figures(d, q, kind, year, q->members[0]) : (struct supply_figures){ .first = all.first };
}

/* Shares of one whole: those without product where there are any, else those of the only product. NULL: of several. */
static const char *whole_of(struct supply_figures shares, enum supply_basis basis, bool *ret_several)
{
	const char *product = NULL;

	*ret_several = false;
	for (size_t i = 0; i < shares.count; i++)
		if (shares.first[i].basis == basis && !shares.first[i].product) {
			*ret_several = false;
			return NULL;
		}
	for (size_t i = 0; i < shares.count; i++) {
		if (shares.first[i].basis != basis)
			continue;
		*ret_several = *ret_several || (product && strcmp(product, shares.first[i].product) != 0);
		product = shares.first[i].product;
	}
	return product;
}

/* The list's part of the imports, in per cent. */
static enum err add_shares(const struct supply_data *d, const struct supply_exposure_question *q, struct supply_figures shares,
			   struct arena *memory, struct supply_warnings *warnings, struct supply_span *ret)
{
	enum supply_basis basis = supply_basis_of_most(shares);
	bool several, open = false;
	const char *product = whole_of(shares, basis, &several);
	size_t named = 0, wanted = 0;
	mpq_t left;
	enum err e = OK;

	if (several) {
		supply_warn(warnings, "several-products", &shares.first, 1,
			    "%s %s: import shares of several products are parts of different wholes and are not added",
			    d->minerals[q->mineral].slug, supply_stage_names[q->stage]);
		return OK;
	}
	mpq_init(left);
	mpq_set_ui(left, 100, 1);
	for (size_t begin = 0, end; e == OK && begin < shares.count; begin = end) {
		uint16_t partner = shares.first[begin].partner;
		struct supply_figures part = supply_of_partner(shares, partner), counted = { 0 };
		struct supply_cell cell;

		end = begin + part.count;
		/* sorted by product: those of one lie beside each other */
		for (size_t i = 0; i < part.count; i++) {
			const char *other = part.first[i].product;

			if (product && other ? strcmp(product, other) != 0 : product != other)
				continue;
			counted.first = counted.count++ ? counted.first : &part.first[i];
		}
		if (!partner || counted.count == 0)
			continue;
		e = supply_cell_sum(d, counted, basis, memory, warnings, &cell);
		if (e != OK)
			break;
		mpq_sub(left, left, cell.low);
		if (cell.figures > 0 && exposure_is_listed(q, partner)) {
			named++;
			open = open || cell.open;
			mpq_add(ret->min, ret->min, cell.low);
			mpq_add(ret->max, ret->max, cell.high);
		}
		supply_cell_clear(&cell);
	}
	if (e == OK) {
		size_t n = 0;
		const uint16_t *listed = supply_set_countries(q->list, q->list_year, memory, &n);

		for (size_t i = 0; listed && i < n; i++)
			wanted += !exposure_is_member(q, listed[i]);
		e = listed ? OK : ERR_NOMEM;
	}
	/* a listed country without a share of its own may be among those that the shares leave out */
	if ((open || named < wanted) && mpq_sgn(left) > 0)
		mpq_add(ret->max, ret->max, left);
	ret->known = e == OK;
	mpq_clear(left);
	return e;
}

static void at_most_hundred(mpq_t value)
{
	if (mpq_cmp_ui(value, 100, 1) > 0)
		mpq_set_ui(value, 100, 1);
}

enum err exposure_from_shares(const struct supply_data *d, const struct supply_exposure_question *q, struct arena *memory,
			      struct supply_warnings *warnings, struct supply_span *ret)
{
	struct supply_figures reliance = newest(d, q, SUPPLY_RELIANCE), shares = newest(d, q, SUPPLY_IMPORT_SHARE);
	struct supply_cell cell;
	enum err e;

	if (reliance.count == 0 || shares.count == 0)
		return OK;
	e = supply_cell_sum(d, reliance, supply_basis_of_most(reliance), memory, warnings, &cell);
	if (e != OK)
		return e;
	if (cell.open && cell.qualifier != SUPPLY_GREATER_THAN) {
		supply_warn(warnings, "no-reliance", cell.parts, 1,
			    "%s %s: the newest net import reliance is %s, so there is no exposure to work out from shares",
			    d->minerals[q->mineral].slug, supply_stage_names[q->stage], supply_qualifier_names[cell.qualifier]);
	} else {
		e = add_shares(d, q, shares, memory, warnings, ret);
		if (cell.open)
			mpq_set_ui(cell.high, 100, 1);
		at_most_hundred(cell.high);
		at_most_hundred(ret->max);
		mpq_mul(ret->min, ret->min, cell.low);
		mpq_mul(ret->max, ret->max, cell.high);
		mpq_set_ui(cell.low, 10000, 1);
		mpq_div(ret->min, ret->min, cell.low);
		mpq_div(ret->max, ret->max, cell.low);
	}
	supply_cell_clear(&cell);
	return e;
}

/* Cells become the rows of a table, beside what the world figure leaves to those that are not known. */
#include "lodebase/analysis/supply_table.h"

#include <stdlib.h>
#include <string.h>

void supply_table_init(struct supply_table *t)
{
	*t = (struct supply_table){ 0 };
	mpq_inits(t->left, t->low, t->high, t->world.low, t->world.high, NULL);
}

void supply_table_clear(struct supply_table *t)
{
	for (size_t i = 0; i < t->n_rows; i++)
		supply_cell_clear(&t->rows[i].cell);
	t->n_rows = 0;
	mpq_clears(t->left, t->low, t->high, t->world.low, t->world.high, NULL);
}

void supply_table_total(struct supply_table *t)
{
	mpq_set_ui(t->low, 0, 1);
	mpq_set_ui(t->high, 0, 1);
	t->n_placed = t->n_open = 0;
	for (size_t i = 0; i < t->n_rows; i++) {
		if (!t->rows[i].placed)
			continue;
		mpq_add(t->low, t->low, t->rows[i].cell.low);
		mpq_add(t->high, t->high, t->rows[i].cell.high);
		t->n_placed++;
		t->n_open += t->rows[i].cell.open;
	}
}

const struct supply_row *supply_table_row(const struct supply_table *t, uint16_t country)
{
	for (size_t i = 0; i < t->n_rows; i++)
		if (t->rows[i].country == country)
			return &t->rows[i];
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* What any of the world's figures leaves out. */
static enum err find_excludes(struct supply_figures world, enum supply_basis basis, struct arena *memory,
			      struct supply_table *t)
{
	size_t n = 0;
	uint16_t *all;

	for (size_t i = 0; i < world.count; i++)
		n += world.first[i].n_excludes;
	all = arena_alloc(memory, n * sizeof(*all));
	if (!all)
		return ERR_NOMEM;
	n = 0;
	for (size_t i = 0; i < world.count; i++)
		for (size_t k = 0; world.first[i].basis == basis && k < world.first[i].n_excludes; k++)
			all[n++] = world.first[i].excludes[k];
	if (n > 0)
		qsort(all, n, sizeof(*all), by_number);
	t->excludes = all;
	t->n_excludes = n;
	return OK;
}

static bool is_excluded(const struct supply_table *t, const struct supply_row *row)
{
	for (size_t i = 0; row->country && i < t->n_excludes; i++)
		if (t->excludes[i] == row->country)
			return true;
	return false;
}

/* max(0, world - the minima of what it does not exclude), where there is a world figure with an end. */
static void find_left(struct supply_table *t)
{
	t->has_left = t->world.figures > 0 && !t->world.open;
	if (!t->has_left)
		return;
	mpq_set(t->left, t->world.high);
	for (size_t i = 0; i < t->n_rows; i++)
		if (!is_excluded(t, &t->rows[i]))
			mpq_sub(t->left, t->left, t->rows[i].cell.low);
	if (mpq_sgn(t->left) < 0)
		mpq_set_ui(t->left, 0, 1);
}

static const char *row_name(const struct supply_row *row, char text[3])
{
	if (!row->country)
		return "other countries";
	supply_country_text(row->country, text);
	return text;
}

static void place(const struct supply_data *d, struct supply_table *t, struct supply_warnings *warnings)
{
	char text[3];

	for (size_t i = 0; i < t->n_rows; i++) {
		struct supply_row *row = &t->rows[i];

		row->placed = !row->cell.open || (t->has_left && !is_excluded(t, row));
		if (!row->placed && warnings)
			supply_warn(warnings, "no-share", &row->cell.first, 1,
				    "%s %s %d: the figure of %s is %s and nothing bounds it; it has no share and is not in the "
				    "denominator",
				    d->minerals[t->mineral].slug, supply_stage_names[t->stage], t->year, row_name(row, text),
				    supply_qualifier_names[row->cell.qualifier]);
	}
}

static enum err warn_other_basis(const struct supply_data *d, struct supply_figures all, const struct supply_table *t,
				 struct supply_warnings *warnings)
{
	const struct supply_figure **out = arena_alloc(warnings->arena, all.count * sizeof(*out));
	size_t n = 0;

	if (!out)
		return ERR_NOMEM;
	for (size_t i = 0; i < all.count; i++)
		if (all.first[i].basis != t->basis)
			out[n++] = &all.first[i];
	if (n > 0)
		supply_warn(warnings, "other-basis", out, n, "%s %s %d: figures that are not %s, as most are, are left out",
			    d->minerals[t->mineral].slug, supply_stage_names[t->stage], t->year, supply_basis_names[t->basis]);
	return OK;
}

enum err supply_table_build(const struct supply_data *d, uint32_t mineral, enum supply_stage stage, enum supply_kind kind,
			    int year, struct arena *memory, struct supply_warnings *warnings, struct supply_table *ret)
{
	struct supply_figures all = year ? supply_find(d, mineral, stage, kind, year) : (struct supply_figures){ 0 };
	enum err e = OK;

	supply_table_init(ret);
	ret->mineral = mineral;
	ret->stage = stage;
	ret->kind = kind;
	ret->year = year;
	ret->basis = supply_basis_of_most(all);
	ret->rows = arena_alloc(memory, all.count * sizeof(*ret->rows));
	if (!ret->rows)
		e = ERR_NOMEM;
	for (size_t begin = 0, end; e == OK && begin < all.count; begin = end) {
		struct supply_figures cell = { .first = &all.first[begin] };
		struct supply_cell sum;

		for (end = begin; end < all.count && all.first[end].scope == cell.first->scope &&
				  all.first[end].country == cell.first->country;)
			end++;
		cell.count = end - begin;
		e = supply_cell_sum(d, cell, ret->basis, memory, warnings, &sum);
		if (e != OK)
			break;
		if (cell.first->scope == SUPPLY_WORLD) {
			supply_cell_clear(&ret->world);
			ret->world = sum;
			e = find_excludes(cell, ret->basis, memory, ret);
		} else if (sum.figures > 0) {
			ret->rows[ret->n_rows++] = (struct supply_row){ .scope = (enum supply_scope)cell.first->scope,
									.country = cell.first->country,
									.cell = sum };
		} else {
			supply_cell_clear(&sum);
		}
	}
	if (e == OK && warnings)
		e = warn_other_basis(d, all, ret, warnings);
	if (e != OK || (warnings && warnings->failed)) {
		supply_table_clear(ret);
		return ERR_NOMEM;
	}
	find_left(ret);
	place(d, ret, warnings);
	supply_table_total(ret);
	ret->unit = ret->world.figures ? ret->world.unit : ret->n_rows ? ret->rows[0].cell.unit : SUPPLY_T;
	return OK;
}

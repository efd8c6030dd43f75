/* One cell: which of its figures count, and what they add up to. */
#include "lodebase/analysis/supply_table.h"

#include <stdarg.h>
#include <string.h>

void supply_warnings_begin(struct supply_warnings *w, struct arena *a)
{
	*w = (struct supply_warnings){ .arena = a };
}

void supply_warn(struct supply_warnings *w, const char *code, const struct supply_figure *const *figures, size_t n,
		 const char *format, ...)
{
	struct supply_warning x = { .code = code, .n_figures = n };
	va_list args;

	va_start(args, format);
	x.detail = arena_vprintf(w->arena, format, args);
	va_end(args);
	x.figures = arena_alloc(w->arena, n * sizeof(*x.figures));
	if (!x.detail || !x.figures ||
	    arena_grow(w->arena, (void **)&w->items, &w->capacity, w->count + 1, sizeof(*w->items)) != 0) {
		w->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		x.figures[i] = figures[i]->id;
	w->items[w->count++] = x;
}

void supply_cell_clear(struct supply_cell *c)
{
	mpq_clears(c->low, c->high, NULL);
}

enum supply_basis supply_basis_of_most(struct supply_figures figures)
{
	size_t rows[2] = { 0, 0 };

	for (int world = 0; world < 2 && rows[0] + rows[1] == 0; world++) {
		unsigned seen = 0;

		for (size_t i = 0; i < figures.count; i++) {
			const struct supply_figure *f = &figures.first[i], *before = i ? f - 1 : NULL;

			if ((f->scope == SUPPLY_WORLD) != (world == 1))
				continue;
			if (!before || before->scope != f->scope || before->country != f->country)
				seen = 0;
			if (!(seen & 1u << f->basis))
				rows[f->basis]++;
			seen |= 1u << f->basis;
		}
	}
	return rows[SUPPLY_GROSS] > rows[SUPPLY_CONTAINED] ? SUPPLY_GROSS : SUPPLY_CONTAINED;
}

static const char *published(const struct supply_data *d, const struct supply_figure *f)
{
	const char *day = d->sources[f->source].published_on;

	return day ? day : "";
}

/* By the source's publication; what was recorded last where that is one day or not known. */
static bool is_newer(const struct supply_data *d, const struct supply_figure *a, const struct supply_figure *b)
{
	int order = strcmp(published(d, a), published(d, b));

	return order > 0 || (order == 0 && a->order > b->order);
}

static bool same_product(const struct supply_figure *a, const struct supply_figure *b)
{
	return a->partner == b->partner &&
	       (a->product && b->product ? strcmp(a->product, b->product) == 0 : a->product == b->product);
}

static void add(struct supply_cell *c, const struct supply_figure *f, mpq_t value)
{
	if (!f->quantity) {
		c->open = true;
		return;
	}
	supply_number(f->quantity, value);
	supply_to_base((enum supply_unit)f->unit, value);
	mpq_add(c->high, c->high, value);
	if (f->qualifier != SUPPLY_LESS_THAN)
		mpq_add(c->low, c->low, value);
	c->open = c->open || f->qualifier == SUPPLY_GREATER_THAN;
}

/* Of several: what their sum is to be called, so that no sum says more than its parts. */
static enum supply_qualifier together(const struct supply_cell *c, const struct supply_figure *const *parts, size_t n)
{
	enum supply_qualifier q = SUPPLY_ZERO;

	if (n == 1)
		return (enum supply_qualifier)parts[0]->qualifier;
	if (c->open && mpq_sgn(c->low) > 0)
		return SUPPLY_GREATER_THAN;
	for (size_t i = 0; c->open && i < n; i++)
		if (!parts[i]->quantity || parts[i]->qualifier == SUPPLY_GREATER_THAN)
			return (enum supply_qualifier)parts[i]->qualifier;
	if (!mpq_equal(c->low, c->high))
		return SUPPLY_LESS_THAN;
	for (size_t i = 0; i < n; i++) {
		if (parts[i]->qualifier == SUPPLY_ESTIMATED)
			return SUPPLY_ESTIMATED;
		if (parts[i]->qualifier != SUPPLY_ZERO)
			q = SUPPLY_EXACT;
	}
	return q;
}

/* Those that count: of one product the one published last; what is the whole alone, else its parts. */
static size_t choose(const struct supply_data *d, struct supply_figures figures, enum supply_basis basis,
		     const struct supply_figure **chosen, const struct supply_figure **others, size_t *ret_others)
{
	size_t n = 0, kept = 0;

	*ret_others = 0;
	for (size_t i = 0; i < figures.count; i++) {
		const struct supply_figure *f = &figures.first[i];

		if (f->basis != basis)
			continue;
		if (n == 0 || !same_product(chosen[n - 1], f)) {
			chosen[n++] = f;
			continue;
		}
		if (is_newer(d, f, chosen[n - 1])) {
			others[(*ret_others)++] = chosen[n - 1];
			chosen[n - 1] = f;
		} else {
			others[(*ret_others)++] = f;
		}
	}
	/* sorted: what has no partner comes first, within a partner what has no product */
	for (size_t i = 0; i < n; i++) {
		const struct supply_figure *f = chosen[i];

		if (kept > 0 && chosen[kept - 1]->partner != f->partner && !chosen[0]->partner)
			continue;
		if (kept > 0 && chosen[kept - 1]->partner == f->partner && !chosen[kept - 1]->product)
			continue;
		chosen[kept++] = f;
	}
	return kept;
}

enum err supply_cell_sum(const struct supply_data *d, struct supply_figures figures, enum supply_basis basis,
			 struct arena *memory, struct supply_warnings *warnings, struct supply_cell *ret)
{
	const struct supply_figure **chosen = arena_alloc(memory, 2 * figures.count * sizeof(*chosen)), **others;
	size_t n, n_others;
	mpq_t value;

	if (!chosen)
		return ERR_NOMEM;
	others = chosen + figures.count;
	*ret = (struct supply_cell){ 0 };
	mpq_inits(ret->low, ret->high, value, NULL);
	n = choose(d, figures, basis, chosen, others, &n_others);
	for (size_t i = 0; i < n; i++) {
		add(ret, chosen[i], value);
		if (!ret->first || chosen[i]->order < ret->first->order)
			ret->first = chosen[i];
		if (!ret->newest || is_newer(d, chosen[i], ret->newest))
			ret->newest = chosen[i];
	}
	mpq_clear(value);
	ret->figures = n;
	ret->parts = chosen;
	if (n > 0) {
		ret->qualifier = together(ret, chosen, n);
		ret->unit = (enum supply_unit)ret->first->unit;
		ret->source = ret->newest->source;
	}
	if (n_others > 0 && warnings) {
		char country[3];

		supply_country_text(others[0]->country, country);
		supply_warn(warnings, "several-figures", others, n_others,
			    "%s %s %s%s%s %d: several figures for the same; the one whose source was published last counts, "
			    "not these",
			    d->minerals[others[0]->mineral].slug, supply_stage_names[others[0]->stage],
			    supply_kind_names[others[0]->kind], others[0]->scope == SUPPLY_COUNTRY ? " of " : "",
			    others[0]->scope == SUPPLY_COUNTRY ? country : "", others[0]->year);
	}
	return OK;
}

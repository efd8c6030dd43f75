/* The figures in memory: added as they were recorded, then sorted by cell. */
#include "lodebase/analysis/supply_data.h"

#include <stdlib.h>
#include <string.h>

const char *const supply_stage_names[] = { "mine",       "concentrate", "smelter",   "refinery",
					   "separation", "product",     "recycling", NULL };
const char *const supply_kind_names[] = { "production", "capacity",     "reserves",    "imports",   "import_share",
					  "exports",    "stock_change", "consumption", "secondary", "net_import_reliance",
					  NULL };
const char *const supply_scope_names[] = { "country", "other", "world", NULL };
const char *const supply_unit_names[] = { "t", "kt", "kg", "toz", "pct", NULL };
const char *const supply_basis_names[] = { "contained", "gross", NULL };
const char *const supply_qualifier_names[] = { "exact",         "estimated",    "withheld",
					       "not_available", "net_exporter", "greater_than",
					       "less_than",     "zero",         NULL };

int supply_name_index(const char *const *names, const char *text)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return -1;
}

uint16_t supply_country(const char *code)
{
	if (!code || !code[0] || !code[1])
		return 0;
	return (uint16_t)((unsigned)(unsigned char)code[0] << 8 | (unsigned char)code[1]);
}

void supply_country_text(uint16_t country, char ret[3])
{
	ret[0] = (char)(country >> 8);
	ret[1] = (char)(country & 0xff);
	ret[2] = '\0';
}

/* Dates of one form compare as texts. */
static bool is_valid(const struct supply_member *m, int year)
{
	char day[16];

	day[0] = (char)('0' + year / 1000 % 10);
	day[1] = (char)('0' + year / 100 % 10);
	day[2] = (char)('0' + year / 10 % 10);
	day[3] = (char)('0' + year % 10);
	memcpy(day + 4, "-12-31", 7);
	return (!m->valid_from || strcmp(m->valid_from, day) <= 0) && (!m->valid_to || strcmp(day, m->valid_to) < 0);
}

bool supply_set_has(const struct supply_set *s, uint16_t country, int year)
{
	for (size_t i = 0; s && country && i < s->count; i++)
		if (s->members[i].country == country && is_valid(&s->members[i], year))
			return true;
	return false;
}

static int by_country(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

const uint16_t *supply_set_countries(const struct supply_set *s, int year, struct arena *a, size_t *ret_count)
{
	uint16_t *all = arena_alloc(a, (s ? s->count : 0) * sizeof(*all));
	size_t n = 0, distinct = 0;

	if (!all)
		return NULL;
	for (size_t i = 0; s && i < s->count; i++)
		if (s->members[i].country && is_valid(&s->members[i], year))
			all[n++] = s->members[i].country;
	if (n > 0)
		qsort(all, n, sizeof(*all), by_country);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || all[i] != all[i - 1])
			all[distinct++] = all[i];
	*ret_count = distinct;
	return all;
}

void supply_data_begin(struct supply_data *d, struct arena *a)
{
	*d = (struct supply_data){ .arena = a };
}

enum err supply_add_mineral(struct supply_data *d, struct supply_node mineral)
{
	if (arena_grow(d->arena, (void **)&d->minerals, &d->c_minerals, d->n_minerals + 1, sizeof(*d->minerals)) != 0)
		return ERR_NOMEM;
	d->minerals[d->n_minerals++] = mineral;
	return OK;
}

enum err supply_add_source(struct supply_data *d, struct supply_node source)
{
	if (arena_grow(d->arena, (void **)&d->sources, &d->c_sources, d->n_sources + 1, sizeof(*d->sources)) != 0)
		return ERR_NOMEM;
	d->sources[d->n_sources++] = source;
	return OK;
}

enum err supply_add_figure(struct supply_data *d, struct supply_figure figure)
{
	if (arena_grow(d->arena, (void **)&d->figures, &d->c_figures, d->n_figures + 1, sizeof(*d->figures)) != 0)
		return ERR_NOMEM;
	figure.order = (uint32_t)d->n_figures;
	d->figures[d->n_figures++] = figure;
	d->sorted = false;
	return OK;
}

static int compare(long a, long b)
{
	return a < b ? -1 : a > b;
}

/* What questions name: mineral, stage, kind, year. */
static int by_question(const struct supply_figure *x, const struct supply_figure *y)
{
	int order = compare(x->mineral, y->mineral);

	order = order ? order : compare(x->stage, y->stage);
	order = order ? order : compare(x->kind, y->kind);
	return order ? order : compare(x->year, y->year);
}

/* Then the cell, with other countries and the world behind the countries. */
static int by_cell(const void *a, const void *b)
{
	const struct supply_figure *x = a, *y = b;
	int order = by_question(x, y);

	order = order ? order : compare(x->scope, y->scope);
	order = order ? order : compare(x->country, y->country);
	order = order ? order : compare(x->partner, y->partner);
	if (!order && (x->product || y->product))
		order = !x->product ? -1 : !y->product ? 1 : strcmp(x->product, y->product);
	return order ? order : compare(x->order, y->order);
}

void supply_data_sort(struct supply_data *d)
{
	if (!d->sorted && d->n_figures > 0)
		qsort(d->figures, d->n_figures, sizeof(*d->figures), by_cell);
	d->sorted = true;
}

/* The first figure that is not before the key. */
static size_t lower_bound(const struct supply_data *d, const struct supply_figure *key)
{
	size_t low = 0, high = d->n_figures;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_question(&d->figures[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct supply_figures supply_find(const struct supply_data *d, uint32_t mineral, enum supply_stage stage, enum supply_kind kind,
				  int year)
{
	struct supply_figure key = {
		.mineral = mineral, .stage = (uint8_t)stage, .kind = (uint8_t)kind, .year = (int16_t)year
	};
	size_t begin = lower_bound(d, &key), end;

	key.year = (int16_t)(year ? year + 1 : INT16_MAX);
	end = lower_bound(d, &key);
	return (struct supply_figures){ .first = d->figures + begin, .count = end - begin };
}

int supply_newest_year(const struct supply_data *d, uint32_t mineral, enum supply_stage stage, enum supply_kind kind)
{
	struct supply_figures all = supply_find(d, mineral, stage, kind, 0);

	return all.count ? all.first[all.count - 1].year : 0;
}

/* Within what lies beside each other of one question. */
static struct supply_figures narrow(struct supply_figures all, bool (*is_it)(const struct supply_figure *f, uint16_t country),
				    uint16_t country)
{
	size_t begin = 0, end;

	while (begin < all.count && !is_it(&all.first[begin], country))
		begin++;
	for (end = begin; end < all.count && is_it(&all.first[end], country);)
		end++;
	return (struct supply_figures){ .first = all.first + begin, .count = end - begin };
}

static bool is_of_country(const struct supply_figure *f, uint16_t country)
{
	return f->scope == SUPPLY_COUNTRY && f->country == country;
}

static bool is_of_partner(const struct supply_figure *f, uint16_t partner)
{
	return f->partner == partner;
}

struct supply_figures supply_of_country(struct supply_figures of_a_year, uint16_t country)
{
	return narrow(of_a_year, is_of_country, country);
}

struct supply_figures supply_of_partner(struct supply_figures of_a_country, uint16_t partner)
{
	return narrow(of_a_country, is_of_partner, partner);
}

unsigned supply_stages_on_file(const struct supply_data *d, uint32_t mineral, enum supply_kind kind)
{
	unsigned stages = 0;

	for (unsigned s = 0; s < SUPPLY_STAGES; s++)
		if (supply_find(d, mineral, (enum supply_stage)s, kind, 0).count > 0)
			stages |= 1u << s;
	return stages;
}

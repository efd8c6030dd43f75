/* One mineral and stage with what is added to it: its model, its figures, and what a reader of them must know. */
#include <string.h>
#include "supply_combination.h"
#include "supply_effect.h"

/* --- utilisation --- */

/* What the world makes, or can make: the published figure, else the sum of the rows. Not known where that has no greatest. */
static void whole(const struct supply_table *t, struct supply_span *ret)
{
	ret->known = t->world.figures > 0 && !t->world.open;
	if (ret->known) {
		mpq_set(ret->min, t->world.low);
		mpq_set(ret->max, t->world.high);
		return;
	}
	supply_denominator(t, ret);
	for (size_t i = 0; i < t->n_rows; i++)
		ret->known = ret->known && t->rows[i].placed;
}

static void at_most_one(mpq_t value)
{
	if (mpq_cmp_ui(value, 1, 1) > 0)
		mpq_set_ui(value, 1, 1);
}

static enum err by_figures(struct making *k, const struct baseline *b, struct model *m)
{
	struct supply_warnings unheard;
	struct supply_span made, can;
	struct supply_table t;
	enum err e;

	supply_warnings_begin(&unheard, k->memory);
	e = supply_table_build(k->d, b->mineral, b->stage, SUPPLY_CAPACITY, b->table.year, k->memory, &unheard, &t);
	if (e != OK)
		return e;
	supply_span_init(&made);
	supply_span_init(&can);
	whole(&b->table, &made);
	whole(&t, &can);
	if (made.known && can.known && mpq_sgn(can.min) > 0 && t.basis == b->table.basis) {
		mpq_div(m->use[0], made.min, can.max);
		mpq_div(m->use[1], made.max, can.min);
		at_most_one(m->use[0]);
		at_most_one(m->use[1]);
	} else {
		mpq_set_ui(m->use[0], 1, 1);
		mpq_set_ui(m->use[1], 1, 1);
		supply_warn(
			k->warnings, "nameplate", NULL, 0,
			"%s %s %d: the world's production and capacity are not both on file, so plants count with their whole "
			"capacity; they will make less",
			k->d->minerals[b->mineral].slug, supply_stage_names[b->stage], b->table.year);
	}
	supply_span_clear(&made);
	supply_span_clear(&can);
	supply_table_clear(&t);
	return OK;
}

static enum err set_use(struct making *k, const struct baseline *b, struct model *m)
{
	if (!k->q->use_min)
		return by_figures(k, b, m);
	supply_number(k->q->use_min, m->use[0]);
	supply_number(k->q->use_max, m->use[1]);
	return OK;
}

/* --- the model of an item --- */

static void set_mass(const char *decimal, enum supply_unit unit, mpq_t ret)
{
	supply_number(decimal, ret);
	supply_to_base(unit, ret);
}

/* A country's row, made where there is none; country 0: other countries. */
static size_t row_of(const struct making *k, struct model *m, uint16_t *countries, uint16_t country)
{
	size_t i;

	for (i = 0; i < m->n_rows; i++)
		if (countries[i] == country)
			return i;
	countries[m->n_rows] = country;
	m->rows[m->n_rows].other = !country;
	m->rows[m->n_rows].listed = supply_set_has(k->q->list, country, k->year);
	m->rows[m->n_rows].allied = supply_set_has(k->q->members, country, k->year);
	return m->n_rows++;
}

/* Whether a country of the set has no row in the figures and may so be among the others. */
static enum err is_unlisted(const struct making *k, const struct baseline *b, const struct supply_set *s, bool *ret)
{
	size_t n;
	const uint16_t *countries = supply_set_countries(s, k->year, k->memory, &n);

	if (!countries)
		return ERR_NOMEM;
	*ret = false;
	for (size_t i = 0; i < n; i++)
		*ret = *ret || !supply_table_row(&b->table, countries[i]);
	return OK;
}

static void add_part(const struct making *k, struct model *m, uint16_t *countries, const struct supply_plant_output *o)
{
	const struct supply_plant_output *old = effect_replaced(k, o);
	uint16_t country = k->plants->projects[o->project].country;
	size_t row = row_of(k, m, countries, country);
	struct model_part *p = &m->parts[m->n_parts++];

	p->row = row;
	p->listed = m->rows[row].listed;
	p->replaced = MODEL_NONE;
	set_mass(o->capacity_min, (enum supply_unit)o->unit, p->capacity[0]);
	set_mass(o->capacity_max, (enum supply_unit)o->unit, p->capacity[1]);
	if (!old)
		return;
	p->replaced = row_of(k, m, countries, k->plants->projects[old->project].country);
	set_mass(old->capacity_min, (enum supply_unit)old->unit, p->old[0]);
	set_mass(old->capacity_max, (enum supply_unit)old->unit, p->old[1]);
}

static enum err set_model(struct making *k, const struct baseline *b, struct model *m, uint16_t **ret_countries)
{
	size_t rows = b->table.n_rows + 2 * b->n_outputs;
	uint16_t *countries = arena_alloc(k->memory, rows * sizeof(*countries));
	enum err e = OK;

	if (!countries)
		return ERR_NOMEM;
	m->n_rows = m->n_parts = 0; /* all are initialised; they are taken one by one */
	for (size_t i = 0; i < b->table.n_rows; i++) {
		const struct supply_row *from = &b->table.rows[i];
		struct model_row *row;

		if (!from->placed)
			continue;
		row = &m->rows[row_of(k, m, countries, from->country)];
		mpq_set(row->low, from->cell.low);
		mpq_set(row->high, from->cell.high);
		row->open = from->cell.open;
	}
	mpq_set(m->left, b->table.left);
	for (size_t i = 0; i < b->n_outputs; i++)
		add_part(k, m, countries, &k->plants->outputs[b->outputs[i]]);
	if (k->q->has_list)
		e = is_unlisted(k, b, k->q->list, &m->list_unlisted);
	if (e == OK && k->q->has_alliance)
		e = is_unlisted(k, b, k->q->members, &m->alliance_unlisted);
	*ret_countries = countries;
	return e == OK ? set_use(k, b, m) : e;
}

/* --- what it comes to --- */

/* One figure within its part of the item's steps. */
static enum err measure_one(const struct making *k, struct model *m, enum model_measure what, enum model_state state,
			    struct supply_span *ret, bool *coarse)
{
	size_t steps = k->item_steps / ((size_t)MODEL_STATES * MODEL_MEASURES) + 1;
	enum err e;

	m->steps = k->item_steps ? &steps : NULL;
	e = model_measure(m, what, state, k->memory, ret);
	m->steps = NULL;
	*coarse = *coarse || steps == 0;
	return e;
}

static enum err measure(const struct making *k, struct model *m, struct supply_effect_item *item)
{
	struct supply_measures *states[MODEL_STATES] = { [MODEL_BEFORE] = &item->before,
							 [MODEL_ADD] = &item->add,
							 [MODEL_ADD_CHANGE] = &item->add_change,
							 [MODEL_DISPLACE] = &item->displace,
							 [MODEL_DISPLACE_CHANGE] = &item->displace_change };
	bool coarse = false;
	enum err e = OK;

	for (unsigned s = 0; e == OK && s < MODEL_STATES; s++) {
		enum model_state state = (enum model_state)s;

		e = measure_one(k, m, MODEL_HHI, state, &states[s]->hhi, &coarse);
		if (e == OK && k->q->has_list)
			e = measure_one(k, m, MODEL_LIST, state, &states[s]->list, &coarse);
		if (e == OK && k->q->has_alliance)
			e = measure_one(k, m, MODEL_ALLIANCE, state, &states[s]->alliance, &coarse);
	}
	if (e == OK && coarse && k->q->all_or_nothing)
		return ERR_FULL;
	if (coarse)
		supply_warn(k->warnings, "not-exact", NULL, 0,
			    "%s %s %d: so much is not known that not every combination was looked at; ends may lie further out",
			    k->d->minerals[item->mineral].slug, supply_stage_names[item->stage], item->baseline_year);
	return e;
}

/* What the plants in a country make less what they replace there. */
static void country_net(const struct model *m, size_t row, struct supply_relief *ret)
{
	mpq_t sum[2], product;

	mpq_inits(sum[0], sum[1], product, NULL);
	for (size_t i = 0; i < m->n_parts; i++)
		for (int end = 0; end < 2; end++) {
			if (m->parts[i].row == row)
				mpq_add(sum[end], sum[end], m->parts[i].capacity[end]);
			if (m->parts[i].replaced == row)
				mpq_sub(sum[end], sum[end], m->parts[i].old[1 - end]);
		}
	for (int end = 0; end < 2; end++) {
		mpq_mul(product, sum[0], m->use[end]);
		if (end == 0 || mpq_cmp(product, ret->least) < 0)
			mpq_set(ret->least, product);
		mpq_mul(product, sum[1], m->use[end]);
		if (end == 0 || mpq_cmp(product, ret->greatest) > 0)
			mpq_set(ret->greatest, product);
	}
	mpq_clears(sum[0], sum[1], product, NULL);
}

static void copy(struct supply_span *to, const struct supply_span *from)
{
	if (from->known)
		supply_span_set(to, from->min, from->max);
}

static enum err expose(struct making *k, const struct baseline *b, const struct model *m, const uint16_t *countries,
		       struct supply_effect_item *item)
{
	struct supply_exposure_question x = {
		.mineral = b->mineral, .stage = b->stage, .year = b->table.year, .list = k->q->list, .list_year = k->year
	};
	struct supply_relief *reliefs = arena_alloc(k->memory, m->n_rows * sizeof(*reliefs));
	size_t n = 0;
	enum err e;

	x.members = supply_set_countries(k->q->members, k->year, k->memory, &x.n_members);
	if (!reliefs || !x.members)
		return ERR_NOMEM;
	for (size_t i = 0; i < m->n_rows; i++) {
		if (!m->rows[i].allied)
			continue;
		reliefs[n].country = countries[i];
		mpq_inits(reliefs[n].least, reliefs[n].greatest, NULL);
		country_net(m, i, &reliefs[n++]);
	}
	e = supply_exposure_relieved(k->d, &x, reliefs, n, k->memory, k->warnings, &item->before.exposure, &item->add.exposure,
				     &item->add_change.exposure);
	copy(&item->displace.exposure, &item->add.exposure);
	copy(&item->displace_change.exposure, &item->add_change.exposure);
	for (size_t i = 0; i < n; i++)
		mpq_clears(reliefs[i].least, reliefs[i].greatest, NULL);
	return e;
}

static enum err contributions(const struct making *k, const struct baseline *b, const struct model *m,
			      struct supply_effect_item *item)
{
	bool *of = arena_alloc(k->memory, b->n_outputs * sizeof(*of));

	item->contributions = arena_alloc(k->memory, b->n_outputs * sizeof(*item->contributions));
	if (!of || !item->contributions)
		return ERR_NOMEM;
	for (size_t i = 0; i < b->n_outputs; i++) { /* those of one project lie beside each other */
		const struct supply_plant_output *o = &k->plants->outputs[b->outputs[i]];
		struct supply_contribution *c;

		if (i > 0 && k->plants->outputs[b->outputs[i - 1]].project == o->project)
			continue;
		for (size_t n = 0; n < b->n_outputs; n++)
			of[n] = k->plants->outputs[b->outputs[n]].project == o->project;
		c = &item->contributions[item->n_contributions++];
		*c = (struct supply_contribution){ .project = o->project, .unit = (enum supply_unit)o->unit };
		supply_span_init(&c->mass);
		model_net(m, of, c->mass.min, c->mass.max);
		c->mass.known = true;
	}
	return OK;
}

/* --- what the reader must know --- */

/* The list's part of an output's feed, in per cent, and how much of it has no country on file. */
static bool feed_parts(const struct making *k, const struct supply_plant_output *o, mpq_t listed, mpq_t unknown)
{
	bool some = false;
	mpq_t pct;

	mpq_init(pct);
	mpq_set_ui(listed, 0, 1);
	mpq_set_ui(unknown, 100, 1);
	for (uint32_t f = o->first_feed; f != SUPPLY_NONE; f = k->plants->feeds[f].next) {
		const struct supply_feed *feed = &k->plants->feeds[f];
		bool is_listed = supply_set_has(k->q->list, feed->country, k->year);

		some = some || is_listed;
		if (!feed->pct || !feed->country)
			continue;
		supply_number(feed->pct, pct);
		mpq_sub(unknown, unknown, pct);
		if (is_listed)
			mpq_add(listed, listed, pct);
	}
	if (mpq_sgn(unknown) < 0)
		mpq_set_ui(unknown, 0, 1);
	mpq_clear(pct);
	return some;
}

static void warn_feed(const struct making *k, const struct baseline *b, const struct supply_plant_output *o)
{
	const char *project = k->plants->projects[o->project].node.slug, *mineral = k->d->minerals[b->mineral].slug;
	char least[SUPPLY_TEXT_MAX], most[SUPPLY_TEXT_MAX];
	mpq_t listed, unknown;

	if (b->stage == SUPPLY_MINE) /* feeds on nothing */
		return;
	mpq_inits(listed, unknown, NULL);
	if (feed_parts(k, o, listed, unknown)) {
		mpq_add(unknown, unknown, listed);
		if (!supply_text(listed, 12, least, sizeof(least)) || !supply_text(unknown, 12, most, sizeof(most)))
			k->warnings->failed = true;
		supply_warn(k->warnings, "feed-dependence", NULL, 0,
			    "%s %s: countries of the list give %s%s%s %% of what %s is fed with, so it depends on them still",
			    mineral, supply_stage_names[b->stage], least, strcmp(least, most) ? " to " : "",
			    strcmp(least, most) ? most : "", project);
	} else if (mpq_sgn(unknown) > 0) {
		bool all = mpq_cmp_ui(unknown, 100, 1) == 0;

		if (!supply_text(unknown, 12, most, sizeof(most)))
			k->warnings->failed = true;
		supply_warn(k->warnings, "feed-unknown", NULL, 0,
			    "%s %s: where %s%swhat %s is fed with comes from is not on file%s", mineral,
			    supply_stage_names[b->stage], all ? "" : most, all ? "" : " % of ", project,
			    k->q->has_list ? "; it may depend on the list still" : "");
	}
	mpq_clears(listed, unknown, NULL);
}

static void warn(struct making *k, const struct baseline *b)
{
	for (size_t i = 0; i < b->warnings.count; i++) {
		const struct supply_warning *w = &b->warnings.items[i];

		supply_warn(k->warnings, w->code, NULL, 0, "%s", w->detail);
		if (!k->warnings->failed)
			k->warnings->items[k->warnings->count - 1] = *w;
	}
	if (k->year > b->table.year)
		supply_warn(k->warnings, "baseline-older", NULL, 0,
			    "%s %s: what is asked of %d is held against production of %d, the newest on file",
			    k->d->minerals[b->mineral].slug, supply_stage_names[b->stage], k->year, b->table.year);
	for (size_t i = 0; i < b->n_outputs; i++) {
		const struct supply_plant_output *o = &k->plants->outputs[b->outputs[i]];

		if (!k->plants->projects[o->project].country)
			supply_warn(k->warnings, "no-country", NULL, 0,
				    "%s %s: the country of %s is not on file; it counts as one of the others",
				    k->d->minerals[b->mineral].slug, supply_stage_names[b->stage],
				    k->plants->projects[o->project].node.slug);
		warn_feed(k, b, o);
	}
}

/* --- the item --- */

static struct supply_span *const *spans(struct supply_measures *m, struct supply_span *ret[4])
{
	ret[0] = &m->hhi;
	ret[1] = &m->list;
	ret[2] = &m->alliance;
	ret[3] = &m->exposure;
	return ret;
}

void effect_each_span(struct supply_effect_item *item, void (*act)(struct supply_span *s))
{
	struct supply_measures *all[] = { &item->before, &item->add, &item->add_change, &item->displace,
					  &item->displace_change };
	struct supply_span *s[4];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		spans(all[i], s);
		for (size_t k = 0; k < 4; k++)
			act(s[k]);
	}
}

enum err effect_item(struct making *k, const struct baseline *b, struct supply_effect_item *item)
{
	uint16_t *countries;
	struct model m;
	size_t rows = b->table.n_rows + 2 * b->n_outputs;
	enum err e;

	*item = (struct supply_effect_item){ .mineral = b->mineral, .stage = b->stage, .baseline_year = b->table.year };
	effect_each_span(item, supply_span_init);
	if (!model_init(&m, k->memory, rows, b->n_outputs))
		return ERR_NOMEM;
	e = set_model(k, b, &m, &countries);
	if (e == OK)
		e = contributions(k, b, &m, item);
	if (e == OK)
		e = measure(k, &m, item);
	if (e == OK && k->q->has_list && k->q->has_alliance)
		e = expose(k, b, &m, countries, item);
	m.n_rows = rows;
	m.n_parts = b->n_outputs;
	model_clear(&m);
	if (e == OK)
		warn(k, b);
	return e;
}

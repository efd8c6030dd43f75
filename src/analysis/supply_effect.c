/* The effect of projects: which outputs can be compared with which table, and what they come to there. */
#include "supply_effect.h"

#include <stdlib.h>
#include <string.h>

const char *const supply_reason_names[] = { "no-outputs", "no-capacity", "no-figures",  "other-stage", "other-basis",
					    "status",     "year",        "in-baseline", NULL };

static enum err look_at(struct making *k, uint32_t mineral, unsigned stage, struct baseline **ret)
{
	struct baseline **place = &k->baselines[mineral * SUPPLY_STAGES + stage], *b;
	enum err e;

	*ret = *place;
	if (*place)
		return OK;
	b = arena_alloc(k->memory, sizeof(*b));
	if (!b)
		return ERR_NOMEM;
	b->slug = k->d->minerals[mineral].slug;
	b->mineral = mineral;
	b->stage = (enum supply_stage)stage;
	supply_warnings_begin(&b->warnings, k->memory);
	e = supply_table_build(k->d, mineral, b->stage, SUPPLY_PRODUCTION,
			       supply_newest_year(k->d, mineral, b->stage, SUPPLY_PRODUCTION), k->memory, &b->warnings,
			       &b->table);
	if (e != OK)
		return e;
	b->has_rows =
		b->table.n_placed > 0 && (mpq_sgn(b->table.high) > 0 || (b->table.n_open > 0 && mpq_sgn(b->table.left) > 0));
	*ret = *place = b;
	return OK;
}

static void forget(struct making *k)
{
	for (size_t i = 0; k->baselines && i < k->d->n_minerals * SUPPLY_STAGES; i++)
		if (k->baselines[i])
			supply_table_clear(&k->baselines[i]->table);
}

/* --- what is left out --- */

static enum err has_other_stage(struct making *k, uint32_t mineral, bool *ret)
{
	*ret = false;
	for (unsigned s = 0; s < SUPPLY_STAGES && !*ret; s++) {
		struct baseline *b;
		enum err e = look_at(k, mineral, s, &b);

		if (e != OK)
			return e;
		*ret = b->has_rows;
	}
	return OK;
}

const struct supply_plant_output *effect_replaced(const struct making *k, const struct supply_plant_output *o)
{
	return o->replaces == SUPPLY_NONE ? NULL : &k->plants->outputs[o->replaces];
}

/* The first reason that holds, in the order of the enumeration. */
static enum err reason_of(struct making *k, const struct supply_plant_output *o, struct baseline **ret,
			  enum supply_reason *ret_reason)
{
	const struct supply_plant_output *old = effect_replaced(k, o);
	int start = supply_output_start(k->plants, o);
	bool elsewhere = false;
	enum err e = look_at(k, o->mineral, o->stage, ret);

	if (e == OK && !(*ret)->has_rows)
		e = has_other_stage(k, o->mineral, &elsewhere);
	if (e != OK)
		return e;
	if (!o->capacity_min || (old && !old->capacity_min))
		*ret_reason = SUPPLY_NO_CAPACITY;
	else if (!(*ret)->has_rows)
		*ret_reason = elsewhere ? SUPPLY_OTHER_STAGE : SUPPLY_NO_FIGURES;
	else if (old && (old->mineral != o->mineral || old->stage != o->stage))
		*ret_reason = SUPPLY_OTHER_STAGE;
	else if (o->basis != (*ret)->table.basis || (old && old->basis != o->basis))
		*ret_reason = SUPPLY_OTHER_BASIS;
	else if (!(k->q->statuses >> supply_output_status(k->plants, o) & 1))
		*ret_reason = SUPPLY_OTHER_STATUS;
	else if (!start || start > k->year || (o->end_year && o->end_year <= k->year))
		*ret_reason = SUPPLY_OTHER_YEAR;
	else if (start <= (*ret)->table.year)
		*ret_reason = SUPPLY_IN_BASELINE;
	else
		*ret_reason = SUPPLY_COMPARED;
	return OK;
}

static enum err leave_out(struct making *k, uint32_t project, uint32_t mineral, enum supply_reason reason)
{
	struct supply_effect *e = k->effect;

	for (size_t i = e->n_left_out; i > 0 && e->left_out[i - 1].project == project; i--)
		if (e->left_out[i - 1].mineral == mineral && e->left_out[i - 1].reason == reason)
			return OK; /* by another stage or product */
	if (arena_grow(k->memory, (void **)&e->left_out, &k->c_left_out, e->n_left_out + 1, sizeof(*e->left_out)) != 0)
		return ERR_NOMEM;
	e->left_out[e->n_left_out++] = (struct supply_left_out){ .project = project, .mineral = mineral, .reason = reason };
	return OK;
}

struct by_mineral { /* an output, as the answer orders them */
	const char *slug;
	uint32_t output;
};

static int by_mineral(const void *a, const void *b)
{
	const struct by_mineral *x = a, *y = b;
	int order = strcmp(x->slug, y->slug);

	return order ? order : x->output < y->output ? -1 : 1;
}

static enum err choose(struct making *k, uint32_t project)
{
	const struct supply_plants *plants = k->plants;
	struct by_mineral *outputs;
	size_t n = 0;
	enum err e = OK;

	for (uint32_t o = plants->projects[project].first_output; o != SUPPLY_NONE; o = plants->outputs[o].next)
		n++;
	if (n == 0)
		return leave_out(k, project, SUPPLY_NONE, SUPPLY_NO_OUTPUTS);
	outputs = arena_alloc(k->memory, n * sizeof(*outputs));
	if (!outputs)
		return ERR_NOMEM;
	n = 0;
	for (uint32_t o = plants->projects[project].first_output; o != SUPPLY_NONE; o = plants->outputs[o].next)
		outputs[n++] = (struct by_mineral){ .slug = k->d->minerals[plants->outputs[o].mineral].slug, .output = o };
	qsort(outputs, n, sizeof(*outputs), by_mineral);
	for (size_t i = 0; e == OK && i < n; i++) {
		const struct supply_plant_output *o = &plants->outputs[outputs[i].output];
		enum supply_reason reason;
		struct baseline *b;

		e = reason_of(k, o, &b, &reason);
		if (e != OK)
			break;
		if (reason != SUPPLY_COMPARED)
			e = leave_out(k, project, o->mineral, reason);
		else if (arena_grow(k->memory, (void **)&b->outputs, &b->c_outputs, b->n_outputs + 1, sizeof(*b->outputs)) != 0)
			e = ERR_NOMEM;
		else
			b->outputs[b->n_outputs++] = outputs[i].output;
	}
	return e;
}

static int newest_start(const struct supply_plants *plants, const struct supply_effect_question *q)
{
	int newest = 0;

	for (size_t i = 0; i < q->n_projects; i++)
		for (uint32_t o = plants->projects[q->projects[i]].first_output; o != SUPPLY_NONE;
		     o = plants->outputs[o].next) {
			int start = supply_output_start(plants, &plants->outputs[o]);

			newest = start > newest ? start : newest;
		}
	return newest;
}

static int by_slug(const void *a, const void *b)
{
	const struct baseline *const *x = a, *const *y = b;
	int order = strcmp((*x)->slug, (*y)->slug);

	return order ? order : (*x)->stage < (*y)->stage ? -1 : 1;
}

static enum err make_items(struct making *k)
{
	size_t n = k->d->n_minerals * SUPPLY_STAGES, used = 0;
	struct baseline **all = arena_alloc(k->memory, n * sizeof(*all));
	enum err e = OK;

	if (!all)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		if (k->baselines[i] && k->baselines[i]->n_outputs > 0)
			all[used++] = k->baselines[i];
	if (used > 0)
		qsort(all, used, sizeof(*all), by_slug);
	k->effect->items = arena_alloc(k->memory, used * sizeof(*k->effect->items));
	if (!k->effect->items)
		return ERR_NOMEM;
	if (k->q->steps > 0)
		k->item_steps = used > 0 ? k->q->steps / used + 1 : 1;
	for (size_t i = 0; e == OK && i < used; i++)
		e = effect_item(k, all[i], &k->effect->items[k->effect->n_items++]);
	return e;
}

enum err supply_effect_make(const struct supply_data *d, const struct supply_plants *plants,
			    const struct supply_effect_question *q, struct arena *memory, struct supply_warnings *warnings,
			    struct supply_effect *ret)
{
	struct making k = {
		.d = d,
		.plants = plants,
		.q = q,
		.memory = memory,
		.warnings = warnings,
		.effect = ret,
	};
	enum err e = OK;

	*ret = (struct supply_effect){ .year = q->year ? q->year : newest_start(plants, q) };
	k.year = ret->year;
	k.baselines = arena_alloc(memory, d->n_minerals * SUPPLY_STAGES * sizeof(struct baseline *));
	if (!k.baselines)
		return ERR_NOMEM;
	for (size_t i = 0; e == OK && i < q->n_projects; i++)
		e = choose(&k, q->projects[i]);
	if (e == OK)
		e = make_items(&k);
	forget(&k);
	if (e == OK && warnings->failed)
		e = ERR_NOMEM;
	if (e != OK)
		supply_effect_clear(ret);
	return e;
}

void supply_effect_clear(struct supply_effect *e)
{
	for (size_t i = 0; i < e->n_items; i++) {
		effect_each_span(&e->items[i], supply_span_clear);
		for (size_t n = 0; n < e->items[i].n_contributions; n++)
			supply_span_clear(&e->items[i].contributions[n].mass);
	}
	e->n_items = 0;
}

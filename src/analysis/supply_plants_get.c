/* The computation of questions about plants: their effect, and whose capacity they are. */
#include "supply_plants_get.h"

#include <string.h>

#define ROWS_INLINE 1000 /* of figures and plants; more are worked on by a compute thread */

static void write_year(struct json_writer *w, int year)
{
	if (year) {
		json_member_int(w, "year", year);
		return;
	}
	json_key(w, "year");
	json_nil(w);
}

static void write_statuses(struct json_writer *w, unsigned statuses)
{
	json_key(w, "statuses");
	json_array_begin(w);
	for (unsigned i = 0; i < SUPPLY_STATUSES; i++)
		if (statuses >> i & 1)
			json_str(w, supply_status_names[i]);
	json_array_end(w);
}

static void write_known_at(const struct supply_get *g, struct json_writer *w)
{
	json_member_string(w, "valid_at", g->asked.valid_at);
	json_member_string(w, "known_at", g->known_at);
	json_member_string(w, "revision", g->revision);
}

/* --- effect --- */

static void write_use(const struct supply_get *g, struct json_writer *w)
{
	const char *ends[] = { g->asked.use_min, g->asked.use_max };

	json_key(w, "utilisation");
	if (!g->asked.use_min) {
		json_nil(w);
		return;
	}
	json_array_begin(w);
	for (size_t i = 0; i < 2; i++)
		json_raw(w, ends[i], strlen(ends[i]));
	json_array_end(w);
}

static void write_effect_echo(const struct supply_get *g, const struct supply_plants *plants, const uint32_t *asked, size_t n,
			      int year, struct json_writer *w)
{
	const struct supply_question *q = &g->question;

	if (g->which == SUPPLY_GET_PROJECT_EFFECT) {
		json_key(w, "subject");
		supply_write_node(w, "projects", &plants->projects[asked[0]].node);
	} else {
		json_key(w, "projects");
		if (g->asked.n_projects == 0)
			json_nil(w);
		else
			json_array_begin(w);
		for (size_t i = 0; g->asked.n_projects > 0 && i < n; i++)
			json_str(w, plants->projects[asked[i]].node.slug);
		if (g->asked.n_projects > 0)
			json_array_end(w);
	}
	json_member_string(w, "kind", supply_kind_names[SUPPLY_PRODUCTION]);
	write_year(w, year);
	json_member_string(w, "of", q->of);
	json_key(w, "alliance");
	if (q->alliance)
		supply_write_node(w, "alliances", q->alliance);
	else
		json_nil(w);
	write_statuses(w, g->asked.statuses);
	write_use(g, w);
	json_member_string(w, "assume", g->asked.add && g->asked.displace ? NULL : g->asked.add ? "add" : "displace");
	write_known_at(g, w);
}

/* Of projects that contribute to something. */
static enum err own(struct supply_get *g, const struct supply_plants *plants, const struct supply_effect *effect,
		    struct supply_warnings *warnings, struct supply_owned *owned)
{
	enum err e = OK;

	for (size_t i = 0; g->of_owners && e == OK && i < effect->n_items; i++)
		for (size_t k = 0; e == OK && k < effect->items[i].n_contributions; k++) {
			uint32_t project = effect->items[i].contributions[k].project;

			if (!owned[project].list.known && !owned[project].alliance.known)
				e = supply_owned(g, &plants->projects[project], effect->year, warnings, &owned[project]);
		}
	return e;
}

static enum err write_effect(struct supply_get *g, const struct supply_data *d, const struct supply_plants *plants,
			     const uint32_t *asked, size_t n, const struct supply_output *out)
{
	struct supply_effect_question q = { .projects = asked,
					    .n_projects = n,
					    .year = g->question.year,
					    .statuses = g->asked.statuses,
					    .use_min = g->asked.use_min,
					    .use_max = g->asked.use_max,
					    .list = g->question.list,
					    .members = g->question.members,
					    .has_list = g->question.of != NULL,
					    .has_alliance = g->question.alliance != NULL,
					    .steps = g->inquiry.steps,
					    .all_or_nothing = g->inquiry.inline_only };
	struct supply_owned *owned = arena_alloc(out->memory, plants->n_projects * sizeof(*owned));
	struct supply_effect effect;
	enum err e;

	if (!owned)
		return ERR_NOMEM;
	e = supply_effect_make(d, plants, &q, out->memory, out->warnings, &effect);
	if (e != OK)
		return e;
	for (size_t i = 0; i < plants->n_projects; i++) {
		supply_span_init(&owned[i].list);
		supply_span_init(&owned[i].alliance);
	}
	e = own(g, plants, &effect, out->warnings, owned);
	if (e == OK && out->json)
		write_effect_echo(g, plants, asked, n, effect.year, out->json);
	if (e == OK)
		supply_effect_write(d, plants, &q, &effect, owned, g->asked.add, g->asked.displace, out);
	for (size_t i = 0; i < plants->n_projects; i++) {
		supply_span_clear(&owned[i].list);
		supply_span_clear(&owned[i].alliance);
	}
	supply_effect_clear(&effect);
	return e;
}

/* --- capacity --- */

static void write_capacity_echo(const struct supply_get *g, const struct supply_data *d, int stage, int year,
				struct json_writer *w)
{
	static const char *const groups[] = { "country", "state", "holder" };

	json_key(w, "mineral");
	supply_write_node(w, "minerals", &d->minerals[0]);
	json_member_string(w, "stage", stage < 0 ? NULL : supply_stage_names[stage]);
	json_member_string(w, "kind", supply_kind_names[SUPPLY_CAPACITY]);
	write_year(w, year);
	json_member_string(w, "by", g->asked.by_owner ? "owner" : "location");
	json_member_string(w, "group", groups[g->asked.group]);
	json_member_string(w, "method", !g->asked.by_owner ? NULL : g->asked.control ? "control" : "integrated");
	write_statuses(w, g->asked.statuses);
	write_known_at(g, w);
}

/* The only stage of which there are outputs, -1: there are none. false: there are several. */
static bool only_stage(const struct supply_plants *plants, int *ret)
{
	*ret = -1;
	for (size_t i = 0; i < plants->n_outputs; i++) {
		if (*ret >= 0 && *ret != plants->outputs[i].stage)
			return false;
		*ret = plants->outputs[i].stage;
	}
	return true;
}

static enum err write_capacity(struct supply_get *g, const struct supply_data *d, const struct supply_plants *plants,
			       const struct supply_output *out, struct answer *a)
{
	struct supply_capacity_question q = { .year = g->question.year, .statuses = g->asked.statuses };
	struct supply_portions portions;
	struct supply_chosen chosen;
	int stage = g->question.stage;
	enum err e;

	if (stage < 0 && !only_stage(plants, &stage)) {
		faults_add(&a->faults, FAULT_PARAMETER, "stage", "required",
			   "there are outputs of several stages: say which one stage= means");
		return answer_faults(a, 400);
	}
	q.stage = stage < 0 ? SUPPLY_MINE : (enum supply_stage)stage;
	e = supply_capacity_choose(d, plants, &q, out->memory, out->warnings, &chosen);
	supply_portions_begin(&portions, out->memory);
	if (e == OK)
		e = g->asked.by_owner ? supply_divide(g, plants, &chosen, out->warnings, &portions)
				      : supply_portions_by_location(plants, &chosen, &portions);
	if (e == OK && out->json)
		write_capacity_echo(g, d, stage, chosen.year, out->json);
	if (e == OK)
		e = supply_capacity_write(plants, &chosen, &portions, out);
	supply_portions_clear(&portions);
	return e;
}

/* --- both --- */

static enum err load(struct supply_get *g, struct arena *a, struct supply_data *d)
{
	if (g->which != SUPPLY_GET_CAPACITY)
		return supply_load(g, a, d);
	supply_data_begin(d, a);
	return supply_add_mineral(d, (struct supply_node){ .id = db_result_value(g->subject, 0, SET_ID),
							   .slug = db_result_value(g->subject, 0, SET_SLUG),
							   .name = db_result_value(g->subject, 0, SET_NAME) });
}

static enum err write_answer(struct supply_get *g, const struct supply_data *d, const struct supply_plants *plants,
			     const uint32_t *asked, size_t n, const struct supply_output *out, struct answer *a)
{
	return g->which == SUPPLY_GET_CAPACITY ? write_capacity(g, d, plants, out, a)
					       : write_effect(g, d, plants, asked, n, out);
}

enum err supply_plants_run(struct compute_job *job, struct answer *ret)
{
	struct supply_get again = *(struct supply_get *)job->input, *g = &again; /* a second run starts as the first */
	struct supply_set sets[2] = { 0 };
	struct supply_member country;
	struct supply_node alliance;
	struct supply_warnings warnings;
	struct supply_plants plants;
	struct supply_data data;
	struct json_writer w;
	struct supply_output out = {
		.json = g->csv ? NULL : &w, .csv = g->csv ? &ret->body : NULL, .memory = job->arena, .warnings = &warnings
	};
	uint32_t *asked;
	size_t n;
	enum err e;

	if (job->inline_only && (g->figures ? db_result_rows(g->figures) : 0) + db_result_rows(g->plants) > ROWS_INLINE)
		return ERR_FULL;
	g->inquiry.inline_only = job->inline_only;
	g->inquiry.steps = job->steps;
	g->inquiry.cancelled = &job->cancelled;
	e = load(g, job->arena, &data);
	if (e == OK)
		e = supply_load_plants(g->plants, &data, job->arena, &plants, &asked, &n);
	if (e == OK)
		e = supply_get_sets(g, job->arena, sets, &country, &alliance);
	if (e != OK)
		return e;
	supply_warnings_begin(&warnings, job->arena);
	if (g->csv) {
		ret->content_type = "text/csv; charset=utf-8; header=present";
		return write_answer(g, &data, &plants, asked, n, &out, ret);
	}
	json_begin(&w, &ret->body);
	json_object_begin(&w);
	e = write_answer(g, &data, &plants, asked, n, &out, ret);
	if (e != OK || ret->problem)
		return e;
	supply_write_warnings(&w, &warnings);
	json_object_end(&w);
	buf_putc(&ret->body, '\n');
	return warnings.failed ? ERR_NOMEM : OK;
}

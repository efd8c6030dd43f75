/* GETs about supply: read as known at one instant, computed from what was read, answered. */
#include "supply_plants_get.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/api/follower.h"
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"
#include "lodebase/db/result.h"

#define ROWS_INLINE 1000 /* of figures; more are worked on by a compute thread */

struct state {
	struct supply_get *get;
	struct supply_reads reads;
};

static struct supply_get *get_of(const struct call *c)
{
	return c->compute ? c->compute->input : NULL;
}

static void release(void *held)
{
	struct supply_get *g = held;

	db_result_free(g->subject);
	db_result_free(g->list);
	db_result_free(g->members);
	db_result_free(g->rules_found);
	db_result_free(g->figures);
	db_result_free(g->plants);
	moment_unref(g->moment);
}

bool supply_is_of_plants(const struct supply_get *g)
{
	return g->which == SUPPLY_GET_EFFECT || g->which == SUPPLY_GET_PROJECT_EFFECT || g->which == SUPPLY_GET_CAPACITY;
}

static void check(struct call *c, enum supply_which which)
{
	struct compute_job *job = compute_job(c);
	struct supply_get *g;

	if (!job)
		return;
	g = arena_alloc(job->arena, sizeof(*g));
	if (!g) {
		call_out_of_memory(c);
		return;
	}
	g->which = which;
	g->csv = strcmp(c->media_type, "text/csv") == 0;
	for (size_t i = 0; i < c->request->n_params; i++)
		if (strcmp(c->request->params[i].name, "known_at") == 0 && c->known.kind == KNOWN_UNASKED)
			known_parse(c, c->request->params[i].value, c->request->params[i].value_len, &c->known);
	supply_parameters(c, g);
	if (c->segment)
		g->segment = arena_strdup(job->arena, c->segment);
	job->input = g;
	job->held = g;
	job->release = release;
}

/* --- the computation --- */

/* The figures' mineral that the path names; one without figures is added. */
static enum err find_mineral(const struct supply_get *g, struct supply_data *d, uint32_t *ret)
{
	const char *id = db_result_value(g->subject, 0, SET_ID);

	for (*ret = 0; *ret < d->n_minerals; ++*ret)
		if (strcmp(d->minerals[*ret].id, id) == 0)
			return OK;
	return supply_add_mineral(d, (struct supply_node){ .id = id,
							   .slug = db_result_value(g->subject, 0, SET_SLUG),
							   .name = db_result_value(g->subject, 0, SET_NAME) });
}

static bool is_of_mineral(const struct supply_get *g)
{
	return g->which == SUPPLY_GET_TABLE || g->which == SUPPLY_GET_TREND || g->which == SUPPLY_GET_CHAIN ||
	       g->which == SUPPLY_GET_RELIANCE;
}

enum err supply_get_sets(struct supply_get *g, struct arena *a, struct supply_set sets[2], struct supply_member *country,
			 struct supply_node *alliance)
{
	enum err e = OK;

	if (g->of_country) {
		*country = (struct supply_member){ .country = supply_country(g->of) };
		sets[0] = (struct supply_set){ .members = country, .count = 1 };
		g->question.of = g->of;
	} else if (g->of) {
		e = supply_load_set(g->list, a, &sets[0]);
		g->question.of = db_result_value(g->list, 0, SET_SLUG);
	}
	g->question.list = &sets[0];
	if (e == OK && g->members) {
		e = supply_load_set(g->members, a, &sets[1]);
		*alliance = (struct supply_node){ .id = db_result_value(g->members, 0, SET_ID),
						  .slug = db_result_value(g->members, 0, SET_SLUG),
						  .name = db_result_value(g->members, 0, SET_NAME) };
		g->question.alliance = alliance;
	}
	g->question.members = &sets[1];
	return e;
}

static void write_supply_echo(const struct supply_get *g, const struct supply_data *d, uint32_t mineral, struct json_writer *w)
{
	const struct supply_question *q = &g->question;

	if (is_of_mineral(g)) {
		json_key(w, "mineral");
		supply_write_node(w, "minerals", &d->minerals[mineral]);
	}
	if (g->which == SUPPLY_GET_ALLIANCE || g->which == SUPPLY_GET_BENCHMARKS) {
		json_key(w, "subject");
		supply_write_node(w, "alliances", q->alliance);
	}
	if (g->which != SUPPLY_GET_RELIANCE)
		json_member_string(w, "kind", supply_kind_names[q->kind]);
	if (g->which != SUPPLY_GET_CHAIN)
		json_member_string(w, "stage", q->stage < 0 ? NULL : supply_stage_names[q->stage]);
	if (g->which == SUPPLY_GET_RELIANCE) {
		json_member_string(w, "country", g->country);
	} else if (g->which != SUPPLY_GET_TREND) {
		json_key(w, "year");
		if (q->year)
			json_raw(w, arena_printf(d->arena, "%d", q->year), 4);
		else
			json_nil(w);
	}
	if (g->which == SUPPLY_GET_ALLIANCE)
		json_member_string(w, "of", q->of);
	if (g->which == SUPPLY_GET_CONCENTRATION) {
		json_member_string(w, "of", q->of);
		json_member_string(w, "guideline", q->guideline == SUPPLY_GUIDELINE_2010 ? "2010" : "2023");
		json_member_string(w, "sort",
				   arena_printf(d->arena, "%s%s", g->descending ? "-" : "", supply_sort_names[g->sort]));
		json_member_int(w, "limit", g->limit);
	}
	json_member_string(w, "known_at", g->known_at);
	json_member_string(w, "revision", g->revision);
}

static enum err write_body(const struct supply_get *g, const struct supply_data *d, uint32_t mineral,
			   const struct supply_output *out)
{
	struct supply_rule *rules = NULL;
	size_t n_rules = 0;
	enum err e = OK;

	switch (g->which) {
	case SUPPLY_GET_TABLE:
		return supply_write_table(d, &g->question, mineral, out);
	case SUPPLY_GET_TREND:
		return supply_write_trend(d, &g->question, mineral, out);
	case SUPPLY_GET_CHAIN:
		return supply_write_chain(d, &g->question, mineral, out);
	case SUPPLY_GET_CONCENTRATION:
		return supply_write_concentration(d, &g->question, g->sort, g->descending, g->limit, out);
	case SUPPLY_GET_ALLIANCE:
		return supply_write_alliance(d, &g->question, out);
	case SUPPLY_GET_BENCHMARKS:
		e = supply_load_rules(g->rules_found, out->memory, &rules, &n_rules);
		return e == OK ? supply_write_benchmarks(d, &g->question, rules, n_rules, out) : e;
	case SUPPLY_GET_RELIANCE:
		return supply_write_reliance(d, &g->question, mineral, supply_country(g->country), out);
	case SUPPLY_GET_EFFECT:
	case SUPPLY_GET_PROJECT_EFFECT:
	case SUPPLY_GET_CAPACITY:
		break; /* supply_plants_run() */
	}
	return ERR_STATE;
}

/* Stage and year, where one table is asked for. false: the answer became a problem. */
static bool settle(struct supply_get *g, const struct supply_data *d, uint32_t mineral, struct answer *a)
{
	struct supply_question *q = &g->question;

	if (g->which != SUPPLY_GET_TABLE && g->which != SUPPLY_GET_TREND)
		return true;
	if (q->stage < 0)
		q->stage = supply_only_stage(d, mineral, q->kind);
	if (q->stage == -2) {
		faults_add(&a->faults, FAULT_PARAMETER, "stage", "required",
			   "there are figures of several stages: say which one stage= means, or ask for …/chain");
		(void)answer_faults(a, 400);
		return false;
	}
	if (!q->year && q->stage >= 0)
		q->year = supply_newest_year(d, mineral, (enum supply_stage)q->stage, q->kind);
	return true;
}

static enum err run_job(struct compute_job *job, struct answer *ret)
{
	struct supply_get again = *(struct supply_get *)job->input, *g = &again; /* a second run starts as the first */
	struct supply_set sets[2] = { 0 };
	struct supply_member country;
	struct supply_node alliance;
	struct supply_warnings warnings;
	struct supply_data data;
	struct json_writer w;
	struct supply_output out = {
		.json = g->csv ? NULL : &w, .csv = g->csv ? &ret->body : NULL, .memory = job->arena, .warnings = &warnings
	};
	uint32_t mineral = 0;
	enum err e;

	if (job->inline_only && db_result_rows(g->figures) > ROWS_INLINE)
		return ERR_FULL;
	e = supply_load(g, job->arena, &data);
	if (e == OK && is_of_mineral(g))
		e = find_mineral(g, &data, &mineral);
	if (e == OK)
		e = supply_get_sets(g, job->arena, sets, &country, &alliance);
	if (e != OK || !settle(g, &data, mineral, ret))
		return e;
	supply_warnings_begin(&warnings, job->arena);
	if (g->csv) {
		ret->content_type = "text/csv; charset=utf-8; header=present";
		return write_body(g, &data, mineral, &out);
	}
	json_begin(&w, &ret->body);
	json_object_begin(&w);
	write_supply_echo(g, &data, mineral, &w);
	e = write_body(g, &data, mineral, &out);
	supply_write_warnings(&w, &warnings);
	json_object_end(&w);
	buf_putc(&ret->body, '\n');
	return e;
}

/* --- the request --- */

static void fault_unknown(struct call *c, const char *parameter, const char *what, const char *value)
{
	faults_add(&c->faults, FAULT_PARAMETER, parameter, "reference", "there is no %s \"%.*s\"", what,
		   faults_quoted(value, strlen(value)), value);
}

static bool is_found(const struct db_result *r, const char *id_or_slug, int id, int slug)
{
	for (int row = 0; row < db_result_rows(r); row++)
		if (strcmp(db_result_value(r, row, id), id_or_slug) == 0 ||
		    strcmp(db_result_value(r, row, slug), id_or_slug) == 0)
			return true;
	return false;
}

static void check_rules(struct call *c, const struct supply_get *g)
{
	for (size_t i = 0; i < g->n_rules; i++)
		if (!is_found(g->rules_found, g->rules[i], RULE_ID, RULE_SLUG))
			fault_unknown(c, "rules", "rule", g->rules[i]);
	for (int row = 0; row < db_result_rows(g->rules_found); row++) {
		const char *measures = db_result_value(g->rules_found, row, RULE_MEASURES);

		if (!strstr(measures, "\"coverage\"") && !strstr(measures, "\"single_country_share\""))
			faults_add(&c->faults, FAULT_PARAMETER, "rules", "reference",
				   "%s is a rule of ownership: screenings ask it",
				   db_result_value(g->rules_found, row, RULE_SLUG));
	}
}

/* Of a question about plants what it names. */
static void check_plants(struct call *c, const struct supply_get *g)
{
	if (g->which == SUPPLY_GET_CAPACITY && db_result_rows(g->subject) == 0)
		fault_unknown(c, "mineral", "mineral", g->asked.mineral);
	for (size_t i = 0; i < g->asked.n_projects; i++)
		if (!is_found(g->plants, g->asked.projects[i], PLANT_ID, PROJECT_SLUG))
			fault_unknown(c, "projects", "project", g->asked.projects[i]);
}

static void read_done(struct call *c)
{
	struct state *s = c->state;
	struct supply_get *g = s->get;

	for (int i = 0; i < s->reads.n; i++) {
		*s->reads.into[i] = c->job.results[i];
		c->job.results[i] = NULL;
	}
	if (g->of && !g->of_country && db_result_rows(g->list) == 0)
		fault_unknown(c, "of", "designation list", g->of);
	if (g->alliance && g->alliance != g->segment && db_result_rows(g->members) == 0)
		fault_unknown(c, "alliance", "alliance", g->alliance);
	if (g->which == SUPPLY_GET_BENCHMARKS)
		check_rules(c, g);
	if (supply_is_of_plants(g))
		check_plants(c, g);
	if (call_failed_early(c))
		return;
	if (g->segment && db_result_rows(g->subject) == 0) {
		record_not_found(c);
		return;
	}
	g->known_at = arena_strdup(c->compute->arena, c->known.time);
	g->revision = arena_strdup(c->compute->arena, c->known.revision);
	c->compute->run = supply_is_of_plants(g) ? supply_plants_run : run_job;
	compute_start(c);
}

static void read_rows(struct call *c)
{
	struct state *s = c->state;
	bool all = !is_of_mineral(s->get);

	if (!supply_read_statements(c, s->get, &s->reads)) {
		call_out_of_memory(c);
		return;
	}
	call_query(c, all ? DB_SLOW : DB_READ, s->reads.n, false, read_done);
}

static void with_secret(struct call *c)
{
	known_resolve(c, read_rows);
}

/* The register stands where the figures will. */
static void followed(struct call *c)
{
	struct supply_get *g = get_of(c);
	struct state *s = arena_alloc(c->arena, sizeof(*s));

	g->moment = c->compute->held;
	c->compute->held = g;
	c->compute->release = release;
	if (!s) {
		call_out_of_memory(c);
		return;
	}
	s->get = g;
	c->state = s;
	read_rows(c);
}

void supply_run(struct call *c)
{
	struct supply_get *g = get_of(c);
	struct state *s = arena_alloc(c->arena, sizeof(*s));

	if (c->answered)
		return;
	if (!g || !s || arena_failed(c->compute->arena)) {
		call_out_of_memory(c);
		return;
	}
	if (g->segment && !uuid_is_text(g->segment, strlen(g->segment)) && !text_is_slug(g->segment, strlen(g->segment))) {
		record_not_found(c);
		return;
	}
	s->get = g;
	c->state = s;
	if (c->known.kind == KNOWN_UNASKED)
		c->known.kind = KNOWN_NOW;
	if (g->of_owners)
		inquiry_start(c, &g->inquiry, followed);
	else
		cursor_secret_load(c, with_secret);
}

void supply_table_check(struct call *c)
{
	check(c, SUPPLY_GET_TABLE);
}

void supply_trend_check(struct call *c)
{
	check(c, SUPPLY_GET_TREND);
}

void supply_chain_check(struct call *c)
{
	check(c, SUPPLY_GET_CHAIN);
}

void supply_concentration_check(struct call *c)
{
	check(c, SUPPLY_GET_CONCENTRATION);
}

void supply_alliance_check(struct call *c)
{
	check(c, SUPPLY_GET_ALLIANCE);
}

void supply_benchmarks_check(struct call *c)
{
	check(c, SUPPLY_GET_BENCHMARKS);
}

void supply_reliance_check(struct call *c)
{
	check(c, SUPPLY_GET_RELIANCE);
}

void supply_effect_check(struct call *c)
{
	check(c, SUPPLY_GET_EFFECT);
}

void supply_project_effect_check(struct call *c)
{
	check(c, SUPPLY_GET_PROJECT_EFFECT);
}

void supply_capacity_check(struct call *c)
{
	check(c, SUPPLY_GET_CAPACITY);
}

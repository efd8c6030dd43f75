/* A rule's answer about a subject, as the contract has it. */
#include "screening_ask.h"

#include <stdio.h>
#include <string.h>

#define PATHS_SHOWN 5
#define PATHS_PARTIES_MAX 32 /* of more parties the paths of those nearest to the subject are told */

static const char *const measure_names[] = { [GRAPH_ECONOMIC] = "economic", [GRAPH_VOTING] = "voting" };
static const char *const outcome_names[] = {
	[SCREENING_CLEAR] = "clear", [SCREENING_INDETERMINATE] = "indeterminate", [SCREENING_CAUGHT] = "caught"
};

static void write_number(struct json_writer *w, const char *key, const char *number)
{
	json_key(w, key);
	json_raw(w, number, strlen(number));
}

static void write_rule(struct json_writer *w, const struct screening_rule *rule)
{
	json_key(w, "rule");
	json_object_begin(w);
	json_member_string(w, "slug", rule->slug);
	write_number(w, "version", rule->version);
	json_member_string(w, "title", rule->title);
	json_member_string(w, "source_url", rule->source_url);
	json_object_end(w);
}

static void write_party(struct screen *s, struct json_writer *w, uint32_t node)
{
	struct graph_node n;

	json_key(w, "party");
	if (node == GRAPH_NONE) {
		json_nil(w);
		return;
	}
	inquiry_node(&s->i, node, &n);
	write_node(w, &n);
}

static void write_interest(struct json_writer *w, const struct screen_interest *interest)
{
	json_key(w, "interest");
	if (!interest->is_set) {
		json_nil(w);
		return;
	}
	json_object_begin(w);
	json_key(w, "state");
	if (interest->state[0])
		json_str_n(w, interest->state, sizeof(interest->state));
	else
		json_nil(w); /* one of which nobody is on file */
	write_value(w, "", interest->pct.min, interest->pct.max);
	write_number(w, "threshold_pct", interest->threshold_pct);
	json_object_end(w);
}

static void write_tests(struct screen *s, struct json_writer *w, const struct screen_result *r)
{
	json_key(w, "tests");
	json_array_begin(w);
	for (size_t k = 0; k < r->n_tests; k++) {
		const struct screen_test *t = &r->tests[k];

		json_object_begin(w);
		json_member_string(w, "measure", measure_names[t->measure]);
		json_member_string(w, "aggregation", t->single ? "single" : "any_combination");
		json_member_string(w, "outcome", outcome_names[t->outcome]);
		write_value(w, "", t->figure.pct.min, t->figure.pct.max);
		write_number(w, "threshold_pct", t->threshold_pct);
		write_party(s, w, t->figure.party);
		write_interest(w, &t->interest);
		json_object_end(w);
	}
	json_array_end(w);
}

/* --- paths --- */

struct found_paths {
	struct graph_path items[PATHS_SHOWN + 1];
	size_t n;
	bool truncated;
};

static void keep(struct found_paths *f, const struct graph_path *p)
{
	size_t at = f->n;

	while (at > 0 && (f->items[at - 1].pct.max < p->pct.max ||
			  (f->items[at - 1].pct.max == p->pct.max && f->items[at - 1].pct.min < p->pct.min)))
		at--;
	memmove(&f->items[at + 1], &f->items[at], (f->n - at) * sizeof(f->items[0]));
	f->items[at] = *p;
	if (f->n < PATHS_SHOWN)
		f->n++;
	else
		f->truncated = true;
}

static enum err find_paths(struct screen *s, struct graph_finder *finder, uint32_t node, struct found_paths *f)
{
	struct graph_paths paths;
	enum err e = graph_finder_paths(finder, node, PATHS_SHOWN, 0, &paths);

	if (e != OK && (e != ERR_FULL || s->i.inline_only))
		return e;
	for (size_t k = 0; k < paths.count; k++)
		keep(f, &paths.items[k]);
	f->truncated = f->truncated || paths.truncated;
	return OK;
}

/* Those whose paths are told: the one that the figure is of, or all parties. */
static enum err find_ends(struct screen *s, const struct screen_result *r, const struct screen_above *x, uint32_t **ret,
			  size_t *ret_n, struct found_paths *f)
{
	uint32_t party = r->decided->figure.party;
	enum err e = screen_parties_above(s, r->parties, x, ret, ret_n);

	if (e != OK)
		return e;
	if (party != GRAPH_NONE) {
		(*ret)[0] = graph_view_local(x->v->view, party);
		*ret_n = 1;
	} else if (*ret_n > PATHS_PARTIES_MAX) {
		*ret_n = 0;
		for (size_t k = 0; k < x->n && *ret_n < PATHS_PARTIES_MAX; k++)
			if (screen_is_party(r->parties, x, x->nodes[k]))
				(*ret)[(*ret_n)++] = x->nodes[k];
		f->truncated = true;
	}
	return OK;
}

static enum err find_all(struct screen *s, const struct screen_result *r, const struct screen_above *x, struct found_paths *f)
{
	struct graph_finder *finder;
	uint32_t *ends;
	size_t n;
	enum err e = find_ends(s, r, x, &ends, &n, f);

	if (e != OK || n == 0)
		return e;
	e = graph_finder_new(x->v->view->graph, x->v->scratch, x->subject, r->from_subject, x->v->ranks, s->budget, s->i.arena,
			     &finder);
	if (e == ERR_FULL && !s->i.inline_only) {
		f->truncated = true;
		return OK;
	}
	for (size_t k = 0; e == OK && k < n; k++)
		e = find_paths(s, finder, ends[k], f);
	return e;
}

static enum err write_paths(struct screen *s, struct json_writer *w, const struct screen_result *r)
{
	struct found_paths f = { .n = 0 };
	struct screen_above *x = NULL;
	struct answer *problem;
	enum err e = OK;

	if (r->decided) {
		e = screen_above(s, r->decided->measure, r->exercised, &x, &problem);
		if (e == OK && x)
			e = find_all(s, r, x, &f);
	}
	json_key(w, "paths");
	json_array_begin(w);
	for (size_t k = 0; e == OK && k < f.n; k++)
		write_path(w, &s->i, x->v->view, &f.items[k]);
	json_array_end(w);
	json_member_bool(w, "truncated", f.truncated);
	return e;
}

/* --- what to know of the figure --- */

static void write_not_tested(struct json_writer *w, const struct screening_rule *rule)
{
	static const char *const names[] = { "board", "debt", NULL };
	static const char *const quoted[] = { "\"board\"", "\"debt\"" };

	json_key(w, "not_tested");
	json_array_begin(w);
	for (unsigned k = 0; names[k]; k++)
		if (strstr(rule->measures, quoted[k]))
			json_str(w, names[k]);
	json_array_end(w);
}

static bool is_told(const struct screen_above *x, const struct screen_above *other, const struct graph_view_warning *warning)
{
	const struct graph_view *view = other ? other->v->view : NULL;
	uint32_t local = view ? graph_view_local(view, x->v->view->nodes[warning->subject]) : GRAPH_NONE;

	for (uint32_t k = local == GRAPH_NONE ? 0 : other->v->warning_of[local]; k != 0; k = other->v->next_warning[k - 1])
		if (view->warnings[k - 1].code == warning->code)
			return true;
	return false;
}

/* What the views say of subjects at and above this one; what both measures say alike once. */
static void write_view_warnings(struct screen *s, struct json_writer *w, const struct screen_result *r)
{
	const struct screen_above *told = NULL;

	for (unsigned m = 0; m < SCREEN_MEASURES; m++) {
		const struct screen_above *x = s->above[m][r->exercised];
		bool looked_at = false;

		for (size_t t = 0; t < r->n_tests; t++)
			looked_at = looked_at || r->tests[t].measure == m;
		if (!x || !looked_at)
			continue;
		for (size_t n = 0; n < x->n; n++)
			for (uint32_t k = x->v->warning_of[x->by_id[n]]; k != 0; k = x->v->next_warning[k - 1])
				if (!is_told(x, told, &x->v->view->warnings[k - 1]))
					write_warning(w, &s->i, x->v->view, &x->v->view->warnings[k - 1]);
		told = x;
	}
}

static void write_notes(struct screen *s, struct json_writer *w, const struct screen_result *r)
{
	const struct screening_rule *rule = r->rule;
	const struct screen_above *x = r->decided ? s->above[r->decided->measure][r->exercised] : NULL;
	char detail[256];

	if (r->not_exact)
		write_plain_warning(
			w, "not-exact",
			"a figure is within 0.000000001 of the threshold, and the structure too large to tell on which side");
	else if (r->coarse)
		write_plain_warning(w, "not-exact",
				    "the structure is too large for exact figures: some maxima are upper bounds");
	if (x && !graph_held(x->v->view->graph, x->subject))
		write_plain_warning(w, "no-holders", "nobody is recorded to hold the subject");
	if (r->parties->asked && r->parties->empty)
		write_plain_warning(w, "no-parties", "nobody is on the lists of designations on that day");
	if (r->by_state && r->parties->stateless) {
		snprintf(detail, sizeof(detail), "%s has no state on file: it counts as no government", r->parties->stateless);
		write_plain_warning(w, "no-state", detail);
	}
	if ((rule->effective_from && strcmp(s->r->valid_at, rule->effective_from) < 0) ||
	    (rule->effective_to && strcmp(s->r->valid_at, rule->effective_to) >= 0))
		write_plain_warning(w, "not-in-force", "the rule is not in force on that day");
}

enum err screen_write(struct screen *s, struct json_writer *w, const struct screen_result *r)
{
	const struct screening_rule *rule = r->rule;
	enum err e;

	json_object_begin(w);
	write_rule(w, rule);
	json_member_string(w, "outcome", outcome_names[r->outcome]);
	write_value(w, "", r->pct.min, r->pct.max);
	write_number(w, "threshold_pct", r->decided ? r->decided->threshold_pct : rule->threshold_pct);
	json_member_string(w, "comparator", rule->comparator);
	json_member_string(w, "method", ownership_methods[rule->method]);
	json_member_string(w, "tier", rule->tier);
	json_member_string(w, "measure", r->decided ? measure_names[r->decided->measure] : NULL);
	json_member_string(w, "contingent", r->exercised ? "exercised" : "ignore");
	write_party(s, w, r->decided ? r->decided->figure.party : GRAPH_NONE);
	write_tests(s, w, r);
	e = write_paths(s, w, r);
	write_not_tested(w, rule);
	json_key(w, "warnings");
	json_array_begin(w);
	write_view_warnings(s, w, r);
	write_notes(s, w, r);
	json_array_end(w);
	if (r->problem) {
		json_key(w, "problem");
		write_problem(w, r->problem);
	}
	json_object_end(w);
	return e;
}

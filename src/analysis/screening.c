/* Screenings: rules asked of one subject, of several, or of every project on file; one after another, so that only what they share
 * is in memory at a time. */
#include "screening_ask.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/api/stored.h"

#define SUBJECT_ARENA_MAX ((size_t)2 << 30)
#define SUBJECTS_INLINE 4 /* more are looked at on a compute thread */
#define STEPS_LEAST 100000 /* of one figure, however many are asked for */

/* --- subjects --- */

static enum err name_subjects(struct screen *s, struct answer *a)
{
	static const char *const singular[] = { [GRAPH_SHAREHOLDERS] = "shareholder", [GRAPH_PROJECTS] = "project" };
	const struct screening_request *r = s->r;

	s->subjects = arena_alloc(s->asked->arena, (r->n_subjects + 1) * sizeof(*s->subjects));
	if (!s->subjects)
		return ERR_NOMEM;
	for (size_t k = 0; k < r->n_subjects; k++) {
		const struct screening_subject *subject = &r->subjects[k];
		uint32_t node = subject->text ? inquiry_find(s->asked, subject->resource, subject->text) : GRAPH_NONE;

		if (subject->text && node == GRAPH_NONE)
			faults_add(&a->faults, FAULT_POINTER, subject->where, "reference", "there is no %s \"%s\"",
				   singular[subject->resource], subject->text);
		s->subjects[s->n_subjects++] = node;
	}
	return OK;
}

struct project {
	uint32_t node;
	const char *slug;
};

static int by_slug(const void *left, const void *right)
{
	const struct project *l = left, *r = right;

	return strcmp(l->slug, r->slug);
}

static enum err all_projects(struct screen *s)
{
	const struct graph_overlay *o = s->asked->overlay;
	uint32_t nodes = s->asked->at.moment.nodes, added = o ? o->n_nodes : 0;
	struct project *projects = NULL;
	size_t n = 0, capacity = 0;
	struct graph_node node;

	for (uint32_t k = 0; k < nodes + added; k++) {
		bool known = k < nodes ? graph_node_at(&s->asked->at, k, &node) : true;

		if (k >= nodes)
			node = o->nodes[k - nodes];
		if (!known || node.resource != GRAPH_PROJECTS)
			continue;
		if (arena_grow(s->asked->arena, (void **)&projects, &capacity, n + 1, sizeof(*projects)) != 0)
			return ERR_NOMEM;
		projects[n++] = (struct project){ k, node.slug ? node.slug : "" };
	}
	if (n > 1)
		qsort(projects, n, sizeof(*projects), by_slug);
	s->subjects = arena_alloc(s->asked->arena, (n + 1) * sizeof(*s->subjects));
	if (!s->subjects)
		return ERR_NOMEM;
	for (size_t k = 0; k < n; k++)
		s->subjects[k] = projects[k].node;
	s->n_subjects = n;
	return OK;
}

/* --- answer --- */

static void write_head(struct screen *s, struct json_writer *w)
{
	static const char *const contingents[] = {
		[CONTINGENT_AS_RULED] = NULL, [CONTINGENT_IGNORE] = "ignore", [CONTINGENT_EXERCISED] = "exercised"
	};
	const struct screening_request *r = s->r;
	struct graph_node n;

	json_key(w, "subject");
	if (r->several) {
		json_nil(w);
	} else {
		inquiry_node(s->asked, s->subjects[0], &n);
		write_node(w, &n);
	}
	json_member_string(w, "method", NULL); /* each result says its own */
	json_member_string(w, "measure", NULL);
	json_key(w, "stages");
	json_array_begin(w);
	json_str(w, "closed");
	json_array_end(w);
	json_member_string(w, "contingent", contingents[r->contingent]);
	json_key(w, "parties");
	json_array_begin(w);
	for (size_t k = 0; k < r->n_parties; k++) {
		inquiry_node(s->asked, inquiry_find(s->asked, GRAPH_SHAREHOLDERS, r->parties[k].key), &n);
		write_node(w, &n);
	}
	json_array_end(w);
	json_key(w, "designations");
	json_array_begin(w);
	for (size_t k = 0; k < r->n_designations; k++)
		json_str(w, r->listed[k]->slug);
	json_array_end(w);
	json_member_string(w, "valid_at", r->valid_at);
	write_known(w, s->asked);
	json_key(w, "warnings"); /* each result has its own */
	json_array_begin(w);
	json_array_end(w);
}

/* The results of the subject at hand, with an arena of its own. */
static enum err write_results(struct screen *s, struct json_writer *w)
{
	struct arena *arena = arena_new(SUBJECT_ARENA_MAX);
	struct screen_result result;
	enum err e = arena ? OK : ERR_NOMEM;

	s->i.arena = arena;
	json_key(w, "results");
	json_array_begin(w);
	for (size_t k = 0; e == OK && k < s->r->n_rules; k++) {
		e = screen_rule(s, k, &result);
		if (e == OK)
			e = screen_write(s, w, &result);
		if (result.problem && result.problem->arena == arena) /* else it is its view's */
			answer_done(result.problem);
	}
	json_array_end(w);
	screen_subject_done(s);
	arena_free(arena);
	return e;
}

static enum err write_answer(struct screen *s, struct answer *a)
{
	struct json_writer w;
	struct graph_node n;
	enum err e = OK;

	json_begin(&w, &a->body);
	json_object_begin(&w);
	write_head(s, &w);
	if (!s->r->several) {
		e = write_results(s, &w);
	} else {
		json_key(&w, "items");
		json_array_begin(&w);
		for (s->at = 0; e == OK && s->at < s->n_subjects; s->at++) {
			if (s->asked->cancelled && atomic_load(s->asked->cancelled))
				e = ERR_UNAVAILABLE;
			json_object_begin(&w);
			json_key(&w, "subject");
			inquiry_node(s->asked, s->subjects[s->at], &n);
			write_node(&w, &n);
			if (e == OK)
				e = write_results(s, &w);
			json_object_end(&w);
		}
		json_array_end(&w);
	}
	json_object_end(&w);
	buf_putc(&a->body, '\n');
	return e;
}

static void take_faults(const struct screening_request *r, struct answer *a)
{
	for (size_t k = 0; k < r->faults.n; k++) {
		const struct fault *f = &r->faults.items[k];

		faults_add(&a->faults, f->place, f->where, f->code, "%s", f->detail);
	}
	a->faults.truncated = a->faults.truncated || r->faults.truncated;
}

enum err screening_answer(const struct inquiry *i, const struct screening_request *r, struct answer *a)
{
	struct screen s = {
		.asked = i,
		.i = *i,
		.r = r,
		.unnamed_kind = (unsigned)parameter_place(resource_values("shareholders", "kind"), "unnamed"),
	};
	enum err e;

	if (i->inline_only && (r->all_projects || r->n_subjects > SUBJECTS_INLINE))
		return ERR_FULL;
	take_faults(r, a);
	e = r->all_projects ? all_projects(&s) : name_subjects(&s, a);
	if (e == OK)
		e = screen_parties(&s, a);
	if (e != OK)
		return e;
	if (a->faults.n > 0)
		return answer_faults(a, 422);
	s.budget = i->steps / (s.n_subjects * r->n_rules + 1);
	if (!i->inline_only && s.budget < STEPS_LEAST)
		s.budget = STEPS_LEAST;
	e = write_answer(&s, a);
	screen_done(&s);
	return e;
}

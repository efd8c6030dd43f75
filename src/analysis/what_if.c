/* POST /v1/ownership/what-if: from the body to its job. */
#include "what_if.h"

#include <string.h>
#include "lodebase/api/compute.h"

static struct what_if *what_if_of(struct call *c)
{
	return c->compute->input;
}

/* 422 with all that was found so far; true where it answered. */
static bool invalid(struct call *c)
{
	what_if_gather(what_if_of(c), &c->faults);
	if (arena_failed(c->compute->arena))
		call_out_of_memory(c);
	else if (c->faults.n > 0)
		call_invalid(c);
	return c->answered;
}

static enum err run_job(struct compute_job *job, struct answer *ret)
{
	struct what_if *w = job->input;

	w->inquiry.inline_only = job->inline_only;
	w->inquiry.steps = job->steps;
	w->inquiry.cancelled = &job->cancelled;
	return what_if_answer(w, ret);
}

static void check(struct call *c)
{
	if (!what_if_check(what_if_of(c)))
		call_out_of_memory(c);
	else if (!invalid(c))
		compute_start(c);
}

/* Rules and lists that screenings name are on file, too. */
static void load_screenings(struct call *c)
{
	struct what_if *w = what_if_of(c);
	struct screening_request **requests = arena_alloc(w->arena, w->n_questions * sizeof(struct screening_request *));
	size_t n = 0;

	if (!requests) {
		call_out_of_memory(c);
		return;
	}
	for (size_t i = 0; i < w->n_questions; i++)
		if (w->questions[i].screening)
			requests[n++] = w->questions[i].screening;
	if (n > 0)
		screening_load(c, requests, n, check);
	else
		check(c);
}

/* The reference of a stake to a financing, where it is not the one on file; NULL: none. */
static const char *financing_of(const struct what_if_entry *e)
{
	const struct resource *r = resource_find("stakes");
	int field = resource_field(r, "financing_id", strlen("financing_id"));
	const char *value = e->input.readable ? e->input.record.values[field] : NULL;

	return value && e->stored && e->stored->values[field] && strcmp(e->stored->values[field], value) == 0 ? NULL : value;
}

/* Financings are not in the register: those that stakes name are looked up. */
static void find_financings(struct call *c)
{
	struct what_if *w = what_if_of(c);
	const struct what_if_list *lists[] = { &w->add, &w->change };
	struct stored *items = arena_alloc(w->arena, (w->add.n + w->change.n) * sizeof(*items));
	size_t n = 0;

	if (!items) {
		call_out_of_memory(c);
		return;
	}
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < lists[k]->n; i++) {
			struct what_if_entry *e = &lists[k]->entries[i];
			const char *key = financing_of(e);

			if (!key)
				continue;
			items[n].key = key;
			e->financing = &items[n++];
		}
	stored_read(c, resource_find("financings"), items, n, w->arena, load_screenings);
}

/* --- the stakes that `change` speaks of --- */

struct changed {
	struct stored *items;
	struct what_if_entry **entries;
	size_t n;
};

static void changed_read(struct call *c)
{
	const struct changed *s = c->state;

	for (size_t i = 0; i < s->n; i++)
		s->entries[i]->stored = s->items[i].record;
	find_financings(c);
}

static void read_changed(struct call *c)
{
	struct what_if *w = what_if_of(c);
	struct changed *s = arena_alloc(w->arena, sizeof(*s));
	size_t n = w->change.n;

	if (s) {
		s->items = arena_alloc(w->arena, n * sizeof(*s->items));
		s->entries = arena_alloc(w->arena, n * sizeof(*s->entries));
	}
	if (!s || !s->items || !s->entries || !what_if_find(w)) {
		call_out_of_memory(c);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct what_if_entry *e = &w->change.entries[i];

		if (e->version == GRAPH_NONE)
			continue;
		s->items[s->n].key = e->key;
		s->entries[s->n++] = e;
	}
	c->state = s;
	stored_read(c, resource_find("stakes"), s->items, s->n, w->arena, changed_read);
}

/* --- the instant --- */

static void with_secret(struct call *c)
{
	struct what_if *w = what_if_of(c);
	size_t before = w->faults.n;

	c->known.kind = KNOWN_NOW; /* the database is read, too: both have to show one instant */
	if (w->known_at)
		known_parse_member(c, w->known_at, strlen(w->known_at), &w->faults, &c->known);
	if (w->faults.n > before) { /* without an instant nothing more can be judged */
		invalid(c);
		return;
	}
	what_if_gather(w, &c->faults); /* so that all of it is told where the instant lies in the future */
	inquiry_start(c, &w->inquiry, read_changed);
}

void what_if_run(struct call *c)
{
	struct compute_job *job;
	struct what_if *w;

	if (!check_body(c) || !(job = compute_job(c)))
		return;
	w = arena_alloc(job->arena, sizeof(*w));
	job->run = run_job;
	job->input = w;
	if (w) {
		w->arena = job->arena;
		w->request_id = arena_strdup(job->arena, c->request->request_id);
		faults_init(&w->faults, job->arena);
	}
	if (!w || !what_if_read(&c->document, w))
		call_out_of_memory(c);
	else if (!json_is_object(c->document.root))
		invalid(c);
	else
		cursor_secret_load(c, with_secret);
}

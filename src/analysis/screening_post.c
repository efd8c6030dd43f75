/* POST /v1/screenings: reads only, although it is a POST, because what it asks does not fit into an address. */
#include "screening.h"

#include <string.h>
#include "lodebase/api/stored.h"

struct post {
	struct inquiry inquiry;
	struct screening_request request;
	struct screening_request *requests[1];
};

static enum err run_job(struct compute_job *job, struct answer *ret)
{
	struct post *p = job->input;

	p->inquiry.inline_only = job->inline_only;
	p->inquiry.steps = job->steps;
	p->inquiry.cancelled = &job->cancelled;
	return screening_answer(&p->inquiry, &p->request, ret);
}

static void loaded(struct call *c)
{
	struct post *p = c->compute->input;

	inquiry_start_resolved(c, &p->inquiry, compute_start);
}

static void resolved(struct call *c)
{
	struct post *p = c->compute->input;

	p->requests[0] = &p->request;
	screening_load(c, p->requests, 1, loaded);
}

/* Rules, lists and the register are to stand at one instant: where none was asked for it is now. */
static void with_secret(struct call *c)
{
	struct post *p = c->compute->input;
	const json_t *known_at = json_object_get(c->document.root, "known_at");

	if (json_is_string(known_at))
		known_parse_member(c, json_string_value(known_at), json_string_length(known_at), &p->request.faults, &c->known);
	else if (known_at && !json_is_null(known_at))
		faults_member(&p->request.faults, "known_at", "type", "known_at must be a text");
	if (c->known.kind == KNOWN_UNASKED)
		c->known.kind = KNOWN_NOW;
	known_resolve(c, resolved);
}

void screenings_run(struct call *c)
{
	struct compute_job *job;
	struct post *p;

	if (!check_body(c) || !(job = compute_job(c)))
		return;
	p = arena_alloc(job->arena, sizeof(*p));
	if (!p) {
		call_out_of_memory(c);
		return;
	}
	job->input = p;
	job->run = run_job;
	screening_read(job->arena, &c->document, c->document.root, "", false, NULL, &p->request);
	cursor_secret_load(c, with_secret);
}

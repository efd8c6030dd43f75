/* GETs of questions about ownership. */
#include "ownership.h"

#include <string.h>

struct get {
	struct inquiry inquiry;
	struct ownership_query query;
	enum err (*answer)(const struct inquiry *i, const struct ownership_query *q, struct answer *a);
};

static enum err run_job(struct compute_job *job, struct answer *ret)
{
	struct get *g = job->input;

	g->inquiry.inline_only = job->inline_only;
	g->inquiry.steps = job->steps;
	g->inquiry.cancelled = &job->cancelled;
	return g->answer(&g->inquiry, &g->query, ret);
}

static void check(struct call *c, enum ownership_question question)
{
	struct parameter_source source;
	struct get *g;

	if (!inquiry_check(c, &source))
		return;
	g = arena_alloc(source.arena, sizeof(*g));
	if (!g) {
		call_out_of_memory(c);
		return;
	}
	ownership_query_read(&source, question, c->request->params, c->request->n_params, NULL, NULL, inquiry_skip, &g->query);
	if (c->resource) { /* else the parameters say whom */
		g->query.resource = strcmp(c->resource->name, "projects") == 0 ? GRAPH_PROJECTS : GRAPH_SHAREHOLDERS;
		g->query.subject = arena_strdup(source.arena, c->segment);
	}
	g->query.csv = strcmp(c->media_type, "text/csv") == 0;
	c->compute->input = g;
}

static void run(struct call *c, enum err (*answer)(const struct inquiry *i, const struct ownership_query *q, struct answer *a))
{
	struct get *g = c->compute ? c->compute->input : NULL;

	if (c->answered)
		return;
	if (!g || arena_failed(c->compute->arena)) {
		call_out_of_memory(c);
		return;
	}
	g->answer = answer;
	c->compute->run = run_job;
	inquiry_start(c, &g->inquiry, compute_start);
}

void owners_check(struct call *c)
{
	check(c, ASK_OWNERS);
}

void owners_run(struct call *c)
{
	run(c, owners_answer);
}

void holdings_check(struct call *c)
{
	check(c, ASK_HOLDINGS);
}

void holdings_run(struct call *c)
{
	run(c, holdings_answer);
}

void cap_table_check(struct call *c)
{
	check(c, ASK_CAP_TABLE);
}

void cap_table_run(struct call *c)
{
	run(c, cap_table_answer);
}

void cycles_check(struct call *c)
{
	check(c, ASK_CYCLES);
}

void cycles_run(struct call *c)
{
	run(c, cycles_answer);
}

void paths_check(struct call *c)
{
	check(c, ASK_PATHS);
}

void paths_run(struct call *c)
{
	run(c, paths_answer);
}

void structure_check(struct call *c)
{
	check(c, ASK_GRAPH);
}

void structure_run(struct call *c)
{
	run(c, structure_answer);
}

void power_check(struct call *c)
{
	check(c, ASK_POWER);
}

void power_run(struct call *c)
{
	run(c, power_answer);
}

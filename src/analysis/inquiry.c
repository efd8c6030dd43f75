/* The frame of a question: from a request to where it stands in the register. */
#include "ownership.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/api/follower.h"
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"

const char *const inquiry_skip[] = { "known_at", NULL };

bool inquiry_check(struct call *c, struct parameter_source *ret_source)
{
	struct compute_job *job = compute_job(c);

	if (!job)
		return false;
	*ret_source = (struct parameter_source){ .arena = job->arena, .faults = &c->faults, .place = FAULT_PARAMETER };
	for (size_t i = 0; i < c->request->n_params; i++) {
		const struct http_field *p = &c->request->params[i];

		if (strcmp(p->name, "known_at") == 0 && c->known.kind == KNOWN_UNASKED)
			known_parse(c, p->value, p->value_len, &c->known);
	}
	return true;
}

struct opening {
	struct inquiry *inquiry;
	void (*ready)(struct call *c);
};

static void moment_release(void *held)
{
	moment_unref(held);
}

static void followed(struct call *c)
{
	struct opening *o = c->state;
	struct compute_job *job = c->compute;
	const char *known_at, *revision;

	o->inquiry->at = follow_at(c);
	if (!follow_echo(c, &known_at, &revision))
		return;
	moment_ref(c->moment);
	job->held = c->moment;
	job->release = moment_release;
	o->inquiry->known_at = arena_strdup(job->arena, known_at);
	o->inquiry->revision = arena_strdup(job->arena, revision);
	o->inquiry->arena = job->arena;
	if (o->inquiry->at.known.n_xip > 0) { /* the call's arena may go before the job does */
		uint64_t *xip = arena_alloc(job->arena, o->inquiry->at.known.n_xip * sizeof(*xip));

		if (xip)
			memcpy(xip, o->inquiry->at.known.xip, o->inquiry->at.known.n_xip * sizeof(*xip));
		o->inquiry->at.known.xip = xip;
	}
	if (arena_failed(job->arena))
		call_out_of_memory(c);
	else
		o->ready(c);
}

static bool open_inquiry(struct call *c, struct inquiry *inquiry, void (*ready)(struct call *c))
{
	struct opening *o = arena_alloc(c->arena, sizeof(*o));

	if (!o) {
		call_out_of_memory(c);
		return false;
	}
	o->inquiry = inquiry;
	o->ready = ready;
	c->state = o;
	return true;
}

static void resolved(struct call *c)
{
	follow_wait(c, followed);
}

static void with_secret(struct call *c)
{
	known_resolve(c, resolved);
}

void inquiry_start(struct call *c, struct inquiry *inquiry, void (*ready)(struct call *c))
{
	if (open_inquiry(c, inquiry, ready))
		cursor_secret_load(c, with_secret);
}

void inquiry_start_resolved(struct call *c, struct inquiry *inquiry, void (*ready)(struct call *c))
{
	if (open_inquiry(c, inquiry, ready))
		resolved(c);
}

const char *inquiry_resource(enum graph_resource r)
{
	return r == GRAPH_PROJECTS ? "projects" : r == GRAPH_STAKES ? "stakes" : "shareholders";
}

void inquiry_node(const struct inquiry *i, uint32_t node, struct graph_node *ret)
{
	const struct graph_filter filter = { .overlay = i->overlay };

	(void)graph_view_node(&i->at, &filter, node, ret); /* where it was not known then, what is known of it otherwise */
}

/* Nodes that a what-if adds come before those of the register. */
static uint32_t find_added(const struct inquiry *i, enum graph_resource resource, const char *text, const struct uuid *id)
{
	const struct graph_overlay *o = i->overlay;

	for (uint32_t n = 0; o && n < o->n_nodes; n++)
		if (o->nodes[n].resource == resource && (id ? memcmp(&o->nodes[n].id, id, sizeof(*id)) == 0
							    : o->nodes[n].slug && strcmp(o->nodes[n].slug, text) == 0))
			return i->at.moment.nodes + n;
	return GRAPH_NONE;
}

uint32_t inquiry_find(const struct inquiry *i, enum graph_resource resource, const char *text)
{
	size_t n = strlen(text);
	struct uuid id;
	uint32_t node;

	if (uuid_is_text(text, n)) {
		(void)uuid_from_text(text, n, &id);
		node = find_added(i, resource, NULL, &id);
		return node != GRAPH_NONE ? node : graph_find_id(&i->at, resource, &id);
	}
	if (!text_is_slug(text, n))
		return GRAPH_NONE;
	node = find_added(i, resource, text, NULL);
	return node != GRAPH_NONE ? node : graph_find_slug(&i->at, resource, text, n);
}

uint32_t inquiry_find_any(const struct inquiry *i, const char *text)
{
	static const enum graph_resource resources_of_nodes[] = { GRAPH_SHAREHOLDERS, GRAPH_PROJECTS };
	uint32_t node = GRAPH_NONE;

	for (size_t k = 0; k < 2; k++) {
		const char *name = inquiry_resource(resources_of_nodes[k]);
		size_t n = strlen(name);

		if (strncmp(text, name, n) == 0 && text[n] == '/')
			return inquiry_find(i, resources_of_nodes[k], text + n + 1);
	}
	for (size_t k = 0; k < 2 && node == GRAPH_NONE; k++)
		node = inquiry_find(i, resources_of_nodes[k], text);
	return node;
}

uint32_t inquiry_named(const struct inquiry *i, const char *parameter, const char *text, struct answer *a)
{
	uint32_t node = inquiry_find_any(i, text);

	if (node == GRAPH_NONE)
		faults_add(&a->faults, FAULT_PARAMETER, parameter, "reference", "there is no shareholder or project \"%.*s\"",
			   faults_quoted(text, strlen(text)), text);
	return node;
}

int pct_order(const struct graph_pct *a, const struct graph_pct *b)
{
	if (a->max != b->max)
		return a->max > b->max ? -1 : 1;
	return a->min > b->min ? -1 : a->min < b->min;
}

struct graph_pct pct_capped(struct graph_pct pct)
{
	if (pct.max > GRAPH_PCT_WHOLE)
		pct.max = pct.min > GRAPH_PCT_WHOLE ? pct.min : GRAPH_PCT_WHOLE;
	return pct;
}

int node_order(const struct graph_node *a, const struct graph_node *b)
{
	int order = strcmp(a->slug ? a->slug : "", b->slug ? b->slug : "");

	return order ? order : (int)a->resource - (int)b->resource;
}

const char *inquiry_kind(const struct graph_node *n)
{
	return resource_values(inquiry_resource(n->resource), "kind")[n->kind];
}

enum err inquiry_not_found(struct answer *a, enum graph_resource resource, const char *text)
{
	const struct resource *r = resource_find(inquiry_resource(resource));

	return answer_problem(a, 404, "not-found", "there is no %s \"%.*s\"", r->singular, faults_quoted(text, strlen(text)),
			      text);
}

enum err inquiry_view(const struct inquiry *i, const struct graph_filter *filter, enum graph_scope scope, const uint32_t *roots,
		      size_t n_roots, struct answer *a, struct graph_view **ret, bool *ret_answered)
{
	enum err e = graph_view_new(&i->at, filter, scope, roots, n_roots, i->inline_only ? INLINE_LINKS : 0, ret);
	struct graph_node n;
	struct json_writer w;

	*ret_answered = false;
	if (e != ERR_RANGE)
		return e;
	*ret_answered = true;
	inquiry_node(i, (*ret)->over_exercised, &n);
	graph_view_free(*ret);
	*ret = NULL;
	buf_puts(&a->extra, "\"subject\":");
	json_begin(&w, &a->extra);
	write_node(&w, &n);
	return answer_problem(a, 422, "over-exercised",
			      "the instruments of %s that were to be exercised come to more than 100 %%",
			      n.slug ? n.slug : "a subject");
}

int compare_node_order(const void *left, const void *right)
{
	return node_order(left, right);
}

/* Sorted, because their numbers follow the order in which the register learned of them. */
static struct graph_node *ring_members(const struct inquiry *i, const struct graph_view *v, const struct graph_figures *figures)
{
	struct graph_node *members = arena_alloc(i->arena, figures->ring_count * sizeof(*members));

	for (size_t k = 0; members && k < figures->ring_count; k++)
		inquiry_node(i, v->nodes[figures->ring[k]], &members[k]);
	if (members)
		qsort(members, figures->ring_count, sizeof(*members), compare_node_order);
	return members;
}

enum err inquiry_declined(const struct inquiry *i, const struct graph_view *v, enum err why,
			  const struct graph_figures *figures, struct answer *a)
{
	const struct graph_node *members;
	struct json_writer w;

	switch (why) {
	case ERR_CONFLICT:
		members = ring_members(i, v, figures);
		if (!members)
			return ERR_NOMEM;
		buf_puts(&a->extra, "\"members\":");
		json_begin(&w, &a->extra);
		json_array_begin(&w);
		for (size_t k = 0; k < figures->ring_count; k++)
			write_node(&w, &members[k]);
		json_array_end(&w);
		return answer_problem(
			a, 422, "closed-ring",
			"a ring of companies that own one another wholly has no owner outside: no share of it can be told");
	case ERR_FULL:
		if (i->inline_only)
			return ERR_FULL;
		return answer_problem(a, 422, "too-complex",
				      "there are too many paths to look at all of them; ask by method=integrated");
	case ERR_RANGE:
		return answer_problem(a, 422, "unbounded",
				      "within the ranges on file the raw figure has no greatest value; ask by "
				      "self_loops=corrected");
	default:
		return why;
	}
}

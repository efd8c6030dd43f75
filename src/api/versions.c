#include "versions.h"

#include <stdlib.h>
#include <string.h>

#define SLICE 50 /* versions whose bodies are asked for at once: those of the largest records fit into memory */

/* Fetching under way: slice by slice, of each one statement per resource that occurs in it, all in one job. */
struct versions_state {
	struct version *versions;
	size_t n, from, to; /* the slice is from .. to; what is before it has its bodies */
	size_t asked[CALL_STATEMENTS_MAX]; /* the resources of the slice */
	int n_asked;
	void (*ready)(struct call *c);
	struct db_result **bodies;
	size_t n_bodies;
	size_t bytes;
};

bool version_is_deletion(const struct version *v)
{
	return strcmp(v->action, "deleted") == 0;
}

const char *version_text(struct call *c, const struct db_result *r, int row, int column)
{
	return db_result_is_null(r, row, column) ? NULL : arena_strdup(c->arena, db_result_value(r, row, column));
}

bool version_read(struct call *c, const struct db_result *r, int row, int first, struct version *ret)
{
	*ret = (struct version){
		.id = version_text(c, r, row, first),
		.number = version_text(c, r, row, first + 1),
		.action = version_text(c, r, row, first + 2),
		.at = version_text(c, r, row, first + 3),
		.actor = version_text(c, r, row, first + 4),
		.request_id = version_text(c, r, row, first + 5),
	};
	return ret->id && ret->number && ret->action && ret->at;
}

size_t versions_fetched(const struct call *c)
{
	return c->versions ? c->versions->from : 0;
}

void versions_done(struct call *c)
{
	struct versions_state *s = c->versions;

	for (size_t i = 0; s && i < s->n_bodies; i++)
		db_result_free(s->bodies[i]);
	c->versions = NULL;
}

static const char *number_of_body(struct call *c, const struct version *v)
{
	return version_is_deletion(v) ? arena_printf(c->arena, "%lld", strtoll(v->number, NULL, 10) - 1) : v->number;
}

/* The three arrays of compose_versions(); NULL: no memory. */
static const char **arrays(struct call *c, const struct versions_state *s, size_t resource)
{
	const char **params = arena_alloc(c->arena, 3 * sizeof(*params));
	const char **columns[3];
	size_t n = 0;

	for (int k = 0; k < 3; k++)
		columns[k] = arena_alloc(c->arena, SLICE * sizeof(**columns));
	if (!params || !columns[0] || !columns[1] || !columns[2])
		return NULL;
	for (size_t i = s->from; i < s->to; i++) {
		const struct version *v = &s->versions[i];

		if (v->resource != resource)
			continue;
		columns[0][n] = v->id;
		columns[1][n] = number_of_body(c, v);
		columns[2][n] = v->at;
		if (!columns[1][n++])
			return NULL;
	}
	for (int k = 0; k < 3; k++)
		params[k] = compose_array(c->arena, columns[k], n);
	return params[0] && params[1] && params[2] ? params : NULL;
}

/* Rows come in the order asked for; those of versions without a body are left out. */
static void hand_out(struct call *c, struct versions_state *s, size_t resource, const struct db_result *body)
{
	int row = 0, rows = db_result_rows(body);

	for (size_t i = s->from; i < s->to && row < rows; i++) {
		struct version *v = &s->versions[i];
		const char *number;

		if (v->resource != resource)
			continue;
		number = number_of_body(c, v);
		if (!number || strcmp(db_result_value(body, row, RESOURCE_ID), v->id) != 0 ||
		    strcmp(db_result_value(body, row, RESOURCE_VERSION), number) != 0)
			continue;
		v->body = body;
		v->row = row++;
	}
	for (row = 0; row < rows; row++)
		for (int k = 0; k < db_result_columns(body); k++)
			s->bytes += (size_t)db_result_length(body, row, k);
}

static void fetch_next(struct call *c);

static void fetched(struct call *c)
{
	struct versions_state *s = c->versions;

	for (int i = 0; i < s->n_asked; i++) {
		struct db_result *body = c->job.results[i];

		c->job.results[i] = NULL;
		s->bodies[s->n_bodies++] = body;
		hand_out(c, s, s->asked[i], body);
	}
	s->from = s->to;
	fetch_next(c);
}

/* As many versions as are fetched at once, and of no more resources than a job has statements. */
static void next_slice(struct versions_state *s)
{
	s->n_asked = 0;
	for (s->to = s->from; s->to < s->n && s->to - s->from < SLICE; s->to++) {
		int i = 0;

		while (i < s->n_asked && s->asked[i] != s->versions[s->to].resource)
			i++;
		if (i == CALL_STATEMENTS_MAX)
			return;
		s->asked[i] = s->versions[s->to].resource;
		s->n_asked += i == s->n_asked;
	}
}

static void fetch_next(struct call *c)
{
	struct versions_state *s = c->versions;

	if (s->from == s->n || s->bytes >= VERSIONS_PAGE_BYTES) {
		s->ready(c);
		return;
	}
	next_slice(s);
	for (int i = 0; i < s->n_asked; i++) {
		size_t resource = s->asked[i];
		const char **params = arrays(c, s, resource);

		if (!params) {
			call_unavailable(c, "out of memory");
			return;
		}
		call_statement(c, i, call_format(c, "%s_versions", resources[resource]->table),
			       c->api->resources[resource].sql.versions, params, 3);
	}
	call_query(c, DB_SLOW, s->n_asked, false, fetched);
}

void versions_fetch(struct call *c, struct version *versions, size_t n, void (*ready)(struct call *c))
{
	struct versions_state *s = arena_alloc(c->arena, sizeof(*s));

	versions_done(c);
	if (s)
		s->bodies = arena_alloc(c->arena, (n + 1) * sizeof(*s->bodies)); /* a statement asks for one version at least */
	if (!s || !s->bodies) {
		call_unavailable(c, "out of memory");
		return;
	}
	s->versions = versions;
	s->n = n;
	s->ready = ready;
	c->versions = s;
	fetch_next(c);
}

#include "versions.h"

#include <stdlib.h>
#include <string.h>

/* Fetching under way: one statement per resource that occurs, several of them in one job. */
struct versions_state {
	struct version *versions;
	size_t n, next; /* resources before it are asked for */
	size_t asked[CALL_STATEMENTS_MAX];
	int n_asked;
	void (*ready)(struct call *c);
	struct db_result **bodies; /* per resource */
	size_t n_bodies;
};

bool version_is_deletion(const struct version *v)
{
	return strcmp(v->action, "deleted") == 0;
}

void versions_done(struct call *c)
{
	struct versions_state *s = c->versions;

	for (size_t i = 0; s && s->bodies && i < s->n_bodies; i++) {
		db_result_free(s->bodies[i]);
		s->bodies[i] = NULL;
	}
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
		columns[k] = arena_alloc(c->arena, s->n * sizeof(**columns));
	if (!params || !columns[0] || !columns[1] || !columns[2])
		return NULL;
	for (size_t i = 0; i < s->n; i++) {
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
static void hand_out(struct call *c, const struct versions_state *s, size_t resource, const struct db_result *body)
{
	int row = 0, rows = db_result_rows(body);

	for (size_t i = 0; i < s->n && row < rows; i++) {
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
}

static void fetch_next(struct call *c);

static void fetched(struct call *c)
{
	struct versions_state *s = c->versions;

	for (int i = 0; i < s->n_asked; i++) {
		s->bodies[s->asked[i]] = c->job.results[i];
		c->job.results[i] = NULL;
		hand_out(c, s, s->asked[i], s->bodies[s->asked[i]]);
	}
	fetch_next(c);
}

static bool occurs(const struct versions_state *s, size_t resource)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->versions[i].resource == resource)
			return true;
	return false;
}

static void fetch_next(struct call *c)
{
	struct versions_state *s = c->versions;

	s->n_asked = 0;
	for (; s->next < s->n_bodies && s->n_asked < CALL_STATEMENTS_MAX; s->next++) {
		const char **params;

		if (!occurs(s, s->next))
			continue;
		params = arrays(c, s, s->next);
		if (!params) {
			call_unavailable(c, "out of memory");
			return;
		}
		call_statement(c, s->n_asked, call_format(c, "%s_versions", resources[s->next]->table),
			       c->api->resources[s->next].sql.versions, params, 3);
		s->asked[s->n_asked++] = s->next;
	}
	if (s->n_asked == 0)
		s->ready(c);
	else
		call_query(c, DB_SLOW, s->n_asked, false, fetched);
}

void versions_fetch(struct call *c, struct version *versions, size_t n, void (*ready)(struct call *c))
{
	struct versions_state *s = arena_alloc(c->arena, sizeof(*s));

	versions_done(c);
	if (s)
		s->bodies = arena_alloc(c->arena, c->api->n_resources * sizeof(*s->bodies));
	if (!s || !s->bodies) {
		call_unavailable(c, "out of memory");
		return;
	}
	s->versions = versions;
	s->n = n;
	s->ready = ready;
	s->n_bodies = c->api->n_resources;
	c->versions = s;
	fetch_next(c);
}

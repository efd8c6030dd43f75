/* How a record is found by what its path names, and what its address can say. */
#include "record.h"
#include "validate_value.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"

const struct resource_state *record_sql(const struct call *c)
{
	return &c->api->resources[c->resource_index];
}

const char *record_statement_name(struct call *c, const char *what)
{
	return call_format(c, "%s_%s", c->resource->table, what);
}

bool record_path_is_id(const struct call *c)
{
	return uuid_is_text(c->segment, strlen(c->segment));
}

bool record_statement(struct call *c, int i)
{
	const struct resource_state *s = record_sql(c);
	const char **params = arena_alloc(c->arena, sizeof(*params));
	char id[UUID_TEXT_SIZE];

	if (!params)
		return false;
	if (record_path_is_id(c)) {
		uuid_canonical(c->segment, id);
		params[0] = arena_strdup(c->arena, id);
		call_statement(c, i, s->names[0], s->sql.get_by_id, params, 1);
		c->statements[i].batch = &s->by_ids;
		return params[0] != NULL;
	}
	params[0] = c->segment;
	call_statement(c, i, s->names[1], s->sql.get_by_slug, params, 1);
	c->statements[i].batch = &s->by_slugs;
	return text_is_slug(c->segment, strlen(c->segment));
}

void record_not_found(struct call *c)
{
	call_fail(c, 404, "not-found",
		  call_format(c, "there is no %s with the %s \"%.*s\"", c->resource->singular,
			      record_path_is_id(c) ? "id" : "slug", faults_quoted(c->segment, strlen(c->segment)), c->segment));
}

bool record_statement_known(struct call *c, int i)
{
	bool by_slug = !record_path_is_id(c);
	const char **params = arena_alloc(c->arena, 4 * sizeof(*params)), *copy;
	struct visibility v;
	int n = 1;
	char *sql;

	if (c->known.kind == KNOWN_UNASKED)
		return record_statement(c, i);
	if (!params)
		return false;
	params[0] = by_slug ? c->segment : validate_canonical_uuid(c->arena, c->segment);
	sql = compose_get_known(c->resource, by_slug, known_visibility(c, params, &n, &v));
	copy = sql ? arena_strdup(c->arena, sql) : NULL;
	free(sql);
	/* unprepared: what the plan is worth depends on the instant */
	call_statement(c, i, NULL, copy, params, n);
	return copy && params[0];
}

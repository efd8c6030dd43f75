/* GET of one record. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"
#include "record.h"
#include "validate_value.h"

struct read_state {
	struct projection projection;
	bool projected;
	struct etag_condition none_match;
};

void record_get_check(struct call *c)
{
	struct read_state *s = arena_alloc(c->arena, sizeof(*s));

	c->state = s;
	if (!s)
		return;
	for (size_t i = 0; i < c->request->n_params; i++) {
		const struct http_field *p = &c->request->params[i];

		if (check_repeated(c, i))
			continue;
		if (strcmp(p->name, "fields") == 0) {
			s->projected = true;
			projection_parse(c, p->value, &s->projection);
		} else if (strcmp(p->name, "known_at") == 0) {
			known_parse(c, p->value, p->value_len, &c->known);
		} else {
			check_unknown(c, p);
		}
	}
	s->none_match = etag_parse(c, "If-None-Match");
}

static void got(struct call *c)
{
	struct read_state *s = c->state;
	const struct db_result *result = c->job.results[0];
	const char *version;

	if (db_result_rows(result) == 0) {
		record_not_found(c);
		return;
	}
	version = db_result_value(result, 0, RESOURCE_VERSION);
	call_header(c, "ETag", etag_of(c, version));
	call_header(c, "Cache-Control", "no-cache");
	known_headers(c);
	if (etag_weak_match(&s->none_match, version)) {
		call_answer(c, 304, NULL);
		return;
	}
	encode_record(&c->out, c->resource, result, 0, s->projected ? &s->projection : NULL);
	buf_putc(&c->out, '\n');
	call_answer(c, 200, "application/json");
}

static void get(struct call *c)
{
	if (record_statement_known(c, 0))
		call_query(c, DB_READ, 1, false, got);
	else
		call_out_of_memory(c);
}

void record_get(struct call *c)
{
	struct read_state *s = c->state;

	if (!s) {
		call_out_of_memory(c);
	} else if (!record_path_is_id(c) && !text_is_slug(c->segment, strlen(c->segment))) {
		record_not_found(c);
	} else {
		known_resolve(c, get);
	}
}

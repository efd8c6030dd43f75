/* GET of one record. */
#include "call.h"

#include <string.h>
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"
#include "record.h"

struct read_state {
	struct projection projection;
	bool projected;
	struct etag_condition none_match;
	const char *params[1];
};

void record_get_check(struct call *c)
{
	struct read_state *s = arena_alloc(c->arena, sizeof(*s));
	unsigned seen = 0;

	c->state = s;
	if (!s)
		return;
	for (size_t i = 0; i < c->request->n_params; i++) {
		const struct http_field *p = &c->request->params[i];

		if (strcmp(p->name, "fields") != 0) {
			faults_add(&c->faults, FAULT_PARAMETER, p->name, "unknown", "there is no parameter %s here", p->name);
		} else if (seen++ > 0) {
			faults_add(&c->faults, FAULT_PARAMETER, "fields", "repeated", "fields may be given once");
		} else {
			s->projected = true;
			projection_parse(c, p->value, &s->projection);
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
	call_header(c, "ETag", call_format(c, "\"%s\"", version));
	call_header(c, "Cache-Control", "no-cache");
	encode_record(&c->out, c->resource, result, 0, s->projected ? &s->projection : NULL);
	buf_putc(&c->out, '\n');
	call_answer(c, etag_weak_match(&s->none_match, version) ? 304 : 200, "application/json");
}

void record_get(struct call *c)
{
	struct read_state *s = c->state;

	if (!s || !record_statement(c, 0)) {
		record_not_found(c);
		return;
	}
	call_query(c, DB_READ, 1, false, got);
}

/* GET of a record's history: every version there was, newest first, with what changed in it. Also of a deleted record. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"
#include "lodebase/base/text.h"
#include "lodebase/base/uuid.h"
#include "lodebase/db/migrate.h"
#include "token.h"
#include "validate_value.h"
#include "versions.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 500

struct history_state {
	unsigned limit;
	const char *before; /* versions below it */
	const char *cursor_id; /* the record that the cursor is of */
	const char *params[4];
	struct version *versions;
	const char **until; /* per version its known_to, or NULL */
	size_t n; /* fetched: one more than shown where there are older ones */
};

static void read_cursor(struct call *c, struct history_state *s, const struct http_field *p)
{
	size_t n;
	const uint8_t *bytes = token_open(c, 'H', p->value, p->value_len, &n);

	if (!bytes || !token_get(c, &bytes, &n, &s->cursor_id) || !token_get(c, &bytes, &n, &s->before) || n != 0 ||
	    !s->cursor_id || !s->before)
		faults_add(&c->faults, FAULT_PARAMETER, "cursor", "format",
			   "this is no cursor of a history of this base, or it was changed: take next_cursor as it stands");
}

void history_check(struct call *c)
{
	struct history_state *s = arena_alloc(c->arena, sizeof(*s));

	c->state = s;
	if (!s)
		return;
	s->limit = LIMIT_DEFAULT;
	for (size_t i = 0; i < c->request->n_params; i++) {
		const struct http_field *p = &c->request->params[i];

		if (check_repeated(c, i))
			continue;
		if (strcmp(p->name, "limit") == 0)
			check_limit(c, p, LIMIT_MAX, &s->limit);
		else if (strcmp(p->name, "cursor") == 0)
			read_cursor(c, s, p);
		else
			check_unknown(c, p);
	}
}

static void write_changes(struct json_writer *w, const struct resource *r, const struct version *v,
			  const struct version *before)
{
	json_key(w, "changes");
	json_array_begin(w);
	for (size_t i = 0; before && i < r->n_fields; i++) {
		int column = (int)i;

		if ((r->fields[i].flags & FIELD_READ_ONLY) ||
		    encode_same(&r->fields[i], before->body, before->row, v->body, v->row, column))
			continue;
		json_object_begin(w);
		json_member_string(w, "field", r->fields[i].name);
		json_key(w, "before");
		encode_cell(w, &r->fields[i], before->body, before->row, column);
		json_key(w, "after");
		encode_cell(w, &r->fields[i], v->body, v->row, column);
		json_object_end(w);
	}
	json_array_end(w);
}

static void write_item(struct call *c, struct json_writer *w, const struct history_state *s, size_t i)
{
	const struct version *v = &s->versions[i];
	const struct version *before = strcmp(v->action, "updated") == 0 && i + 1 < s->n && s->versions[i + 1].body && v->body
					       ? &s->versions[i + 1]
					       : NULL;

	json_object_begin(w);
	json_key(w, "version");
	json_raw(w, v->number, strlen(v->number));
	json_member_string(w, "action", v->action);
	json_key(w, "known_from");
	encode_time(w, v->at);
	json_key(w, "known_to");
	encode_time(w, s->until[i]);
	json_member_string(w, "actor", v->actor);
	json_member_string(w, "request_id", v->request_id);
	write_changes(w, c->resource, v, before);
	json_key(w, "record");
	if (version_is_deletion(v) || !v->body) {
		json_nil(w);
	} else {
		json_raw(w, "", 0);
		encode_record(w->out, c->resource, v->body, v->row, NULL);
	}
	json_object_end(w);
}

static const char *next_cursor(struct call *c, const struct version *last)
{
	const char *text;
	struct buf b;

	buf_init(&b, TOKEN_MAX);
	token_put(&b, last->id);
	token_put(&b, last->number);
	text = b.failed ? NULL : token_seal(c, 'H', b.data, b.len);
	buf_done(&b);
	return text;
}

static void answer(struct call *c)
{
	const struct history_state *s = c->state;
	size_t shown = 0, fetched = versions_fetched(c);
	size_t whole = fetched < s->n ? fetched - 1 : s->n; /* what changed in one takes the one before it */
	const char *cursor;
	struct json_writer w;

	json_begin(&w, &c->out);
	json_object_begin(&w);
	json_key(&w, "items");
	json_array_begin(&w);
	for (; shown < whole && shown < s->limit && c->out.len < VERSIONS_PAGE_BYTES; shown++)
		write_item(c, &w, s, shown);
	json_array_end(&w);
	cursor = s->n > shown ? next_cursor(c, &s->versions[shown - 1]) : NULL;
	json_member_string(&w, "next_cursor", cursor);
	json_object_end(&w);
	buf_putc(&c->out, '\n');
	versions_done(c);
	if (cursor)
		call_next_link(c, cursor);
	call_header(c, "Cache-Control", "no-cache");
	call_answer(c, 200, "application/json");
}

/* Columns: those of version_read(), and when the next one came. */
static void listed(struct call *c)
{
	struct history_state *s = c->state;
	const struct db_result *r = c->job.results[0];

	s->n = (size_t)db_result_rows(r);
	if (s->n == 0) {
		record_not_found(c);
		return;
	}
	s->versions = arena_alloc(c->arena, s->n * sizeof(*s->versions));
	s->until = arena_alloc(c->arena, s->n * sizeof(*s->until));
	if (!s->versions || !s->until) {
		call_unavailable(c, "out of memory");
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		if (!version_read(c, r, (int)i, 0, &s->versions[i])) {
			call_unavailable(c, "out of memory");
			return;
		}
		s->versions[i].resource = c->resource_index;
		s->until[i] = version_text(c, r, (int)i, 6);
	}
	if (s->cursor_id && strcmp(s->cursor_id, s->versions[0].id) != 0) {
		faults_add(&c->faults, FAULT_PARAMETER, "cursor", "format",
			   "this cursor belongs to the history of another record");
		call_failed_early(c);
		return;
	}
	versions_fetch(c, s->versions, s->n, answer);
}

static void list(struct call *c, const char *id)
{
	struct history_state *s = c->state;

	s->params[0] = c->resource->name;
	s->params[1] = id;
	s->params[2] = s->before;
	s->params[3] = call_format(c, "%u", s->limit + 1);
	call_statement(c, 0, "history", db_query("history"), s->params, 4);
	call_query(c, DB_READ, 1, false, listed);
}

static void found(struct call *c)
{
	const char *id = db_result_rows(c->job.results[0]) ? version_text(c, c->job.results[0], 0, 0) : NULL;

	if (id)
		list(c, id);
	else
		record_not_found(c);
}

static void run(struct call *c)
{
	struct history_state *s = c->state;

	if (record_path_is_id(c)) {
		list(c, validate_canonical_uuid(c->arena, c->segment));
	} else if (!text_is_slug(c->segment, strlen(c->segment))) {
		record_not_found(c);
	} else {
		s->params[0] = c->segment;
		s->params[1] = c->resource->name;
		call_statement(c, 0, record_statement_name(c, "bore"), record_sql(c)->sql.bore, s->params, 2);
		call_query(c, DB_READ, 1, false, found);
	}
}

void history_run(struct call *c)
{
	if (!c->state)
		call_unavailable(c, "out of memory");
	else
		cursor_secret_load(c, run);
}

/* GET /v1/search: records of all resources by what a person types. */
#include <stdlib.h>
#include <string.h>
#include "internal.h"
#include "lodebase/base/text.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MAX 100
#define Q_MAX 200

struct search {
	const char *q;
	bool *wanted; /* per resource, NULL: all */
	unsigned limit;
	const char *params[2];
};

const char *search_text(struct call *c, const struct http_field *p)
{
	size_t n = text_code_points(p->value, p->value_len);

	if (n < 1 || n > Q_MAX)
		faults_add(&c->faults, FAULT_PARAMETER, p->name, "length", "%s must have 1 to %d characters", p->name, Q_MAX);
	else if (!text_is_utf8(p->value, p->value_len) || !text_has_visible(p->value, p->value_len))
		faults_add(&c->faults, FAULT_PARAMETER, p->name, "format", "%s needs a visible character", p->name);
	else
		return p->value;
	return NULL;
}

void search_check(struct call *c)
{
	struct search *s = arena_alloc(c->arena, sizeof(*s));
	bool asked = false;

	c->state = s;
	if (!s)
		return;
	s->limit = LIMIT_DEFAULT;
	for (size_t i = 0; i < c->request->n_params; i++) {
		const struct http_field *p = &c->request->params[i];

		if (check_repeated(c, i))
			continue;
		if (strcmp(p->name, "limit") == 0) {
			check_limit(c, p, LIMIT_MAX, &s->limit);
		} else if (strcmp(p->name, "resource") == 0) {
			s->wanted = check_resources(c, p);
		} else if (strcmp(p->name, "q") == 0) {
			asked = true;
			s->q = search_text(c, p);
		} else {
			check_unknown(c, p);
		}
	}
	if (!asked)
		faults_add(&c->faults, FAULT_PARAMETER, "q", "required", "q, what to search for, is required");
}

/* HTML: what means something there is escaped, the marks become elements. Where no word was found as it stands (a typing error,
 * a part of a word) all of it is marked. */
static void write_highlight(struct buf *out, const char *s)
{
	bool whole = !strchr(s, '\x01');
	struct json_writer w;
	struct buf html;

	buf_init(&html, 1u << 20);
	buf_puts(&html, whole ? "<mark>" : "");
	for (; *s; s++)
		switch (*s) {
		case '\x01':
			buf_puts(&html, "<mark>");
			break;
		case '\x02':
			buf_puts(&html, "</mark>");
			break;
		case '&':
			buf_puts(&html, "&amp;");
			break;
		case '\x03': /* brackets were hidden from the parser, which takes what is between them for markup */
			buf_puts(&html, "&lt;");
			break;
		case '\x04':
			buf_puts(&html, "&gt;");
			break;
		case '"':
			buf_puts(&html, "&quot;");
			break;
		case '\'':
			buf_puts(&html, "&#39;");
			break;
		default:
			buf_putc(&html, *s);
		}
	buf_puts(&html, whole ? "</mark>" : "");
	json_begin(&w, out);
	json_str(&w, html.failed ? "" : html.data);
	out->failed = out->failed || html.failed;
	buf_done(&html);
}

static const char *cell(const struct db_result *r, int row, int column)
{
	return db_result_is_null(r, row, column) ? NULL : db_result_value(r, row, column);
}

/* "0:3,5:1": hits per resource, by its place among them. */
static void write_facets(struct json_writer *w, const char *facets)
{
	json_key(w, "facets");
	json_object_begin(w);
	json_key(w, "resource");
	json_object_begin(w);
	while (*facets) {
		char *end;
		size_t place = strtoul(facets, &end, 10);

		json_key(w, resources[place]->name);
		json_int(w, strtoll(end + 1, &end, 10));
		facets = *end ? end + 1 : end;
	}
	json_object_end(w);
	json_object_end(w);
}

/* Columns: place of the resource, id, slug, name, score, matched, marked text, facets, total. */
static void found(struct call *c)
{
	const struct db_result *r = c->job.results[0];
	int rows = db_result_rows(r);
	struct json_writer w;

	json_begin(&w, &c->out);
	json_object_begin(&w);
	json_key(&w, "items");
	json_array_begin(&w);
	for (int i = 0; i < rows; i++) {
		const char *score = db_result_value(r, i, 4);
		size_t n = strlen(score);

		while (n > 1 && strchr(score, '.') && (score[n - 1] == '0' || score[n - 1] == '.'))
			if (score[--n] == '.')
				break;
		json_object_begin(&w);
		json_member_string(&w, "resource", resources[strtoul(db_result_value(r, i, 0), NULL, 10)]->name);
		json_member_string(&w, "id", db_result_value(r, i, 1));
		json_member_string(&w, "slug", cell(r, i, 2));
		json_member_string(&w, "name", cell(r, i, 3));
		json_key(&w, "score");
		json_raw(&w, score, n);
		json_member_string(&w, "matched", db_result_value(r, i, 5));
		json_key(&w, "highlight");
		json_raw(&w, "", 0);
		write_highlight(&c->out, db_result_value(r, i, 6));
		json_object_end(&w);
	}
	json_array_end(&w);
	write_facets(&w, rows ? db_result_value(r, 0, 7) : "");
	json_key(&w, "total");
	json_raw(&w, rows ? db_result_value(r, 0, 8) : "0", rows ? db_result_length(r, 0, 8) : 1);
	json_object_end(&w);
	buf_putc(&c->out, '\n');
	call_header(c, "Cache-Control", "no-cache");
	call_answer(c, 200, "application/json");
}

void search_run(struct call *c)
{
	struct search *s = c->state;
	const char *sql = NULL;

	if (s && s->wanted) {
		char *composed = compose_search(s->wanted);

		sql = composed ? arena_strdup(c->arena, composed) : NULL;
		free(composed);
	} else if (s) {
		sql = c->api->search;
	}
	if (!sql) {
		call_out_of_memory(c);
		return;
	}
	s->params[0] = s->q;
	s->params[1] = call_format(c, "%u", s->limit);
	call_statement(c, 0, s->wanted ? NULL : "search", sql, s->params, 2);
	call_query(c, DB_SLOW, 1, false, found);
}

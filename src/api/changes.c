/* GET of a page of the change feed. */
#include <string.h>
#include "feed.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 500

void changes_check(struct call *c)
{
	struct feed *f = arena_alloc(c->arena, sizeof(*f));

	c->state = f;
	if (!f)
		return;
	f->limit = LIMIT_DEFAULT;
	for (size_t i = 0; i < c->request->n_params; i++) {
		const struct http_field *p = &c->request->params[i];

		if (check_repeated(c, i))
			continue;
		if (strcmp(p->name, "limit") == 0)
			check_limit(c, p, LIMIT_MAX, &f->limit);
		else if (!feed_parameter(c, f, p))
			check_unknown(c, p);
	}
}

static void answer(struct call *c)
{
	struct feed *f = c->state;
	char next[FEED_POSITION_SIZE];
	struct json_writer w;
	size_t i;

	json_begin(&w, &c->out);
	json_object_begin(&w);
	json_key(&w, "items");
	json_array_begin(&w);
	for (i = 0; i < f->n && c->out.len < VERSIONS_PAGE_BYTES; i++) {
		json_raw(&w, "", 0);
		feed_write_item(&c->out, f, i);
	}
	json_array_end(&w);
	feed_position_format(c, i > 0 ? &f->positions[i - 1] : &f->after, f->epoch, next);
	json_member_string(&w, "next_after", next);
	json_member_bool(&w, "caught_up", f->caught_up && i == f->n);
	json_object_end(&w);
	buf_putc(&c->out, '\n');
	versions_done(c);
	call_header(c, "Cache-Control", "no-cache");
	call_answer(c, 200, "application/json");
}

static void run(struct call *c)
{
	feed_fetch(c, c->state, answer);
}

void changes_run(struct call *c)
{
	if (!c->state)
		call_unavailable(c, "out of memory");
	else
		cursor_secret_load(c, run);
}

/* GET /v1/export: every record of every resource as one line each that POST /v1/import takes back without a change, in the order
 * in which imports write them. The base as it stands when the export begins, however long it takes. */
#include "export_walk.h"
#include "stream.h"

static void ask(struct call *c);

static void more(struct call *c)
{
	stream_start_part(c, ask);
}

static void paged(struct call *c)
{
	struct export_walk *w = c->state;

	if (stream_key_is_over(c, 1))
		return;
	if (c->stream == CALL_NO_STREAM) {
		call_header(c, "Cache-Control", "no-store");
		stream_begin(c, "application/x-ndjson", more);
		if (c->stream == CALL_NO_STREAM)
			return; /* HEAD */
		c->stream_busy = true;
	}
	if (!export_walk_take(w, c->arena, c->job.results[0], &c->out)) {
		stream_end(c, false);
		return;
	}
	/* Resources without a record make no parts of their own. */
	if (c->out.len == 0 && !export_walk_is_over(w))
		ask(c);
	else
		stream_part(c, export_walk_is_over(w));
}

static void ask(struct call *c)
{
	struct composed *page = arena_alloc(c->arena, sizeof(*page));

	if (!page || !export_walk_ask(c->state, c->arena, page)) {
		call_out_of_memory(c);
		return;
	}
	call_statement(c, 0, NULL, page->sql, page->params, page->n_params);
	call_query(c, DB_SLOW, 1 + stream_ask_key(c, 1), false, paged);
}

static void begin(struct call *c)
{
	struct export_walk *w = arena_alloc(c->arena, sizeof(*w));

	if (!w) {
		call_out_of_memory(c);
		return;
	}
	export_walk_begin(w, &c->known);
	c->state = w;
	ask(c);
}

static void resolve(struct call *c)
{
	c->known.kind = KNOWN_NOW;
	known_resolve(c, begin);
}

void export_run(struct call *c)
{
	if (stream_take_place(c))
		cursor_secret_load(c, resolve); /* an instant is sealed with it */
}

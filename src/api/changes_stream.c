/* GET of the change feed as server-sent events. */
#include <string.h>
#include "feed_hub.h"
#include "stream.h"

void changes_stream_check(struct call *c)
{
	const char *last = http_header(c->request, "Last-Event-ID");
	struct feed *f = arena_alloc(c->arena, sizeof(*f));
	bool after = false;

	c->state = f;
	if (!f)
		return;
	f->limit = 0; /* at first only whether that place is served */
	for (size_t i = 0; i < c->request->n_params; i++) {
		const struct http_field *p = &c->request->params[i];

		if (check_repeated(c, i))
			continue;
		if (!feed_parameter(c, f, p))
			check_unknown(c, p);
		after = after || strcmp(p->name, "after") == 0;
	}
	if (last) { /* what a reader that comes again has seen counts more than where it once began */
		f->from_end = false;
		feed_after(c, f, FAULT_HEADER, "Last-Event-ID", last);
	} else if (!after) {
		f->from_end = true;
	}
}

/* The place is known and served: the stream begins, and the hub feeds it. */
static void begin(struct call *c)
{
	struct feed *f = c->state;
	static const char hello[] = ": changes\n\n";

	versions_done(c);
	call_header(c, "Cache-Control", "no-store");
	call_header(c, "X-Accel-Buffering", "no"); /* proxies that know it hand each event on at once */
	stream_begin(c, "text/event-stream", feed_hub_room);
	if (c->stream != CALL_STREAMING)
		return; /* HEAD */
	if (!stream_push(c, hello, sizeof(hello) - 1) || !feed_hub_join(c->api->hub, c, f))
		stream_end(c, false);
}

static void run(struct call *c)
{
	feed_fetch(c, c->state, begin);
}

void changes_stream_run(struct call *c)
{
	if (!c->state)
		call_out_of_memory(c);
	else
		cursor_secret_load(c, run);
}

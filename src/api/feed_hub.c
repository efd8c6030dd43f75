#include "feed_hub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"
#include "lodebase/db/migrate.h"
#include "stream.h"

#define TICK_MS 25 /* how soon a write of this instance is looked for */
#define LOOK_MS 250 /* how often those of others are */
#define BEAT_MS 10000 /* of silence until a comment line */
#define NEWS_MAX 1000
#define FETCHES_MAX 4 /* pages under way at a time */
#define READER_MAX 100 /* items of a page */
#define KEYS_BYTES ((size_t)1 << 20)
#define PAGE_BYTES ((size_t)1 << 20) /* a page ends behind it, before READER_MAX */

struct feed_reader {
	struct feed_reader *previous, *next;
	struct feed_hub *hub;
	struct call *call;
	struct feed *feed;
	bool behind; /* there may be something for it */
	bool fetching;
	struct feed_position from; /* where the page under way begins */
	uint64_t sent_ms;
};

struct feed_hub {
	struct api *api;
	struct feed_reader *first;
	struct feed_reader
		*turn; /* where the next look for who is behind begins, so that nobody waits for the others' long ways */
	size_t n_readers;
	unsigned n_fetching;
	struct loop_timer timer;
	uint64_t looked_ms, writes_seen;

	/* the look at the database */
	struct db_job job;
	struct db_statement statements[2];
	bool looking, knows; /* knows: from where on news are news */
	struct feed_position looked;
	struct feed_position *newest; /* per resource */
	const char *params[4];
	char numbers[4][32];
	const char *key_params[1];
	char *keys; /* array literal of the readers' keys */
};

static uint64_t writes(const struct feed_hub *h)
{
	return h->api->shared->writes ? atomic_load_explicit(h->api->shared->writes, memory_order_acquire) : 0;
}

static bool wants(const struct feed_reader *r, size_t resource)
{
	return !r->feed->wanted || r->feed->wanted[resource];
}

static bool has_news(const struct feed_reader *r)
{
	for (size_t i = 0; i < r->hub->api->n_resources; i++)
		if (wants(r, i) && feed_position_compare(&r->hub->newest[i], &r->feed->after) > 0)
			return true;
	return false;
}

static void pump(struct feed_hub *h);

/* Puts the page's items behind each other as events, and says how many: less than all where they are large. */
static size_t write_events(struct call *c, const struct feed *f)
{
	size_t i;

	for (i = 0; i < f->n && c->out.len < PAGE_BYTES; i++) {
		buf_printf(&c->out, "id: %s\nevent: change\ndata: ", f->versions[i].position);
		feed_write_item(&c->out, f, i);
		buf_puts(&c->out, "\n\n");
	}
	return i;
}

static bool same_wants(const struct feed_reader *a, const struct feed_reader *b)
{
	for (size_t i = 0; i < a->hub->api->n_resources; i++)
		if (wants(a, i) != wants(b, i))
			return false;
	return true;
}

static void reached(struct feed_reader *r, const struct feed_position *to, bool caught_up)
{
	r->feed->after = *to;
	r->behind = !caught_up || has_news(r);
	r->sent_ms = clock_monotonic_ms();
}

/* Gives the page that was just read to all who wait at the place where it begins. */
static void share(struct feed_reader *from, const struct buf *page, const struct feed_position *to, bool caught_up)
{
	for (struct feed_reader *r = from->hub->first; r; r = r->next) {
		if (r == from || r->fetching || !r->behind || feed_position_compare(&r->feed->after, &from->from) != 0 ||
		    !same_wants(r, from) || http_stream_waiting(r->call->request) >= HTTP_STREAM_LOW)
			continue;
		if (stream_push(r->call, page->data, page->len))
			reached(r, to, caught_up);
	}
}

static void fetch_over(struct feed_reader *r)
{
	if (r->fetching)
		r->hub->n_fetching--;
	r->fetching = false;
}

static void fetched(struct call *c)
{
	struct feed_reader *r = c->reader;
	struct feed_hub *h = r->hub;
	const struct feed *f = r->feed;
	size_t n = write_events(c, f);
	struct feed_position to = n > 0 ? f->positions[n - 1] : f->after;
	bool caught_up = f->caught_up && n == f->n;

	fetch_over(r);
	if (c->out.len > 0 && !c->out.failed)
		share(r, &c->out, &to, caught_up);
	reached(r, &to, caught_up);
	stream_part(c, false);
	pump(h);
}

static void fetch(struct call *c)
{
	feed_fetch(c, c->reader->feed, fetched);
}

static void pump(struct feed_hub *h)
{
	if (!h->knows) /* what came between a page and the first look would be news to nobody */
		return;
	for (size_t i = h->n_readers; i > 0 && h->n_fetching < FETCHES_MAX; i--) {
		struct feed_reader *r = h->turn ? h->turn : h->first;

		if (!r)
			return;
		h->turn = r->next;
		if (!r->behind || r->fetching || r->call->stream != CALL_STREAMING ||
		    http_stream_waiting(r->call->request) >= HTTP_STREAM_LOW)
			continue;
		r->fetching = true;
		r->from = r->feed->after;
		h->n_fetching++;
		stream_start_part(r->call, fetch);
	}
}

void feed_hub_room(struct call *c)
{
	if (c->reader && c->reader->behind)
		pump(c->reader->hub);
}

/* Ends the streams of keys that were revoked. */
static void forget_revoked(struct feed_hub *h, const struct db_result *revoked)
{
	for (int i = 0; i < db_result_rows(revoked); i++)
		for (struct feed_reader *r = h->first; r; r = r->next)
			if (r->call->has_key && strcmp(r->call->key.id, db_result_value(revoked, i, 0)) == 0)
				stream_end(r->call, false);
}

static void looked(struct db_job *job)
{
	struct feed_hub *h = job->data;
	const struct db_result *news = job->results[0];

	h->looking = false;
	if (job->status != OK)
		return; /* away: asked again at the next tick */
	for (int i = 0; i < db_result_rows(news); i++) {
		size_t resource = h->knows ? resource_index(db_result_value(news, i, 3)) : h->api->n_resources;

		h->looked = (struct feed_position){ strtoll(db_result_value(news, i, 0), NULL, 10),
						    strtoull(db_result_value(news, i, 1), NULL, 10),
						    strtoull(db_result_value(news, i, 2), NULL, 10) };
		if (resource < h->api->n_resources)
			h->newest[resource] = h->looked;
	}
	h->knows = true;
	if (db_result_rows(news) == NEWS_MAX)
		h->looked_ms = 0; /* there may be more */
	if (h->statements[1].sql)
		forget_revoked(h, job->results[1]);
	for (struct feed_reader *r = h->first; r; r = r->next)
		r->behind = r->behind || has_news(r);
	pump(h);
}

static void end_all(struct feed_hub *h)
{
	for (struct feed_reader *r = h->first; r; r = r->next)
		stream_end(r->call, false);
}

/* The keys of all readers as an array literal, each once. Ids are of one length and have letters and digits alone, so one is
 * found in the text only as a whole. false: no memory, or too many. */
static bool collect_keys(struct feed_hub *h)
{
	struct buf b;
	bool fine;

	free(h->keys);
	buf_init(&b, KEYS_BYTES);
	for (struct feed_reader *r = h->first; r; r = r->next)
		if (r->call->has_key && (!b.data || !strstr(b.data, r->call->key.id)))
			buf_printf(&b, "%s%s", b.len ? "," : "{", r->call->key.id);
	if (b.len)
		buf_putc(&b, '}');
	fine = !b.failed;
	h->keys = buf_steal(&b, NULL);
	buf_done(&b);
	return fine;
}

static void look(struct feed_hub *h, uint64_t now_ms)
{
	h->looked_ms = now_ms;
	h->writes_seen = writes(h);
	snprintf(h->numbers[0], sizeof(h->numbers[0]), "%" PRId64, h->looked.epoch);
	snprintf(h->numbers[1], sizeof(h->numbers[1]), "%" PRIu64, h->looked.xid);
	snprintf(h->numbers[2], sizeof(h->numbers[2]), "%" PRIu64, h->looked.seq);
	snprintf(h->numbers[3], sizeof(h->numbers[3]), "%d", NEWS_MAX);
	for (int i = 0; i < 4; i++)
		h->params[i] = h->numbers[i];
	if (!collect_keys(h))
		end_all(h); /* what cannot be asked for could be revoked; they come again */
	h->key_params[0] = h->keys;
	if (h->knows)
		h->statements[0] = (struct db_statement){
			.name = "feed_news", .sql = db_query("feed_news"), .n_params = 4, .params = h->params
		};
	else
		h->statements[0] = (struct db_statement){ .name = "feed_newest", .sql = db_query("feed_newest") };
	h->statements[1] = (struct db_statement){ 0 };
	if (h->keys)
		h->statements[1] = (struct db_statement){
			.name = "keys_revoked", .sql = db_query("keys_revoked"), .n_params = 1, .params = h->key_params
		};
	h->job.lane = DB_READ;
	h->job.statements = h->statements;
	h->job.n_statements = h->keys ? 2 : 1;
	h->job.done = looked;
	h->job.data = h;
	h->looking = db_pool_submit(h->api->pool, &h->job) == OK;
}

static void beat(struct feed_hub *h, uint64_t now_ms)
{
	static const char comment[] = ":\n\n";
	bool over = atomic_load_explicit(&h->api->shared->draining, memory_order_relaxed);

	for (struct feed_reader *r = h->first; r; r = r->next) {
		if (r->call->stream == CALL_STREAM_OVER) /* its page failed: others need not wait until its client has gone */
			fetch_over(r);
		if (over && !r->fetching) {
			stream_end(r->call, true);
		} else if (now_ms - r->sent_ms >= BEAT_MS) {
			r->sent_ms = now_ms;
			if (http_stream_waiting(r->call->request) == 0)
				(void)stream_push(r->call, comment, sizeof(comment) - 1);
		}
	}
}

static void tick(struct loop_timer *t)
{
	struct feed_hub *h = t->data;
	uint64_t now_ms = clock_monotonic_ms();

	if (!h->first) {
		h->knows = false; /* whoever comes next begins anew */
		return;
	}
	beat(h, now_ms);
	if (!h->looking && (now_ms - h->looked_ms >= LOOK_MS || h->writes_seen != writes(h)))
		look(h, now_ms);
	if (loop_timer_set(h->api->loop, &h->timer, now_ms + TICK_MS) != OK)
		end_all(h); /* they come again, and nobody waits in vain */
}

enum err feed_hub_new(struct api *api, struct feed_hub **ret)
{
	struct feed_hub *h = calloc(1, sizeof(*h));

	*ret = h;
	if (!h)
		return ERR_NOMEM;
	h->api = api;
	h->timer = (struct loop_timer){ .fire = tick, .data = h };
	h->newest = calloc(api->n_resources, sizeof(*h->newest));
	if (h->newest)
		return OK;
	free(h);
	*ret = NULL;
	return ERR_NOMEM;
}

void feed_hub_free(struct feed_hub *h)
{
	if (!h)
		return;
	loop_timer_cancel(h->api->loop, &h->timer);
	if (h->looking)
		db_pool_cancel(h->api->pool, &h->job);
	free(h->newest);
	free(h->keys);
	free(h);
}

bool feed_hub_join(struct feed_hub *h, struct call *c, struct feed *f)
{
	struct feed_reader *r = arena_alloc(c->request->arena, sizeof(*r));

	if (!r || (!h->timer.heap_index && loop_timer_set(h->api->loop, &h->timer, clock_monotonic_ms()) != OK))
		return false;
	f->limit = READER_MAX;
	*r = (struct feed_reader){
		.hub = h, .call = c, .feed = f, .behind = true, .sent_ms = clock_monotonic_ms(), .next = h->first
	};
	if (h->first)
		h->first->previous = r;
	h->first = r;
	h->n_readers++;
	c->reader = r;
	return true;
}

void feed_hub_leave(struct call *c)
{
	struct feed_reader *r = c->reader;

	if (!r)
		return;
	c->reader = NULL;
	fetch_over(r);
	r->hub->n_readers--;
	if (r->hub->turn == r)
		r->hub->turn = r->next;
	if (r->previous)
		r->previous->next = r->next;
	else
		r->hub->first = r->next;
	if (r->next)
		r->next->previous = r->previous;
}

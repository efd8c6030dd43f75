#include "feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/db/migrate.h"

#define BASE_BYTES 8

/* What tells this base from others: derived from its secret, which is made once and restored with it. */
static void base_mark(const struct call *c, char ret[2 * BASE_BYTES + 1])
{
	static const char what[] = "lodebase feed position";
	uint8_t mac[32];

	digest_hmac_sha256(c->api->cursor_secret, sizeof(c->api->cursor_secret), what, sizeof(what) - 1, mac);
	digest_hex(mac, BASE_BYTES, ret);
}

void feed_position_format(const struct call *c, const struct feed_position *p, int64_t given, char ret[FEED_POSITION_SIZE])
{
	char base[2 * BASE_BYTES + 1];

	base_mark(c, base);
	snprintf(ret, FEED_POSITION_SIZE, "%s-%" PRId64 "-%" PRId64 "-%" PRIu64 "-%" PRIu64, base, given, p->epoch, p->xid,
		 p->seq);
}

/* "-" and a number without idle zeros; advances. */
static bool read_number(const char **s, uint64_t max, uint64_t *ret)
{
	char *end;

	if (**s != '-' || (*s)[1] < '0' || (*s)[1] > '9' || ((*s)[1] == '0' && (*s)[2] >= '0' && (*s)[2] <= '9'))
		return false;
	errno = 0;
	*ret = strtoull(*s + 1, &end, 10);
	*s = end;
	return errno == 0 && *ret <= max;
}

enum feed_where feed_position_parse(const struct call *c, const char *text, struct feed_position *ret, int64_t *ret_given)
{
	char base[2 * BASE_BYTES + 1];
	const char *s = text + 2 * BASE_BYTES;
	uint64_t given, epoch;

	if (strspn(text, "0123456789abcdef") != 2 * BASE_BYTES || !read_number(&s, INT32_MAX, &given) ||
	    !read_number(&s, INT32_MAX, &epoch) || !read_number(&s, UINT64_MAX, &ret->xid) ||
	    !read_number(&s, INT64_MAX, &ret->seq) || *s)
		return FEED_MALFORMED;
	ret->epoch = (int64_t)epoch;
	*ret_given = (int64_t)given;
	base_mark(c, base);
	return memcmp(text, base, 2 * BASE_BYTES) == 0 ? FEED_HERE : FEED_FOREIGN;
}

int feed_position_compare(const struct feed_position *a, const struct feed_position *b)
{
	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	if (a->xid != b->xid)
		return a->xid < b->xid ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

void feed_expired(struct call *c)
{
	call_fail(c, 410, "position-expired",
		  "this position is of another base, or of this one before it was restored: begin again without after");
}

void feed_after(struct call *c, struct feed *f, enum fault_place place, const char *name, const char *value)
{
	if (strcmp(value, "now") == 0 && place == FAULT_PARAMETER) {
		f->from_end = true;
		return;
	}
	switch (feed_position_parse(c, value, &f->after, &f->given)) {
	case FEED_MALFORMED:
		faults_add(&c->faults, place, name, "format", "%s must be the position of an answer, as it stands%s", name,
			   place == FAULT_PARAMETER ? ", or now" : "");
		break;
	case FEED_FOREIGN:
		f->given = -1;
		break;
	case FEED_HERE:
		break;
	}
}

bool feed_parameter(struct call *c, struct feed *f, const struct http_field *p)
{
	if (strcmp(p->name, "after") == 0)
		feed_after(c, f, FAULT_PARAMETER, "after", p->value);
	else if (strcmp(p->name, "resource") == 0)
		f->wanted = check_resources(c, p);
	else
		return false;
	return true;
}

/* Columns: epoch, xid, seq, resource, and those of version_read(). false: no memory. */
static bool take(struct call *c, struct feed *f, const struct db_result *r, size_t i)
{
	struct version *v = &f->versions[i];
	char text[FEED_POSITION_SIZE];
	int row = (int)i;

	f->positions[i] = (struct feed_position){ strtoll(db_result_value(r, row, 0), NULL, 10),
						  strtoull(db_result_value(r, row, 1), NULL, 10),
						  strtoull(db_result_value(r, row, 2), NULL, 10) };
	feed_position_format(c, &f->positions[i], f->epoch, text);
	return version_read(c, r, row, 4, v) && (v->position = arena_strdup(c->arena, text)) != NULL;
}

static void fetched(struct call *c)
{
	struct feed *f = c->feed;
	size_t n = versions_fetched(c);

	f->caught_up = f->caught_up && n == f->n;
	f->n = n;
	f->ready(c);
}

static void paged(struct call *c)
{
	struct feed *f = c->feed;
	const struct db_result *horizon = c->job.results[0], *r = c->job.results[1];
	size_t rows = f->from_end ? 0 : (size_t)db_result_rows(r);

	f->epoch = strtoll(db_result_value(horizon, 0, 0), NULL, 10);
	if (f->given && f->given != f->epoch) {
		feed_expired(c);
		return;
	}
	f->given = f->epoch;
	if (f->from_end) {
		f->after = (struct feed_position){ f->epoch, strtoull(db_result_value(horizon, 0, 1), NULL, 10), 0 };
		f->from_end = false;
	}
	f->caught_up = rows <= f->limit;
	f->n = rows <= f->limit ? rows : f->limit;
	f->versions = arena_alloc(c->arena, f->n * sizeof(*f->versions));
	f->positions = arena_alloc(c->arena, f->n * sizeof(*f->positions));
	for (size_t i = 0; i < f->n; i++) {
		if (!f->versions || !f->positions || !take(c, f, r, i)) {
			call_unavailable(c, "out of memory");
			return;
		}
		f->versions[i].resource = resource_index(db_result_value(r, (int)i, 3));
		if (f->versions[i].resource == c->api->n_resources) {
			call_unavailable(c, "the next change is of a resource that only a newer version of this service knows");
			return;
		}
	}
	versions_fetch(c, f->versions, f->n, fetched);
}

/* The names of the resources wanted as an array; NULL: all of them. */
static const char *wanted_names(struct call *c, const struct feed *f)
{
	const char **names = arena_alloc(c->arena, c->api->n_resources * sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; names && i < c->api->n_resources; i++)
		if (f->wanted[i])
			names[n++] = resources[i]->name;
	return names ? compose_array(c->arena, names, n) : NULL;
}

void feed_fetch(struct call *c, struct feed *f, void (*ready)(struct call *c))
{
	c->feed = f;
	f->ready = ready;
	if (f->given < 0) {
		feed_expired(c);
		return;
	}
	snprintf(f->numbers[0], sizeof(f->numbers[0]), "%" PRId64, f->after.epoch);
	snprintf(f->numbers[1], sizeof(f->numbers[1]), "%" PRIu64, f->after.xid);
	snprintf(f->numbers[2], sizeof(f->numbers[2]), "%" PRIu64, f->after.seq);
	snprintf(f->numbers[3], sizeof(f->numbers[3]), "%u", f->limit + 1); /* one more tells whether there is more */
	for (int i = 0; i < 4; i++)
		f->params[i] = f->numbers[i];
	if (f->wanted && !(f->params[4] = wanted_names(c, f))) {
		call_unavailable(c, "out of memory");
		return;
	}
	call_statement(c, 0, "feed_horizon", db_query("feed_horizon"), NULL, 0);
	if (f->wanted)
		call_statement(c, 1, "feed_of", db_query("feed_of"), f->params, 5);
	else
		call_statement(c, 1, "feed", db_query("feed"), f->params, 4);
	/* where no page is asked for it is over at once, and many may come together: all streams after a restart */
	call_query(c, f->from_end || f->limit == 0 ? DB_READ : DB_SLOW, f->from_end ? 1 : 2, false, paged);
}

void feed_write_item(struct buf *out, const struct feed *f, size_t i)
{
	const struct version *v = &f->versions[i];
	const struct resource *r = resources[v->resource];
	struct json_writer w;

	json_begin(&w, out);
	json_object_begin(&w);
	json_member_string(&w, "position", v->position);
	json_member_string(&w, "resource", r->name);
	json_member_string(&w, "id", v->id);
	json_key(&w, "slug");
	if (v->body)
		encode_cell(&w, &r->fields[RESOURCE_SLUG], v->body, v->row, RESOURCE_SLUG);
	else
		json_nil(&w);
	json_member_string(&w, "action", v->action);
	json_key(&w, "version");
	json_raw(&w, v->number, strlen(v->number));
	json_key(&w, "at");
	encode_time(&w, v->at);
	json_member_string(&w, "actor", v->actor);
	json_member_string(&w, "request_id", v->request_id);
	json_key(&w, "record");
	if (version_is_deletion(v) || !v->body) {
		json_nil(&w);
	} else {
		json_raw(&w, "", 0);
		encode_record(out, r, v->body, v->row, NULL);
	}
	json_object_end(&w);
}

/* A request's head: what the daemon knows of it becomes what the handlers see, if the guard lets it pass. */
#include "internal.h"

#include <string.h>
#include <strings.h>
#include "compat.h"
#include "lodebase/base/clock.h"

static enum http_method method_of(const char *name)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",      [HTTP_PUT] = "PUT",
		[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS"
	};

	for (enum http_method m = HTTP_GET; m < HTTP_OTHER; m++)
		if (strcmp(name, names[m]) == 0)
			return m;
	return HTTP_OTHER;
}

struct copying {
	struct request *r;
	size_t n, bytes;
	char *to; /* NULL: only counting */
};

static enum MHD_Result count_header(void *data, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
				    size_t value_len)
{
	struct copying *c = data;

	(void)kind, (void)name, (void)value;
	c->n++;
	c->bytes += name_len + value_len + 2;
	return MHD_YES;
}

static const char *keep(struct copying *c, const char *s, size_t n)
{
	char *copy = c->to;

	if (n)
		memcpy(copy, s, n);
	c->to += n + 1;
	return copy;
}

static enum MHD_Result copy_header(void *data, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
				   size_t value_len)
{
	struct copying *c = data;
	struct guard_header *h = &c->r->headers[c->r->n_headers++];

	(void)kind;
	*h = (struct guard_header){ .name_len = name_len, .value_len = value_len };
	h->name = keep(c, name, name_len);
	h->value = keep(c, value, value_len);
	return MHD_YES;
}

/* The daemon's memory may be wiped under a request that ends badly while its handlers still look at it: so copies. */
static bool copy_headers(struct request *r)
{
	struct copying c = { .r = r };

	MHD_get_connection_values_n(r->conn->mhd, MHD_HEADER_KIND, count_header, &c);
	r->headers = arena_alloc(r->public.arena, c.n * sizeof *r->headers);
	c.to = arena_alloc(r->public.arena, c.bytes);
	if (!r->headers || !c.to)
		return false;
	MHD_get_connection_values_n(r->conn->mhd, MHD_HEADER_KIND, copy_header, &c);
	return true;
}

static const struct guard_header *find(const struct request *r, const char *name, size_t from)
{
	const size_t n = strlen(name);

	for (size_t i = from; i < r->n_headers; i++)
		if (r->headers[i].name_len == n && strncasecmp(r->headers[i].name, name, n) == 0)
			return &r->headers[i];
	return NULL;
}

size_t http_header_count(const struct http_request *public, const char *name)
{
	const struct request *r = (const struct request *)public;
	size_t n = 0;

	for (const struct guard_header *h = find(r, name, 0); h; h = find(r, name, (size_t)(h - r->headers) + 1))
		n++;
	return n;
}

const char *http_header(const struct http_request *public, const char *name)
{
	const struct request *r = (const struct request *)public;
	const struct guard_header *first = find(r, name, 0), *h;
	size_t len = 0, n = 0;
	char *joined;

	for (h = first; h; h = find(r, name, (size_t)(h - r->headers) + 1), n++)
		len += h->value_len + 2;
	if (n < 2)
		return first ? first->value : NULL;
	joined = arena_alloc(public->arena, len + 1);
	len = 0;
	for (h = first; joined && h; h = find(r, name, (size_t)(h - r->headers) + 1)) {
		if (h != first) {
			memcpy(joined + len, ", ", 2);
			len += 2;
		}
		memcpy(joined + len, h->value, h->value_len);
		len += h->value_len;
	}
	return joined;
}

bool request_name(struct request *r)
{
	const struct guard_header *own = http_header_count(&r->public, "x-request-id") == 1 ? find(r, "x-request-id", 0) : NULL;

	if (own && guard_is_request_id(own->value, own->value_len)) {
		r->public.request_id = own->value;
		return true;
	}
	char *id = arena_alloc(r->public.arena, UUID_TEXT_SIZE);
	if (id)
		uuid7_new(&r->server->ids, id);
	r->public.request_id = id;
	return id;
}

/* A chunked body that is not framed to the letter may end elsewhere in the eyes of a proxy than in the daemon's. Where the
 * daemon does not mind that, we look; where the body is not whole yet we cannot, and nothing is obeyed that comes behind it. */
static void check_chunks(struct request *r, const char *method, size_t head_bytes, struct guard_verdict *ret)
{
	const uint64_t beyond = conn_read_beyond(r->conn);
	size_t n, len;
	const char *body = compat_body_start(r->conn->mhd, method, head_bytes + beyond, &n);
	const enum guard_chunks found = body ? guard_chunks(body, n, &len) : CHUNKS_CUT;

	if (found == CHUNKS_BROKEN)
		*ret = (struct guard_verdict){ .status = 400, .detail = "The framing of the chunked body is broken." };
	r->framed = found == CHUNKS_WHOLE;
	r->last = !r->framed;
	if (r->framed)
		r->conn->consumed += len;
}

/* What the handlers see, and whether the guard lets it pass. false: no memory. */
static bool fill(struct request *r, const char *method, const char *version, struct guard_verdict *ret)
{
	struct arena *a = r->public.arena;
	struct guard_target target;

	*ret = (struct guard_verdict){ 0 };
	r->public.started_us = clock_monotonic_us();
	r->public.method_name = arena_strdup(a, method);
	r->public.method = method_of(method);
	if (!r->public.method_name || !copy_headers(r) || !request_name(r))
		return false;
	if (!guard_target(a, method, r->target, r->target_len, &target))
		return false;
	r->public.path = target.path;
	r->public.raw_path = target.raw_path;
	r->public.raw_query = target.raw_query;

	const size_t head_bytes = compat_head_bytes(r->conn->mhd);
	const char *wire = compat_wire_fault(r->conn->mhd, method, r->target_at, r->target_len, version);
	r->conn->consumed += head_bytes;
	if (wire) {
		*ret = (struct guard_verdict){ .status = 400, .detail = wire };
	} else if (head_bytes > r->server->config.max_header_bytes) {
		*ret = (struct guard_verdict){ .status = 431, .detail = "The request line and the headers are too long." };
	} else if (target.fault) {
		*ret = (struct guard_verdict){ .status = 400, .detail = target.fault };
	} else {
		guard_check(&(struct guard_head){ method, version, r->headers, r->n_headers }, ret);
	}
	if (ret->chunked && !ret->status && compat_chunks_are_lenient())
		check_chunks(r, method, head_bytes, ret);
	r->public.has_body = ret->has_body;
	r->chunked = ret->chunked;
	r->content_length = ret->content_length;
	return ret->status || query_parse(r);
}

enum MHD_Result request_head(struct request *r, const char *method, const char *version)
{
	const struct http_handlers *h = r->server->handlers;
	struct guard_verdict verdict;

	r->conn->begun_ms = 0;
	r->phase = PHASE_HEAD;
	if (!fill(r, method, version, &verdict))
		return MHD_NO;
	r->seen = true;
	if (!verdict.status && r->server->aborting)
		verdict = (struct guard_verdict){ .status = 503, .detail = "The service is shutting down." };
	if (verdict.status) {
		request_refuse(r, verdict.status, verdict.detail);
		return respond_queue(r);
	}
	h->head(r->server->data, &r->public, &r->plan);
	if (!r->status && !body_begin(r))
		request_refuse(r, 413, "The body is far longer than what may be sent here.");
	if (r->status) {
		r->conn->linger |= r->public.has_body;
		return respond_queue(r);
	}
	r->phase = PHASE_BODY;
	return MHD_YES;
}

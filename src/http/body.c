/* A request's body: into memory or a temporary file, past a gate where the handlers want one, within bounds. */
#include "internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "lodebase/base/clock.h"

static uint64_t bound(const struct request *r)
{
	const uint64_t max = r->gate == GATE_SHUT ? 0 : r->plan.max;

	return max > UINT64_MAX - HTTP_DRAIN_BYTES ? UINT64_MAX : max + HTTP_DRAIN_BYTES;
}

bool body_begin(struct request *r)
{
	r->body_since_ms = r->progress_ms = clock_monotonic_ms();
	if (r->plan.digest && !(r->digest = digest_begin()))
		r->public.body_failed = true;
	if (r->chunked || r->content_length <= bound(r)) {
		if (!r->plan.spool)
			buf_init(&r->body, (size_t)(r->plan.max < SIZE_MAX / 2 ? r->plan.max : SIZE_MAX / 2));
		return true;
	}
	r->public.body_too_large = true;
	return false;
}

static int unnamed_file(const char *folder)
{
	const int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char name[4096];

	if (fd >= 0)
		return fd;
	/* Not every file system knows files without a name. */
	if (snprintf(name, sizeof name, "%s/lodebase-XXXXXX", folder) >= (int)sizeof name)
		return -1;
	const int named = mkostemp(name, O_CLOEXEC);
	if (named >= 0)
		unlink(name);
	return named;
}

static int spool_file(struct http_server *s)
{
	const int fd = s->n_spooled < HTTP_SPOOLED_MAX ? unnamed_file(s->config.spool_dir) : -1;

	s->n_spooled += fd >= 0;
	return fd;
}

static bool write_all(int fd, const char *data, size_t n)
{
	while (n) {
		const ssize_t written = write(fd, data, n);

		if (written <= 0)
			return false; /* a regular file is not interrupted */
		data += written;
		n -= (size_t)written;
	}
	return true;
}

static void give_up(struct request *r)
{
	buf_done(&r->body);
	if (r->public.body_fd >= 0) {
		close(r->public.body_fd);
		r->server->n_spooled--;
	}
	r->public.body_fd = -1;
	r->public.spooled = 0;
}

static void keep(struct request *r, const char *data, size_t n)
{
	if (r->public.body_too_large || r->public.body_failed || r->gate == GATE_SHUT)
		return;
	if (r->body_seen > r->plan.max) {
		r->public.body_too_large = true;
		give_up(r);
		return;
	}
	if (r->plan.spool) {
		if (r->public.body_fd < 0)
			r->public.body_fd = spool_file(r->server);
		r->public.body_failed = r->public.body_fd < 0 || !write_all(r->public.body_fd, data, n);
		r->public.spooled += n;
	} else {
		buf_put(&r->body, data, n);
		r->public.body_failed = r->body.failed;
	}
	if (r->public.body_failed)
		give_up(r);
}

static void ask_gate(struct request *r)
{
	r->gate = GATE_ASKED;
	r->server->handlers->gate(r->server->data, &r->public);
}

void http_gate_open(struct http_request *public, bool let_in)
{
	struct request *r = (struct request *)public;

	if (r->phase != PHASE_BODY || r->gate != GATE_ASKED)
		return; /* given up meanwhile */
	r->gate = let_in ? GATE_OPEN : GATE_SHUT;
	r->body_since_ms = r->progress_ms = clock_monotonic_ms();
	request_resume(r);
}

/* Whoever is not let in and has more to send than is worth reading is answered now, past the daemon. */
static enum MHD_Result serve_early(struct request *r)
{
	r->server->handlers->serve(r->server->data, &r->public);
	if (r->phase == PHASE_CUT)
		return MHD_NO;
	request_suspend(r);
	return MHD_YES;
}

enum MHD_Result body_data(struct request *r, const char *data, size_t *size)
{
	const size_t n = *size;

	if (r->plan.gate && r->gate == GATE_NONE)
		ask_gate(r);
	if (r->phase == PHASE_CUT)
		return MHD_NO;
	if (r->gate == GATE_ASKED) {
		request_suspend(r); /* nothing is consumed: the same bytes come again */
		return MHD_YES;
	}
	*size = 0;
	r->body_seen += n;
	r->progress_ms = clock_monotonic_ms();
	if (!r->chunked)
		r->conn->consumed += n;
	if (r->digest)
		digest_put(r->digest, data, n);
	keep(r, data, n);
	if (r->body_seen <= bound(r) && r->content_length <= bound(r))
		return MHD_YES;
	if (r->gate == GATE_SHUT)
		return serve_early(r);
	request_refuse(r, 413, "The body is far longer than what may be sent here.");
	return MHD_NO;
}

void body_end(struct request *r)
{
	if (r->chunked && !r->framed)
		conn_count_all(r->conn);
	if (r->public.body_fd >= 0 && lseek(r->public.body_fd, 0, SEEK_SET) < 0) {
		r->public.body_failed = true;
		give_up(r);
	}
	if (r->digest)
		digest_end(r->digest, r->public.body_sha256);
	r->digest = NULL;
	r->public.body = r->body.data;
	r->public.body_len = r->body.len;
}

void body_free(struct request *r)
{
	if (r->digest)
		digest_end(r->digest, NULL);
	r->digest = NULL;
	give_up(r);
}

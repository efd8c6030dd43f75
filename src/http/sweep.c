/* Once a second: deadlines that libmicrohttpd does not know. It measures inactivity alone, and does not tell of the first
 * bytes of a request; the socket does. */
#include "internal.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "lodebase/base/clock.h"

#define TCP_CLOSE_WAIT 8 /* <netinet/tcp.h> and <linux/tcp.h> do not go together */
#define SWEEP_MS 1000
#define SWEEP_SOON_MS 100 /* in a drain, and while nobody else gets in */
#define CUT_MS 1000 /* what a connection that was cut has to go by itself */
#define QUIET_MS 1000 /* who did not ask for so long may be closed in a drain or for others */
#define CROWDED_SHARE 6 /* while nobody else gets in, who is slow has this part of the patience otherwise had with him */

/* Bytes that came and belong to no request seen so far. */
static uint64_t unclaimed(const struct http_conn *c, uint64_t *ret_all)
{
	struct tcp_info info;
	socklen_t len = sizeof info;

	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
	    len < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
		return 0;
	/* The end of the stream counts as a byte. */
	*ret_all = info.tcpi_bytes_received - (info.tcpi_state == TCP_CLOSE_WAIT);
	return *ret_all > c->consumed ? *ret_all - c->consumed : 0;
}

uint64_t conn_read_beyond(const struct http_conn *c)
{
	uint64_t before = 0, after = 0;
	int waiting;

	unclaimed(c, &before);
	if (ioctl(c->fd, FIONREAD, &waiting) < 0)
		return 0;
	unclaimed(c, &after);
	/* What arrived in between would count wrong. */
	if (before != after || before < c->consumed + (uint64_t)waiting)
		return 0;
	return before - c->consumed - (uint64_t)waiting;
}

void conn_count_all(struct http_conn *c)
{
	uint64_t all = c->consumed;

	unclaimed(c, &all);
	c->consumed = all;
}

void conn_ask_off(struct http_conn *c)
{
	c->asked_off = true;
	shutdown(c->fd, SHUT_RD);
}

void conn_cut(struct http_conn *c)
{
	c->cut_ms = clock_monotonic_ms();
	c->linger = true;
	shutdown(c->fd, SHUT_WR);
	MHD_set_connection_option(c->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 1u);
	c->server->resumed = true; /* the daemon shall look at it */
}

static void expire_head(struct http_conn *c)
{
	struct request *r = request_of_fragment(c);
	const bool ours = r && !r->target_at; /* the daemon does not know it */

	if (!r) {
		conn_cut(c);
		return;
	}
	r->phase = PHASE_BODY; /* answered past the daemon */
	request_refuse(r, 408, "The request line and headers did not arrive in time.");
	if (!r->status)
		conn_cut(c);
	r->phase = PHASE_CUT;
	if (ours)
		request_free(r, HTTP_ABORTED);
}

static void expire_body(struct request *r)
{
	request_refuse(r, 408, "The body did not arrive in time.");
	if (!r->status)
		conn_cut(r->conn);
	r->phase = PHASE_CUT;
}

static bool is_crowded(const struct http_server *s)
{
	return s->n_connections >= s->config.max_connections;
}

static uint64_t grace_ms(const struct http_server *s)
{
	return s->config.slow_grace_s * UINT64_C(1000) / (is_crowded(s) ? CROWDED_SHARE : 1);
}

/* Whether so many bytes in that time are too few. */
static bool is_slow(const struct http_server *s, uint64_t ms, uint64_t bytes)
{
	const uint64_t grace = grace_ms(s);

	return ms > grace && (ms - grace) / 1000 * HTTP_SLOWEST_RATE >= bytes;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void sweep_idle(struct http_conn *c, uint64_t now_ms)
{
	const struct http_config *config = &c->server->config;
	const uint64_t idle_ms = now_ms - c->idle_since_ms;
	uint64_t all, head_ms = config->header_timeout_s * UINT64_C(1000);

	if (!c->begun_ms && (c->request || unclaimed(c, &all)))
		c->begun_ms = now_ms;
	if (c->begun_ms) {
		if (is_crowded(c->server))
			head_ms = least(head_ms, grace_ms(c->server));
		if (now_ms - c->begun_ms >= head_ms)
			expire_head(c);
		return;
	}
	if (idle_ms >= config->idle_timeout_s * UINT64_C(1000) || (c->server->draining && idle_ms >= QUIET_MS))
		conn_ask_off(c);
}

static void sweep_body(struct request *r, uint64_t now_ms)
{
	const struct http_server *s = r->server;
	uint64_t silence_ms = s->config.idle_timeout_s * UINT64_C(1000);
	const bool may_be_slow = r->plan.spool && r->gate != GATE_SHUT;

	if (is_crowded(s))
		silence_ms = least(silence_ms, grace_ms(s));
	if (now_ms - r->progress_ms >= silence_ms || (!may_be_slow && is_slow(s, now_ms - r->body_since_ms, r->body_seen)))
		expire_body(r);
}

/* An answer that is sent, but not taken. Only what the client has no room for counts: where that is nothing, the answer is still
 * being made (a stream of changes goes on for ever), or on its way. */
static void sweep_sending(struct http_conn *c, uint64_t now_ms)
{
	struct tcp_info info;
	socklen_t len = sizeof info;
	int waiting;

	if (ioctl(c->fd, SIOCOUTQNSD, &waiting) < 0 || waiting == 0 ||
	    getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
	    len < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) {
		c->owed_ms = 0;
	} else if (!c->owed_ms) {
		c->owed_ms = now_ms;
		c->owed_from = info.tcpi_bytes_acked;
	} else if (is_slow(c->server, now_ms - c->owed_ms, info.tcpi_bytes_acked - c->owed_from)) {
		shutdown(c->fd, SHUT_RDWR);
	}
}

static void sweep_conn(struct http_conn *c, uint64_t now_ms)
{
	struct request *r = c->request;

	if (c->cut_ms) {
		if (now_ms - c->cut_ms >= CUT_MS)
			shutdown(c->fd, SHUT_RDWR);
	} else if (!r || r->phase == PHASE_NEW) {
		sweep_idle(c, now_ms);
	} else if (r->phase == PHASE_BODY && !r->suspended) {
		sweep_body(r, now_ms);
	} else if (r->phase == PHASE_SENDING) {
		sweep_sending(c, now_ms);
	}
}

/* At the limit nobody else gets in: of those that are longest without a request some make room. */
static void evict(struct http_server *s, uint64_t now_ms)
{
	unsigned left = s->config.max_connections / 16 + 1;
	uint64_t all;

	for (struct http_conn *c = s->first; c && left && now_ms - c->idle_since_ms >= QUIET_MS; c = c->next) {
		if (c->request || c->begun_ms || c->cut_ms || unclaimed(c, &all))
			continue;
		conn_ask_off(c);
		left--;
	}
}

void sweep_arm(struct http_server *s)
{
	const unsigned wait_ms = s->draining || is_crowded(s) ? SWEEP_SOON_MS : SWEEP_MS;

	/* Where there is no memory for it now, the next tick tries again. */
	if (loop_timer_set(s->loop, &s->sweep, clock_monotonic_ms() + wait_ms) != OK)
		s->sweep.heap_index = 0;
}

void sweep_fire(struct loop_timer *t)
{
	struct http_server *s = t->data;
	const uint64_t now_ms = clock_monotonic_ms();

	if (s->draining || now_ms - s->swept_ms >= SWEEP_MS) {
		s->swept_ms = now_ms;
		for (struct http_conn *c = s->first, *next; c; c = next) {
			next = c->next;
			sweep_conn(c, now_ms);
		}
		linger_sweep(s, now_ms);
	}
	if (is_crowded(s))
		evict(s, now_ms);
	if (s->draining)
		drain_step(s, now_ms);
	if (s->n_connections || s->n_lingering || s->draining)
		sweep_arm(s);
}

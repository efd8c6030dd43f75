/* The way out: nobody who got a connection loses a request. */
#include "internal.h"

#include <linux/filter.h>
#include <linux/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lodebase/base/clock.h"

#define HANDSHAKE_MS 200 /* for handshakes that were under way */

/* A socket that is closed resets whatever waits in its accept queue, so the queue has to be empty then and stay so. From here
 * on the kernel drops what would begin a connection (a SYN without an ACK), and takes what completes one. */
static void refuse_newcomers(int listen_fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13), /* the flags of the TCP header */
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = { .len = sizeof code / sizeof code[0], .filter = code };

	/* Where the kernel has no filters the queue is emptied and the socket closed with a shorter race. */
	(void)setsockopt(listen_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static bool queue_is_empty(int listen_fd)
{
	struct tcp_info info;
	socklen_t len = sizeof info;

	/* Of a listening socket this field is the length of its accept queue. */
	return getsockopt(listen_fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_unacked == 0;
}

void drain_close_listener(struct http_server *s)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	int fd;

	if (s->listen_fd < 0)
		return;
	MHD_quiesce_daemon(s->daemon);
	while ((fd = accept4(s->listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		MHD_add_connection(s->daemon, fd, (struct sockaddr *)&from, len);
		len = sizeof from;
	}
	close(s->listen_fd);
	s->listen_fd = -1;
	s->resumed = true;
}

void drain_step(struct http_server *s, uint64_t now_ms)
{
	if (s->listen_fd >= 0 && now_ms - s->draining_since_ms >= HANDSHAKE_MS && queue_is_empty(s->listen_fd))
		drain_close_listener(s);
}

void http_server_drain(struct http_server *s)
{
	if (s->draining)
		return;
	s->draining = true;
	s->draining_since_ms = clock_monotonic_ms();
	if (s->listen_fd >= 0)
		refuse_newcomers(s->listen_fd);
	sweep_arm(s);
}

static void abort_request(struct request *r)
{
	const enum phase phase = r->phase;

	if (phase == PHASE_SENDING && r->stream != STREAM_NONE)
		stream_abort(r);
	if (phase != PHASE_WAITING && phase != PHASE_BODY)
		return;
	request_refuse(r, 503, "The service is shutting down.");
	if (r->status)
		return;
	/* The handlers had no answer. */
	r->phase = PHASE_CUT;
	if (r->suspended)
		request_resume(r);
	else
		conn_cut(r->conn);
}

void http_server_abort_waiting(struct http_server *s)
{
	http_server_drain(s);
	s->aborting = true;
	drain_close_listener(s);
	for (struct http_conn *c = s->first, *next; c; c = next) {
		next = c->next;
		if (!c->request || c->request->phase == PHASE_NEW)
			shutdown(c->fd, SHUT_RDWR);
		else
			abort_request(c->request);
	}
	http_server_tick(s);
}

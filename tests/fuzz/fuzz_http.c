/* The whole HTTP path over a socketpair: what a client sends, in pieces (cut at each 0xFF byte), then the end of its stream.
 * However it looks, every request that handlers saw is done once, and the connection ends. */
#include "fuzz.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lodebase/base/text.h"
#include "lodebase/core/loop.h"
#include "lodebase/http/server.h"

static struct loop *loop;
static struct http_server *server;
static struct http_request *waiting, *at_gate;
static unsigned begun, ended;

static void say(struct http_request *r, int status)
{
	const struct http_header_line headers[] = { { "X-Request-Id", r->request_id }, { "Bad", "a\r\nb" } };

	http_respond(r, &(struct http_response){
				.status = status, .headers = headers, .n_headers = 2, .body = "ok\n", .body_len = 3 });
}

static void begin(struct http_request *r)
{
	if (r->user)
		return;
	begun++;
	r->user = &begun;
	FUZZ_CHECK(*r->path == '/' || strcmp(r->path, "*") == 0);
	FUZZ_CHECK(text_is_utf8(r->path, strlen(r->path)) && text_is_utf8(r->raw_path, strlen(r->raw_path)) && *r->request_id);
	for (size_t i = 0; i < r->n_params; i++)
		FUZZ_CHECK(strlen(r->params[i].value) == r->params[i].value_len &&
			   text_is_utf8(r->params[i].name, strlen(r->params[i].name)));
	(void)http_header(r, "Cookie");
}

static void head(void *data, struct http_request *r, struct http_body_plan *plan)
{
	(void)data;
	begin(r);
	plan->max = r->path[1] == 'm' ? 100 : 0;
	plan->spool = r->path[1] == 's';
	if (plan->spool)
		plan->max = UINT64_MAX;
	plan->gate = strchr(r->path, 'g');
	if (r->path[1] == 'e')
		say(r, 401);
}

static void gate(void *data, struct http_request *r)
{
	(void)data;
	if (strchr(r->path, 'w'))
		at_gate = r;
	else
		http_gate_open(r, !strchr(r->path, 'n'));
}

static void serve(void *data, struct http_request *r)
{
	(void)data;
	FUZZ_CHECK(!r->body_len || r->body_len <= 100);
	if (r->path[1] == 'l')
		waiting = r;
	else
		say(r, strchr(r->path, '4') ? 204 : 200);
}

static void refuse(void *data, struct http_request *r, const struct http_refusal *why)
{
	(void)data;
	begin(r);
	FUZZ_CHECK(why->status >= 400 && *why->detail);
	say(r, why->status);
}

static void done(void *data, struct http_request *r, int status, uint64_t body_bytes, enum http_end end)
{
	(void)data, (void)body_bytes;
	ended++;
	FUZZ_CHECK(status || end == HTTP_ABORTED);
	if (waiting == r)
		waiting = NULL;
	if (at_gate == r)
		at_gate = NULL;
}

static void start(void)
{
	static const struct http_handlers handlers = { head, gate, serve, refuse, done };
	static const struct http_config config = { .max_connections = 10,
						   .max_header_bytes = 16384,
						   .header_timeout_s = 10,
						   .idle_timeout_s = 60,
						   .slow_grace_s = 30,
						   .arena_bytes = 1 << 20,
						   .spool_dir = "/tmp" };

	signal(SIGPIPE, SIG_IGN);
	loop = loop_new();
	FUZZ_CHECK(loop && http_server_new(loop, -1, &config, &handlers, NULL, &server) == OK);
}

static void turn(int wait_ms)
{
	const int timeout = http_server_timeout(server);

	FUZZ_CHECK(loop_wait(loop, timeout >= 0 && timeout < wait_ms ? timeout : wait_ms) == OK);
	if (at_gate) {
		struct http_request *r = at_gate;

		at_gate = NULL;
		http_gate_open(r, !strchr(r->path, 'n'));
	} else if (waiting) {
		struct http_request *r = waiting;

		waiting = NULL;
		say(r, 200);
	}
	http_server_tick(server);
}

static void drink(int fd)
{
	char answer[4096];

	while (recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0)
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	int pair[2];

	if (!server)
		start();
	if (n > 100000 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 0;
	FUZZ_CHECK(http_server_adopt(server, pair[0]) == OK);
	for (size_t at = 0; at < n;) {
		const uint8_t *stop = memchr(bytes + at, 0xff, n - at);
		const size_t len = stop ? (size_t)(stop - bytes) - at : n - at;

		if (len && send(pair[1], bytes + at, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		at += len + 1;
		turn(0);
		turn(0);
		drink(pair[1]);
	}
	shutdown(pair[1], SHUT_WR);
	for (unsigned turns = 0; http_server_connections(server); turns++) {
		FUZZ_CHECK(turns < 2000);
		turn(turns < 100 ? 0 : 1);
		drink(pair[1]);
	}
	close(pair[1]);
	FUZZ_CHECK(begun == ended && http_server_requests(server) == 0 && !waiting && !at_gate);
	return 0;
}

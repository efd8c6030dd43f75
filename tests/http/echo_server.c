/* The HTTP layer alone behind a few paths, for the raw-socket tests beside this file. Prints its port, then a line per
 * finished request; SIGTERM drains it.
 *
 *   /now        answers in `serve`                    /later?ms=N   answers after a while, suspended
 *   /echo       a body in memory, back                /spool        a body in a file: its length and sum
 *   /gate?ms=N[&shut]  asks the gate first            /large?n=N    N bytes
 *   /seen       what the handlers see of a request    /early        answers 401 in `head`
 *   /hidden     counts: must never be reached         /hidden-count how often it was
 *   /silent     never answers                         /import       gate and file: as /gate and /spool */
#include <assert.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "lodebase/base/buf.h"
#include "lodebase/base/clock.h"
#include "lodebase/core/loop.h"
#include "lodebase/http/server.h"

struct app {
	struct loop *loop;
	struct http_server *server;
	uint64_t body_max;
	unsigned drain_ms;
	unsigned hidden;
	size_t block_filled;
	char block[16 << 20];
};

struct job { /* a request's, in its arena */
	struct app *app;
	struct http_request *r;
	struct loop_timer timer;
};

static const char *param(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_params; i++)
		if (strcmp(r->params[i].name, name) == 0)
			return r->params[i].value;
	return NULL;
}

static void respond(struct http_request *r, int status, const char *body, size_t n, void (*free_body)(void *))
{
	const struct http_header_line headers[] = { { "Content-Type", "text/plain" }, { "X-Request-Id", r->request_id } };

	http_respond(r, &(struct http_response){ .status = status,
						 .headers = headers,
						 .n_headers = 2,
						 .body = body,
						 .body_len = n,
						 .free_body = free_body });
}

static void say(struct http_request *r, int status, const char *text)
{
	respond(r, status, text, strlen(text), NULL);
}

static struct job *job(struct http_request *r)
{
	return r->user;
}

static void wait_for(struct http_request *r, void (*fire)(struct loop_timer *))
{
	const char *ms = param(r, "ms");

	job(r)->timer = (struct loop_timer){ .fire = fire, .data = r };
	if (loop_timer_set(job(r)->app->loop, &job(r)->timer, clock_monotonic_ms() + strtoul(ms ? ms : "50", NULL, 10)))
		abort();
}

static bool is(const struct http_request *r, const char *path)
{
	return strcmp(r->path, path) == 0;
}

static void head(void *data, struct http_request *r, struct http_body_plan *plan)
{
	struct app *app = data;

	r->user = arena_alloc(r->arena, sizeof(struct job));
	*job(r) = (struct job){ .app = app, .r = r };
	if (is(r, "/early")) {
		say(r, 401, "who are you?\n");
		return;
	}
	plan->spool = is(r, "/spool") || is(r, "/import");
	plan->gate = is(r, "/gate") || is(r, "/import");
	plan->max = is(r, "/echo") || is(r, "/gate") ? app->body_max : plan->spool ? UINT64_MAX : 0;
}

static void open_gate(struct loop_timer *t)
{
	struct http_request *r = t->data;

	http_gate_open(r, !param(r, "shut"));
}

static void gate(void *data, struct http_request *r)
{
	(void)data;
	if (param(r, "ms"))
		wait_for(r, open_gate);
	else
		http_gate_open(r, !param(r, "shut"));
}

static void later(struct loop_timer *t)
{
	say(t->data, 200, "later\n");
}

static void seen(struct http_request *r)
{
	struct buf b;
	const char *joined = http_header(r, "X-Test");
	size_t n;

	buf_init(&b, 1 << 20);
	buf_printf(&b, "method %s %d\npath %s\nraw_path %s\nraw_query %s\nfault %s\nid %s\npeer %s %d\nbody %d %zu\n",
		   r->method_name, (int)r->method, r->path, r->raw_path, r->raw_query ? r->raw_query : "(none)",
		   r->param_fault ? r->param_fault : "(none)", r->request_id, r->peer, r->peer_is_loopback, r->has_body,
		   r->body_len);
	for (size_t i = 0; i < r->n_params; i++)
		buf_printf(&b, "param [%s] [%s] %zu\n", r->params[i].name, r->params[i].value, r->params[i].value_len);
	buf_printf(&b, "test %zu %s\n", http_header_count(r, "x-test"), joined ? joined : "(none)");
	char *text = buf_steal(&b, &n);
	respond(r, strcmp(r->method_name, "CONNECT") == 0 ? 405 : 200, text, n, free);
}

static void spooled(struct http_request *r)
{
	char block[65536];
	uint64_t sum = 0, bytes = 0;
	ssize_t n;

	if (r->body_failed) {
		say(r, 503, "disk full\n");
		return;
	}
	while (r->body_fd >= 0 && (n = read(r->body_fd, block, sizeof block)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum += (unsigned char)block[i];
		bytes += (uint64_t)n;
	}
	assert(bytes == r->spooled);
	char *text = arena_printf(r->arena, "%" PRIu64 " %" PRIu64 "\n", bytes, sum);
	say(r, 200, text);
}

static void large(struct app *app, struct http_request *r)
{
	const char *n = param(r, "n");
	const size_t size = strtoul(n ? n : "0", NULL, 10);

	/* One block for all, filled as far as somebody asked for. */
	assert(size <= sizeof app->block);
	if (size > app->block_filled) {
		memset(app->block + app->block_filled, 'x', size - app->block_filled);
		app->block_filled = size;
	}
	respond(r, 200, app->block, size, NULL);
}

static void serve(void *data, struct http_request *r)
{
	struct app *app = data;

	if (is(r, "/hidden"))
		app->hidden++;
	if (is(r, "/import") && param(r, "shut"))
		say(r, 503, "not now\n");
	else if (is(r, "/spool") || is(r, "/import"))
		spooled(r);
	else if (r->body_too_large)
		say(r, 413, "too large\n");
	else if (is(r, "/later"))
		wait_for(r, later);
	else if (is(r, "/seen") || is(r, "*") || r->method == HTTP_OTHER)
		seen(r);
	else if (is(r, "/echo") || is(r, "/gate"))
		respond(r, param(r, "shut") ? 503 : 200, r->body, r->body_len, NULL);
	else if (is(r, "/large"))
		large(app, r);
	else if (is(r, "/hidden-count"))
		say(r, 200, arena_printf(r->arena, "%u\n", app->hidden));
	else if (is(r, "/nothing"))
		respond(r, 204, NULL, 0, NULL);
	else if (is(r, "/unchanged"))
		say(r, 304, "the same\n");
	else if (!is(r, "/silent"))
		say(r, is(r, "/now") || is(r, "/hidden") ? 200 : 404, "now\n");
}

static void refuse(void *data, struct http_request *r, const struct http_refusal *why)
{
	(void)data;
	say(r, why->status, arena_printf(r->arena, "refused: %s\n", why->detail));
}

static void done(void *data, struct http_request *r, int status, uint64_t body_bytes, enum http_end end)
{
	struct app *app = data;

	if (r->user)
		loop_timer_cancel(app->loop, &job(r)->timer);
	printf("%s %s %d %" PRIu64 " %s\n", r->method_name, r->raw_path, status, body_bytes,
	       end == HTTP_COMPLETED ? "completed" : "aborted");
	fflush(stdout);
}

static const struct http_handlers handlers = { head, gate, serve, refuse, done };
static struct loop *signalled;
static volatile sig_atomic_t terminated;

static void on_signal(int number)
{
	(void)number;
	terminated = 1;
	loop_wake(signalled);
}

static void run(struct app *app)
{
	uint64_t abort_at = 0;

	for (;;) {
		int timeout = http_server_timeout(app->server);

		if (abort_at && (timeout < 0 || timeout > 50))
			timeout = 50;
		if (loop_wait(app->loop, timeout))
			abort();
		if (terminated && !abort_at) {
			abort_at = clock_monotonic_ms() + app->drain_ms;
			http_server_drain(app->server);
		}
		http_server_tick(app->server);
		if (!abort_at)
			continue;
		if (http_server_connections(app->server) == 0)
			return;
		if (clock_monotonic_ms() >= abort_at)
			http_server_abort_waiting(app->server);
		if (clock_monotonic_ms() >= abort_at + 1000)
			return;
	}
}

static unsigned number(int argc, char **argv, const char *name, unsigned otherwise)
{
	for (int i = 1; i + 1 < argc; i += 2)
		if (strcmp(argv[i], name) == 0)
			return (unsigned)strtoul(argv[i + 1], NULL, 10);
	return otherwise;
}

static const char *text(int argc, char **argv, const char *name, const char *otherwise)
{
	for (int i = 1; i + 1 < argc; i += 2)
		if (strcmp(argv[i], name) == 0)
			return argv[i + 1];
	return otherwise;
}

int main(int argc, char **argv)
{
	static struct app app; /* too large for a stack */

	app.loop = loop_new();
	app.body_max = number(argc, argv, "--body-max", 1 << 20);
	app.drain_ms = number(argc, argv, "--drain-ms", 3000);
	const struct http_config config = { .max_connections = number(argc, argv, "--max-connections", 4096),
					    .max_header_bytes = number(argc, argv, "--max-header-bytes", 16384),
					    .header_timeout_s = number(argc, argv, "--header-timeout", 10),
					    .idle_timeout_s = number(argc, argv, "--idle-timeout", 60),
					    .slow_grace_s = number(argc, argv, "--slow-grace", 30),
					    .arena_bytes = 4 << 20,
					    .spool_dir = text(argc, argv, "--spool-dir", "/tmp") };
	uint16_t port;
	int fd;

	const enum err e = http_listen(text(argc, argv, "--address", "127.0.0.1"), (uint16_t)number(argc, argv, "--port", 0),
				       true, &fd, &port);
	if (!app.loop || e) {
		fprintf(stderr, "cannot listen: %s\n", err_name(e));
		loop_free(app.loop);
		return 2;
	}
	if (http_server_new(app.loop, fd, &config, &handlers, &app, &app.server))
		return 3;
	signalled = app.loop;
	signal(SIGPIPE, SIG_IGN);
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGTERM, on_signal);
	printf("port %u %s\n", port, MHD_get_version());
	fflush(stdout);
	run(&app);
	signal(SIGTERM, SIG_IGN); /* its handler uses the loop */
	http_server_free(app.server);
	loop_free(app.loop);
	printf("ended\n");
	fflush(stdout);
	return 0;
}

/* Log lines: built in a buffer on the stack, written at once. Where the reader of a pipe does not keep up, lines are dropped
 * and counted rather than waited for: a stalled log collector must not stall requests. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lodebase/base/clock.h"
#include "lodebase/core/log.h"

/* Also PIPE_BUF: a pipe that polls writable takes this much without blocking, and does not mix it with other lines. */
#define LINE_MAX_BYTES 4096
#define EVENT_PATIENCE_MS 200

static struct {
	pthread_mutex_t lock; /* around poll and write: no two lines into one line's room */
	bool json;
	unsigned long dropped;
} log_state = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct line {
	char text[LINE_MAX_BYTES];
	size_t len;
	bool full;
};

static const char *const level_names[] = { "debug", "info", "warning", "error" };

/* Room is kept for what closes the line. */
#define LINE_RESERVE 8

static void line_put(struct line *l, const char *s, size_t n)
{
	if (l->full || n > LINE_MAX_BYTES - LINE_RESERVE - l->len) {
		l->full = true;
		return;
	}
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

static void line_puts(struct line *l, const char *s)
{
	line_put(l, s, strlen(s));
}

static void line_printf(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line_printf(struct line *l, const char *format, ...)
{
	char text[128];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n > 0)
		line_put(l, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* A JSON string without its quotes. A text that does not fit is cut between two characters. */
static void line_escaped(struct line *l, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			line_printf(l, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			line_printf(l, "\\u%04x", c);
		else
			line_put(l, s, 1);
	}
	while (l->full && l->len && ((unsigned char)l->text[l->len - 1] & 0x80)) {
		unsigned char last = (unsigned char)l->text[--l->len];
		if ((last & 0xc0) == 0xc0)
			break;
	}
}

/* The same for people: control characters would play tricks on a terminal. */
static void line_plain(struct line *l, const char *s)
{
	for (; *s; s++)
		line_put(l, (unsigned char)*s < 0x20 || *s == 0x7f ? "?" : s, 1);
}

static void line_member(struct line *l, const char *key, const char *value)
{
	line_printf(l, ",\"%s\":", key);
	if (!value) {
		line_puts(l, "null");
		return;
	}
	line_puts(l, "\"");
	line_escaped(l, value);
	if (l->full) { /* the reserve closes it */
		l->text[l->len++] = '"';
		return;
	}
	line_puts(l, "\"");
}

static void line_begin(struct line *l, enum log_level level, const char *event)
{
	char at[CLOCK_TIME_SIZE];
	clock_format_us(clock_wall_us(), at);
	l->len = 0;
	l->full = false;
	if (log_state.json)
		line_printf(l, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", at, level_names[level], event);
	else
		line_printf(l, "%.19s %-7s %-10s ", at, level_names[level], event);
}

static bool writable(int patience_ms)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	return poll(&p, 1, patience_ms) == 1 && (p.revents & POLLOUT);
}

static void line_end(struct line *l, int patience_ms)
{
	if (log_state.json)
		l->text[l->len++] = '}';
	l->text[l->len++] = '\n';
	pthread_mutex_lock(&log_state.lock);
	if (!writable(patience_ms)) {
		log_state.dropped++;
	} else {
		/* What cannot be written to a full disk or a closed pipe has nowhere else to go. */
		for (size_t done = 0; done < l->len;) {
			ssize_t n = write(STDOUT_FILENO, l->text + done, l->len - done);
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				break;
			done += (size_t)n;
		}
	}
	pthread_mutex_unlock(&log_state.lock);
}

/* Says once how many lines went missing, as soon as there is room again. */
static void tell_dropped(void)
{
	unsigned long n = 0;
	struct line l;
	pthread_mutex_lock(&log_state.lock);
	if (log_state.dropped && writable(0)) {
		n = log_state.dropped;
		log_state.dropped = 0;
	}
	pthread_mutex_unlock(&log_state.lock);
	if (!n)
		return;
	char text[80];
	snprintf(text, sizeof(text), "%lu log lines were dropped: their reader did not keep up", n);
	line_begin(&l, LOG_LEVEL_WARNING, "log_dropped");
	if (log_state.json)
		line_member(&l, "message", text);
	else
		line_plain(&l, text);
	line_end(&l, 0);
}

void log_init(bool json)
{
	log_state.json = json;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	struct line l;
	va_list args;
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	tell_dropped();
	line_begin(&l, level, event);
	if (log_state.json)
		line_member(&l, "message", text);
	else
		line_plain(&l, text);
	line_end(&l, EVENT_PATIENCE_MS);
}

void log_request(const struct log_request *r)
{
	struct line l;
	enum log_level level = r->status >= 500 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
	tell_dropped();
	line_begin(&l, level, "request");
	if (log_state.json) {
		line_member(&l, "request_id", r->request_id);
		if (r->trace_id)
			line_member(&l, "trace_id", r->trace_id);
		line_member(&l, "actor", r->actor);
		line_member(&l, "peer", r->peer);
		line_member(&l, "method", r->method);
		line_member(&l, "route", r->route);
		line_printf(&l, ",\"status\":%d,\"bytes\":%llu", r->status, (unsigned long long)r->bytes);
		line_printf(&l, ",\"total_ms\":%llu.%03llu,\"db_ms\":%llu.%03llu", (unsigned long long)(r->total_us / 1000),
			    (unsigned long long)(r->total_us % 1000), (unsigned long long)(r->db_us / 1000),
			    (unsigned long long)(r->db_us % 1000));
		if (r->aborted)
			line_puts(&l, ",\"aborted\":true");
	} else {
		line_plain(&l, r->method ? r->method : "-");
		line_puts(&l, " ");
		line_plain(&l, r->route ? r->route : "-");
		line_printf(&l, " %d %llu B %llu.%03llu ms (db %llu.%03llu)", r->status, (unsigned long long)r->bytes,
			    (unsigned long long)(r->total_us / 1000), (unsigned long long)(r->total_us % 1000),
			    (unsigned long long)(r->db_us / 1000), (unsigned long long)(r->db_us % 1000));
		line_printf(&l, " %s %s%s", r->peer ? r->peer : "-", r->actor ? r->actor : "-", r->aborted ? " aborted" : "");
		line_puts(&l, " ");
		line_plain(&l, r->request_id ? r->request_id : "-");
	}
	line_end(&l, 0);
}

/* Log lines: an event is written at once; request lines are gathered per thread and leave together, up to a pipe's atomic size,
 * when the thread's loop is about to sleep: a write() per request would cost more than the request. Where the reader of a pipe
 * does not keep up, lines are dropped and counted rather than waited for: a stalled log collector must not stall requests. */
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

/* A number without the detour through a format. */
static void line_uint(struct line *l, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	line_put(l, digits + at, sizeof(digits) - at);
}

/* Milliseconds with three decimals. */
static void line_ms(struct line *l, uint64_t us)
{
	char fraction[4] = { '.', (char)('0' + us / 100 % 10), (char)('0' + us / 10 % 10), (char)('0' + us % 10) };
	line_uint(l, us / 1000);
	line_put(l, fraction, sizeof(fraction));
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
	for (;;) {
		size_t plain = 0;
		while ((unsigned char)s[plain] >= 0x20 && s[plain] != '"' && s[plain] != '\\' && s[plain] != 0x7f)
			plain++;
		/* a run that does not fit goes in byte by byte, as far as it goes */
		if (plain <= LINE_MAX_BYTES - LINE_RESERVE - l->len)
			line_put(l, s, plain);
		else
			for (size_t i = 0; i < plain; i++)
				line_put(l, s + i, 1);
		s += plain;
		if (!*s)
			break;
		if (*s == '"' || *s == '\\')
			line_printf(l, "\\%c", *s);
		else
			line_printf(l, "\\u%04x", (unsigned char)*s);
		s++;
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
	line_puts(l, ",\"");
	line_puts(l, key);
	line_puts(l, "\":");
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
	if (log_state.json) {
		line_puts(l, "{\"time\":\"");
		line_puts(l, at);
		line_puts(l, "\",\"level\":\"");
		line_puts(l, level_names[level]);
		line_puts(l, "\",\"event\":\"");
		line_puts(l, event);
		line_puts(l, "\"");
	} else

		line_printf(l, "%.19s %-7s %-10s ", at, level_names[level], event);
}

static bool writable(int patience_ms)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	return poll(&p, 1, patience_ms) == 1 && (p.revents & POLLOUT);
}

/* Writes whole lines, or counts them as dropped. n is at most LINE_MAX_BYTES. */
static void write_lines(const char *text, size_t n, unsigned lines, int patience_ms)
{
	pthread_mutex_lock(&log_state.lock);
	if (!writable(patience_ms)) {
		log_state.dropped += lines;
	} else {
		/* What cannot be written to a full disk or a closed pipe has nowhere else to go. */
		for (size_t done = 0; done < n;) {
			ssize_t written = write(STDOUT_FILENO, text + done, n - done);
			if (written < 0 && errno == EINTR)
				continue;
			if (written <= 0)
				break;
			done += (size_t)written;
		}
	}
	pthread_mutex_unlock(&log_state.lock);
}

/* What a thread has gathered. */
static _Thread_local struct {
	char text[LINE_MAX_BYTES];
	size_t len;
	unsigned lines;
} batch;

static void tell_dropped(void);

void log_flush(void)
{
	if (!batch.lines)
		return;
	tell_dropped();
	write_lines(batch.text, batch.len, batch.lines, 0);
	batch.len = 0;
	batch.lines = 0;
}

static void line_close(struct line *l)
{
	if (log_state.json)
		l->text[l->len++] = '}';
	l->text[l->len++] = '\n';
}

static void line_end(struct line *l, int patience_ms)
{
	line_close(l);
	write_lines(l->text, l->len, 1, patience_ms);
}

static void line_gather(struct line *l)
{
	line_close(l);
	if (l->len > sizeof(batch.text) - batch.len)
		log_flush();
	memcpy(batch.text + batch.len, l->text, l->len);
	batch.len += l->len;
	batch.lines++;
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
	log_flush(); /* in the order in which things happened */
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
	line_begin(&l, level, "request");
	if (log_state.json) {
		line_member(&l, "request_id", r->request_id);
		if (r->trace_id)
			line_member(&l, "trace_id", r->trace_id);
		line_member(&l, "actor", r->actor);
		line_member(&l, "peer", r->peer);
		line_member(&l, "method", r->method);
		line_member(&l, "route", r->route);
		line_puts(&l, ",\"status\":");
		line_uint(&l, (uint64_t)r->status);
		line_puts(&l, ",\"bytes\":");
		line_uint(&l, r->bytes);
		line_puts(&l, ",\"total_ms\":");
		line_ms(&l, r->total_us);
		line_puts(&l, ",\"db_ms\":");
		line_ms(&l, r->db_us);
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
	line_gather(&l);
}

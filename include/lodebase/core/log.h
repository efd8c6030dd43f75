/* Log lines on stdout: JSON objects, or plain text on a terminal. Thread-safe, whole lines, each bounded (4 KiB), never blocks
 * for long. Secrets never go in. Engines do not log; the boundary does, once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

void log_init(bool json);

/* One line: an event's name ("listening") and a sentence. */
void log_event(enum log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

struct log_request {
	const char *request_id, *trace_id; /* trace_id NULL where the request had no valid traceparent */
	const char *actor; /* the API key's prefix ("lode_ab12cd34"), NULL without a key */
	const char *peer, *method, *route; /* the route's pattern, never the path with its values */
	int status;
	uint64_t bytes, total_us, db_us;
	bool aborted;
};
/* Gathered in the calling thread, and written by its log_flush() or when 4 KiB have come together. */
void log_request(const struct log_request *r);
/* Writes what this thread has gathered; to be called before it sleeps, and at its end. */
void log_flush(void);

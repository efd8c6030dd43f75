/* The framing guard: pure functions over a request's head. What passes here means one thing only to every HTTP parser on
 * the way; everything else is refused and its connection closed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/arena.h"

struct guard_header {
	const char *name, *value; /* NUL-terminated, but the lengths count */
	size_t name_len, value_len;
};

struct guard_head {
	const char *method, *version;
	const struct guard_header *headers;
	size_t n_headers;
};

struct guard_verdict {
	int status; /* 0: it passes */
	const char *detail; /* one English sentence */
	bool has_body; /* announced, be it empty */
	bool chunked;
	uint64_t content_length; /* 0 where chunked */
};

void guard_check(const struct guard_head *head, struct guard_verdict *ret);

struct guard_target {
	const char *path; /* decoded; "*" for the server as a whole */
	const char *raw_path; /* printable: what is not is percent-encoded */
	const char *raw_query; /* behind '?', or NULL */
	const char *fault; /* why it is refused (path and raw_query are then "/" and NULL), or NULL */
};

/* Takes a request target apart: origin, absolute, authority (CONNECT only) or asterisk (OPTIONS only) form.
 * false: the arena is full. */
bool guard_target(struct arena *a, const char *method, const char *target, size_t n, struct guard_target *ret);

/* A chunked body in the n bytes that are there (NULs behind what was received count as nothing): whole, with its length up to
 * and including the empty line; cut, but right so far; or broken. */
enum guard_chunks { CHUNKS_WHOLE, CHUNKS_CUT, CHUNKS_BROKEN };
enum guard_chunks guard_chunks(const char *s, size_t n, size_t *ret_len);

/* Whether the name is a token (RFC 9110). */
bool guard_is_token(const char *s, size_t n);
/* ^[A-Za-z0-9._:-]{1,128}$ */
bool guard_is_request_id(const char *s, size_t n);

/* Percent-decodes s into `to` (room for n bytes), "+" as a blank where plus is set. NULL, or what is wrong. */
const char *guard_unescape(const char *s, size_t n, bool plus, char *to, size_t *ret_len);

/* A growing byte buffer with a hard bound. Failure is sticky: write freely, ask `failed` once at the end.
 * The contents are always NUL-terminated behind `len` (the NUL is not counted) unless nothing was ever written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* malloc'ed, or NULL while empty */
	size_t len;
	size_t capacity;
	size_t max; /* len never exceeds it */
	bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b); /* frees, leaves an empty buffer of the same bound */
void buf_reset(struct buf *b); /* length 0, failure cleared, memory kept */
/* Hands the memory to the caller (free() it); the buffer is empty afterwards. NULL where it failed or is empty. */
char *buf_steal(struct buf *b, size_t *ret_len);

/* Room for n more bytes at the returned place (then add to len by buf_advance); NULL marks the buffer failed. */
char *buf_reserve(struct buf *b, size_t n);
void buf_advance(struct buf *b, size_t n);

void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A growing byte buffer with a hard bound. Failure is sticky: write freely, ask `failed` once at the end.
 * The contents are always NUL-terminated behind `len` (the NUL is not counted) unless nothing was ever written. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

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

/* The slow way of buf_reserve(): makes room, or marks the buffer failed. */
char *buf_grow(struct buf *b, size_t n);

/* Room for n more bytes at the returned place (then add to len by buf_advance); NULL marks the buffer failed. */
static inline char *buf_reserve(struct buf *b, size_t n)
{
	/* what has room is within the bound; the NUL behind the contents has its place in the capacity */
	return !b->failed && n < b->capacity - b->len ? b->data + b->len : buf_grow(b, n);
}

static inline void buf_advance(struct buf *b, size_t n)
{
	if (b->failed)
		return;
	assert(b->data && n < b->capacity - b->len);
	b->len += n;
	b->data[b->len] = '\0';
}

static inline void buf_put(struct buf *b, const void *bytes, size_t n)
{
	char *place = buf_reserve(b, n);

	if (!place)
		return;
	if (n > 0)
		memcpy(place, bytes, n);
	buf_advance(b, n);
}

static inline void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static inline void buf_putc(struct buf *b, char c)
{
	char *place = buf_reserve(b, 1);

	if (!place)
		return;
	*place = c;
	buf_advance(b, 1);
}

void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#include "lodebase/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

char *buf_steal(struct buf *b, size_t *ret_len)
{
	char *data = NULL;
	size_t len = 0;

	if (!b->failed && b->len > 0) {
		data = b->data;
		len = b->len;
		b->data = NULL;
	}
	buf_done(b);
	if (ret_len)
		*ret_len = len;
	return data;
}

/* The NUL behind the contents is counted in the capacity, not in max. */
static bool grow(struct buf *b, size_t need)
{
	size_t capacity = b->capacity ? b->capacity : 256;

	while (capacity < need) {
		if (capacity > SIZE_MAX / 2)
			return false;
		capacity *= 2;
	}
	/* Never much more than the bound allows to be used. */
	if (b->max < SIZE_MAX && capacity > b->max + 1)
		capacity = b->max + 1;
	char *data = realloc(b->data, capacity);
	if (!data)
		return false;
	b->data = data;
	b->capacity = capacity;
	return true;
}

char *buf_grow(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (n > b->max - b->len || n >= SIZE_MAX - b->len || (b->len + n >= b->capacity && !grow(b, b->len + n + 1))) {
		b->failed = true;
		return NULL;
	}
	return b->data + b->len;
}

void buf_printf(struct buf *b, const char *format, ...)
{
	char small[128];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if ((size_t)n < sizeof small) {
		buf_put(b, small, (size_t)n);
		return;
	}
	char *place = buf_reserve(b, (size_t)n);
	if (!place)
		return;
	va_start(args, format);
	n = vsnprintf(place, (size_t)n + 1, format, args);
	va_end(args);
	if (n < 0)
		b->failed = true;
	else
		buf_advance(b, (size_t)n);
}

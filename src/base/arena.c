#include "lodebase/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK ((size_t)4096)
#define LARGEST_CHUNK ((size_t)256 * 1024)

struct chunk {
	struct chunk *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	size_t cap, used;
	bool failed;
	struct chunk *chunks; /* the newest, which is filled, first */
};

struct arena *arena_new(size_t cap)
{
	struct arena *a = calloc(1, sizeof *a);

	if (a)
		a->cap = cap;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct chunk *c = a->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

static struct chunk *chunk_new(size_t size)
{
	/* Fresh from calloc and never used twice: what is handed out is zero already. */
	struct chunk *c = size > SIZE_MAX - sizeof *c ? NULL : calloc(1, sizeof *c + size);

	if (c)
		c->size = size;
	return c;
}

static void *take(struct arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);

	if (size == 0)
		size = 1;
	if (size > SIZE_MAX - align)
		return NULL;
	size = (size + align - 1) & ~(align - 1);
	if (size > a->cap - a->used)
		return NULL;

	struct chunk *c = a->chunks;
	if (!c || size > c->size - c->used) {
		size_t next = !c ? FIRST_CHUNK : c->size < LARGEST_CHUNK / 2 ? c->size * 2 : LARGEST_CHUNK;

		if (size > next / 2 && c) {
			/* A large one gets a chunk of its own, behind the one that still has room. */
			struct chunk *own = chunk_new(size);
			if (!own)
				return NULL;
			own->used = size;
			own->next = c->next;
			c->next = own;
			a->used += size;
			return own->bytes;
		}
		struct chunk *fresh = chunk_new(size > next ? size : next);
		if (!fresh)
			return NULL;
		fresh->next = c;
		a->chunks = c = fresh;
	}
	void *place = c->bytes + c->used;
	c->used += size;
	a->used += size;
	return place;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *place = take(a, size);

	a->failed |= !place;
	return place;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_alloc(a, n == SIZE_MAX ? n : n + 1);

	if (copy && n > 0)
		memcpy(copy, s, n); /* the NUL is there */
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	a->failed |= n < 0;
	if (n < 0)
		return NULL;
	char *text = arena_alloc(a, (size_t)n + 1);
	if (!text || vsnprintf(text, (size_t)n + 1, format, args) < 0)
		return NULL;
	return text;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *text = arena_vprintf(a, format, args);
	va_end(args);
	return text;
}

bool arena_failed(const struct arena *a)
{
	return a->failed;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

int arena_grow(struct arena *a, void **array, size_t *capacity, size_t need, size_t size)
{
	if (need <= *capacity)
		return 0;

	size_t wanted = *capacity ? *capacity : 8;
	while (wanted < need) {
		if (wanted > SIZE_MAX / 2)
			wanted = need;
		else
			wanted *= 2;
	}
	void *fresh = arena_alloc(a, size > 0 && wanted > SIZE_MAX / size ? SIZE_MAX : wanted * size);
	if (!fresh)
		return -1;
	if (*capacity > 0)
		memcpy(fresh, *array, *capacity * size);
	*array = fresh;
	*capacity = wanted;
	return 0;
}

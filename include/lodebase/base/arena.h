/* A capped bump allocator: the memory of one request. Freed as a whole. Not thread-safe. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* A new arena that hands out at most `cap` bytes in all (its first chunk is small). NULL: no memory. */
struct arena *arena_new(size_t cap);
void arena_free(struct arena *a); /* NULL is fine */

/* `size` zeroed bytes, aligned for any type; NULL where the cap or memory is exhausted. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* A NUL-terminated copy; NULL as above. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
size_t arena_used(const struct arena *a);
/* Whether anything was ever asked of it that it could not give: then a value made in it may be missing, and nothing that was
 * made in it should be believed. */
bool arena_failed(const struct arena *a);

/* Grows an array of `size`-byte elements living in the arena: after it *array has room for at least `need` elements.
 * *capacity is doubled as needed, the old block stays behind. Returns 0, or -1 where the arena is full. */
int arena_grow(struct arena *a, void **array, size_t *capacity, size_t need, size_t size);

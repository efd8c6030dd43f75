/* A hash table of numbers: one thread adds and replaces, any number looks up meanwhile. What a number's key is, its user knows.
 * It grows by a larger copy; the old ones stay until the end, since somebody may be looking into them. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/err.h"

#define TABLE_NONE UINT32_MAX

struct table_slots {
	struct table_slots *older;
	size_t mask; /* slots - 1, a power of two */
	_Atomic uint32_t at[]; /* the number + 1; 0: free, and there always is a free one */
};

struct table {
	_Atomic(struct table_slots *) current;
	uint32_t count; /* the writer's */
};

struct table_probe {
	struct table_slots *slots;
	size_t place;
};

enum err table_init(struct table *t) MUST_CHECK;
void table_done(struct table *t);
size_t table_bytes(const struct table *t);

/* The writer's: room for one more. `hash` is that of a number in it. */
enum err table_reserve(struct table *t, uint64_t (*hash)(const void *data, uint32_t number), const void *data) MUST_CHECK;
void table_add(struct table *t, uint64_t hash, uint32_t number); /* one that is not in it; there is room */
void table_replace(const struct table_probe *p, uint32_t number); /* the number that a probe has just found */

static inline uint32_t table_here(const struct table_probe *p)
{
	/* what was published with the number is to be seen by whoever sees it; free - 1 is TABLE_NONE */
	return atomic_load_explicit(&p->slots->at[p->place], memory_order_acquire) - 1;
}

/* The numbers whose keys may be the one with this hash, until TABLE_NONE. */
static inline uint32_t table_first(const struct table *t, uint64_t hash, struct table_probe *ret)
{
	ret->slots = atomic_load_explicit(&t->current, memory_order_acquire);
	ret->place = hash & ret->slots->mask;
	return table_here(ret);
}

static inline uint32_t table_next(struct table_probe *p)
{
	p->place = (p->place + 1) & p->slots->mask;
	return table_here(p);
}

/* That a lookup of this hash is near. */
static inline void table_expect(const struct table *t, uint64_t hash)
{
	const struct table_slots *slots = atomic_load_explicit(&t->current, memory_order_acquire);

	__builtin_prefetch((const void *)&slots->at[hash & slots->mask]);
}

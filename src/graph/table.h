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
	/* 32 bits of the key's hash, and the number + 1: what is not asked for need not be looked at. 0: free, and there always
	 * is a free one. */
	_Atomic uint64_t at[];
};

struct table {
	_Atomic(struct table_slots *) current;
	uint32_t count; /* the writer's */
};

struct table_probe {
	struct table_slots *slots;
	size_t place;
	uint32_t hash;
};

enum err table_init(struct table *t) MUST_CHECK;
void table_done(struct table *t);
size_t table_bytes(const struct table *t);

/* The writer's: room for one more. */
enum err table_reserve(struct table *t) MUST_CHECK;
void table_add(struct table *t, uint32_t hash, uint32_t number); /* one that is not in it; there is room */
void table_replace(const struct table_probe *p, uint32_t number); /* the number that a probe has just found */

/* The number at hand, or the next one, that has this hash. */
static inline uint32_t table_here(struct table_probe *p)
{
	for (;; p->place = (p->place + 1) & p->slots->mask) {
		/* what was published with the number is to be seen by whoever sees it */
		uint64_t slot = atomic_load_explicit(&p->slots->at[p->place], memory_order_acquire);

		if (slot == 0)
			return TABLE_NONE;
		if (slot >> 32 == p->hash)
			return (uint32_t)slot - 1;
	}
}

/* The numbers whose keys may be the one with this hash, until TABLE_NONE. */
static inline uint32_t table_first(const struct table *t, uint32_t hash, struct table_probe *ret)
{
	ret->slots = atomic_load_explicit(&t->current, memory_order_acquire);
	ret->place = hash & ret->slots->mask;
	ret->hash = hash;
	return table_here(ret);
}

static inline uint32_t table_next(struct table_probe *p)
{
	p->place = (p->place + 1) & p->slots->mask;
	return table_here(p);
}

/* That a lookup of this hash is near. */
static inline void table_expect(const struct table *t, uint32_t hash)
{
	const struct table_slots *slots = atomic_load_explicit(&t->current, memory_order_acquire);

	__builtin_prefetch((const void *)&slots->at[hash & slots->mask]);
}

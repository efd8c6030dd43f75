/* An array that grows and never moves: one thread appends, any number reads what it was told is there. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/err.h"

/* The parts it consists of: one of 1,024 entries, as many again, twice as many, and so on; 65,536 each from there on. */
#define CHUNK_FIRST_BITS 10
#define CHUNK_BITS 16
#define CHUNK_SMALL (CHUNK_BITS - CHUNK_FIRST_BITS) /* parts in the first 65,536 entries, without the first */
#define CHUNKS_MAX (((size_t)1 << (32 - CHUNK_BITS)) + CHUNK_SMALL)

struct chunks {
	_Atomic(void *) *directory;
	size_t size; /* of an entry */
	uint32_t count; /* the writer's */
};

enum err chunks_init(struct chunks *c, size_t size) MUST_CHECK;
void chunks_done(struct chunks *c);
enum err chunks_reserve(struct chunks *c) MUST_CHECK; /* room for one more entry, zeroed. ERR_NOMEM, ERR_FULL */
size_t chunks_bytes(const struct chunks *c);

struct chunk_place {
	uint32_t part, entry;
};

static inline struct chunk_place chunk_place(uint32_t number)
{
	uint32_t part;

	if (number >> CHUNK_BITS != 0)
		return (struct chunk_place){ (number >> CHUNK_BITS) + CHUNK_SMALL, number & ((1u << CHUNK_BITS) - 1) };
	if (number >> CHUNK_FIRST_BITS == 0)
		return (struct chunk_place){ 0, number };
	part = 32 - (uint32_t)__builtin_clz(number) - CHUNK_FIRST_BITS;
	return (struct chunk_place){ part, number - ((1u << CHUNK_FIRST_BITS) >> 1 << part) };
}

static inline void *chunks_part(const struct chunks *c, uint32_t part)
{
	return atomic_load_explicit(&c->directory[part], memory_order_acquire);
}

/* An array that grows and never moves: one thread appends, any number reads what it was told is there. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/err.h"

#define CHUNK_BITS 16
#define CHUNK_MASK ((1u << CHUNK_BITS) - 1)
#define CHUNKS_MAX ((size_t)1 << (32 - CHUNK_BITS))

struct chunks {
	_Atomic(void *) *directory;
	size_t size; /* of an entry */
	uint32_t count; /* the writer's */
};

enum err chunks_init(struct chunks *c, size_t size) MUST_CHECK;
void chunks_done(struct chunks *c);
enum err chunks_reserve(struct chunks *c) MUST_CHECK; /* room for one more entry, zeroed. ERR_NOMEM, ERR_FULL */
size_t chunks_bytes(const struct chunks *c);

/* Where entry 0 of the chunk would be that holds the one numbered `place`. */
static inline void *chunks_part(const struct chunks *c, uint32_t place)
{
	return atomic_load_explicit(&c->directory[place >> CHUNK_BITS], memory_order_acquire);
}

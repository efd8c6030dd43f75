#include "chunks.h"

#include <stdlib.h>
#include "memory.h"

enum err chunks_init(struct chunks *c, size_t size)
{
	*c = (struct chunks){ .directory = calloc(CHUNKS_MAX, sizeof(*c->directory)), .size = size };
	return c->directory ? OK : ERR_NOMEM;
}

static void *part(const struct chunks *c, size_t i)
{
	return atomic_load_explicit(&c->directory[i], memory_order_relaxed);
}

static size_t part_bytes(const struct chunks *c, size_t i)
{
	if (i > CHUNK_SMALL)
		return c->size << CHUNK_BITS;
	return c->size << (i == 0 ? CHUNK_FIRST_BITS : CHUNK_FIRST_BITS + i - 1);
}

void chunks_done(struct chunks *c)
{
	if (!c->directory)
		return;
	for (size_t i = 0; i < CHUNKS_MAX && part(c, i); i++)
		free(part(c, i));
	free(c->directory);
}

enum err chunks_reserve(struct chunks *c)
{
	size_t i = chunk_place(c->count).part;
	void *chunk;

	if (c->count == UINT32_MAX - 1) /* UINT32_MAX stands for none */
		return ERR_FULL;
	if (part(c, i))
		return OK;
	chunk = memory_large(part_bytes(c, i));
	if (!chunk)
		return ERR_NOMEM;
	atomic_store_explicit(&c->directory[i], chunk, memory_order_release);
	return OK;
}

size_t chunks_bytes(const struct chunks *c)
{
	size_t bytes = 0;

	for (size_t i = 0; i < CHUNKS_MAX && part(c, i); i++)
		bytes += part_bytes(c, i) + sizeof(void *);
	return bytes;
}

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
	size_t i = c->count >> CHUNK_BITS;
	void *chunk;

	if (c->count == UINT32_MAX - 1) /* UINT32_MAX stands for none */
		return ERR_FULL;
	if (part(c, i))
		return OK;
	/* The first may stay nearly empty: it takes what is written to. */
	chunk = i == 0 ? calloc((size_t)1 << CHUNK_BITS, c->size) : memory_large(c->size << CHUNK_BITS);
	if (!chunk)
		return ERR_NOMEM;
	atomic_store_explicit(&c->directory[i], chunk, memory_order_release);
	return OK;
}

size_t chunks_bytes(const struct chunks *c)
{
	size_t parts = 0;

	while (parts < CHUNKS_MAX && part(c, parts))
		parts++;
	return parts * (((size_t)1 << CHUNK_BITS) * c->size + sizeof(void *));
}

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20)

void *memory_large(size_t bytes)
{
	void *memory = NULL;

	if (bytes < LARGE_PAGE)
		return calloc(1, bytes);
	if (posix_memalign(&memory, LARGE_PAGE, bytes) != 0)
		return NULL;
	(void)madvise(memory, bytes, MADV_HUGEPAGE); /* a wish: without it all is slower, no more */
	memset(memory, 0, bytes);
	return memory;
}

/* Memory of many megabytes that is read here and there. */
#pragma once

#include <stddef.h>

/* Zeroed, in large pages where the system has them: else half the time goes into finding out where a page is. For what will be
 * used as a whole, since a large page is there as a whole. To be freed by free(). NULL: no memory. */
void *memory_large(size_t bytes);

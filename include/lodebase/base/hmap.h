/* A hash map from strings to pointers, with a hard bound on its entries. Keys are copied. Not thread-safe.
 * Seeded per map, so that clients cannot choose colliding keys. */
#pragma once

#include <stddef.h>
#include "lodebase/base/err.h"

struct hmap;

struct hmap *hmap_new(size_t max_entries); /* NULL: no memory */
void hmap_free(struct hmap *m, void (*free_value)(void *)); /* free_value may be NULL */
void *hmap_get(const struct hmap *m, const char *key, size_t n); /* NULL where absent */
/* Sets or replaces; the old value, if any, is given to free_value (may be NULL). ERR_FULL at the bound, ERR_NOMEM. */
enum err hmap_set(struct hmap *m, const char *key, size_t n, void *value, void (*free_value)(void *)) MUST_CHECK;
void *hmap_remove(struct hmap *m, const char *key, size_t n); /* the value removed, or NULL */
size_t hmap_count(const struct hmap *m);
/* Calls f for each entry, in no order; f may not change the map. A false return stops it. */
void hmap_each(const struct hmap *m, _Bool (*f)(void *data, const char *key, size_t n, void *value), void *data);

#include "lodebase/base/hmap.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lodebase/base/digest.h"
#include "lodebase/base/hash.h"

struct entry {
	void *value;
	size_t n;
	char key[];
};

struct slot {
	uint64_t hash;
	struct entry *entry; /* NULL: the slot is free */
};

/* Open addressing with linear probing; removal moves the followers back, so there are no tombstones. */
struct hmap {
	size_t max_entries, count;
	size_t mask; /* slots - 1, a power of two */
	struct slot *slots;
	uint64_t seed[2];
};

#define FIRST_SLOTS 16

struct hmap *hmap_new(size_t max_entries)
{
	struct hmap *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->slots = calloc(FIRST_SLOTS, sizeof *m->slots);
	if (!m->slots) {
		free(m);
		return NULL;
	}
	m->max_entries = max_entries;
	m->mask = FIRST_SLOTS - 1;
	digest_random(m->seed, sizeof m->seed);
	return m;
}

void hmap_free(struct hmap *m, void (*free_value)(void *))
{
	if (!m)
		return;
	for (size_t i = 0; i <= m->mask; i++) {
		struct entry *entry = m->slots[i].entry;

		if (entry && free_value)
			free_value(entry->value);
		free(entry);
	}
	free(m->slots);
	free(m);
}

/* The slot of the key, or the free one where it would go. There always is a free one. */
static struct slot *find(const struct hmap *m, uint64_t hash, const char *key, size_t n)
{
	for (size_t i = hash & m->mask;; i = (i + 1) & m->mask) {
		struct slot *slot = &m->slots[i];
		const struct entry *entry = slot->entry;

		if (!entry || (slot->hash == hash && entry->n == n && (n == 0 || memcmp(entry->key, key, n) == 0)))
			return slot;
	}
}

void *hmap_get(const struct hmap *m, const char *key, size_t n)
{
	const struct entry *entry = find(m, hash_bytes(m->seed, key, n), key, n)->entry;

	return entry ? entry->value : NULL;
}

static bool widen(struct hmap *m)
{
	size_t slots = (m->mask + 1) * 2;
	struct slot *fresh = slots > SIZE_MAX / sizeof *fresh ? NULL : calloc(slots, sizeof *fresh);

	if (!fresh)
		return false;
	for (size_t i = 0; i <= m->mask; i++) {
		if (!m->slots[i].entry)
			continue;
		size_t at = m->slots[i].hash & (slots - 1);
		while (fresh[at].entry)
			at = (at + 1) & (slots - 1);
		fresh[at] = m->slots[i];
	}
	free(m->slots);
	m->slots = fresh;
	m->mask = slots - 1;
	return true;
}

enum err hmap_set(struct hmap *m, const char *key, size_t n, void *value, void (*free_value)(void *))
{
	uint64_t hash = hash_bytes(m->seed, key, n);
	struct slot *slot = find(m, hash, key, n);

	if (slot->entry) {
		if (free_value && slot->entry->value != value)
			free_value(slot->entry->value);
		slot->entry->value = value;
		return OK;
	}
	if (m->count >= m->max_entries)
		return ERR_FULL;
	/* At most three quarters full. */
	if ((m->count + 1) * 4 > (m->mask + 1) * 3) {
		if (!widen(m))
			return ERR_NOMEM;
		slot = find(m, hash, key, n);
	}
	struct entry *entry = n > SIZE_MAX - sizeof *entry ? NULL : malloc(sizeof *entry + n);
	if (!entry)
		return ERR_NOMEM;
	entry->value = value;
	entry->n = n;
	if (n > 0)
		memcpy(entry->key, key, n);
	*slot = (struct slot){ hash, entry };
	m->count++;
	return OK;
}

void *hmap_remove(struct hmap *m, const char *key, size_t n)
{
	struct slot *slot = find(m, hash_bytes(m->seed, key, n), key, n);

	if (!slot->entry)
		return NULL;
	void *value = slot->entry->value;
	free(slot->entry);
	m->count--;

	/* Close the gap: whoever was pushed past it by probing moves into it, which opens the next gap. */
	size_t gap = (size_t)(slot - m->slots);
	for (size_t i = (gap + 1) & m->mask; m->slots[i].entry; i = (i + 1) & m->mask) {
		size_t home = m->slots[i].hash & m->mask;

		if (((i - home) & m->mask) >= ((i - gap) & m->mask)) {
			m->slots[gap] = m->slots[i];
			gap = i;
		}
	}
	m->slots[gap].entry = NULL;
	return value;
}

size_t hmap_count(const struct hmap *m)
{
	return m->count;
}

void hmap_each(const struct hmap *m, bool (*f)(void *data, const char *key, size_t n, void *value), void *data)
{
	for (size_t i = 0; i <= m->mask; i++) {
		const struct entry *entry = m->slots[i].entry;

		if (entry && !f(data, entry->key, entry->n, entry->value))
			return;
	}
}

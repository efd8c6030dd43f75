#include "table.h"

#include <stdlib.h>
#include "memory.h"

#define FIRST_SLOTS 64

static struct table_slots *slots_new(size_t count, struct table_slots *older)
{
	struct table_slots *s = memory_large(sizeof(*s) + count * sizeof(s->at[0]));

	if (s) {
		s->older = older;
		s->mask = count - 1;
	}
	return s;
}

enum err table_init(struct table *t)
{
	struct table_slots *s = slots_new(FIRST_SLOTS, NULL);

	t->count = 0;
	atomic_init(&t->current, s);
	return s ? OK : ERR_NOMEM;
}

static struct table_slots *newest(const struct table *t)
{
	return atomic_load_explicit(&t->current, memory_order_relaxed);
}

void table_done(struct table *t)
{
	struct table_slots *s = newest(t);

	while (s) {
		struct table_slots *older = s->older;

		free(s);
		s = older;
	}
}

size_t table_bytes(const struct table *t)
{
	size_t bytes = 0;

	for (const struct table_slots *s = newest(t); s; s = s->older)
		bytes += sizeof(*s) + (s->mask + 1) * sizeof(s->at[0]);
	return bytes;
}

static void put(struct table_slots *s, uint64_t slot)
{
	size_t place = (slot >> 32) & s->mask;

	while (atomic_load_explicit(&s->at[place], memory_order_relaxed) != 0)
		place = (place + 1) & s->mask;
	atomic_store_explicit(&s->at[place], slot, memory_order_release);
}

enum err table_reserve(struct table *t)
{
	struct table_slots *old = newest(t), *grown;

	if (t->count + 1 <= (old->mask + 1) / 4 * 3)
		return OK;
	grown = slots_new(2 * (old->mask + 1), old);
	if (!grown)
		return ERR_NOMEM;
	for (size_t i = 0; i <= old->mask; i++) {
		uint64_t slot = atomic_load_explicit(&old->at[i], memory_order_relaxed);

		if (slot != 0)
			put(grown, slot);
	}
	atomic_store_explicit(&t->current, grown, memory_order_release);
	return OK;
}

void table_add(struct table *t, uint32_t hash, uint32_t number)
{
	put(newest(t), (uint64_t)hash << 32 | (number + 1));
	t->count++;
}

void table_replace(const struct table_probe *p, uint32_t number)
{
	atomic_store_explicit(&p->slots->at[p->place], (uint64_t)p->hash << 32 | (number + 1), memory_order_release);
}

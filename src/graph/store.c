/* The register as a whole: what it consists of, and the small things that versions are made of. */
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/digest.h"
#include "lodebase/base/hash.h"
#include "store_internal.h"

struct graph_store *graph_store_new(void)
{
	struct graph_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	digest_random(s->seed, sizeof(s->seed));
	if (chunks_init(&s->nodes, sizeof(struct node)) != OK ||
	    chunks_init(&s->node_versions, sizeof(struct node_version)) != OK ||
	    chunks_init(&s->stake_versions, sizeof(struct stake_version)) != OK ||
	    chunks_init(&s->extras, sizeof(struct stake_extra)) != OK ||
	    chunks_init(&s->ranges, sizeof(struct share_range)) != OK ||
	    chunks_init(&s->stamps, sizeof(struct graph_stamp)) != OK || table_init(&s->node_ids) != OK ||
	    table_init(&s->node_slugs) != OK || table_init(&s->stake_ids) != OK || table_init(&s->stake_slugs) != OK) {
		graph_store_free(s);
		return NULL;
	}
	return s;
}

void graph_store_free(struct graph_store *s)
{
	if (!s)
		return;
	chunks_done(&s->nodes);
	chunks_done(&s->node_versions);
	chunks_done(&s->stake_versions);
	chunks_done(&s->extras);
	chunks_done(&s->ranges);
	chunks_done(&s->stamps);
	table_done(&s->node_ids);
	table_done(&s->node_slugs);
	table_done(&s->stake_ids);
	table_done(&s->stake_slugs);
	for (size_t i = 0; i < s->texts.parts; i++)
		free(atomic_load_explicit(&s->texts.part[i], memory_order_relaxed));
	free(s->stamp_slots);
	free(s);
}

struct graph_moment graph_store_moment(struct graph_store *s)
{
	s->sealed = s->stamps.count;
	free(s->stamp_slots);
	s->stamp_slots = NULL;
	s->stamp_mask = 0;
	return (struct graph_moment){
		.store = s,
		.nodes = s->nodes.count,
		.node_versions = s->node_versions.count,
		.stake_versions = s->stake_versions.count,
		.stamps = s->stamps.count,
	};
}

struct graph_store_size graph_store_size(const struct graph_store *s)
{
	struct graph_store_size size = {
		.nodes = s->nodes.count,
		.node_versions = s->node_versions.count,
		.stakes = s->standing_stakes,
		.stake_versions = s->stake_versions.count,
		.stake_bytes = chunks_bytes(&s->stake_versions) + chunks_bytes(&s->extras) + chunks_bytes(&s->ranges) +
			       table_bytes(&s->stake_ids) + table_bytes(&s->stake_slugs),
	};

	size.bytes = size.stake_bytes + sizeof(*s) + chunks_bytes(&s->nodes) + chunks_bytes(&s->node_versions) +
		     chunks_bytes(&s->stamps) + table_bytes(&s->node_ids) + table_bytes(&s->node_slugs) +
		     s->texts.parts * TEXT_PART;
	return size;
}

const char *store_text(const struct graph_store *s, uint32_t text)
{
	if (text == NONE)
		return NULL;
	return atomic_load_explicit(&s->texts.part[text >> TEXT_BITS], memory_order_acquire) + (text & (TEXT_PART - 1));
}

enum err store_text_add(struct graph_store *s, const char *text, uint32_t *ret)
{
	struct texts *t = &s->texts;
	size_t size = strlen(text) + 1;
	char *part;

	if (size > TEXT_PART)
		return ERR_FULL;
	if (t->parts == 0 || t->used + size > TEXT_PART) {
		if (t->parts == TEXT_PARTS)
			return ERR_FULL;
		part = malloc(TEXT_PART);
		if (!part)
			return ERR_NOMEM;
		atomic_store_explicit(&t->part[t->parts++], part, memory_order_release);
		t->used = 0;
	}
	part = atomic_load_explicit(&t->part[t->parts - 1], memory_order_relaxed);
	memcpy(part + t->used, text, size);
	*ret = (uint32_t)((t->parts - 1) << TEXT_BITS | t->used);
	t->used += size;
	return OK;
}

static uint64_t stamp_hash(const struct graph_stamp *stamp)
{
	uint64_t x = (uint64_t)stamp->time_us * UINT64_C(0x9e3779b97f4a7c15);

	x ^= stamp->xid * UINT64_C(0xc2b2ae3d27d4eb4f) + stamp->epoch;
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 32;
}

static bool same_stamp(const struct graph_stamp *a, const struct graph_stamp *b)
{
	return a->time_us == b->time_us && a->xid == b->xid && a->epoch == b->epoch;
}

/* Where the stamp is, or would go. */
static uint32_t *stamp_slot(const struct graph_store *s, const struct graph_stamp *stamp)
{
	size_t i = stamp_hash(stamp) & s->stamp_mask;

	while (s->stamp_slots[i] != 0 && !same_stamp(store_stamp(s, s->stamp_slots[i] - 1), stamp))
		i = (i + 1) & s->stamp_mask;
	return &s->stamp_slots[i];
}

static enum err stamp_slots_grow(struct graph_store *s)
{
	size_t slots = s->stamp_slots ? 2 * (s->stamp_mask + 1) : 64;
	uint32_t *grown = calloc(slots, sizeof(*grown));

	if (!grown)
		return ERR_NOMEM;
	free(s->stamp_slots);
	s->stamp_slots = grown;
	s->stamp_mask = slots - 1;
	for (uint32_t i = s->sealed; i < s->stamps.count; i++)
		*stamp_slot(s, store_stamp(s, i)) = i + 1;
	return OK;
}

enum err store_stamp_number(struct graph_store *s, const struct graph_stamp *stamp, uint32_t *ret)
{
	uint32_t *slot, fresh = s->stamps.count - s->sealed;
	enum err e = OK;

	/* An import has one stamp. What a moment has got is not used again: an end at it would be seen in that moment. */
	if (fresh > 0 && same_stamp(store_stamp(s, s->stamps.count - 1), stamp)) {
		*ret = s->stamps.count - 1;
		return OK;
	}
	if (!s->stamp_slots || fresh >= (s->stamp_mask + 1) / 2)
		e = stamp_slots_grow(s);
	if (e != OK)
		return e;
	slot = stamp_slot(s, stamp);
	if (*slot == 0) {
		e = chunks_reserve(&s->stamps);
		if (e != OK)
			return e;
		*store_stamp(s, s->stamps.count) = *stamp;
		*slot = ++s->stamps.count;
	}
	*ret = *slot - 1;
	return OK;
}

uint32_t store_id_hash(const struct graph_store *s, unsigned resource, const struct uuid *id)
{
	return (uint32_t)hash_bytes(s->seed, id->bytes, sizeof(id->bytes)) + resource;
}

uint32_t store_slug_hash(const struct graph_store *s, unsigned resource, const char *slug, size_t n)
{
	return (uint32_t)hash_bytes(s->seed, slug, n) + resource;
}

uint32_t store_find_node(const struct graph_store *s, unsigned resource, const struct uuid *id, uint32_t hash)
{
	struct table_probe p;
	uint32_t i;

	for (i = table_first(&s->node_ids, hash, &p); i != NONE; i = table_next(&p)) {
		const struct node *node = store_node(s, i);

		if (node->resource == resource && memcmp(&node->id, id, sizeof(*id)) == 0)
			break;
	}
	return i;
}

uint32_t store_find_stake(const struct graph_store *s, const struct uuid *id, uint32_t hash, struct table_probe *ret_probe)
{
	uint32_t i = table_first(&s->stake_ids, hash, ret_probe);

	while (i != NONE && memcmp(&store_stake_version(s, i)->id, id, sizeof(*id)) != 0)
		i = table_next(ret_probe);
	return i;
}

static bool same_text(const struct graph_store *s, uint32_t text, const char *slug, size_t n)
{
	const char *kept = store_text(s, text);

	return strncmp(kept, slug, n) == 0 && kept[n] == '\0';
}

uint32_t store_find_node_slug(const struct graph_store *s, unsigned resource, const char *slug, size_t n, uint32_t hash,
			      struct table_probe *ret_probe)
{
	uint32_t i;

	for (i = table_first(&s->node_slugs, hash, ret_probe); i != NONE; i = table_next(ret_probe)) {
		const struct node_version *v = store_node_version(s, i);

		if (store_node(s, v->node)->resource == resource && same_text(s, v->slug, slug, n))
			break;
	}
	return i;
}

uint32_t store_find_stake_slug(const struct graph_store *s, const char *slug, size_t n, uint32_t hash,
			       struct table_probe *ret_probe)
{
	uint32_t i = table_first(&s->stake_slugs, hash, ret_probe);

	while (i != NONE && !same_text(s, store_extra(s, store_stake_version(s, i)->extra)->slug, slug, n))
		i = table_next(ret_probe);
	return i;
}

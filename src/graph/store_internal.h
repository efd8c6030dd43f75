/* The inside of the register. Everything that a reader may meet is written before the number that leads to it is published
 * (release), and never changes afterwards but for what is atomic here. */
#pragma once

#include <stdatomic.h>
#include "chunks.h"
#include "lodebase/graph/store.h"
#include "table.h"

#define NONE UINT32_MAX
#define WHOLE UINT64_C(100000000000000) /* 10^14: every percentage of 12 decimals is a number of these parts */

#define TEXT_BITS 20
#define TEXT_PART ((size_t)1 << TEXT_BITS)
#define TEXT_PARTS 4095 /* the last of 4096 is left out, for NONE lies in it */

/* Texts, each within a part, named by part and place. */
struct texts {
	_Atomic(char *) part[TEXT_PARTS];
	size_t parts, used; /* used: of the last part */
};

struct node {
	struct uuid id;
	_Atomic uint32_t newest; /* of its versions */
	_Atomic uint32_t held, holds; /* the versions of stakes in it and of it that came last */
	_Atomic uint32_t projects; /* the version of a node that named it as company last */
	uint8_t resource;
};

struct node_version {
	uint32_t node;
	uint32_t from; /* stamps */
	_Atomic uint32_t to; /* NONE until it ends */
	_Atomic uint32_t older; /* of the same node */
	uint32_t slug, name;
	uint32_t same_slug; /* the version that came before with this slug */
	uint32_t company, next_project;
	uint8_t kind;
	char country[2], state[2];
};

/* A share in 64 bits: what kind it is in the two highest, then parts of WHOLE or a place in `ranges`. */
#define SHARE_EXACT 0u
#define SHARE_UNKNOWN 1u
#define SHARE_RANGE 2u
#define SHARE_NOT_GIVEN ((uint64_t)SHARE_UNKNOWN << 62)

struct stake_version {
	struct uuid id;
	uint32_t holder, subject;
	uint32_t from;
	_Atomic uint32_t to;
	_Atomic uint32_t older;
	uint32_t next_held, next_holds; /* that came before with the same subject, with the same holder */
	int32_t valid_from, valid_to;
	uint32_t flags;
	uint32_t extra; /* NONE: no counterparty, slug or votes */
	uint32_t economic[2]; /* its halves, the lower first, so that nothing is padded */
};

#define STAKE_CONTINGENT (1u << 10)
#define STAKE_DILUTIVE (1u << 11)

static inline uint8_t stake_instrument(const struct stake_version *v)
{
	return v->flags & 63;
}

static inline uint64_t stake_economic(const struct stake_version *v)
{
	return (uint64_t)v->economic[1] << 32 | v->economic[0];
}

static inline uint8_t stake_stage(const struct stake_version *v)
{
	return v->flags >> 6 & 15;
}

struct stake_extra {
	uint64_t voting;
	uint32_t counterparty, slug, same_slug;
};

struct share_range {
	struct graph_ratio min, max;
};

struct graph_store {
	struct chunks nodes, node_versions, stake_versions, extras, ranges, stamps;
	struct texts texts;
	struct table node_ids;
	struct table node_slugs, stake_ids, stake_slugs; /* to the version with that key that came last */
	uint64_t seed[2];
	/* the writer's own: */
	uint32_t standing_stakes;
	uint32_t sealed; /* stamps that a moment has; none of them is used again */
	uint32_t *stamp_slots; /* where those since are found by value: number + 1 */
	size_t stamp_mask;
};

#define STORE_ENTRY(name, type, array)                                         \
	static inline type *name(const struct graph_store *s, uint32_t number) \
	{                                                                      \
		struct chunk_place at = chunk_place(number);                   \
                                                                               \
		return (type *)chunks_part(&s->array, at.part) + at.entry;     \
	}
STORE_ENTRY(store_node, struct node, nodes)
STORE_ENTRY(store_node_version, struct node_version, node_versions)
STORE_ENTRY(store_stake_version, struct stake_version, stake_versions)
STORE_ENTRY(store_extra, struct stake_extra, extras)
STORE_ENTRY(store_range, struct share_range, ranges)
STORE_ENTRY(store_stamp, struct graph_stamp, stamps)

static inline uint32_t peek(const _Atomic uint32_t *number)
{
	return atomic_load_explicit(number, memory_order_acquire);
}

static inline void publish(_Atomic uint32_t *place, uint32_t number)
{
	atomic_store_explicit(place, number, memory_order_release);
}

const char *store_text(const struct graph_store *s, uint32_t text); /* NULL for NONE */
enum err store_text_add(struct graph_store *s, const char *text, uint32_t *ret) MUST_CHECK;
enum err store_stamp_number(struct graph_store *s, const struct graph_stamp *stamp, uint32_t *ret) MUST_CHECK;

uint32_t store_id_hash(const struct graph_store *s, unsigned resource, const struct uuid *id);
uint32_t store_slug_hash(const struct graph_store *s, unsigned resource, const char *slug, size_t n);
uint32_t store_find_node(const struct graph_store *s, unsigned resource, const struct uuid *id, uint32_t hash);
/* Versions: that of a stake which is its newest, and those that bore a slug last; ret_probe is where it was found. */
uint32_t store_find_stake(const struct graph_store *s, const struct uuid *id, uint32_t hash, struct table_probe *ret_probe);
uint32_t store_find_node_slug(const struct graph_store *s, unsigned resource, const char *slug, size_t n, uint32_t hash,
			      struct table_probe *ret_probe);
uint32_t store_find_stake_slug(const struct graph_store *s, const char *slug, size_t n, uint32_t hash,
			       struct table_probe *ret_probe);

/* A share as it is kept, and back. ERR_INVALID: none. */
enum err store_share_pack(struct graph_store *s, const struct graph_share *share, uint64_t *ret) MUST_CHECK;
struct graph_share store_share(const struct graph_store *s, uint64_t packed);

/* Whether what began and ended at these stamps was known. */
bool known_stamp(const struct graph_at *at, uint32_t stamp);

static inline bool known_version(const struct graph_at *at, uint32_t from, uint32_t to)
{
	if (to >= at->moment.stamps) /* NONE, too: when it ended had not happened yet */
		return at->known.kind == GRAPH_KNOWN_ALL || known_stamp(at, from);
	return at->known.kind != GRAPH_KNOWN_ALL && known_stamp(at, from) && !known_stamp(at, to);
}

static inline bool known_stake_version(const struct graph_at *at, uint32_t version, const struct stake_version *v)
{
	return version < at->moment.stake_versions && known_version(at, v->from, peek(&v->to));
}

static inline bool known_node_version(const struct graph_at *at, uint32_t version, const struct node_version *v)
{
	return version < at->moment.node_versions && known_version(at, v->from, peek(&v->to));
}

uint32_t known_version_of_node(const struct graph_at *at, uint32_t node); /* NONE: none was known */

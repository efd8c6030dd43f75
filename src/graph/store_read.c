/* What readers ask of the register itself. */
#include <string.h>
#include "store_internal.h"

uint32_t known_version_of_node(const struct graph_at *at, uint32_t node)
{
	const struct graph_store *s = at->moment.store;
	uint32_t i = peek(&store_node(s, node)->newest);

	while (i != NONE && !known_node_version(at, i, store_node_version(s, i)))
		i = peek(&store_node_version(s, i)->older);
	return i;
}

/* The last that the moment has, known then or not. */
static uint32_t any_version_of_node(const struct graph_at *at, uint32_t node)
{
	const struct graph_store *s = at->moment.store;
	uint32_t i = peek(&store_node(s, node)->newest);

	while (i != NONE && i >= at->moment.node_versions)
		i = peek(&store_node_version(s, i)->older);
	return i;
}

bool graph_node_at(const struct graph_at *at, uint32_t node, struct graph_node *ret)
{
	const struct graph_store *s = at->moment.store;
	const struct node_version *v;
	uint32_t version;
	bool known;

	*ret = (struct graph_node){ .company = NONE };
	if (node >= at->moment.nodes)
		return false;
	ret->resource = (enum graph_resource)store_node(s, node)->resource;
	ret->id = store_node(s, node)->id;
	version = known_version_of_node(at, node);
	known = version != NONE;
	if (!known)
		version = any_version_of_node(at, node);
	if (version == NONE)
		return false;
	v = store_node_version(s, version);
	ret->slug = store_text(s, v->slug);
	ret->name = store_text(s, v->name);
	ret->kind = v->kind;
	memcpy(ret->country, v->country, sizeof(ret->country));
	memcpy(ret->state, v->state, sizeof(ret->state));
	ret->company = v->company;
	return known;
}

uint32_t graph_find_id(const struct graph_at *at, enum graph_resource resource, const struct uuid *id)
{
	const struct graph_store *s = at->moment.store;
	uint32_t node = store_find_node(s, resource, id, store_id_hash(s, resource, id));

	/* One that came after the moment has no version in it either. */
	return node != NONE && known_version_of_node(at, node) != NONE ? node : NONE;
}

/* Two may bear a slug at an instant (src/api/compose_known.c): the later one counts. */
static bool is_later(const struct graph_store *s, uint32_t from, uint32_t than)
{
	return store_stamp(s, from)->time_us > store_stamp(s, than)->time_us;
}

uint32_t graph_find_slug(const struct graph_at *at, enum graph_resource resource, const char *slug, size_t n)
{
	const struct graph_store *s = at->moment.store;
	const struct node_version *found = NULL;
	struct table_probe probe;
	uint32_t i = store_find_node_slug(s, resource, slug, n, store_slug_hash(s, resource, slug, n), &probe);

	while (i != NONE) {
		const struct node_version *v = store_node_version(s, i);

		if (known_node_version(at, i, v) && (!found || is_later(s, v->from, found->from)))
			found = v;
		if (found && at->known.kind != GRAPH_KNOWN_TIME)
			break;
		i = v->same_slug;
	}
	return found ? found->node : NONE;
}

bool graph_stake_at(const struct graph_at *at, uint32_t version, struct graph_stake_info *ret)
{
	const struct graph_store *s = at->moment.store;
	const struct stake_version *v;

	if (version >= at->moment.stake_versions)
		return false;
	v = store_stake_version(s, version);
	if (!known_stake_version(at, version, v))
		return false;
	*ret = (struct graph_stake_info){
		.id = v->id,
		.holder = v->holder,
		.subject = v->subject,
		.counterparty = NONE,
		.instrument = stake_instrument(v),
		.stage = stake_stage(v),
		.contingent = v->flags & STAKE_CONTINGENT,
		.dilutive = v->flags & STAKE_DILUTIVE,
		.valid_from = v->valid_from,
		.valid_to = v->valid_to,
		.economic = store_share(s, stake_economic(v)),
	};
	if (v->extra != NONE) {
		const struct stake_extra *extra = store_extra(s, v->extra);

		ret->slug = store_text(s, extra->slug);
		ret->counterparty = extra->counterparty;
		ret->voting = store_share(s, extra->voting);
	} else {
		ret->voting = store_share(s, SHARE_NOT_GIVEN);
	}
	return true;
}

/* Of the list of those in it, or of those that it holds. */
static enum err stakes_known(const struct graph_at *at, uint32_t node, bool holds, struct arena *a, uint32_t **ret,
			     size_t *ret_n)
{
	const struct graph_store *s = at->moment.store;
	size_t capacity = 0;
	uint32_t i;

	*ret = NULL;
	*ret_n = 0;
	if (node >= at->moment.nodes)
		return OK;
	i = holds ? peek(&store_node(s, node)->holds) : peek(&store_node(s, node)->held);
	while (i != NONE) {
		const struct stake_version *v = store_stake_version(s, i);

		if (known_stake_version(at, i, v)) {
			if (arena_grow(a, (void **)ret, &capacity, *ret_n + 1, sizeof(**ret)) != 0)
				return ERR_NOMEM;
			(*ret)[(*ret_n)++] = i;
		}
		i = holds ? v->next_holds : v->next_held;
	}
	return OK;
}

enum err graph_stakes_in(const struct graph_at *at, uint32_t subject, struct arena *a, uint32_t **ret, size_t *ret_n)
{
	return stakes_known(at, subject, false, a, ret, ret_n);
}

enum err graph_stakes_of(const struct graph_at *at, uint32_t holder, struct arena *a, uint32_t **ret, size_t *ret_n)
{
	return stakes_known(at, holder, true, a, ret, ret_n);
}

uint32_t graph_find_stake_id(const struct graph_at *at, const struct uuid *id)
{
	const struct graph_store *s = at->moment.store;
	struct table_probe probe;
	uint32_t i = store_find_stake(s, id, store_id_hash(s, GRAPH_STAKES, id), &probe);

	while (i != NONE && !known_stake_version(at, i, store_stake_version(s, i)))
		i = peek(&store_stake_version(s, i)->older);
	return i;
}

uint32_t graph_find_stake_slug(const struct graph_at *at, const char *slug, size_t n)
{
	const struct graph_store *s = at->moment.store;
	struct table_probe probe;
	uint32_t i = store_find_stake_slug(s, slug, n, store_slug_hash(s, GRAPH_STAKES, slug, n), &probe), found = NONE;

	while (i != NONE) {
		const struct stake_version *v = store_stake_version(s, i);

		if (known_stake_version(at, i, v) &&
		    (found == NONE || is_later(s, v->from, store_stake_version(s, found)->from)))
			found = i;
		if (found != NONE && at->known.kind != GRAPH_KNOWN_TIME)
			break;
		i = store_extra(s, v->extra)->same_slug;
	}
	return found;
}

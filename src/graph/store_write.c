/* The writer: everything that may fail comes first, then what is written is published. */
#include <string.h>
#include "store_internal.h"

/* The number of a node, which it gets when it is mentioned first. */
static enum err mention(struct graph_store *s, unsigned resource, const struct uuid *id, uint32_t hash, uint32_t *ret)
{
	struct node *node;
	enum err e;

	*ret = store_find_node(s, resource, id, hash);
	if (*ret != NONE)
		return OK;
	e = chunks_reserve(&s->nodes);
	if (e == OK)
		e = table_reserve(&s->node_ids);
	if (e != OK)
		return e;
	*ret = s->nodes.count++;
	node = store_node(s, *ret);
	node->id = *id;
	node->resource = (uint8_t)resource;
	publish(&node->newest, NONE);
	publish(&node->held, NONE);
	publish(&node->holds, NONE);
	publish(&node->projects, NONE);
	table_add(&s->node_ids, hash, *ret);
	return OK;
}

/* A version and the one of its record that came last (`newest`, none: NULL): the later ends the earlier, and is the newest. */
struct order {
	bool later; /* the new one is */
	bool ends; /* and ends the other */
	uint32_t to; /* the new one's */
};

static struct order order_versions(const struct graph_store *s, const struct graph_stamp *from, bool ended, uint32_t to,
				   const uint32_t *newest_from, uint32_t newest_to)
{
	struct order order = { .later = true, .to = ended ? to : NONE };

	if (!newest_from)
		return order;
	order.later = from->time_us >= store_stamp(s, *newest_from)->time_us;
	order.ends = order.later && newest_to == NONE;
	if (!order.later && !ended)
		order.to = *newest_from;
	return order;
}

/* The text of the version before, where it is the same. */
static enum err text_again(struct graph_store *s, const char *text, uint32_t before, uint32_t *ret)
{
	if (before != NONE && strcmp(store_text(s, before), text) == 0) {
		*ret = before;
		return OK;
	}
	return store_text_add(s, text, ret);
}

static enum err stamps_of(struct graph_store *s, const struct graph_stamp *from, bool ended, const struct graph_stamp *to,
			  uint32_t *ret_from, uint32_t *ret_to)
{
	enum err e = store_stamp_number(s, from, ret_from);

	*ret_to = NONE;
	return e == OK && ended ? store_stamp_number(s, to, ret_to) : e;
}

enum err graph_store_node(struct graph_store *s, const struct graph_node_version *v)
{
	uint32_t slug_hash = store_slug_hash(s, v->resource, v->slug, strlen(v->slug)),
		 id_hash = store_id_hash(s, v->resource, &v->id);
	uint32_t number = s->node_versions.count, node, company = NONE, from, to, newest, slug, name, same_slug;
	struct node_version *last = NULL, *version;
	struct table_probe probe;
	struct order order;
	enum err e;

	if (v->resource > GRAPH_PROJECTS || v->kind >= 32)
		return ERR_INVALID;
	table_expect(&s->node_slugs, slug_hash);
	table_expect(&s->node_ids, id_hash);
	e = mention(s, v->resource, &v->id, id_hash, &node);
	if (e == OK && v->has_company)
		e = mention(s, GRAPH_SHAREHOLDERS, &v->company, store_id_hash(s, GRAPH_SHAREHOLDERS, &v->company), &company);
	if (e == OK)
		e = stamps_of(s, &v->from, v->ended, &v->to, &from, &to);
	if (e == OK)
		e = chunks_reserve(&s->node_versions);
	if (e == OK)
		e = table_reserve(&s->node_slugs);
	if (e != OK)
		return e;
	newest = peek(&store_node(s, node)->newest);
	if (newest != NONE)
		last = store_node_version(s, newest);
	e = text_again(s, v->slug, last ? last->slug : NONE, &slug);
	if (e == OK)
		e = text_again(s, v->name, last ? last->name : NONE, &name);
	if (e != OK)
		return e;

	order = order_versions(s, &v->from, v->ended, to, last ? &last->from : NULL, last ? peek(&last->to) : NONE);
	same_slug = store_find_node_slug(s, v->resource, v->slug, strlen(v->slug), slug_hash, &probe);
	version = store_node_version(s, number);
	*version = (struct node_version){
		.node = node,
		.from = from,
		.slug = slug,
		.name = name,
		.same_slug = same_slug,
		.company = company,
		.next_project = company == NONE ? NONE : peek(&store_node(s, company)->projects),
		.kind = v->kind,
		.country = { v->country[0], v->country[1] },
		.state = { v->state[0], v->state[1] },
	};
	publish(&version->to, order.to);
	publish(&version->older, order.later ? newest : peek(&last->older));
	s->node_versions.count++;
	if (order.ends)
		publish(&last->to, from);
	publish(order.later ? &store_node(s, node)->newest : &last->older, number);
	if (company != NONE)
		publish(&store_node(s, company)->projects, number);
	if (same_slug == NONE)
		table_add(&s->node_slugs, slug_hash, number);
	else
		table_replace(&probe, number);
	return OK;
}

/* What few stakes have. */
static enum err pack_extra(struct graph_store *s, const struct graph_stake_version *v, uint32_t counterparty, uint64_t voting,
			   const struct stake_version *last, uint32_t *ret)
{
	struct stake_extra *extra;
	uint32_t slug = NONE;
	enum err e = OK;

	*ret = NONE;
	if (counterparty == NONE && !v->slug && !v->voting.given)
		return OK;
	if (v->slug)
		e = text_again(s, v->slug, last && last->extra != NONE ? store_extra(s, last->extra)->slug : NONE, &slug);
	if (e == OK)
		e = chunks_reserve(&s->extras);
	if (e != OK)
		return e;
	extra = store_extra(s, s->extras.count);
	*extra = (struct stake_extra){ .voting = voting, .counterparty = counterparty, .slug = slug, .same_slug = NONE };
	*ret = s->extras.count++;
	return OK;
}

static uint32_t pack_flags(const struct graph_stake_version *v)
{
	return v->instrument | (uint32_t)v->stage << 6 | (v->contingent ? STAKE_CONTINGENT : 0) |
	       (v->dilutive ? STAKE_DILUTIVE : 0);
}

static void publish_stake_slug(struct graph_store *s, uint32_t number, const char *slug)
{
	uint32_t hash = store_slug_hash(s, GRAPH_STAKES, slug, strlen(slug));
	struct table_probe probe;
	uint32_t same = store_find_stake_slug(s, slug, strlen(slug), hash, &probe);

	store_extra(s, store_stake_version(s, number)->extra)->same_slug = same;
	if (same == NONE)
		table_add(&s->stake_slugs, hash, number);
	else
		table_replace(&probe, number);
}

/* The numbers that a version of a stake refers to, and where its predecessor is found. */
struct ends {
	uint32_t holder, subject, counterparty;
	uint32_t id_hash, newest;
	struct table_probe probe;
};

static enum err find_ends(struct graph_store *s, const struct graph_stake_version *v, struct ends *ret)
{
	uint32_t holder = store_id_hash(s, GRAPH_SHAREHOLDERS, &v->holder),
		 subject = store_id_hash(s, v->subject_resource, &v->subject);
	enum err e;

	ret->id_hash = store_id_hash(s, GRAPH_STAKES, &v->id);
	ret->counterparty = NONE;
	/* Memory is what loading waits for: all three at once. */
	table_expect(&s->node_ids, holder);
	table_expect(&s->node_ids, subject);
	table_expect(&s->stake_ids, ret->id_hash);
	e = mention(s, GRAPH_SHAREHOLDERS, &v->holder, holder, &ret->holder);
	if (e == OK)
		e = mention(s, v->subject_resource, &v->subject, subject, &ret->subject);
	if (e == OK && v->has_counterparty)
		e = mention(s, GRAPH_SHAREHOLDERS, &v->counterparty, store_id_hash(s, GRAPH_SHAREHOLDERS, &v->counterparty),
			    &ret->counterparty);
	if (e == OK)
		e = table_reserve(&s->stake_ids);
	ret->newest = store_find_stake(s, &v->id, ret->id_hash, &ret->probe);
	return e;
}

/* To the lists of its ends and of its record, the newest of which it is or the last but one. */
static void publish_stake(struct graph_store *s, uint32_t number, const struct ends *ends, bool later)
{
	if (!later)
		publish(&store_stake_version(s, ends->newest)->older, number);
	else if (ends->newest == NONE)
		table_add(&s->stake_ids, ends->id_hash, number);
	else
		table_replace(&ends->probe, number);
	publish(&store_node(s, ends->subject)->held, number);
	publish(&store_node(s, ends->holder)->holds, number);
}

enum err graph_store_stake(struct graph_store *s, const struct graph_stake_version *v)
{
	uint32_t number = s->stake_versions.count, from, to, extra;
	uint64_t economic, voting;
	struct stake_version *last, *version;
	struct ends ends;
	struct order order;
	enum err e;

	if (v->subject_resource > GRAPH_PROJECTS || v->instrument >= 64 || v->stage >= 16)
		return ERR_INVALID;
	e = store_share_pack(s, &v->economic, &economic);
	if (e == OK)
		e = store_share_pack(s, &v->voting, &voting);
	if (e == OK)
		e = find_ends(s, v, &ends);
	if (e == OK)
		e = stamps_of(s, &v->from, v->ended, &v->to, &from, &to);
	if (e == OK)
		e = chunks_reserve(&s->stake_versions);
	if (e == OK && v->slug)
		e = table_reserve(&s->stake_slugs);
	if (e != OK)
		return e;
	last = ends.newest == NONE ? NULL : store_stake_version(s, ends.newest);
	e = pack_extra(s, v, ends.counterparty, voting, last, &extra);
	if (e != OK)
		return e;

	order = order_versions(s, &v->from, v->ended, to, last ? &last->from : NULL, last ? peek(&last->to) : NONE);
	version = store_stake_version(s, number);
	*version = (struct stake_version){
		.id = v->id,
		.holder = ends.holder,
		.subject = ends.subject,
		.from = from,
		.next_held = peek(&store_node(s, ends.subject)->held),
		.next_holds = peek(&store_node(s, ends.holder)->holds),
		.valid_from = v->valid_from,
		.valid_to = v->valid_to,
		.flags = pack_flags(v),
		.extra = extra,
		.economic = { (uint32_t)economic, (uint32_t)(economic >> 32) },
	};
	publish(&version->to, order.to);
	publish(&version->older, order.later ? ends.newest : peek(&last->older));
	s->stake_versions.count++;
	if (order.ends)
		publish(&last->to, from);
	s->standing_stakes += (order.to == NONE) - (uint32_t)order.ends;
	if (v->slug)
		publish_stake_slug(s, number, v->slug);
	publish_stake(s, number, &ends, order.later);
	return OK;
}

/* The end of the record's newest version, NULL: there is none. */
static _Atomic uint32_t *end_of(const struct graph_store *s, enum graph_resource resource, const struct uuid *id)
{
	uint32_t hash = store_id_hash(s, resource, id), found;
	struct table_probe probe;

	if (resource == GRAPH_STAKES) {
		found = store_find_stake(s, id, hash, &probe);
		return found == NONE ? NULL : &store_stake_version(s, found)->to;
	}
	found = store_find_node(s, resource, id, hash);
	if (found != NONE)
		found = peek(&store_node(s, found)->newest);
	return found == NONE ? NULL : &store_node_version(s, found)->to;
}

enum err graph_store_deleted(struct graph_store *s, enum graph_resource resource, const struct uuid *id,
			     const struct graph_stamp *when)
{
	_Atomic uint32_t *to = end_of(s, resource, id);
	uint32_t stamp;
	enum err e;

	if (!to || peek(to) != NONE)
		return OK;
	e = store_stamp_number(s, when, &stamp);
	if (e != OK)
		return e;
	publish(to, stamp);
	s->standing_stakes -= resource == GRAPH_STAKES;
	return OK;
}

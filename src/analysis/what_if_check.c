/* A what-if against the register: what it names, and what must not come twice. All that is wrong is told at once. */
#include "what_if.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/hmap.h"
#include "lodebase/base/uuid.h"

static uint32_t find_stake(const struct what_if *w, const char *key)
{
	size_t n = strlen(key);
	struct uuid id;

	return uuid_from_text(key, n, &id) ? graph_find_stake_id(&w->inquiry.at, &id)
					   : graph_find_stake_slug(&w->inquiry.at, key, n);
}

static int by_number(const void *left, const void *right)
{
	const uint32_t *l = left, *r = right;

	return *l < *r ? -1 : *l > *r;
}

bool what_if_is_removed(const struct what_if *w, uint32_t version)
{
	const struct graph_overlay *o = &w->overlay;

	return o->n_removed > 0 && bsearch(&version, o->removed, o->n_removed, sizeof(version), by_number) != NULL;
}

/* --- what `change` and `remove` name --- */

struct mention {
	uint32_t version;
	uint32_t order;
	struct what_if_entry *entry;
	const char *pointer;
};

static int by_version(const void *left, const void *right)
{
	const struct mention *l = left, *r = right;

	if (l->version != r->version)
		return l->version < r->version ? -1 : 1;
	return l->order < r->order ? -1 : 1;
}

static void find_listed(struct what_if *w, struct what_if_list *list, const char *member, struct mention *mentions, uint32_t *n)
{
	for (size_t i = 0; i < list->n; i++) {
		struct what_if_entry *e = &list->entries[i];
		const char *pointer = arena_printf(w->arena, "%s%s", e->faults.prefix, member);

		if (!e->key || !pointer)
			continue;
		e->version = find_stake(w, e->key);
		if (e->version == GRAPH_NONE) {
			faults_add(&e->faults, FAULT_POINTER, pointer, "reference",
				   "there is no stake with the id or slug \"%s\"", e->key);
			continue;
		}
		mentions[*n] = (struct mention){ e->version, *n, e, pointer };
		++*n;
	}
}

bool what_if_find(struct what_if *w)
{
	size_t most = w->change.n + w->remove.n;
	struct mention *mentions = arena_alloc(w->arena, most * sizeof(*mentions));
	uint32_t *removed = arena_alloc(w->arena, most * sizeof(*removed)), n = 0, n_removed = 0;

	if (!mentions || !removed)
		return false;
	find_listed(w, &w->change, "/stake", mentions, &n);
	find_listed(w, &w->remove, "", mentions, &n);
	if (n > 1)
		qsort(mentions, n, sizeof(*mentions), by_version);
	for (uint32_t i = 0; i < n; i++) {
		if (n_removed == 0 || removed[n_removed - 1] != mentions[i].version) {
			removed[n_removed++] = mentions[i].version;
			continue;
		}
		mentions[i].entry->version = GRAPH_NONE; /* nothing more is to be said of it */
		faults_add(&mentions[i].entry->faults, FAULT_POINTER, mentions[i].pointer, "repeated",
			   "a stake is changed or removed once");
	}
	w->overlay.removed = removed;
	w->overlay.n_removed = n_removed;
	return !arena_failed(w->arena);
}

/* --- names of the state after --- */

/* What bears an id or a slug: a node by its number, a stake by its place in the overlay. */
struct bearer {
	uint32_t number;
};

struct checking {
	struct what_if *w;
	struct hmap *nodes[2], *stakes; /* struct bearer by id and by slug, which cannot be mistaken for one another */
	struct graph_node *nodes_added;
	struct graph_overlay_stake *stakes_added;
	bool failed;
};

static void bear(struct checking *x, struct hmap *names, const char *name, uint32_t number)
{
	struct bearer *b = arena_alloc(x->w->arena, sizeof(*b));

	x->failed |= !b || hmap_set(names, name, strlen(name), b, NULL) != OK;
	if (b)
		b->number = number;
}

static uint32_t borne(struct hmap *names, const char *name)
{
	const struct bearer *b = hmap_get(names, name, strlen(name));

	return b ? b->number : GRAPH_NONE;
}

/* A record's id or slug: nobody else of the request has it, nor of the base. */
static void claim(struct checking *x, struct hmap *names, struct what_if_entry *e, const char *member, const char *name,
		  bool is_taken, uint32_t number)
{
	if (!name)
		return;
	if (is_taken)
		faults_member(&e->faults, member, "taken", "a record on file has this %s", member);
	else if (borne(names, name) != GRAPH_NONE)
		faults_member(&e->faults, member, "repeated", "this %s comes twice in the request", member);
	else
		bear(x, names, name, number);
}

/* An id that nobody else has, the same each time; behind all that the base gives out, in the order of the request. */
static struct uuid made_up(unsigned list, uint32_t i)
{
	struct uuid id = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0x80 } };

	id.bytes[7] = (unsigned char)list;
	for (int k = 15; k >= 12; k--, i >>= 8)
		id.bytes[k] = (unsigned char)(i & 0xff);
	return id;
}

static struct uuid id_of(const struct what_if_entry *e, unsigned list, uint32_t i)
{
	const char *text = e->input.readable ? e->input.record.values[RESOURCE_ID] : NULL;
	struct uuid id;

	return text && uuid_from_text(text, strlen(text), &id) ? id : made_up(list, i);
}

static const char *id_text(struct what_if *w, const struct uuid *id)
{
	char text[UUID_TEXT_SIZE];

	uuid_to_text(id, text);
	return arena_strdup(w->arena, text);
}

static void name_nodes(struct checking *x, struct what_if_list *list, enum graph_resource resource, uint32_t first)
{
	const struct graph_at *at = &x->w->inquiry.at;

	for (uint32_t i = 0; i < list->n; i++) {
		struct what_if_entry *e = &list->entries[i];
		struct uuid id = id_of(e, resource, i);
		const char *slug = e->input.readable ? e->input.record.values[RESOURCE_SLUG] : NULL;

		claim(x, x->nodes[resource], e, "id", id_text(x->w, &id), graph_find_id(at, resource, &id) != GRAPH_NONE,
		      first + i);
		claim(x, x->nodes[resource], e, "slug", slug,
		      slug && graph_find_slug(at, resource, slug, strlen(slug)) != GRAPH_NONE, first + i);
		if (e->input.readable && e->faults.n == 0) {
			x->nodes_added[first - at->moment.nodes + i] = what_if_node(resource, &e->input.record);
			x->nodes_added[first - at->moment.nodes + i].id = id;
		}
	}
}

static bool keeps_slug(const struct what_if_entry *e)
{
	const char *was = e->stored ? e->stored->values[RESOURCE_SLUG] : NULL;
	const char *is = e->input.readable ? e->input.record.values[RESOURCE_SLUG] : NULL;

	return was && is && strcmp(was, is) == 0;
}

/* A slug of a stake on file is free where that stake goes, or gets another. */
static bool slug_is_taken(const struct what_if *w, const char *slug)
{
	uint32_t version = slug ? graph_find_stake_slug(&w->inquiry.at, slug, strlen(slug)) : GRAPH_NONE;

	for (size_t i = 0; version != GRAPH_NONE && i < w->change.n; i++)
		if (w->change.entries[i].version == version)
			return keeps_slug(&w->change.entries[i]);
	return version != GRAPH_NONE && !what_if_is_removed(w, version);
}

static void name_added(struct checking *x)
{
	struct what_if *w = x->w;

	for (uint32_t i = 0; i < w->add.n; i++) {
		struct what_if_entry *e = &w->add.entries[i];
		struct uuid id = id_of(e, GRAPH_STAKES, i);
		const char *slug = e->input.readable ? e->input.record.values[RESOURCE_SLUG] : NULL;

		x->stakes_added[i].stake.id = id;
		claim(x, x->stakes, e, "id", id_text(w, &id), graph_find_stake_id(&w->inquiry.at, &id) != GRAPH_NONE, i);
		claim(x, x->stakes, e, "slug", slug, slug_is_taken(w, slug), i);
	}
}

static void name_changed(struct checking *x)
{
	struct what_if *w = x->w;

	for (uint32_t i = 0; i < w->change.n; i++) {
		struct what_if_entry *e = &w->change.entries[i];
		uint32_t number = (uint32_t)w->add.n + i;
		const char *slug = e->input.readable ? e->input.record.values[RESOURCE_SLUG] : NULL;

		if (!e->stored)
			continue;
		(void)uuid_from_text(e->stored->values[RESOURCE_ID], UUID_TEXT_SIZE - 1, &x->stakes_added[number].stake.id);
		bear(x, x->stakes, e->stored->values[RESOURCE_ID], number);
		if (!keeps_slug(e))
			claim(x, x->stakes, e, "slug", slug, slug_is_taken(w, slug), number);
		else if (borne(x->stakes, slug) == GRAPH_NONE) /* else somebody took it, and that is said */
			bear(x, x->stakes, slug, number);
	}
}

/* --- references --- */

static uint32_t find_node(struct checking *x, enum graph_resource resource, const char *key)
{
	const struct graph_at *at = &x->w->inquiry.at;
	uint32_t node = borne(x->nodes[resource], key);
	struct uuid id;

	if (node != GRAPH_NONE)
		return node;
	return uuid_from_text(key, strlen(key), &id) ? graph_find_id(at, resource, &id)
						     : graph_find_slug(at, resource, key, strlen(key));
}

static void refuse(struct what_if_entry *e, const struct field *f, const char *key)
{
	faults_member(&e->faults, f->name, "reference", "there is no %s with the id or slug \"%s\"",
		      resource_find(f->target)->singular, key);
}

/* The node that a reference field names. GRAPH_NONE: it is null, or nobody has it, and that is said. */
static uint32_t refer(struct checking *x, struct what_if_entry *e, const struct resource *r, const char *name)
{
	const struct field *f = &r->fields[resource_field(r, name, strlen(name))];
	const char *key = e->input.record.values[f - r->fields];
	uint32_t node;

	if (!key)
		return GRAPH_NONE;
	node = find_node(x, strcmp(f->target, "projects") == 0 ? GRAPH_PROJECTS : GRAPH_SHAREHOLDERS, key);
	if (node == GRAPH_NONE)
		refuse(e, f, key);
	return node;
}

static void fill_stake(struct checking *x, struct what_if_entry *e, struct graph_overlay_stake *ret)
{
	const struct resource *r = resource_find("stakes");
	struct uuid id = ret->stake.id;
	uint32_t holder = refer(x, e, r, "holder_id"), issuer = refer(x, e, r, "issuer_id"),
		 project = refer(x, e, r, "project_id"), counterparty = refer(x, e, r, "counterparty_id");

	if (e->financing && !e->financing->record)
		refuse(e, &r->fields[resource_field(r, "financing_id", strlen("financing_id"))], e->financing->key);
	if (e->faults.n > 0)
		return; /* of no use any more */
	ret->stake = what_if_stake(&e->input.record);
	ret->stake.id = id;
	ret->stake.holder = holder;
	ret->stake.subject = issuer != GRAPH_NONE ? issuer : project;
	ret->stake.counterparty = counterparty;
}

static void check_records(struct checking *x)
{
	const struct resource *projects = resource_find("projects"), *stakes = resource_find("stakes");
	struct what_if *w = x->w;

	for (size_t i = 0; i < w->change.n; i++) {
		struct what_if_entry *e = &w->change.entries[i];

		if (!e->stored || !e->input.readable)
			continue;
		validate_read_only(stakes, &e->input, e->stored, false, &e->faults);
		validate_complete(w->arena, stakes, &e->input.record, e->stored, e->stored, &e->faults);
	}
	name_nodes(x, &w->shareholders, GRAPH_SHAREHOLDERS, w->inquiry.at.moment.nodes);
	name_nodes(x, &w->projects, GRAPH_PROJECTS, w->inquiry.at.moment.nodes + (uint32_t)w->shareholders.n);
	name_added(x);
	name_changed(x);
	for (size_t i = 0; i < w->projects.n; i++) {
		struct what_if_entry *e = &w->projects.entries[i];

		if (!e->input.readable)
			continue;
		(void)refer(x, e, projects, "operator_id");
		x->nodes_added[w->shareholders.n + i].company = refer(x, e, projects, "company_id");
	}
	for (size_t i = 0; i < w->add.n; i++)
		if (w->add.entries[i].input.readable)
			fill_stake(x, &w->add.entries[i], &x->stakes_added[i]);
	for (size_t i = 0; i < w->change.n; i++)
		if (w->change.entries[i].stored && w->change.entries[i].input.readable)
			fill_stake(x, &w->change.entries[i], &x->stakes_added[w->add.n + i]);
}

/* --- exercise --- */

/* What an entry names: a place among the overlay's stakes, or a version on file that stays. false: neither, and that is said. */
static bool find_exercised(struct checking *x, struct what_if_entry *e, uint32_t *ret_place, uint32_t *ret_version)
{
	struct what_if *w = x->w;
	const char *problem = NULL;

	*ret_place = borne(x->stakes, e->key);
	*ret_version = *ret_place == GRAPH_NONE ? find_stake(w, e->key) : GRAPH_NONE;
	for (uint32_t i = 0; *ret_version != GRAPH_NONE && i < w->change.n; i++)
		if (w->change.entries[i].version == *ret_version) { /* by the slug that it had */
			*ret_place = (uint32_t)w->add.n + i;
			*ret_version = GRAPH_NONE;
		}
	if (*ret_place == GRAPH_NONE && *ret_version == GRAPH_NONE)
		problem = "there is no stake with the id or slug \"%s\"";
	else if (*ret_place == GRAPH_NONE && what_if_is_removed(w, *ret_version))
		problem = "the stake \"%s\" is removed";
	if (problem)
		faults_add(&e->faults, FAULT_POINTER, e->faults.prefix, "reference", problem, e->key);
	return !problem;
}

static const struct what_if_entry *entry_of(const struct what_if *w, uint32_t place)
{
	return place < w->add.n ? &w->add.entries[place] : &w->change.entries[place - w->add.n];
}

static void exercise_one(struct checking *x, struct what_if_entry *e, uint32_t *versions, uint32_t *n)
{
	struct what_if *w = x->w;
	struct graph_stake_info on_file;
	uint32_t place, version;
	bool is_contingent, is_repeated = false;

	if (!e->key || !find_exercised(x, e, &place, &version))
		return;
	if (place != GRAPH_NONE) {
		if (entry_of(w, place)->faults.n > 0)
			return; /* what it is cannot be said */
		is_contingent = x->stakes_added[place].stake.contingent;
		is_repeated = x->stakes_added[place].exercised;
		x->stakes_added[place].exercised = true;
	} else {
		is_contingent = graph_stake_at(&w->inquiry.at, version, &on_file) && on_file.contingent;
		for (uint32_t i = 0; i < *n; i++)
			is_repeated |= versions[i] == version;
		versions[(*n)++] = version;
	}
	if (!is_contingent)
		faults_add(&e->faults, FAULT_POINTER, e->faults.prefix, "exclusive",
			   "the stake \"%s\" is not contingent: there is nothing to exercise", e->key);
	else if (is_repeated)
		faults_add(&e->faults, FAULT_POINTER, e->faults.prefix, "repeated", "a stake is exercised once");
}

static void check_exercise(struct checking *x)
{
	struct what_if *w = x->w;
	uint32_t *versions = arena_alloc(w->arena, w->exercise.n * sizeof(*versions)), n = 0;

	if (!versions)
		return;
	for (size_t i = 0; i < w->exercise.n; i++)
		exercise_one(x, &w->exercise.entries[i], versions, &n);
	if (n > 1)
		qsort(versions, n, sizeof(*versions), by_number);
	w->overlay.exercised = versions;
	w->overlay.n_exercised = n;
}

/* --- questions --- */

static void refuse_subject(struct faults *faults, const char *pointer, enum graph_resource resource, const char *key)
{
	faults_add(faults, FAULT_POINTER, pointer, "reference", "there is no %s with the id or slug \"%s\"",
		   resource_find(inquiry_resource(resource))->singular, key);
}

/* Whom a question speaks of may come into being by the request. */
static void check_question(struct checking *x, struct what_if_question *q)
{
	if (q->query.subject && find_node(x, q->query.resource, q->query.subject) == GRAPH_NONE)
		refuse_subject(&q->faults, q->subject_pointer, q->query.resource, q->query.subject);
	for (size_t i = 0; i < q->query.n_parties; i++)
		if (find_node(x, GRAPH_SHAREHOLDERS, q->query.parties[i]) == GRAPH_NONE)
			faults_member(&q->faults, "parties", "reference", "there is no shareholder with the id or slug \"%s\"",
				      q->query.parties[i]);
}

static void check_screening(struct checking *x, struct screening_request *r)
{
	for (size_t i = 0; i < r->n_subjects; i++) {
		const struct screening_subject *s = &r->subjects[i];

		if (s->text && find_node(x, s->resource, s->text) == GRAPH_NONE)
			refuse_subject(&r->faults, s->where, s->resource, s->text);
	}
	for (size_t i = 0; i < r->n_parties; i++) {
		const char *key = r->parties[i].key, *where = arena_printf(x->w->arena, "%s/parties/%zu", r->faults.prefix, i);

		if (key && where && find_node(x, GRAPH_SHAREHOLDERS, key) == GRAPH_NONE)
			refuse_subject(&r->faults, where, GRAPH_SHAREHOLDERS, key);
	}
}

bool what_if_check(struct what_if *w)
{
	struct checking x = {
		.w = w,
		.nodes = { hmap_new(4 * WHAT_IF_ENTRIES_MAX), hmap_new(4 * WHAT_IF_ENTRIES_MAX) },
		.stakes = hmap_new(4 * WHAT_IF_ENTRIES_MAX),
		.nodes_added = arena_alloc(w->arena, (w->shareholders.n + w->projects.n) * sizeof(*x.nodes_added)),
		.stakes_added = arena_alloc(w->arena, (w->add.n + w->change.n) * sizeof(*x.stakes_added)),
	};

	x.failed = !x.nodes[0] || !x.nodes[1] || !x.stakes || !x.nodes_added || !x.stakes_added;
	if (!x.failed) {
		check_records(&x);
		check_exercise(&x);
		for (size_t i = 0; i < w->n_questions; i++) {
			check_question(&x, &w->questions[i]);
			if (w->questions[i].screening)
				check_screening(&x, w->questions[i].screening);
		}
	}
	w->overlay.nodes = x.nodes_added;
	w->overlay.n_nodes = (uint32_t)(w->shareholders.n + w->projects.n);
	w->overlay.stakes = x.stakes_added;
	w->overlay.n_stakes = (uint32_t)(w->add.n + w->change.n);
	hmap_free(x.nodes[0], NULL);
	hmap_free(x.nodes[1], NULL);
	hmap_free(x.stakes, NULL);
	return !x.failed && !arena_failed(w->arena);
}

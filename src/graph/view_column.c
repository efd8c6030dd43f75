/* What of the register counts, for whom the question is. */
#include <stdlib.h>
#include <string.h>
#include "view_internal.h"

static int compare_numbers(const void *left, const void *right)
{
	uint32_t l = *(const uint32_t *)left, r = *(const uint32_t *)right;

	return l < r ? -1 : l > r;
}

static bool is_in(uint32_t number, const uint32_t *numbers, uint32_t n)
{
	return n > 0 && bsearch(&number, numbers, n, sizeof(number), compare_numbers) != NULL;
}

static bool is_exercised(const struct graph_filter *f, uint32_t version)
{
	return f->exercised || (f->overlay && is_in(version, f->overlay->exercised, f->overlay->n_exercised));
}

static bool is_active(const struct graph_filter *f, int32_t valid_from, int32_t valid_to, unsigned stage)
{
	return valid_from <= f->valid_at && f->valid_at < valid_to && (f->stages >> stage & 1);
}

static bool counts(struct walk *w, uint32_t version, const struct stake_version *v)
{
	const struct graph_filter *f = w->filter;

	w->steps++;
	return known_stake_version(w->at, version, v) && is_active(f, v->valid_from, v->valid_to, stake_stage(v)) &&
	       (!(v->flags & STAKE_CONTINGENT) || is_exercised(f, version)) &&
	       !(f->overlay && is_in(version, f->overlay->removed, f->overlay->n_removed));
}

static bool overlay_counts(struct walk *w, const struct graph_overlay_stake *o)
{
	const struct graph_stake_info *s = &o->stake;

	w->steps++;
	return is_active(w->filter, s->valid_from, s->valid_to, s->stage) &&
	       (!s->contingent || o->exercised || w->filter->exercised);
}

/* One stake of the column at hand. */
static enum err add_piece(struct walk *w, uint32_t holder, uint32_t subject, const struct graph_share *share,
			  struct graph_view_stake stake)
{
	struct graph_view *view = w->view;
	struct piece p = { .subject = subject, .min = share->min, .max = share->max };
	enum err e = walk_local(w, holder, &p.holder);

	if (e == OK)
		e = walk_grow((void **)&view->stakes, &w->stakes_capacity, view->n_stakes + 1, sizeof(*view->stakes));
	if (e == OK)
		e = walk_grow((void **)&w->pieces, &w->pieces_capacity, view->n_stakes + 1, sizeof(*w->pieces));
	if (e == OK && !share->given)
		e = walk_grow((void **)&w->unknown, &w->unknown_capacity, w->n_unknown + 1, sizeof(*w->unknown));
	if (e != OK)
		return e;
	if (!share->given)
		w->unknown[w->n_unknown++] = (uint32_t)view->n_stakes;
	w->pieces[view->n_stakes] = p;
	view->stakes[view->n_stakes++] = stake;
	return walk_enough(w);
}

static enum err add_contingent(struct walk *w, const struct uuid *id, uint32_t counterparty, bool dilutive)
{
	enum err e =
		walk_grow((void **)&w->contingents, &w->contingents_capacity, w->n_contingents + 1, sizeof(*w->contingents));

	if (e == OK)
		w->contingents[w->n_contingents++] =
			(struct contingent){ *id, (uint32_t)w->view->n_stakes - 1, counterparty, dilutive };
	return e;
}

static enum err add_version(struct walk *w, uint32_t local, uint32_t version, const struct stake_version *v)
{
	const struct stake_extra *extra = v->extra == NONE ? NULL : store_extra(w->store, v->extra);
	struct graph_view_stake stake = { .version = version, .overlay = NONE };
	struct graph_share share = { 0 };
	enum err e;

	if (w->filter->measure == GRAPH_VOTING) {
		share = store_share(w->store, extra ? extra->voting : SHARE_NOT_GIVEN);
		stake.assumed = !share.given;
	}
	if (!share.given)
		share = store_share(w->store, stake_economic(v));
	stake.exercised = v->flags & STAKE_CONTINGENT;
	e = add_piece(w, v->holder, local, &share, stake);
	if (e != OK || !stake.exercised)
		return e;
	return add_contingent(w, &v->id, extra ? extra->counterparty : NONE, v->flags & STAKE_DILUTIVE);
}

/* What is not given may be anything, whatever the overlay says of it. */
static struct graph_share given_or_unknown(struct graph_share share)
{
	if (!share.given) {
		share.min = (struct graph_ratio){ 0, WHOLE };
		share.max = (struct graph_ratio){ WHOLE, WHOLE };
	}
	return share;
}

static enum err add_overlay(struct walk *w, uint32_t local, uint32_t place)
{
	const struct graph_stake_info *s = &w->filter->overlay->stakes[place].stake;
	bool votes = w->filter->measure == GRAPH_VOTING && s->voting.given;
	struct graph_share share = given_or_unknown(votes ? s->voting : s->economic);
	struct graph_view_stake stake = { .version = NONE,
					  .overlay = place,
					  .assumed = w->filter->measure == GRAPH_VOTING && !votes,
					  .exercised = s->contingent };
	enum err e = add_piece(w, s->holder, local, &share, stake);

	if (e != OK || !stake.exercised)
		return e;
	return add_contingent(w, &s->id, s->counterparty, s->dilutive);
}

/* The company of a project, then. */
static uint32_t company_of(const struct walk *w, uint32_t node)
{
	uint32_t version;

	if (node >= w->at->moment.nodes)
		return w->filter->overlay->nodes[node - w->at->moment.nodes].company;
	if (store_node(w->store, node)->resource != GRAPH_PROJECTS)
		return NONE;
	version = known_version_of_node(w->at, node);
	return version == NONE ? NONE : store_node_version(w->store, version)->company;
}

static enum err find(struct walk *w, const struct uuid *id, uint32_t number, bool of_overlay)
{
	enum err e = walk_grow((void **)&w->found, &w->found_capacity, w->n_found + 1, sizeof(*w->found));

	if (e != OK)
		return e;
	w->found[w->n_found++] = (struct found){ *id, number, of_overlay };
	return w->max_links > 0 && w->view->n_stakes + w->n_found > w->max_links ? ERR_FULL : walk_enough(w);
}

static enum err find_all(struct walk *w, uint32_t node)
{
	enum err e = OK;
	size_t n, at;

	w->n_found = 0;
	if (node < w->at->moment.nodes) {
		const struct stake_version *v;

		for (uint32_t i = peek(&store_node(w->store, node)->held); e == OK && i != NONE; i = v->next_held) {
			v = store_stake_version(w->store, i);
			e = counts(w, i, v) ? find(w, &v->id, i, false) : walk_enough(w);
		}
	}
	n = overlay_at(w, w->by_subject, node, &at);
	for (size_t i = at; e == OK && i < at + n; i++) {
		uint32_t place = w->by_subject[i].place;
		const struct graph_overlay_stake *o = &w->filter->overlay->stakes[place];

		if (overlay_counts(w, o))
			e = find(w, &o->stake.id, place, true);
	}
	return e;
}

static int by_id(const void *left, const void *right)
{
	const struct found *l = left, *r = right;

	return memcmp(&l->id, &r->id, sizeof(l->id));
}

/* By their ids, so that a view does not show in which order the register learned of them. It has them newest first, and ids grow
 * with time: mostly they are to be turned round. */
static void sort_found(struct found *found, size_t n)
{
	size_t rising = 0;

	for (size_t i = 1; i < n; i++)
		rising += by_id(&found[i - 1], &found[i]) < 0;
	if (rising + 1 >= n)
		return;
	if (rising > 0) {
		qsort(found, n, sizeof(*found), by_id);
		return;
	}
	for (size_t i = 0; i < n / 2; i++) {
		struct found other = found[i];

		found[i] = found[n - 1 - i];
		found[n - 1 - i] = other;
	}
}

enum err walk_column(struct walk *w, uint32_t local)
{
	static const struct graph_share whole = { true, { WHOLE, WHOLE }, { WHOLE, WHOLE } };
	uint32_t node = w->view->nodes[local], company;
	size_t first = w->view->n_stakes;
	enum err e;

	if (w->marks[local] & MARK_COLUMN)
		return OK;
	w->marks[local] |= MARK_COLUMN;
	w->n_contingents = w->n_unknown = 0;
	e = find_all(w, node);
	if (e == OK)
		sort_found(w->found, w->n_found);
	for (size_t i = 0; e == OK && i < w->n_found; i++) {
		uint32_t number = w->found[i].number;

		e = w->found[i].of_overlay ? add_overlay(w, local, number)
					   : add_version(w, local, number, store_stake_version(w->store, number));
	}
	if (e == OK && w->n_contingents == w->view->n_stakes - first && (company = company_of(w, node)) != NONE)
		e = add_piece(w, company, local, &whole,
			      (struct graph_view_stake){ .version = NONE, .overlay = NONE, .implied = true });
	if (e == OK && w->n_unknown > 0)
		e = walk_warn(w, GRAPH_WARNING_UNKNOWN_SHARE, local, w->unknown, w->n_unknown);
	if (e == OK && w->n_contingents > 0)
		e = exercise_column(w, local, first);
	return e;
}

static enum err go_down(struct walk *w, uint32_t node)
{
	uint32_t local;
	enum err e = walk_local(w, node, &local);

	if (e == OK)
		e = walk_queue(w, local, MARK_DOWN);
	return e == OK ? walk_enough(w) : e;
}

bool walk_is_held(struct walk *w, uint32_t node, bool directly)
{
	const struct graph_overlay *o = w->filter->overlay;
	size_t at, n = overlay_at(w, w->by_subject, node, &at);

	for (size_t i = at; o && i < at + n; i++) {
		const struct graph_overlay_stake *stake = &o->stakes[w->by_subject[i].place];

		if (!(directly && stake->stake.contingent) && overlay_counts(w, stake))
			return true;
	}
	if (node >= w->at->moment.nodes)
		return false;
	for (uint32_t i = peek(&store_node(w->store, node)->held); i != NONE; i = store_stake_version(w->store, i)->next_held) {
		const struct stake_version *v = store_stake_version(w->store, i);

		if (!(directly && v->flags & STAKE_CONTINGENT) && counts(w, i, v))
			return true;
	}
	return false;
}

static enum err go_to_projects(struct walk *w, uint32_t company)
{
	const struct graph_overlay *o = w->filter->overlay;
	enum err e = OK;

	for (uint32_t i = 0; e == OK && o && i < o->n_nodes; i++) {
		uint32_t node = w->at->moment.nodes + i;

		if (o->nodes[i].company == company && !walk_is_held(w, node, true))
			e = go_down(w, node);
	}
	if (company >= w->at->moment.nodes)
		return e;
	for (uint32_t i = peek(&store_node(w->store, company)->projects); e == OK && i != NONE;
	     i = store_node_version(w->store, i)->next_project) {
		const struct node_version *v = store_node_version(w->store, i);

		w->steps++;
		e = known_node_version(w->at, i, v) && !walk_is_held(w, v->node, true) ? go_down(w, v->node) : walk_enough(w);
	}
	return e;
}

enum err walk_down(struct walk *w, uint32_t local)
{
	uint32_t node = w->view->nodes[local];
	size_t at, n = overlay_at(w, w->by_holder, node, &at);
	enum err e = OK;

	for (size_t i = at; e == OK && i < at + n; i++) {
		const struct graph_overlay_stake *o = &w->filter->overlay->stakes[w->by_holder[i].place];

		if (overlay_counts(w, o))
			e = go_down(w, o->stake.subject);
	}
	if (node < w->at->moment.nodes) {
		const struct stake_version *v;

		for (uint32_t i = peek(&store_node(w->store, node)->holds); e == OK && i != NONE; i = v->next_holds) {
			v = store_stake_version(w->store, i);
			e = counts(w, i, v) ? go_down(w, v->subject) : walk_enough(w);
		}
	}
	return e == OK ? go_to_projects(w, node) : e;
}

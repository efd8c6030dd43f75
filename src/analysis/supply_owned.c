/* Who owns the plants, as the ownership engine says: no figures of its own. */
#include <stdlib.h>
#include <string.h>
#include "supply_plants_get.h"

static const struct supply_owned_share none_of_it = { 0, 0 }, all_of_it = { GRAPH_PCT_WHOLE, 1 };

/* A project's part of the register with all above it. */
struct owned {
	struct supply_get *g;
	struct graph_view *view;
	struct graph_scratch *scratch;
	uint32_t root;
};

static void owned_close(struct owned *o)
{
	graph_scratch_free(o->scratch);
	graph_view_free(o->view);
}

/* false in *ret_there: the register does not have it. */
static enum err owned_open(struct supply_get *g, const struct supply_project *project, struct owned *ret, bool *ret_there)
{
	const struct inquiry *i = &g->inquiry;
	const struct graph_filter filter = { .valid_at = ownership_day(g->asked.valid_at),
					     .stages = ownership_stage("closed"),
					     .measure = GRAPH_ECONOMIC };
	uint32_t node = inquiry_find(i, GRAPH_PROJECTS, project->node.id);
	enum err e;

	*ret = (struct owned){ .g = g };
	*ret_there = node != GRAPH_NONE;
	if (node == GRAPH_NONE)
		return OK;
	e = graph_view_new(&i->at, &filter, GRAPH_ABOVE, &node, 1, i->inline_only ? INLINE_LINKS : 0, &ret->view);
	if (e != OK)
		return e;
	ret->root = ret->view->roots[0];
	ret->scratch = graph_scratch_new(ret->view->graph);
	if (ret->scratch)
		return OK;
	graph_view_free(ret->view);
	return ERR_NOMEM;
}

static void node_of(const struct owned *o, uint32_t local, struct graph_node *ret)
{
	inquiry_node(&o->g->inquiry, o->view->nodes[local], ret);
}

static bool is_held(const struct owned *o, uint32_t local)
{
	return graph_held(o->view->graph, local);
}

/* A ring that owns itself wholly has no owner outside: nothing can be told. */
static void warn_ring(const struct supply_project *project, struct supply_warnings *warnings)
{
	supply_warn(warnings, "closed-ring", NULL, 0,
		    "above %s companies own one another wholly, so that no share of it can be told; all of it is unexplained",
		    project->node.slug);
}

/* Maxima that are but upper bounds: with more time they may be exact, else the answer says so. */
static enum err judge_coarse(const struct owned *o, const struct supply_project *project, bool coarse,
			     struct supply_warnings *warnings)
{
	if (!coarse)
		return OK;
	if (o->g->inquiry.inline_only)
		return ERR_FULL;
	supply_warn(warnings, "not-exact", NULL, 0,
		    "the structure above %s is too large for exact figures: some maxima are upper bounds", project->node.slug);
	return OK;
}

/* --- what a set of countries has --- */

static void set_span(struct supply_span *s, struct supply_owned_share min, struct supply_owned_share max)
{
	s->known = true;
	supply_portion_of(min, s->min);
	supply_portion_of(max, s->max);
}

static enum err set_share(const struct owned *o, const struct supply_project *project, const struct supply_set *set, int year,
			  struct supply_warnings *warnings, struct supply_span *ret)
{
	struct graph_question question = { .method = GRAPH_INTEGRATED, .budget = o->g->inquiry.steps };
	struct graph_group_question group = { .question = &question, .remainders = true, .threshold = { 1, 2 } };
	uint32_t *parties = arena_alloc(o->g->inquiry.arena, o->view->count * sizeof(*parties));
	struct graph_group found;
	enum err e;

	if (!parties)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < o->view->count; n++) {
		struct graph_node node;

		if (n == o->root || is_held(o, n))
			continue;
		node_of(o, n, &node);
		if (node.country[0] &&
		    supply_set_has(set, supply_country((const char[]){ node.country[0], node.country[1], 0 }), year))
			parties[question.parties_count++] = n;
	}
	question.parties = parties;
	if (!is_held(o, o->root)) {
		set_span(ret, none_of_it, all_of_it);
		return OK;
	}
	e = graph_group_share(o->view->graph, o->scratch, o->root, &group, o->g->inquiry.arena, &found);
	if (e == ERR_CONFLICT) {
		warn_ring(project, warnings);
		set_span(ret, none_of_it, all_of_it);
		return OK;
	}
	if (e != OK)
		return e;
	set_span(ret, (struct supply_owned_share){ found.pct.min, found.min },
		 (struct supply_owned_share){ found.pct.max, found.max });
	return judge_coarse(o, project, found.coarse, warnings);
}

enum err supply_owned(struct supply_get *g, const struct supply_project *project, int year, struct supply_warnings *warnings,
		      struct supply_owned *ret)
{
	const struct supply_question *q = &g->question;
	struct owned o;
	bool there;
	enum err e = owned_open(g, project, &o, &there);

	if (e != OK)
		return e;
	if (!there) {
		set_span(&ret->list, none_of_it, all_of_it);
		set_span(&ret->alliance, none_of_it, all_of_it);
		return OK;
	}
	if (q->of)
		e = set_share(&o, project, q->list, year, warnings, &ret->list);
	if (e == OK && q->alliance)
		e = set_share(&o, project, q->members, year, warnings, &ret->alliance);
	owned_close(&o);
	return e;
}

/* --- whose it is --- */

/* The owner that a node counts to: its country, its state, or itself. */
static enum err owner_of(const struct owned *o, uint32_t local, struct supply_portions *p, uint32_t *ret)
{
	struct graph_node node;
	const char *key = NULL;
	char id[UUID_TEXT_SIZE];

	node_of(o, local, &node);
	if (o->g->asked.group == SUPPLY_BY_HOLDER)
		key = node.slug;
	else if (o->g->asked.group == SUPPLY_BY_COUNTRY && node.country[0])
		key = arena_strndup(p->arena, node.country, 2);
	else if (o->g->asked.group == SUPPLY_BY_STATE && node.state[0])
		key = arena_strndup(p->arena, node.state, 2);
	*ret = supply_portions_owner(p, key);
	if (*ret == SUPPLY_NONE)
		return ERR_NOMEM;
	if (o->g->asked.group == SUPPLY_BY_HOLDER && !p->owners[*ret].resource) {
		struct supply_owner *owner = &p->owners[*ret];

		uuid_to_text(&node.id, id);
		owner->resource = inquiry_resource(node.resource);
		owner->holder = (struct supply_node){ .id = arena_strdup(p->arena, id),
						      .slug = node.slug ? arena_strdup(p->arena, node.slug) : NULL,
						      .name = node.name ? arena_strdup(p->arena, node.name) : NULL };
		owner->key = owner->holder.slug;
	}
	return arena_failed(p->arena) ? ERR_NOMEM : OK;
}

struct division {
	struct supply_owner_share *shares;
	size_t n;
	struct supply_owned_share unexplained_min, unexplained_max;
};

/* A figure with the owner that its node counts to. */
struct owned_figure {
	const struct graph_figure *figure;
	uint32_t owner;
};

static int by_owner(const void *left, const void *right)
{
	const struct owned_figure *l = left, *r = right;

	if (l->owner != r->owner)
		return l->owner < r->owner ? -1 : 1;
	return l->figure->node < r->figure->node ? -1 : l->figure->node > r->figure->node;
}

/* What the n holders of one owner have together: one counts as it is, of more the engine says it. `parties` has room for n. */
static enum err together(const struct owned *o, const struct owned_figure *figures, size_t n, uint32_t *parties,
			 struct supply_owner_share *ret, bool *ret_coarse)
{
	const struct graph_question question = {
		.method = GRAPH_INTEGRATED, .budget = o->g->inquiry.steps, .parties = parties, .parties_count = n
	};
	const struct graph_group_question group = { .question = &question, .threshold = { 1, 2 } };
	const struct graph_figure *first = figures[0].figure;
	struct graph_group found = { .min = first->min, .max = first->max, .pct = first->pct };
	enum err e = OK;

	for (size_t k = 0; k < n; k++)
		parties[k] = figures[k].figure->node;
	if (n > 1)
		e = graph_group_share(o->view->graph, o->scratch, o->root, &group, o->g->inquiry.arena, &found);
	*ret = (struct supply_owner_share){ .owner = figures[0].owner,
					    .min = { found.pct.min, found.min },
					    .max = { found.pct.max, found.max } };
	*ret_coarse = *ret_coarse || found.coarse;
	return e;
}

static enum err by_shares(const struct owned *o, const struct supply_project *project, struct supply_warnings *warnings,
			  struct supply_portions *p, struct division *ret)
{
	const struct graph_question question = { .method = GRAPH_INTEGRATED, .budget = o->g->inquiry.steps };
	struct graph_figures figures = { 0 };
	struct owned_figure *owned;
	uint32_t *parties;
	size_t n = 0, end;
	enum err e = graph_owners(o->view->graph, o->scratch, o->root, &question, o->g->inquiry.arena, &figures);

	ret->unexplained_min = ret->unexplained_max = all_of_it;
	if (e == ERR_CONFLICT)
		warn_ring(project, warnings);
	if (e != OK)
		return e == ERR_CONFLICT ? OK : e;
	owned = arena_alloc(p->arena, figures.count * sizeof(*owned));
	parties = arena_alloc(p->arena, figures.count * sizeof(*parties));
	ret->shares = arena_alloc(p->arena, figures.count * sizeof(*ret->shares));
	if (!owned || !parties || !ret->shares)
		return ERR_NOMEM;
	ret->unexplained_min = (struct supply_owned_share){ figures.unexplained_pct.min, figures.unexplained_min };
	ret->unexplained_max = (struct supply_owned_share){ figures.unexplained_pct.max, figures.unexplained_max };
	for (size_t k = 0; e == OK && k < figures.count; k++) {
		const struct graph_figure *f = &figures.items[k];

		if (f->pct.max <= 0 || f->node == o->root || is_held(o, f->node))
			continue;
		owned[n].figure = f;
		e = owner_of(o, f->node, p, &owned[n++].owner);
	}
	if (e == OK)
		qsort(owned, n, sizeof(*owned), by_owner);
	for (size_t k = 0; e == OK && k < n; k = end) {
		for (end = k + 1; end < n && owned[end].owner == owned[k].owner;)
			end++;
		e = together(o, owned + k, end - k, parties, &ret->shares[ret->n++], &figures.coarse);
	}
	return e == OK ? judge_coarse(o, project, figures.coarse, warnings) : e;
}

/* Who controls a node, itself left out; `certain` those that do at the minima, too. */
static enum err controllers(const struct owned *o, uint32_t subject, bool certain, uint32_t **ret, size_t *ret_n)
{
	const struct graph_question question = { .method = GRAPH_CONTROL,
						 .threshold = { 1, 2 },
						 .budget = o->g->inquiry.steps };
	struct graph_figures figures = { 0 };
	enum err e = graph_owners(o->view->graph, o->scratch, subject, &question, o->g->inquiry.arena, &figures);

	if (e != OK)
		return e;
	*ret_n = 0;
	*ret = arena_alloc(o->g->inquiry.arena, figures.count * sizeof(**ret));
	if (!*ret)
		return ERR_NOMEM;
	for (size_t k = 0; k < figures.count; k++)
		if (figures.items[k].node != subject && (figures.items[k].certain || !certain))
			(*ret)[(*ret_n)++] = figures.items[k].node;
	return OK;
}

/* Those who control the project and are controlled by nobody. */
static enum err ultimate_controllers(const struct owned *o, bool certain, uint32_t **ret, size_t *ret_n)
{
	uint32_t *all = NULL, *above = NULL;
	size_t n = 0, n_above = 0, used = 0;
	enum err e = controllers(o, o->root, certain, &all, &n);

	for (size_t k = 0; e == OK && k < n; k++) {
		e = controllers(o, all[k], certain, &above, &n_above);
		if (e == OK && n_above == 0)
			all[used++] = all[k];
	}
	*ret = all;
	*ret_n = used;
	return e;
}

static enum err by_control(const struct owned *o, struct supply_portions *p, struct division *ret)
{
	uint32_t *sure, *possible;
	size_t n_sure, n_possible;
	enum err e = ultimate_controllers(o, true, &sure, &n_sure);

	if (e == OK)
		e = ultimate_controllers(o, false, &possible, &n_possible);
	if (e != OK)
		return e;
	ret->shares = arena_alloc(p->arena, (n_sure + n_possible) * sizeof(*ret->shares));
	if (!ret->shares)
		return ERR_NOMEM;
	ret->unexplained_min = ret->unexplained_max = all_of_it;
	if (n_sure == n_possible && (n_sure != 1 || sure[0] == possible[0])) {
		/* the same whatever is not known; nobody, or several, is not one */
		if (n_sure != 1)
			return OK;
		ret->unexplained_min = ret->unexplained_max = none_of_it;
		ret->shares[0] = (struct supply_owner_share){ .min = all_of_it, .max = all_of_it };
		ret->n = 1;
		return owner_of(o, sure[0], p, &ret->shares[0].owner);
	}
	ret->unexplained_min = none_of_it;
	for (size_t k = 0; e == OK && k < n_sure + n_possible; k++) {
		uint32_t owner;
		bool before = false;

		e = owner_of(o, k < n_sure ? sure[k] : possible[k - n_sure], p, &owner);
		if (e != OK)
			break;
		for (size_t i = 0; i < ret->n; i++)
			before = before || ret->shares[i].owner == owner;
		if (!before)
			ret->shares[ret->n++] = (struct supply_owner_share){ .owner = owner, .max = all_of_it };
	}
	return e;
}

static enum err divide_project(struct supply_get *g, const struct supply_project *project, struct supply_warnings *warnings,
			       struct supply_portions *p, struct division *ret)
{
	struct owned o;
	bool there;
	enum err e = owned_open(g, project, &o, &there);

	*ret = (struct division){ .unexplained_min = all_of_it, .unexplained_max = all_of_it };
	if (e != OK || !there)
		return e;
	if (is_held(&o, o.root))
		e = g->asked.control ? by_control(&o, p, ret) : by_shares(&o, project, warnings, p, ret);
	owned_close(&o);
	return e;
}

enum err supply_divide(struct supply_get *g, const struct supply_plants *plants, const struct supply_chosen *chosen,
		       struct supply_warnings *warnings, struct supply_portions *p)
{
	bool *done = arena_alloc(p->arena, chosen->count * sizeof(*done));
	enum err e = done ? OK : ERR_NOMEM;

	for (uint32_t i = 0; e == OK && i < chosen->count; i++) {
		uint32_t project = plants->outputs[chosen->outputs[i]].project;
		struct division division;

		if (done[i])
			continue;
		e = divide_project(g, &plants->projects[project], warnings, p, &division);
		for (uint32_t k = i; e == OK && k < chosen->count; k++) {
			if (plants->outputs[chosen->outputs[k]].project != project)
				continue;
			done[k] = true;
			e = supply_portions_divide(p, k, division.shares, division.n, division.unexplained_min,
						   division.unexplained_max);
		}
	}
	return e;
}

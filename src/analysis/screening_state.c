/* A holder of whom the governments of one state have so much: the two stages of cfius-substantial-interest. A government is a party
 * that has a `state`; the parties of one state are one. A party is wholly its own state's. */
#include "screening_ask.h"

#include <stdlib.h>
#include <string.h>

struct state_group {
	char state[2]; /* zeros: a state of which nobody is on file */
	uint32_t *organs; /* local, by id */
	size_t n;
};

struct organ {
	uint32_t local;
	size_t group;
};

struct stages {
	struct screen *s;
	const struct screen_above *x;
	struct screen_question of_subject, of_holder;
	struct state_group *groups; /* the last one is the one of nobody */
	size_t n_groups;
	struct organ *organs; /* by local number */
	size_t n_organs;
	bool *is_behind; /* by group: some organ is at or above the holder at hand */
	const char *least_pct;
	struct screen_test *ret;
	struct answer **ret_problem;
};

static int by_local(const void *left, const void *right)
{
	const struct organ *l = left, *r = right;

	return l->local < r->local ? -1 : l->local > r->local;
}

static size_t group_of(struct stages *g, const char state[2])
{
	size_t k = 0;

	while (k < g->n_groups && memcmp(g->groups[k].state, state, 2) != 0)
		k++;
	if (k == g->n_groups)
		memcpy(g->groups[g->n_groups++].state, state, 2);
	return k;
}

static enum err group_states(struct stages *g, const uint32_t *parties, size_t n)
{
	struct arena *arena = g->s->i.arena;

	g->groups = arena_alloc(arena, (n + 1) * sizeof(*g->groups));
	g->organs = arena_alloc(arena, (n + 1) * sizeof(*g->organs));
	g->is_behind = arena_alloc(arena, (n + 1) * sizeof(*g->is_behind));
	if (!g->groups || !g->organs || !g->is_behind)
		return ERR_NOMEM;
	for (size_t k = 0; k < n; k++) {
		const struct screen_node *node = &g->x->v->nodes[parties[k]];
		struct state_group *group;

		if (!node->state[0])
			continue;
		g->organs[g->n_organs] = (struct organ){ parties[k], group_of(g, node->state) };
		group = &g->groups[g->organs[g->n_organs++].group];
		if (!group->organs)
			group->organs = arena_alloc(arena, n * sizeof(*group->organs));
		if (!group->organs)
			return ERR_NOMEM;
		group->organs[group->n++] = parties[k];
	}
	qsort(g->organs, g->n_organs, sizeof(*g->organs), by_local);
	return OK;
}

static const struct organ *organ_at(const struct stages *g, uint32_t local)
{
	const struct organ name = { .local = local };

	return g->n_organs > 0 ? bsearch(&name, g->organs, g->n_organs, sizeof(name), by_local) : NULL;
}

/* Which states have organs at or above a holder. */
static bool find_behind(struct stages *g, const struct screen_above *holder)
{
	bool any = false;

	memset(g->is_behind, 0, (g->n_groups + 1) * sizeof(*g->is_behind));
	for (size_t k = 0; k < holder->n; k++) {
		const struct organ *o = organ_at(g, holder->nodes[k]);

		if (!o)
			continue;
		g->is_behind[o->group] = true;
		any = true;
	}
	return any;
}

static enum err ask_interest(struct stages *g, const struct state_group *group, const struct screen_above *holder,
			     struct screen_figure *ret)
{
	const struct organ *o = organ_at(g, holder->subject);

	if (!o || &g->groups[o->group] != group)
		return screen_share(g->s, holder, &g->of_holder, group->organs, group->n, ret, g->ret_problem);
	*ret = (struct screen_figure){
		.pct = { GRAPH_PCT_WHOLE, GRAPH_PCT_WHOLE }, .min_order = 1, .max_order = 1, .exact = true, .party = GRAPH_NONE
	};
	return OK;
}

/* A holder's share counts as far as a state is behind the holder: not at all where it is surely not. */
static void take_holder(struct stages *g, const struct state_group *group, const struct screen_figure *interest,
			const struct screen_figure *share)
{
	enum screening_outcome behind = screen_outcome(g->of_subject.rule, interest);
	struct screen_figure counted = *share;
	uint32_t was = g->ret->figure.party;

	if (behind == SCREENING_CLEAR)
		return;
	if (behind == SCREENING_INDETERMINATE) {
		counted.pct.min = 0;
		counted.min_order = -1;
		counted.exact = counted.exact && interest->exact;
	}
	screen_take(g->of_subject.rule, &g->ret->figure, &counted);
	if (g->ret->figure.party == was || g->ret->figure.party != counted.party)
		return;
	g->ret->interest = (struct screen_interest){ .is_set = true, .pct = interest->pct, .threshold_pct = g->least_pct };
	memcpy(g->ret->interest.state, group->state, 2);
}

/* Whether a holder's share could add to what was found. Without an organ behind the holder its minimum cannot. */
static bool adds(const struct stages *g, const struct screen_figure *share, bool organs)
{
	const struct screen_figure *f = &g->ret->figure;

	return !share->exact || share->pct.max > f->pct.max || share->max_order > f->max_order ||
	       (organs && (share->pct.min > f->pct.min || share->min_order > f->min_order));
}

static enum err ask_holder(struct stages *g, uint32_t local)
{
	struct screen_above holder;
	struct screen_figure share, interest;
	bool organs;
	enum err e;

	/* nobody is behind those whom nobody holds; and the subject does not hold itself */
	if (!organ_at(g, local) && (local == g->x->subject || !graph_held(g->x->v->view->graph, local)))
		return OK;
	e = screen_walk(g->s, g->x->v, local, &holder);
	if (e != OK)
		return e;
	organs = find_behind(g, &holder);
	if (!organs && g->ret->figure.pct.max == GRAPH_PCT_WHOLE)
		return OK;
	e = screen_share(g->s, g->x, &g->of_subject, &local, 1, &share, g->ret_problem);
	if (e != OK || *g->ret_problem || !adds(g, &share, organs))
		return e;
	for (size_t k = 0; k <= g->n_groups; k++) {
		if (organs ? !g->is_behind[k] : k < g->n_groups)
			continue;
		e = ask_interest(g, &g->groups[k], &holder, &interest);
		if (e != OK || *g->ret_problem)
			return e;
		take_holder(g, &g->groups[k], &interest, &share);
	}
	return OK;
}

enum err screen_state_behind_holder(struct screen *s, const struct screen_above *x, const struct screen_question *q,
				    const uint32_t *parties, size_t n, const char *least_pct, struct screen_test *ret,
				    struct answer **ret_problem)
{
	struct stages g = {
		.s = s,
		.x = x,
		.of_subject = *q,
		.of_holder = *q,
		.least_pct = least_pct,
		.ret = ret,
		.ret_problem = ret_problem,
	};
	enum err e;

	g.of_holder.threshold = ownership_ratio(least_pct);
	e = group_states(&g, parties, n);
	/* somebody who is not on file may hold what no stake explains, and be a government */
	if (e == OK)
		e = screen_share(s, x, q, NULL, 0, &ret->figure, ret_problem);
	for (size_t k = 0; e == OK && !*ret_problem && k < x->n; k++)
		e = ask_holder(&g, x->by_id[k]);
	return e;
}

/* Figures that a rule is about, held against its threshold: what holders have together, or the most that one of them has. The
 * maximum gives them every remainder that no stake explains, and what unnamed holders without owners have, at and above the
 * subject: who is not on file may be one of them. */
#include "screening_ask.h"

#include <stdlib.h>

#define FIGURE_ARENA_MAX ((size_t)2 << 30)
#define TIES_MAX 16 /* of holders whose figures print alike so many are looked at */

struct screen_question screen_question_of(const struct screen *s, const struct screening_rule *rule)
{
	return (struct screen_question){
		.rule = rule,
		.question = { .method = rule->method,
			      .single_entity = rule->single_entity,
			      .threshold = { 1, 2 },
			      .budget = s->budget },
		.threshold = rule->threshold,
		.remainders = true,
	};
}

/* What the graph declined, as a problem of the rule. */
static enum err decline(struct screen *s, const struct screen_above *x, enum err why, const uint32_t *ring, size_t ring_count,
			struct answer **ret)
{
	const struct graph_figures figures = { .ring = ring, .ring_count = ring_count };

	*ret = arena_alloc(s->i.arena, sizeof(**ret));
	if (!*ret)
		return ERR_NOMEM;
	answer_init(*ret, s->i.arena);
	return inquiry_declined(&s->i, x->v->view, why, &figures, *ret);
}

/* Each figure passes what is above its subject. */
static enum err spend(struct screen *s, const struct screen_above *x, struct answer **ret_problem)
{
	s->spent += x->n + x->links;
	if (s->spent <= s->i.steps)
		return OK;
	if (s->i.inline_only)
		return ERR_FULL;
	return decline(s, x, ERR_FULL, NULL, 0, ret_problem);
}

enum err screen_share(struct screen *s, const struct screen_above *x, const struct screen_question *q, const uint32_t *holders,
		      size_t n, struct screen_figure *ret, struct answer **ret_problem)
{
	struct graph_question question = q->question;
	const struct graph_group_question group = { .question = &question,
						    .remainders = q->remainders,
						    .unexplained = q->remainders ? x->v->unexplained : NULL,
						    .threshold = q->threshold };
	struct graph_group found;
	struct arena *arena;
	enum err e = spend(s, x, ret_problem);

	*ret = (struct screen_figure){ .party = n == 1 ? x->v->view->nodes[holders[0]] : GRAPH_NONE };
	if (e != OK || *ret_problem)
		return e;
	if (s->i.cancelled && atomic_load(s->i.cancelled))
		return ERR_UNAVAILABLE;
	question.parties = holders;
	question.parties_count = n;
	arena = arena_new(FIGURE_ARENA_MAX); /* a subject may have very many figures, and none needs another's memory */
	e = arena ? graph_group_share(x->v->view->graph, x->v->scratch, x->subject, &group, arena, &found) : ERR_NOMEM;
	if (e != OK && e != ERR_NOMEM)
		e = decline(s, x, e, found.ring, found.ring_count, ret_problem);
	arena_free(arena);
	if (e != OK || *ret_problem)
		return e;
	if ((found.coarse || !found.exact) && s->i.inline_only)
		return ERR_FULL; /* with more time it may be exact */
	ret->pct = found.pct;
	ret->min_order = found.min_order;
	ret->max_order = found.max_order;
	ret->exact = found.exact;
	ret->coarse = found.coarse;
	return OK;
}

enum screening_outcome screen_outcome(const struct screening_rule *rule, const struct screen_figure *f)
{
	if (!f->exact)
		return SCREENING_INDETERMINATE;
	if (rule->strict ? f->min_order > 0 : f->min_order >= 0)
		return SCREENING_CAUGHT;
	return (rule->strict ? f->max_order <= 0 : f->max_order < 0) ? SCREENING_CLEAR : SCREENING_INDETERMINATE;
}

void screen_take(const struct screening_rule *rule, struct screen_figure *greatest, const struct screen_figure *f)
{
	enum screening_outcome was = screen_outcome(rule, greatest), is = screen_outcome(rule, f);
	bool more = is != was                         ? is > was
		    : is == SCREENING_CAUGHT          ? f->pct.min > greatest->pct.min
		    : f->pct.max != greatest->pct.max ? f->pct.max > greatest->pct.max
						      : f->pct.min > greatest->pct.min;

	if (more)
		greatest->party = f->party;
	if (f->pct.min > greatest->pct.min)
		greatest->pct.min = f->pct.min;
	if (f->pct.max > greatest->pct.max)
		greatest->pct.max = f->pct.max;
	if (f->min_order > greatest->min_order)
		greatest->min_order = f->min_order;
	if (f->max_order > greatest->max_order)
		greatest->max_order = f->max_order;
	/* what is caught by one figure is caught; else each must be told apart from the threshold */
	greatest->exact = is == SCREENING_CAUGHT || was == SCREENING_CAUGHT || (greatest->exact && f->exact);
	greatest->coarse = greatest->coarse || f->coarse;
}

/* --- the greatest of many --- */

struct candidate {
	uint32_t holder; /* local */
	struct graph_pct pct; /* without remainders */
};

static int greatest_first(const void *left, const void *right)
{
	const struct candidate *l = left, *r = right;

	if (l->pct.max != r->pct.max)
		return l->pct.max > r->pct.max ? -1 : 1;
	if (l->pct.min != r->pct.min)
		return l->pct.min > r->pct.min ? -1 : 1;
	return l->holder < r->holder ? -1 : l->holder > r->holder;
}

static int by_holder(const void *left, const void *right)
{
	const struct candidate *l = left, *r = right;

	return l->holder < r->holder ? -1 : l->holder > r->holder;
}

/* The figures of all holders at once, and the most that remainders can add to any. */
static enum err rank(struct screen *s, const struct screen_above *x, const struct screen_question *q,
		     struct candidate *candidates, size_t n, int64_t *ret_more, struct answer **ret_problem)
{
	struct graph_figures figures;
	enum err e = graph_owners(x->v->view->graph, x->v->scratch, x->subject, &q->question, s->i.arena, &figures);

	if (e == ERR_NOMEM)
		return e;
	if (e != OK)
		return decline(s, x, e, figures.ring, figures.ring_count, ret_problem);
	*ret_more = figures.unexplained_pct.max;
	qsort(candidates, n, sizeof(*candidates), by_holder);
	for (size_t k = 0; k < figures.count; k++) {
		const struct graph_figure *f = &figures.items[k];
		const struct candidate name = { .holder = f->node };
		struct candidate *c = bsearch(&name, candidates, n, sizeof(name), by_holder);

		if (c)
			c->pct = f->node == x->subject ? (struct graph_pct){ GRAPH_PCT_WHOLE, GRAPH_PCT_WHOLE } : f->pct;
		if (x->v->unexplained[f->node])
			*ret_more += f->pct.max;
	}
	qsort(candidates, n, sizeof(*candidates), greatest_first);
	return OK;
}

/* By multiplied shares a remainder adds to a figure no more than it has itself: so the greatest are among the first. */
static bool may_be_greater(const struct candidate *c, int64_t more, const struct screen_figure *greatest, unsigned *ties)
{
	int64_t most = c->pct.max + more;

	if (most > GRAPH_PCT_WHOLE)
		most = GRAPH_PCT_WHOLE;
	if (most > greatest->pct.max || c->pct.min > greatest->pct.min)
		return true;
	return (most == greatest->pct.max || c->pct.min == greatest->pct.min) && (*ties)++ < TIES_MAX;
}

enum err screen_greatest(struct screen *s, const struct screen_above *x, const struct screen_question *q,
			 const uint32_t *holders, size_t n, struct screen_figure *ret, struct answer **ret_problem)
{
	bool ranked = q->question.method == GRAPH_INTEGRATED && n > TIES_MAX;
	struct candidate *candidates = arena_alloc(s->i.arena, (n + 1) * sizeof(*candidates));
	struct screen_figure figure;
	int64_t more = 0;
	unsigned ties = 0;
	enum err e = OK;

	if (!candidates)
		return ERR_NOMEM;
	if (n == 0)
		return screen_share(s, x, q, NULL, 0, ret, ret_problem);
	for (size_t k = 0; k < n; k++)
		candidates[k].holder = holders[k];
	if (ranked)
		e = rank(s, x, q, candidates, n, &more, ret_problem);
	for (size_t k = 0; e == OK && !*ret_problem && k < n; k++) {
		if (k > 0 && ranked && !may_be_greater(&candidates[k], more, ret, &ties))
			continue;
		e = screen_share(s, x, q, &candidates[k].holder, 1, &figure, ret_problem);
		if (k == 0)
			*ret = figure;
		else if (e == OK && !*ret_problem)
			screen_take(q->rule, ret, &figure);
	}
	return e;
}

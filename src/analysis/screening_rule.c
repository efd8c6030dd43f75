/* How a rule is asked of a subject.
 *
 * A rule is asked as its fields say: each measure by itself, by its method and tier, of all parties together (any_combination) or of
 * each alone (single); the greatest figure counts. Votes and shares are what is on file; seats on boards and debts are not, and are
 * named (not_tested). What some of the shipped rules say beyond that stands in the table below, by their slugs. */
#include "screening_ask.h"

#include <stdlib.h>
#include <string.h>

enum special {
	BY_FIELDS,
	STATE_BEHIND_HOLDER, /* a holder, in which the governments of one state have together so much */
	TWO_BOUNDS, /* the rule does not say how an indirect share is computed: multiplied at least, by single_entity at most */
	ONE_OR_SEVERAL, /* one by itself, or several together so much */
	ANY_HOLDER, /* whoever has no owner on file, where nobody is named */
	VOTELESS_SHARES, /* what the subject with its subsidiaries has of those who hold it */
};

struct special_rule {
	const char *slug;
	enum special kind;
	const char *second_pct; /* a second threshold */
	bool without_parties; /* can be asked without parties */
};

static const struct special_rule specials[] = {
	{ "cfius-substantial-interest", STATE_BEHIND_HOLDER, "49", false },
	{ "chips-feoc", TWO_BOUNDS, NULL, false },
	{ "obbba-foreign-influenced", ONE_OR_SEVERAL, "40", false },
	{ "boi-25", ANY_HOLDER, NULL, true },
	{ "kr-cross-holding", VOTELESS_SHARES, NULL, true },
};

static const struct special_rule *special_of(const struct screening_rule *rule)
{
	static const struct special_rule none = { "", BY_FIELDS, NULL, false };

	for (size_t k = 0; k < sizeof(specials) / sizeof(specials[0]); k++)
		if (strcmp(specials[k].slug, rule->slug) == 0)
			return &specials[k];
	return &none;
}

bool screening_needs_parties(const struct screening_rule *rule)
{
	return !special_of(rule)->without_parties;
}

static struct screen_figure nothing(struct graph_ratio threshold)
{
	int order = threshold.numerator == 0 ? 0 : -1;

	return (struct screen_figure){ .min_order = order, .max_order = order, .exact = true, .party = GRAPH_NONE };
}

/* One rule of one subject under way, by one measure. */
struct asking {
	struct screen *s;
	struct screen_result *ret;
	const struct screening_rule *rule;
	const struct party_set *parties;
	const struct special_rule *special;
	const struct screen_above *x;
	uint32_t *holders; /* local: the parties at and above the subject */
	size_t n;
};

static struct screen_test *add_test(struct asking *a, enum graph_measure m, bool single)
{
	struct screen_test *t = &a->ret->tests[a->ret->n_tests++];

	*t = (struct screen_test){
		.measure = m, .single = single, .threshold_pct = a->rule->threshold_pct, .threshold = a->rule->threshold
	};
	return t;
}

/* Where nobody is designated nobody has anything, whatever is not on file. */
static struct screen_question question_of(const struct asking *a, const struct screen_test *t)
{
	struct screen_question q = screen_question_of(a->s, a->rule);

	q.threshold = t->threshold;
	q.remainders = !a->parties->asked || !a->parties->empty;
	return q;
}

static enum err ask_test(struct asking *a, struct screen_test *t)
{
	struct screen_question q = question_of(a, t);

	return t->single ? screen_greatest(a->s, a->x, &q, a->holders, a->n, &t->figure, &a->ret->problem)
			 : screen_share(a->s, a->x, &q, a->holders, a->n, &t->figure, &a->ret->problem);
}

static enum err ask_fields(struct asking *a, enum graph_measure m)
{
	return ask_test(a, add_test(a, m, a->rule->single));
}

static enum err ask_one_or_several(struct asking *a, enum graph_measure m)
{
	struct screen_test *one = add_test(a, m, true), *several;
	enum err e = ask_test(a, one);

	if (e != OK || a->ret->problem)
		return e;
	several = add_test(a, m, false);
	several->threshold_pct = a->special->second_pct;
	several->threshold = ownership_ratio(a->special->second_pct);
	return ask_test(a, several);
}

static enum err ask_two_bounds(struct asking *a, enum graph_measure m)
{
	struct screen_test *t = add_test(a, m, a->rule->single);
	struct screen_figure least;
	enum err e;
	struct screen_question q = question_of(a, t);

	q.question.method = GRAPH_INTEGRATED;
	q.question.single_entity = false;
	e = screen_share(a->s, a->x, &q, a->holders, a->n, &least, &a->ret->problem);
	if (e != OK || a->ret->problem)
		return e;
	q.question.method = GRAPH_ATTRIBUTION;
	q.question.single_entity = true;
	e = screen_share(a->s, a->x, &q, a->holders, a->n, &t->figure, &a->ret->problem);
	t->figure.pct.min = least.pct.min;
	t->figure.min_order = least.min_order;
	if (least.pct.max > t->figure.pct.max)
		t->figure.pct.max = least.pct.max;
	if (least.max_order > t->figure.max_order)
		t->figure.max_order = least.max_order;
	t->figure.exact = t->figure.exact && least.exact;
	t->figure.coarse = t->figure.coarse || least.coarse;
	return e;
}

/* Whoever is recorded to have no owner; what unnamed ones have counts as unexplained. */
static enum err ask_any_holder(struct asking *a, enum graph_measure m)
{
	const struct graph *g = a->x->v->view->graph;

	if (a->parties->asked)
		return ask_fields(a, m);
	a->holders = arena_alloc(a->s->i.arena, (a->x->n + 1) * sizeof(*a->holders));
	if (!a->holders)
		return ERR_NOMEM;
	a->n = 0;
	for (size_t k = 1; k < a->x->n; k++)
		if (!graph_held(g, a->x->nodes[k]) && !a->x->v->unexplained[a->x->nodes[k]])
			a->holders[a->n++] = a->x->nodes[k];
	screen_sort(a->x->v, a->holders, a->n);
	return ask_test(a, add_test(a, m, true));
}

/* The subject and its subsidiaries are a closed set of control. What they have of a holder is known to them: remainders are not
 * theirs. */
static enum err ask_voteless_shares(struct asking *a, enum graph_measure m)
{
	const struct graph *g = a->x->v->view->graph;
	struct screen_test *t = add_test(a, m, a->rule->single);
	struct screen_question q = screen_question_of(a->s, a->rule);
	uint32_t first, links = graph_links_of_subject(g, a->x->subject, &first);
	uint32_t *holders = arena_alloc(a->s->i.arena, ((size_t)links + 1) * sizeof(*holders));
	size_t n = 0;
	enum err e = holders ? OK : ERR_NOMEM;

	q.remainders = false;
	a->ret->from_subject = true;
	for (uint32_t l = first; e == OK && l < first + links; l++) {
		uint32_t holder = graph_link(g, l).holder;

		if (holder != a->x->subject && graph_held(g, holder))
			holders[n++] = holder;
	}
	if (e == OK)
		screen_sort(a->x->v, holders, n);
	t->figure = nothing(t->threshold);
	for (size_t k = 0; e == OK && !a->ret->problem && k < n; k++) {
		struct screen_above above;
		struct screen_figure figure;

		e = screen_walk(a->s, a->x->v, holders[k], &above);
		if (e == OK)
			e = screen_share(a->s, &above, &q, &a->x->subject, 1, &figure, &a->ret->problem);
		if (e != OK || a->ret->problem)
			break;
		figure.party = a->x->v->view->nodes[holders[k]];
		screen_take(a->rule, &t->figure, &figure);
	}
	return e;
}

static enum err ask_state_behind_holder(struct asking *a, enum graph_measure m)
{
	struct screen_test *t = add_test(a, m, true);
	struct screen_question q = question_of(a, t);

	a->ret->by_state = true;
	t->figure = nothing(t->threshold);
	if (!a->parties->governs)
		return OK;
	return screen_state_behind_holder(a->s, a->x, &q, a->holders, a->n, a->special->second_pct, t, &a->ret->problem);
}

/* --- the whole --- */

static enum err ask_measure(struct asking *a, enum graph_measure m)
{
	struct screen_above *x;
	enum err e = screen_above(a->s, m, a->ret->exercised, &x, &a->ret->problem);

	if (e != OK || a->ret->problem)
		return e;
	a->x = x;
	e = screen_parties_above(a->s, a->parties, x, &a->holders, &a->n);
	if (e != OK)
		return e;
	switch (a->special->kind) {
	case STATE_BEHIND_HOLDER:
		return ask_state_behind_holder(a, m);
	case TWO_BOUNDS:
		return ask_two_bounds(a, m);
	case ONE_OR_SEVERAL:
		return ask_one_or_several(a, m);
	case ANY_HOLDER:
		return ask_any_holder(a, m);
	case VOTELESS_SHARES:
		return ask_voteless_shares(a, m);
	case BY_FIELDS:
		break;
	}
	return ask_fields(a, m);
}

/* How much of its threshold a test reaches. */
static double reached(const struct screen_test *t)
{
	return (double)t->figure.pct.max / ((double)t->threshold.numerator + 1);
}

static bool decides_before(const struct screen_test *t, const struct screen_test *other)
{
	if (t->outcome != other->outcome)
		return t->outcome > other->outcome;
	if (strcmp(t->threshold_pct, other->threshold_pct) != 0)
		return reached(t) > reached(other);
	if (t->outcome == SCREENING_CAUGHT && t->figure.pct.min != other->figure.pct.min)
		return t->figure.pct.min > other->figure.pct.min;
	return t->figure.pct.max > other->figure.pct.max;
}

/* The rule is met where one of its tests is. Of the tests with the threshold of the one that decided the greatest figure is told. */
static void decide(struct screen_result *r)
{
	bool all_clear = true, none_caught = true;

	for (size_t k = 0; k < r->n_tests; k++) {
		struct screen_test *t = &r->tests[k];

		t->outcome = screen_outcome(r->rule, &t->figure);
		all_clear = all_clear && t->outcome == SCREENING_CLEAR;
		none_caught = none_caught && t->outcome != SCREENING_CAUGHT;
		r->not_exact = r->not_exact || !t->figure.exact;
		r->coarse = r->coarse || t->figure.coarse;
		if (!r->decided || decides_before(t, r->decided))
			r->decided = t;
	}
	r->outcome = !none_caught ? SCREENING_CAUGHT : all_clear && r->decided ? SCREENING_CLEAR : SCREENING_INDETERMINATE;
	r->pct = r->decided ? r->decided->figure.pct : (struct graph_pct){ 0, GRAPH_PCT_WHOLE };
	for (size_t k = 0; k < r->n_tests; k++) {
		const struct screen_test *t = &r->tests[k];

		if (strcmp(t->threshold_pct, r->decided->threshold_pct) != 0)
			continue;
		if (t->figure.pct.min > r->pct.min)
			r->pct.min = t->figure.pct.min;
		if (t->figure.pct.max > r->pct.max)
			r->pct.max = t->figure.pct.max;
	}
}

/* A problem is no figure: anything may be. */
static void give_up(struct screen_result *r)
{
	r->n_tests = 0;
	r->decided = NULL;
	r->not_exact = r->coarse = false;
	decide(r);
}

static enum err list_missing(struct asking *a)
{
	struct answer *problem = arena_alloc(a->s->i.arena, sizeof(*problem));

	if (!problem)
		return ERR_NOMEM;
	answer_init(problem, a->s->i.arena);
	a->ret->problem = problem;
	return answer_problem(problem, 422, "not-found", "%s names a list of designations that is not on file: \"%s\"",
			      a->rule->slug, a->parties->missing);
}

enum err screen_rule(struct screen *s, size_t rule, struct screen_result *ret)
{
	static const char *const names[SCREEN_MEASURES] = { [GRAPH_ECONOMIC] = "\"economic\"", [GRAPH_VOTING] = "\"voting\"" };
	struct asking a = { .s = s,
			    .ret = ret,
			    .rule = s->r->ruled[rule],
			    .parties = &s->parties[rule],
			    .special = special_of(s->r->ruled[rule]) };
	enum screening_contingent contingent = s->r->contingent == CONTINGENT_AS_RULED ? a.rule->contingent : s->r->contingent;
	enum err e = OK;

	*ret = (struct screen_result){ .rule = a.rule, .parties = a.parties, .exercised = contingent == CONTINGENT_EXERCISED };
	s->spent = 0;
	if (a.parties->missing)
		e = list_missing(&a);
	for (unsigned m = 0; e == OK && !ret->problem && m < SCREEN_MEASURES; m++)
		if (strstr(a.rule->measures, names[m]))
			e = ask_measure(&a, (enum graph_measure)m);
	if (e != OK)
		return e;
	if (ret->problem)
		give_up(ret);
	else
		decide(ret);
	return OK;
}

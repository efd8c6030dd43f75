/* The views that a screening looks at: one of all subjects together by each measure, so that what several share is cut out of the
 * register once, and what of it is above the subject at hand. */
#include "screening_ask.h"

#include <stdlib.h>
#include <string.h>

static void view_free(struct screen_view *v)
{
	if (!v)
		return;
	graph_scratch_free(v->scratch);
	graph_view_free(v->view);
	free(v->nodes);
	free(v->unexplained);
	free(v->stamps);
	free(v->ranks);
	free(v->warning_of);
	free(v->next_warning);
	free(v);
}

static enum err prepare(struct screen_view *v)
{
	size_t n = v->view->count;

	v->scratch = graph_scratch_new(v->view->graph);
	v->nodes = calloc(n + 1, sizeof(*v->nodes));
	v->unexplained = calloc(n + 1, 1);
	v->stamps = calloc(n + 1, sizeof(*v->stamps));
	v->ranks = calloc(n + 1, sizeof(*v->ranks));
	v->warning_of = calloc(n + 1, sizeof(*v->warning_of));
	v->next_warning = calloc(v->view->n_warnings + 1, sizeof(*v->next_warning));
	if (!v->scratch || !v->nodes || !v->unexplained || !v->stamps || !v->ranks || !v->warning_of || !v->next_warning)
		return ERR_NOMEM;
	for (size_t k = v->view->n_warnings; k > 0; k--) {
		uint32_t *first = &v->warning_of[v->view->warnings[k - 1].subject];

		v->next_warning[k - 1] = *first;
		*first = (uint32_t)k;
	}
	return OK;
}

static enum err view_new(struct screen *s, enum graph_measure m, bool exercised, const uint32_t *roots, size_t n,
			 struct screen_view **ret)
{
	const struct graph_filter filter = { .valid_at = s->r->valid_day,
					     .stages = ownership_stage("closed"),
					     .measure = m,
					     .exercised = exercised,
					     .overlay = s->i.overlay };
	struct screen_view *v = calloc(1, sizeof(*v));
	struct arena *arena = s->asked->arena; /* a view may outlive the subject at hand */
	struct answer *problem = arena_alloc(arena, sizeof(*problem));
	bool answered = false;
	enum err e = v && problem ? OK : ERR_NOMEM;

	if (e == OK) {
		answer_init(problem, arena);
		e = inquiry_view(&s->i, &filter, GRAPH_ABOVE, roots, n, problem, &v->view, &answered);
	}
	if (e == OK && answered)
		v->problem = problem;
	else if (e == OK)
		e = prepare(v);
	if (e == OK)
		*ret = v;
	else
		view_free(v);
	return e;
}

/* One view serves all subjects, unless one of them spoils it. */
static enum err find_view(struct screen *s, enum graph_measure m, bool exercised, struct screen_view **ret, uint32_t *ret_root)
{
	struct screen_view **shared = &s->shared[m][exercised], **own = &s->own[m][exercised];
	enum err e = OK;

	if (!*shared && !s->split[m][exercised]) {
		e = view_new(s, m, exercised, s->subjects, s->n_subjects, shared);
		if (e == OK && (*shared)->problem && s->n_subjects > 1) {
			answer_done((*shared)->problem);
			view_free(*shared);
			*shared = NULL;
			s->split[m][exercised] = true;
		}
	}
	if (e == OK && s->split[m][exercised] && !*own)
		e = view_new(s, m, exercised, &s->subjects[s->at], 1, own);
	if (e != OK)
		return e;
	*ret = *shared ? *shared : *own;
	if (!(*ret)->problem)
		*ret_root = (*ret)->view->roots[*shared ? s->at : 0];
	return OK;
}

static void read_node(struct screen *s, struct screen_view *v, uint32_t local)
{
	struct screen_node *n = &v->nodes[local];
	struct graph_node node;

	if (n->read)
		return;
	inquiry_node(&s->i, v->view->nodes[local], &node);
	n->read = true;
	n->is_shareholder = node.resource == GRAPH_SHAREHOLDERS;
	n->is_unnamed = n->is_shareholder && node.kind == s->unnamed_kind;
	n->id = node.id;
	for (unsigned k = 0; k < sizeof(v->ranks[local]); k++)
		v->ranks[local] = v->ranks[local] << 8 | node.id.bytes[k];
	memcpy(n->country, node.country, sizeof(n->country));
	memcpy(n->state, node.state, sizeof(n->state));
	v->unexplained[local] = n->is_unnamed && !graph_held(v->view->graph, local);
}

/* Breadth first into an array that grows in the arena of the subject. */
static enum err walk(struct screen *s, struct screen_view *v, uint32_t subject, uint32_t **nodes, size_t *capacity,
		     struct screen_above *ret)
{
	const struct graph *g = v->view->graph;

	*ret = (struct screen_above){ .v = v, .subject = subject };
	if (++v->stamp == 0) { /* the count began anew */
		memset(v->stamps, 0, (v->view->count + 1) * sizeof(*v->stamps));
		v->stamp = 1;
	}
	v->stamps[subject] = v->stamp;
	if (arena_grow(s->i.arena, (void **)nodes, capacity, 1, sizeof(**nodes)) != 0)
		return ERR_NOMEM;
	(*nodes)[ret->n++] = subject;
	for (size_t k = 0; k < ret->n; k++) {
		uint32_t first, links = graph_links_of_subject(g, (*nodes)[k], &first);

		read_node(s, v, (*nodes)[k]);
		ret->links += links;
		for (uint32_t l = first; l < first + links; l++) {
			uint32_t holder = graph_link(g, l).holder;

			if (v->stamps[holder] == v->stamp)
				continue;
			v->stamps[holder] = v->stamp;
			if (arena_grow(s->i.arena, (void **)nodes, capacity, ret->n + 1, sizeof(**nodes)) != 0)
				return ERR_NOMEM;
			(*nodes)[ret->n++] = holder;
		}
	}
	ret->nodes = *nodes;
	return OK;
}

enum err screen_walk(struct screen *s, struct screen_view *v, uint32_t subject, struct screen_above *ret)
{
	return walk(s, v, subject, &s->walked, &s->walked_capacity, ret);
}

enum err screen_above(struct screen *s, enum graph_measure m, bool exercised, struct screen_above **ret,
		      struct answer **ret_problem)
{
	struct screen_view *v;
	uint32_t root = 0, *nodes = NULL;
	size_t capacity = 0;
	enum err e = OK;

	*ret_problem = NULL;
	*ret = s->above[m][exercised];
	if (*ret)
		return OK;
	e = find_view(s, m, exercised, &v, &root);
	if (e != OK)
		return e;
	*ret_problem = v->problem;
	if (v->problem)
		return OK;
	*ret = arena_alloc(s->i.arena, sizeof(**ret));
	e = *ret ? walk(s, v, root, &nodes, &capacity, *ret) : ERR_NOMEM;
	if (e == OK && !((*ret)->by_id = arena_alloc(s->i.arena, (*ret)->n * sizeof(*(*ret)->by_id))))
		e = ERR_NOMEM;
	if (e != OK)
		return e;
	memcpy((*ret)->by_id, (*ret)->nodes, (*ret)->n * sizeof(*(*ret)->by_id));
	screen_sort(v, (*ret)->by_id, (*ret)->n);
	s->above[m][exercised] = *ret;
	return OK;
}

static void free_views(struct screen_view *views[SCREEN_MEASURES][2])
{
	for (unsigned m = 0; m < SCREEN_MEASURES; m++)
		for (unsigned x = 0; x < 2; x++) {
			if (views[m][x] && views[m][x]->problem)
				answer_done(views[m][x]->problem);
			view_free(views[m][x]);
			views[m][x] = NULL;
		}
}

void screen_subject_done(struct screen *s)
{
	free_views(s->own);
	memset(s->above, 0, sizeof(s->above));
	s->walked = NULL;
	s->walked_capacity = 0;
}

void screen_done(struct screen *s)
{
	screen_subject_done(s);
	free_views(s->shared);
}

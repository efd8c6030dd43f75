/* simple_paths and weakest_link: a walk over all paths that repeat no node, with a stack of its own. */
#include "internal.h"

#define STEPS 6 /* that a link counts for: about as long as six links of a plain walk */
#define EXACT_STEPS 100000 /* walks up to this many are redone in fractions */

struct step {
	uint32_t local, place; /* the next link to look at */
	struct num value[2]; /* of the path so far, by bound */
};

struct walk {
	struct task *t;
	struct nums *pool;
	struct step *stack;
	size_t depth, capacity, steps, budget;
	uint8_t *passed;
	struct num *sum[2]; /* by local index */
	const struct group_set *set; /* paths end at its members; NULL: at every node */
	struct num total[2]; /* of the set */
	bool weakest;
	enum bound first; /* BOUND_MAX where both ends are the same */
};

static enum err walk_init(struct walk *w, struct task *t, const struct group_set *set, struct nums *pool)
{
	size_t n = t->region.count;

	*w = (struct walk){ .t = t, .set = set, .pool = pool, .weakest = t->q->method == GRAPH_WEAKEST_LINK };
	w->budget = pool ? EXACT_STEPS : t->q->budget;
	w->passed = arena_alloc(t->a, n);
	w->first = set || t->g->ranges ? BOUND_MIN : BOUND_MAX;
	w->sum[BOUND_MAX] = arena_alloc(t->a, n * sizeof(struct num));
	w->sum[BOUND_MIN] = w->first == BOUND_MAX ? w->sum[BOUND_MAX] : arena_alloc(t->a, n * sizeof(struct num));
	return w->passed && w->sum[BOUND_MIN] && w->sum[BOUND_MAX] ? OK : ERR_NOMEM;
}

/* A path's value, to which a share is added at its end. */
static void extend(const struct walk *w, struct num *value, const struct num *share)
{
	if (!w->weakest)
		num_mul(w->pool, value, share);
	else if (num_compare(w->pool, share, value) < 0)
		num_set(w->pool, value, share);
}

/* The least share multiplies nothing: it is taken as recorded. Where the set is given every remainder, that is more than any
 * holder could make of it, so the others have their minima. */
static void share_of(const struct walk *w, enum bound bound, uint32_t link, struct num *ret)
{
	const struct graph *g = w->t->g;

	if (w->set && w->set->remainders)
		bound = BOUND_MIN;
	if (!w->weakest) {
		link_num(g, w->pool, bound, link, ret);
		return;
	}
	ret->value = g->weight[bound][link];
	if (w->pool)
		exact_link(g, bound, link, nums_of(w->pool, ret));
}

static enum err enter(struct walk *w, uint32_t local, const uint32_t *link)
{
	const struct graph *g = w->t->g;
	uint32_t node = w->t->region.nodes[local];
	struct step *top;

	if (arena_grow(w->t->a, (void **)&w->stack, &w->capacity, w->depth + 1, sizeof(*w->stack)) != 0)
		return ERR_NOMEM;
	top = &w->stack[w->depth];
	top->local = local;
	top->place = links_begin(g, w->t->direction, node);
	for (int bound = (int)w->first; bound <= BOUND_MAX; bound++) {
		struct num share = { 0 };

		if (!link) {
			num_set_whole(w->pool, &top->value[bound], 1);
			continue;
		}
		num_set(w->pool, &top->value[bound], &top[-1].value[bound]);
		share_of(w, (enum bound)bound, *link, &share);
		extend(w, &top->value[bound], &share);
	}
	if (top->value[BOUND_MAX].value <= 0)
		return OK;
	w->depth++;
	w->passed[local] = 1;
	return OK;
}

/* What a path that has just been entered adds. */
static void count(struct walk *w)
{
	struct step *top = &w->stack[w->depth - 1];
	struct num room = { 0 };

	if (!w->set) {
		for (int bound = (int)w->first; bound <= BOUND_MAX; bound++)
			num_add(w->pool, &w->sum[bound][top->local], &top->value[bound]);
		return;
	}
	if (w->set->low[top->local])
		num_add(w->pool, &w->total[BOUND_MIN], &top->value[BOUND_MIN]);
	if (w->set->high[top->local])
		num_add(w->pool, &w->total[BOUND_MAX], &top->value[BOUND_MAX]);
	if (w->set->remainders && !w->set->high[top->local] && node_held(w->t->g, w->t->region.nodes[top->local])) {
		struct num value = { 0 };

		num_set(w->pool, &value, &top->value[BOUND_MAX]);
		room_num(w->t->g, w->pool, w->t->region.nodes[top->local], &room);
		extend(w, &value, &room);
		num_add(w->pool, &w->total[BOUND_MAX], &value);
	}
	if (w->set->low[top->local]) { /* a party: nothing behind it counts again */
		w->passed[top->local] = 0;
		w->depth--;
	}
}

static enum err walk_all(struct walk *w)
{
	struct task *t = w->t;
	enum err e = enter(w, 0, NULL);

	if (e == OK && w->set)
		count(w);
	while (e == OK && w->depth > 0) {
		struct step *top = &w->stack[w->depth - 1];
		uint32_t link, next;
		size_t depth = w->depth;

		if (top->place == links_end(t->g, t->direction, t->region.nodes[top->local])) {
			w->passed[top->local] = 0;
			w->depth--;
			continue;
		}
		link = link_at(t->g, t->direction, top->place++);
		next = region_local(t->s, link_end(t->g, t->direction, link));
		if (over_budget(w->steps += STEPS, w->budget))
			return ERR_FULL;
		if (w->passed[next])
			continue;
		e = enter(w, next, &link);
		if (e == OK && w->depth > depth)
			count(w);
	}
	return e;
}

static quad at_most_one(quad value)
{
	return quad_min(value, 1);
}

/* All figures in fractions, once. ERR_FULL: too much. */
static enum err redo(struct task *t, enum bound bound, uint32_t local, mpq_ptr ret)
{
	struct nums pool;
	struct walk w;
	enum err e;

	nums_init(&pool, t->a);
	e = walk_init(&w, t, NULL, &pool);
	if (e == OK)
		e = walk_all(&w);
	if (e == OK && !pool.failed)
		mpq_set(ret, nums_of(&pool, &w.sum[bound][local]));
	if (e == OK && mpq_cmp_ui(ret, 1, 1) > 0)
		mpq_set_ui(ret, 1, 1);
	if (pool.failed)
		e = ERR_FULL;
	nums_clear(&pool);
	t->redone += 100 + w.steps;
	return e;
}

enum err simple_figures(struct task *t)
{
	struct walk w;
	enum err e = walk_init(&w, t, NULL, NULL);

	if (e == OK)
		e = walk_all(&w);
	for (uint32_t i = 1; e == OK && i < t->region.count; i++) {
		quad min = at_most_one(w.sum[BOUND_MIN][i].value), max = at_most_one(w.sum[BOUND_MAX][i].value);

		e = task_figure(t, i, min, max, redo);
	}
	return e;
}

enum err simple_group(struct task *t, const struct group_set *set, struct nums *pool, struct num ret[2])
{
	struct walk w;
	enum err e = walk_init(&w, t, set, pool);

	if (e == OK)
		e = walk_all(&w);
	if (e != OK)
		return e;
	num_set(pool, &ret[BOUND_MIN], &w.total[BOUND_MIN]);
	num_set(pool, &ret[BOUND_MAX], &w.total[BOUND_MAX]);
	return OK;
}

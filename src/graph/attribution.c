/* Attribution: groups of at least 1/2 count as one, along routes that enter nothing twice. */
#include "internal.h"

#define EXACT_STEPS 50000 /* routes up to this many links are redone in fractions */

struct group {
	uint32_t *members;
	uint32_t count;
	bool known;
};

struct child {
	uint32_t local;
	struct num share; /* what the group holds of it directly */
};

struct frame {
	struct num sum, share; /* of this group; of it in the frame below */
	size_t first_passed; /* what it passed: undone when it is left */
	size_t first_child, next_child, end_child;
};

struct attribution {
	struct task *t;
	struct nums *pool;
	struct closure closure;
	struct group *groups; /* by local index, of one bound */
	uint8_t *passed, *useful; /* useful: the subject at hand lies below it */
	struct num *gathered;
	uint32_t subject; /* local */
	uint32_t *marks, marks_count;
	struct frame *frames;
	struct child *children;
	uint32_t *undo;
	size_t frames_count, frames_capacity, children_count, children_capacity, undo_count, steps, budget;
};

static const struct graph_ratio half = { 1, 2 };

static enum err init(struct attribution *x, struct task *t, struct nums *pool)
{
	size_t n = t->region.count;

	*x = (struct attribution){ .t = t, .pool = pool, .budget = pool ? EXACT_STEPS : t->q->budget };
	x->groups = arena_alloc(t->a, n * sizeof(*x->groups));
	x->passed = arena_alloc(t->a, n);
	x->useful = arena_alloc(t->a, n);
	x->gathered = arena_alloc(t->a, n * sizeof(*x->gathered));
	x->marks = arena_alloc(t->a, n * sizeof(uint32_t));
	x->undo = arena_alloc(t->a, n * sizeof(uint32_t));
	if (!x->groups || !x->passed || !x->useful || !x->gathered || !x->marks || !x->undo)
		return ERR_NOMEM;
	return closure_init(&x->closure, t->g, t->s, &t->region, half, true, t->a);
}

static enum err group_of(struct attribution *x, enum bound bound, uint32_t local, const struct group **ret)
{
	struct group *group = &x->groups[local];
	enum err e;

	if (!group->known) {
		e = closure_run(&x->closure, bound, &local, 1);
		if (e != OK)
			return e;
		group->count = x->closure.queue_count;
		group->members = arena_alloc(x->t->a, group->count * sizeof(uint32_t));
		if (!group->members)
			return ERR_NOMEM;
		for (uint32_t i = 0; i < group->count; i++)
			group->members[i] = x->closure.queue[i];
		group->known = true;
	}
	x->steps += group->count;
	*ret = group;
	return OK;
}

static bool has_subject(const struct attribution *x, const uint32_t *members, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (members[i] == x->subject)
			return true;
	}
	return false;
}

static enum err gather_share(struct attribution *x, uint32_t held, const struct num *share)
{
	if (x->gathered[held].value <= 0) {
		if (arena_grow(x->t->a, (void **)&x->children, &x->children_capacity, x->children_count + 1,
			       sizeof(*x->children)) != 0)
			return ERR_NOMEM;
		x->children[x->children_count++].local = held;
	}
	num_add(x->pool, &x->gathered[held], share);
	return OK;
}

static enum err gather(struct attribution *x, enum bound bound, uint32_t holder)
{
	const struct task *t = x->t;
	const struct graph *g = t->g;
	uint32_t node = t->region.nodes[holder];
	enum err e = OK;

	for (uint32_t place = g->down_start[node]; e == OK && place < g->down_start[node + 1]; place++) {
		uint32_t link = g->down_link[place], held = region_local(t->s, g->subject[link]);
		struct num share = { 0 };

		x->steps += 3;
		if (held == NONE || x->passed[held] || !x->useful[held])
			continue;
		link_num(g, x->pool, bound, link, &share);
		if (share.value > 0)
			e = gather_share(x, held, &share);
	}
	return e;
}

/* The set is given all that is unexplained. */
static enum err gather_remainders(struct attribution *x)
{
	const struct task *t = x->t;
	enum err e = OK;

	for (uint32_t i = 0; e == OK && i < t->region.count; i++) {
		struct num room = { 0 };

		if (x->passed[i] || !x->useful[i] || !node_held(t->g, t->region.nodes[i]))
			continue;
		room_num(t->g, x->pool, t->region.nodes[i], &room);
		if (room.value > 0)
			e = gather_share(x, i, &room);
	}
	return e;
}

/* A route enters a group, of which the one before has this share. remainders: it is the set's, and has its minima and the rest. */
static enum err enter(struct attribution *x, enum bound bound, const uint32_t *members, uint32_t count, const struct num *share,
		      bool remainders)
{
	struct frame *frame;
	enum err e = OK;

	if (arena_grow(x->t->a, (void **)&x->frames, &x->frames_capacity, x->frames_count + 1, sizeof(*x->frames)) != 0)
		return ERR_NOMEM;
	frame = &x->frames[x->frames_count++];
	frame->first_passed = x->undo_count;
	frame->first_child = x->children_count;
	num_set_whole(x->pool, &frame->sum, 0);
	num_set(x->pool, &frame->share, share);
	for (uint32_t i = 0; i < count; i++) {
		if (x->passed[members[i]])
			continue; /* what it holds is not counted again */
		x->passed[members[i]] = 1;
		x->undo[x->undo_count++] = members[i];
	}
	for (size_t i = frame->first_passed; e == OK && i < x->undo_count; i++)
		e = gather(x, remainders ? BOUND_MIN : bound, x->undo[i]);
	if (e == OK && remainders)
		e = gather_remainders(x);
	frame->next_child = frame->first_child;
	frame->end_child = x->children_count;
	for (size_t i = frame->first_child; i < frame->end_child; i++) {
		struct num *gathered = &x->gathered[x->children[i].local];

		num_set(x->pool, &x->children[i].share, gathered);
		num_set_whole(x->pool, gathered, 0);
	}
	return e;
}

/* The sum over all routes that begin at these, as one; the subject is not of them. */
static enum err routes(struct attribution *x, enum bound bound, const uint32_t *members, uint32_t count, bool remainders,
		       struct num *ret)
{
	struct num whole = { 0 };
	enum err e;

	num_set_whole(x->pool, &whole, 1);
	e = enter(x, bound, members, count, &whole, remainders);
	while (e == OK && x->frames_count > 0) {
		struct frame *top = &x->frames[x->frames_count - 1];
		const struct group *group;

		if (over_budget(x->steps + x->closure.steps, x->budget))
			return ERR_FULL;
		if (top->next_child < top->end_child) {
			struct child *child = &x->children[top->next_child++];

			e = group_of(x, bound, child->local, &group);
			if (e == OK && has_subject(x, group->members, group->count))
				num_add(x->pool, &top->sum, &child->share);
			else if (e == OK)
				e = enter(x, bound, group->members, group->count, &child->share, false);
			continue;
		}
		while (x->undo_count > top->first_passed)
			x->passed[x->undo[--x->undo_count]] = 0;
		x->children_count = top->first_child;
		if (--x->frames_count > 0)
			num_add_product(x->pool, &x->frames[x->frames_count - 1].sum, &top->sum, &top->share);
		else
			num_set(x->pool, ret, &top->sum);
	}
	return e;
}

static enum err figure(struct attribution *x, enum bound bound, uint32_t holder, struct num *ret)
{
	const struct group *group;
	enum err e = OK;

	if (!x->t->q->single_entity) {
		e = routes(x, bound, &holder, 1, false, ret); /* its first link is its own and never promoted */
	} else {
		e = group_of(x, bound, holder, &group);
		if (e == OK && has_subject(x, group->members, group->count))
			num_set_whole(x->pool, ret, 1);
		else if (e == OK)
			e = routes(x, bound, group->members, group->count, false, ret);
	}
	return e;
}

/* Marks what lies above the subject, within the region. */
static void mark_useful(struct attribution *x, uint32_t subject)
{
	const struct task *t = x->t;
	const struct graph *g = t->g;

	for (uint32_t i = 0; i < x->marks_count; i++)
		x->useful[x->marks[i]] = 0;
	x->subject = subject;
	x->marks[0] = subject;
	x->marks_count = 1;
	x->useful[subject] = 1;
	for (uint32_t done = 0; done < x->marks_count; done++) {
		uint32_t node = t->region.nodes[x->marks[done]];

		for (uint32_t l = g->up_start[node]; l < g->up_start[node + 1]; l++) {
			uint32_t holder = region_local(t->s, g->holder[l]);

			x->steps++;
			if (holder == NONE || x->useful[holder])
				continue;
			x->useful[holder] = 1;
			x->marks[x->marks_count++] = holder;
		}
	}
}

/* One end of one figure in fractions. */
static enum err redo_end(struct task *t, enum bound bound, uint32_t local, mpq_ptr ret)
{
	struct attribution x;
	struct nums pool;
	struct num value = { 0 };
	enum err e;

	nums_init(&pool, t->a);
	e = init(&x, t, &pool);
	if (e == OK) {
		mark_useful(&x, t->direction == UP ? 0 : local);
		e = figure(&x, bound, t->direction == UP ? local : 0, &value);
		t->redone += 100 + x.steps + x.closure.steps;
	}
	if (e == OK && !pool.failed)
		mpq_set(ret, nums_of(&pool, &value));
	if (e == OK && mpq_cmp_ui(ret, 1, 1) > 0)
		mpq_set_ui(ret, 1, 1);
	if (pool.failed)
		e = ERR_FULL;
	nums_clear(&pool);
	return e;
}

/* Not monotone in loops: the lesser of the two. */
static enum err redo(struct task *t, enum bound bound, uint32_t local, mpq_ptr ret)
{
	mpq_t other;
	enum err e = redo_end(t, BOUND_MIN, local, ret);

	if (e != OK || !t->g->ranges)
		return e;
	mpq_init(other);
	e = redo_end(t, BOUND_MAX, local, other);
	if (e == OK && (bound == BOUND_MIN ? mpq_cmp(other, ret) < 0 : mpq_cmp(other, ret) > 0))
		mpq_set(ret, other);
	mpq_clear(other);
	return e;
}

enum err attribution_figures(struct task *t)
{
	uint32_t count = t->region.count;
	bool up = t->direction == UP;
	struct num *figures[2];
	struct attribution x;
	enum err e = init(&x, t, NULL);

	figures[BOUND_MIN] = arena_alloc(t->a, count * sizeof(struct num));
	figures[BOUND_MAX] = arena_alloc(t->a, count * sizeof(struct num));
	if (e == OK && (!figures[BOUND_MIN] || !figures[BOUND_MAX]))
		e = ERR_NOMEM;
	for (int bound = BOUND_MIN; e == OK && bound <= BOUND_MAX; bound++) {
		if (bound == BOUND_MAX && !t->g->ranges) {
			figures[BOUND_MAX] = figures[BOUND_MIN];
			break;
		}
		for (uint32_t i = 0; i < count; i++)
			x.groups[i].known = false;
		for (uint32_t i = 1; e == OK && i < count; i++) {
			if (over_budget(x.steps + x.closure.steps, x.budget))
				return ERR_FULL;
			if (!up || i == 1)
				mark_useful(&x, up ? 0 : i);
			e = figure(&x, (enum bound)bound, up ? i : 0, &figures[bound][i]);
			figures[bound][i].value = quad_min(figures[bound][i].value, 1);
		}
	}
	for (uint32_t i = 1; e == OK && i < count; i++) {
		quad min = quad_min(figures[0][i].value, figures[1][i].value);
		quad max = quad_max(figures[0][i].value, figures[1][i].value);

		e = task_figure(t, i, min, max, redo);
	}
	return e;
}

/* The set as one holder, at one bound. */
static enum err set_figure(struct attribution *x, enum bound bound, const struct group_set *set, struct num *ret)
{
	const struct task *t = x->t;
	const uint8_t *member = bound == BOUND_MIN ? set->low : set->high;
	uint32_t *members = arena_alloc(t->a, t->region.count * sizeof(*members)), count = 0;
	bool remainders = bound == BOUND_MAX && set->remainders;
	enum err e;

	if (!members)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < t->region.count; i++) {
		if (member[i])
			members[count++] = i;
		x->groups[i].known = false;
	}
	if (t->q->single_entity) {
		x->closure.remainders = remainders;
		e = closure_run(&x->closure, bound, members, count);
		x->closure.remainders = false;
		if (e != OK)
			return e;
		count = x->closure.queue_count;
		for (uint32_t i = 0; i < count; i++)
			members[i] = x->closure.queue[i];
	}
	if (has_subject(x, members, count)) {
		num_set_whole(x->pool, ret, 1);
		return OK;
	}
	return routes(x, bound, members, count, remainders, ret);
}

enum err attribution_group(struct task *t, const struct group_set *set, struct nums *pool, struct num ret[2])
{
	struct attribution x;
	enum err e = init(&x, t, pool);

	if (e != OK)
		return e;
	mark_useful(&x, 0);
	e = set_figure(&x, BOUND_MIN, set, &ret[BOUND_MIN]);
	if (e == OK)
		e = set_figure(&x, BOUND_MAX, set, &ret[BOUND_MAX]);
	if (e == OK && num_compare(pool, &ret[BOUND_MAX], &ret[BOUND_MIN]) < 0) { /* not monotone in loops */
		struct num low = { 0 };

		num_set(pool, &low, &ret[BOUND_MAX]);
		num_set(pool, &ret[BOUND_MAX], &ret[BOUND_MIN]);
		num_set(pool, &ret[BOUND_MIN], &low);
	}
	return e;
}

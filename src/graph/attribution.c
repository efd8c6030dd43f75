/* Attribution: groups of at least 1/2 count as one, along routes that enter nothing twice. */
#include <math.h>
#include "internal.h"

struct group {
	uint32_t *members;
	uint32_t count;
	bool known;
};

struct child {
	uint32_t local;
	double share; /* what the group holds of it directly */
};

struct frame {
	double sum, share; /* of this group; of it in the frame below */
	size_t first_passed; /* what it passed: undone when it is left */
	size_t first_child, next_child, end_child;
};

struct attribution {
	struct task *t;
	struct closure closure;
	struct group *groups; /* by local index, of one bound */
	uint8_t *passed, *useful; /* useful: the subject at hand lies below it */
	double *gathered;
	uint32_t subject; /* local */
	uint32_t *marks, marks_count;
	struct frame *frames;
	struct child *children;
	uint32_t *undo;
	size_t frames_count, frames_capacity, children_count, children_capacity, undo_count, steps;
};

static const struct graph_ratio half = { 1, 2 };

static enum err init(struct attribution *x, struct task *t)
{
	size_t n = t->region.count;

	*x = (struct attribution){ .t = t };
	x->groups = arena_alloc(t->a, n * sizeof(*x->groups));
	x->passed = arena_alloc(t->a, n);
	x->useful = arena_alloc(t->a, n);
	x->gathered = arena_alloc(t->a, n * sizeof(double));
	x->marks = arena_alloc(t->a, n * sizeof(uint32_t));
	x->undo = arena_alloc(t->a, n * sizeof(uint32_t));
	if (!x->groups || !x->passed || !x->useful || !x->gathered || !x->marks || !x->undo)
		return ERR_NOMEM;
	return closure_init(&x->closure, t->g, t->s, &t->region, half, true, t->a);
}

static enum err group_of(struct attribution *x, enum bound bound, uint32_t local, const struct group **ret)
{
	struct group *group = &x->groups[local];

	if (!group->known) {
		closure_run(&x->closure, bound, &local, 1);
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

static bool has_subject(const struct attribution *x, const struct group *group)
{
	for (uint32_t i = 0; i < group->count; i++) {
		if (group->members[i] == x->subject)
			return true;
	}
	return false;
}

static enum err gather(struct attribution *x, enum bound bound, uint32_t holder)
{
	const struct task *t = x->t;
	const struct graph *g = t->g;
	uint32_t node = t->region.nodes[holder];

	for (uint32_t place = g->down_start[node]; place < g->down_start[node + 1]; place++) {
		uint32_t link = g->down_link[place], held = region_local(t->s, g->subject[link]);
		double share = link_share(g, bound, link);

		x->steps++;
		if (held == NONE || x->passed[held] || !x->useful[held] || share <= 0)
			continue;
		if (x->gathered[held] <= 0) {
			if (arena_grow(t->a, (void **)&x->children, &x->children_capacity, x->children_count + 1,
				       sizeof(*x->children)) != 0)
				return ERR_NOMEM;
			x->children[x->children_count++] = (struct child){ held, 0 };
		}
		x->gathered[held] += share;
	}
	return OK;
}

/* A route enters a group, of which the one before has this share. */
static enum err enter(struct attribution *x, enum bound bound, const struct group *group, double share)
{
	struct frame frame = { .share = share, .first_passed = x->undo_count, .first_child = x->children_count };

	if (arena_grow(x->t->a, (void **)&x->frames, &x->frames_capacity, x->frames_count + 1, sizeof(*x->frames)) != 0)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < group->count; i++) {
		if (x->passed[group->members[i]])
			continue; /* what it holds is not counted again */
		x->passed[group->members[i]] = 1;
		x->undo[x->undo_count++] = group->members[i];
	}
	for (size_t i = frame.first_passed; i < x->undo_count; i++) {
		enum err e = gather(x, bound, x->undo[i]);

		if (e != OK)
			return e;
	}
	frame.next_child = frame.first_child;
	frame.end_child = x->children_count;
	for (size_t i = frame.first_child; i < frame.end_child; i++) {
		x->children[i].share = x->gathered[x->children[i].local];
		x->gathered[x->children[i].local] = 0;
	}
	x->frames[x->frames_count++] = frame;
	return OK;
}

/* w of the task's starting holder in what was passed so far. */
static enum err weight(struct attribution *x, enum bound bound, uint32_t holder, double *ret)
{
	const struct group *group;
	enum err e = group_of(x, bound, holder, &group);

	*ret = 1;
	if (e != OK || has_subject(x, group))
		return e;
	e = enter(x, bound, group, 1);
	while (e == OK && x->frames_count > 0) {
		struct frame *top = &x->frames[x->frames_count - 1];

		if (over_budget(x->steps + x->closure.steps, x->t->q->budget))
			return ERR_FULL;
		if (top->next_child < top->end_child) {
			struct child child = x->children[top->next_child++];

			e = group_of(x, bound, child.local, &group);
			if (e == OK && has_subject(x, group))
				top->sum += child.share;
			else if (e == OK)
				e = enter(x, bound, group, child.share);
			continue;
		}
		*ret = top->sum * top->share;
		while (x->undo_count > top->first_passed)
			x->passed[x->undo[--x->undo_count]] = 0;
		x->children_count = top->first_child;
		if (--x->frames_count > 0)
			x->frames[x->frames_count - 1].sum += *ret;
	}
	return e;
}

static enum err figure(struct attribution *x, enum bound bound, uint32_t holder, double *ret)
{
	const struct task *t = x->t;
	const struct graph *g = t->g;
	uint32_t node = t->region.nodes[holder];
	enum err e = OK;

	if (t->q->single_entity) {
		e = weight(x, bound, holder, ret);
		*ret = fmin(*ret, 1);
		return e;
	}
	*ret = 0;
	x->passed[holder] = 1;
	for (uint32_t place = g->down_start[node]; e == OK && place < g->down_start[node + 1]; place++) {
		uint32_t link = g->down_link[place], held = region_local(t->s, g->subject[link]);
		double share = link_share(g, bound, link), rest;

		x->steps++;
		if (held == NONE || held == holder || !x->useful[held] || share <= 0)
			continue;
		e = weight(x, bound, held, &rest);
		*ret += share * rest;
	}
	x->passed[holder] = 0;
	*ret = fmin(*ret, 1);
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

enum err attribution_figures(struct task *t)
{
	uint32_t count = t->region.count;
	bool up = t->direction == UP;
	double *figures[2];
	struct attribution x;
	size_t capacity = 0;
	enum err e = init(&x, t);

	figures[BOUND_MIN] = arena_alloc(t->a, count * sizeof(double));
	figures[BOUND_MAX] = arena_alloc(t->a, count * sizeof(double));
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
			if (over_budget(x.steps + x.closure.steps, t->q->budget))
				return ERR_FULL;
			if (!up || i == 1)
				mark_useful(&x, up ? 0 : i);
			e = figure(&x, (enum bound)bound, up ? i : 0, &figures[bound][i]);
		}
	}
	for (uint32_t i = 1; e == OK && i < count; i++) {
		/* not monotone in loops: the two ends in order */
		double min = fmin(figures[0][i], figures[1][i]), max = fmax(figures[0][i], figures[1][i]);

		if (max > 0)
			e = task_add(t, &capacity, t->region.nodes[i], min, max, true);
	}
	return e;
}

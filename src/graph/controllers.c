/* Who controls a subject. Whoever controls anything has enough of something by itself, and what that controls it controls, too: so
 * each such holder's closed set is grown out of that of the greatest it has enough of, and shrunk again, never begun anew. */
#include "internal.h"

struct end { /* what the holder's closed set has of the subject, at one bound */
	quad figure;
	int64_t pct;
	bool controls;
};

struct frame {
	uint32_t local, next; /* next: of its parents */
	struct closure_mark mark;
};

/* The links that suffice alone, as a graph: a child's parents each have enough of it. */
struct majority {
	struct task *t;
	struct closure c;
	uint32_t *start, *parent; /* by local index, count + 1; into parent */
	uint32_t *waits; /* children not done yet */
	uint32_t *size, *best; /* about how many lie below; the greatest child, NONE: grown from nothing */
	uint32_t *queue, queue_count;
	uint8_t *done;
	struct frame *frames;
	size_t depth, capacity;
	struct end *ends; /* by local index */
	const struct end *wanted; /* NULL: all */
};

static bool suffices(const struct task *t, const struct closure *c, enum bound bound, uint32_t link)
{
	quad weight = t->g->weight[bound][link], limit = c->limit;
	mpq_t share, threshold;
	int order;

	if (weight <= 0)
		return false;
	if (weight - limit > CLOSURE_NEAR || limit - weight > CLOSURE_NEAR)
		return weight > limit;
	mpq_inits(share, threshold, NULL);
	exact_link(t->g, bound, link, share);
	exact_ratio(c->threshold, threshold);
	order = mpq_cmp(share, threshold);
	mpq_clears(share, threshold, NULL);
	return order > 0 || (c->inclusive && order == 0);
}

static enum err majority_init(struct majority *m, struct task *t, enum bound bound, struct end *ends)
{
	const struct graph *g = t->g;
	uint32_t n = t->region.count, *ids = arena_alloc(t->a, (5 * (size_t)n + 1) * sizeof(*ids));
	size_t capacity = 0;
	enum err e = control_closure(t, &m->c);

	m->t = t;
	m->ends = ends;
	m->done = arena_alloc(t->a, n);
	if (e != OK || !ids || !m->done)
		return ERR_NOMEM;
	m->start = ids;
	m->waits = ids + n + 1;
	m->size = ids + 2 * (size_t)n + 1;
	m->best = ids + 3 * (size_t)n + 1;
	m->queue = ids + 4 * (size_t)n + 1;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t node = t->region.nodes[i], count = m->start[i];

		m->size[i] = 1;
		m->best[i] = NONE;
		for (uint32_t l = g->up_start[node]; l < g->up_start[node + 1]; l++) {
			uint32_t holder = region_local(t->s, g->holder[l]);

			if (holder == i || !suffices(t, &m->c, bound, l))
				continue;
			if (arena_grow(t->a, (void **)&m->parent, &capacity, (size_t)count + 1, sizeof(*m->parent)) != 0)
				return ERR_NOMEM;
			m->parent[count++] = holder;
			m->waits[holder]++;
		}
		m->start[i + 1] = count;
	}
	return OK;
}

static void finish(struct majority *m, uint32_t i)
{
	m->done[i] = 1;
	m->queue[m->queue_count++] = i;
}

/* Children before parents; where they hold one another, the one nearest to the subject begins. */
static void choose_best(struct majority *m)
{
	uint32_t n = m->t->region.count;

	for (uint32_t i = 0; i < n; i++) {
		if (m->waits[i] == 0)
			finish(m, i);
	}
	for (uint32_t at = 0, forced = 0; at < n; at++) {
		uint32_t child;

		while (at == m->queue_count) {
			if (!m->done[forced]) {
				m->size[forced]++; /* it has children, though none that are done */
				finish(m, forced);
			}
			forced++;
		}
		child = m->queue[at];
		for (uint32_t k = m->start[child]; k < m->start[child + 1]; k++) {
			uint32_t parent = m->parent[k];

			m->waits[parent]--;
			if (m->done[parent])
				continue;
			if (m->size[parent] < UINT32_MAX - m->size[child])
				m->size[parent] += m->size[child];
			if (m->best[parent] == NONE || m->size[child] > m->size[m->best[parent]])
				m->best[parent] = child;
			if (m->waits[parent] == 0)
				finish(m, parent);
		}
	}
}

static enum err grow(struct majority *m, uint32_t local)
{
	struct end *end = &m->ends[local];
	struct frame *frame;
	enum err e;

	if (arena_grow(m->t->a, (void **)&m->frames, &m->capacity, m->depth + 1, sizeof(*m->frames)) != 0)
		return ERR_NOMEM;
	frame = &m->frames[m->depth++];
	frame->local = local;
	frame->next = m->start[local];
	frame->mark = closure_mark(&m->c);
	e = closure_add(&m->c, local);
	if (e != OK || (m->wanted && !m->wanted[local].controls))
		return e;
	end->controls = m->c.member[0];
	end->figure = closure_figure(&m->c, 0);
	if (end->controls || m->wanted)
		end->pct = closure_pct(&m->c, 0);
	return OK;
}

static enum err ends_find(struct task *t, enum bound bound, const struct end *wanted, struct end **ret)
{
	struct majority m = { .wanted = wanted };
	struct end *ends = arena_alloc(t->a, t->region.count * sizeof(*ends));
	enum err e = ends ? majority_init(&m, t, bound, ends) : ERR_NOMEM;

	if (e != OK)
		return e;
	/* whoever has enough of nothing has what it holds itself */
	for (uint32_t l = t->g->up_start[t->start]; wanted && l < t->g->up_start[t->start + 1]; l++) {
		struct end *end = &ends[region_local(t->s, t->g->holder[l])];

		end->figure = t->g->weight[bound][l];
		end->pct = bound == BOUND_MIN ? link_pct(t->g, l).min : link_pct(t->g, l).max;
	}
	choose_best(&m);
	closure_begin(&m.c, bound);
	for (uint32_t root = 0; e == OK && root < t->region.count; root++) {
		if (m.best[root] != NONE || (m.size[root] == 1 && m.start[root] == m.start[root + 1]))
			continue; /* grown from another, or nothing comes of it */
		e = grow(&m, root);
		while (e == OK && m.depth > 0) {
			struct frame *top = &m.frames[m.depth - 1];

			if (top->next < m.start[top->local + 1]) {
				uint32_t parent = m.parent[top->next++];

				if (m.best[parent] == top->local)
					e = grow(&m, parent);
				continue;
			}
			closure_shrink(&m.c, top->mark);
			m.depth--;
		}
	}
	*ret = ends;
	return e;
}

enum err control_owners(struct task *t)
{
	struct end *high, *low;
	enum err e = ends_find(t, BOUND_MAX, NULL, &high);

	if (e == OK)
		e = ends_find(t, BOUND_MIN, high, &low);
	for (uint32_t i = 1; e == OK && i < t->region.count; i++) {
		if (high[i].controls)
			e = control_add(t, i, low[i].figure, high[i].figure, (struct graph_pct){ low[i].pct, high[i].pct },
					low[i].controls);
	}
	return e;
}

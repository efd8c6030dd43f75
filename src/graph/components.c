/* Tarjan's strongly connected components with a stack of its own: a chain may be as long as the graph. */
#include <stdlib.h>
#include "internal.h"

struct search {
	const struct graph *g;
	const quad *weight;
	struct components *c;
	uint32_t *index, *low, *next; /* by node; index 0: not seen yet */
	uint32_t *calls, *open; /* the path being walked, and Tarjan's stack */
	uint32_t calls_count, open_count, seen;
};

static void enter(struct search *t, uint32_t node)
{
	t->index[node] = t->low[node] = ++t->seen;
	t->next[node] = t->g->up_start[node];
	t->calls[t->calls_count++] = node;
	t->open[t->open_count++] = node;
}

static void close_component(struct search *t, uint32_t root)
{
	struct components *c = t->c;
	uint32_t place = c->start[c->count], node;

	do {
		node = t->open[--t->open_count];
		c->of[node] = c->count;
		c->members[place++] = node;
	} while (node != root);
	c->cyclic[c->count] = place - c->start[c->count] > 1;
	c->start[++c->count] = place;
}

static void walk(struct search *t, uint32_t root)
{
	enter(t, root);
	while (t->calls_count > 0) {
		uint32_t node = t->calls[t->calls_count - 1];

		if (t->next[node] < t->g->up_start[node + 1]) {
			uint32_t link = t->next[node]++, holder = t->g->holder[link];

			if (t->weight[link] <= 0)
				continue;
			if (t->index[holder] == 0)
				enter(t, holder);
			else if (t->c->of[holder] == NONE && t->index[holder] < t->low[node])
				t->low[node] = t->index[holder];
			continue;
		}
		t->calls_count--;
		if (t->low[node] == t->index[node])
			close_component(t, node);
		if (t->calls_count > 0) {
			uint32_t below = t->calls[t->calls_count - 1];

			if (t->low[node] < t->low[below])
				t->low[below] = t->low[node];
		}
	}
}

enum err components_find(const struct graph *g, enum bound bound, struct components *ret)
{
	size_t n = (size_t)g->nodes + 1;
	struct search t = { .g = g, .weight = g->weight[bound], .c = ret };
	uint32_t *work = calloc(5 * n, sizeof(*work));
	enum err e = ERR_NOMEM;

	*ret = (struct components){
		.of = malloc(n * sizeof(uint32_t)),
		.start = calloc(n, sizeof(uint32_t)),
		.members = calloc(n, sizeof(uint32_t)),
		.cyclic = calloc(n, 1),
	};
	if (!work || !ret->of || !ret->start || !ret->members || !ret->cyclic)
		goto out;
	t.index = work;
	t.low = work + n;
	t.next = work + 2 * n;
	t.calls = work + 3 * n;
	t.open = work + 4 * n;
	for (uint32_t i = 0; i < g->nodes; i++)
		ret->of[i] = NONE;
	for (uint32_t i = 0; i < g->nodes; i++) {
		if (t.index[i] == 0)
			walk(&t, i);
	}
	for (uint32_t l = 0; l < g->links; l++) {
		if (g->holder[l] == g->subject[l] && t.weight[l] > 0)
			ret->cyclic[ret->of[g->holder[l]]] = 1;
	}
	e = OK;
out:
	free(work);
	if (e != OK)
		components_free(ret);
	return e;
}

void components_free(struct components *c)
{
	free(c->of);
	free(c->start);
	free(c->members);
	free(c->cyclic);
	*c = (struct components){ 0 };
}

/* Whether nothing of any member is held outside or unexplained: sums of what is not negative, so zero is exact. */
bool component_closed(const struct graph *g, uint32_t component)
{
	const struct components *c = &g->components[BOUND_MIN];

	if (!c->cyclic[component])
		return false;
	for (uint32_t i = c->start[component]; i < c->start[component + 1]; i++) {
		uint32_t node = c->members[i];

		if (g->room[node] > 0)
			return false;
		for (uint32_t l = g->up_start[node]; l < g->up_start[node + 1]; l++) {
			if (g->weight[BOUND_MIN][l] > 0 && c->of[g->holder[l]] != component)
				return false;
		}
	}
	return true;
}

enum err graph_cycles(const struct graph *g, struct arena *a, struct graph_cycle **ret, size_t *ret_count)
{
	const struct components *c = &g->components[BOUND_MAX], *at_min = &g->components[BOUND_MIN];
	size_t count = 0, capacity = 0;

	*ret = NULL;
	for (uint32_t i = 0; i < c->count; i++) {
		struct graph_cycle *cycle;

		if (!c->cyclic[i])
			continue;
		if (arena_grow(a, (void **)ret, &capacity, count + 1, sizeof(**ret)) != 0)
			return ERR_NOMEM;
		cycle = &(*ret)[count++];
		cycle->members = c->members + c->start[i];
		cycle->count = c->start[i + 1] - c->start[i];
		cycle->closed = false;
		/* Each member's own component at the minima is looked at once: by its first member. */
		for (size_t m = 0; m < cycle->count && !cycle->closed; m++) {
			uint32_t component = at_min->of[cycle->members[m]];

			if (at_min->members[at_min->start[component]] == cycle->members[m])
				cycle->closed = component_closed(g, component);
		}
	}
	*ret_count = count;
	return OK;
}

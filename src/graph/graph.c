#include <stdlib.h>
#include <string.h>
#include "internal.h"

void graph_free(struct graph *g)
{
	if (!g)
		return;
	if (g->components[BOUND_MIN].of != g->components[BOUND_MAX].of)
		components_free(&g->components[BOUND_MIN]);
	components_free(&g->components[BOUND_MAX]);
	free(g->up_start);
	free(g->down_start);
	free(g->sum);
	free(g->room);
	free(g->room_max);
	free(g->flags);
	free(g->holder);
	free(g->subject);
	free(g->first_stake);
	free(g->down_link);
	free(g->weight[BOUND_MIN]);
	free(g->weight[BOUND_MAX]);
	free(g->stake);
	for (size_t i = 0; i < g->big_count; i++)
		mpq_clear(&g->big[i]);
	free(g->big);
	free(g);
}

uint32_t graph_nodes(const struct graph *g)
{
	return g->nodes;
}

size_t graph_links(const struct graph *g)
{
	return g->links;
}

size_t graph_bytes(const struct graph *g)
{
	return g->bytes;
}

struct graph_link graph_link(const struct graph *g, uint32_t link)
{
	return (struct graph_link){
		.holder = g->holder[link],
		.subject = g->subject[link],
		.min = (double)g->weight[BOUND_MIN][link],
		.max = (double)g->weight[BOUND_MAX][link],
		.pct = link_pct(g, link),
		.stakes = g->stake + g->first_stake[link],
		.stakes_count = g->first_stake[link + 1] - g->first_stake[link],
	};
}

uint32_t graph_links_of_subject(const struct graph *g, uint32_t subject, uint32_t *ret_first)
{
	*ret_first = g->up_start[subject];
	return g->up_start[subject + 1] - g->up_start[subject];
}

uint32_t graph_links_of_holder(const struct graph *g, uint32_t holder, const uint32_t **ret_links)
{
	*ret_links = g->down_link + g->down_start[holder];
	return g->down_start[holder + 1] - g->down_start[holder];
}

struct graph_column graph_column(const struct graph *g, uint32_t subject)
{
	return (struct graph_column){
		.held = node_held(g, subject),
		.overfull = g->flags[subject] & COLUMN_OVERFULL,
		.fits = g->flags[subject] & COLUMN_FITS,
		.sum = (double)g->sum[subject],
		.unexplained_min = (double)g->room_max[subject],
		.unexplained_max = (double)g->room[subject],
		.sum_pct = column_pct(g, subject),
		.unexplained_pct = room_pct(g, subject),
	};
}

bool graph_held(const struct graph *g, uint32_t subject)
{
	return node_held(g, subject);
}

struct graph_scratch *graph_scratch_new(const struct graph *g)
{
	struct graph_scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->nodes = g->nodes;
	s->stamp = calloc((size_t)g->nodes + 1, sizeof(*s->stamp));
	s->local = calloc((size_t)g->nodes + 1, sizeof(*s->local));
	if (!s->stamp || !s->local) {
		graph_scratch_free(s);
		return NULL;
	}
	return s;
}

void graph_scratch_free(struct graph_scratch *s)
{
	if (!s)
		return;
	free(s->stamp);
	free(s->local);
	free(s->dense);
	free(s->pairs.items);
	free(s->pairs.table);
	free(s);
}

enum err region_collect(const struct graph *g, struct graph_scratch *s, uint32_t start, enum direction direction,
			struct arena *a, struct region *ret)
{
	uint32_t *nodes = NULL;
	size_t capacity = 0, count = 1;

	if (++s->epoch == 0) { /* once round: old stamps could be taken for new ones */
		memset(s->stamp, 0, ((size_t)s->nodes + 1) * sizeof(*s->stamp));
		s->epoch = 1;
	}
	if (arena_grow(a, (void **)&nodes, &capacity, 16, sizeof(*nodes)) != 0)
		return ERR_NOMEM;
	nodes[0] = start;
	s->stamp[start] = s->epoch;
	s->local[start] = 0;
	for (size_t done = 0; done < count; done++) {
		uint32_t node = nodes[done], end = links_end(g, direction, node);

		for (uint32_t place = links_begin(g, direction, node); place < end; place++) {
			uint32_t other = link_end(g, direction, link_at(g, direction, place));

			if (s->stamp[other] == s->epoch)
				continue;
			if (arena_grow(a, (void **)&nodes, &capacity, count + 1, sizeof(*nodes)) != 0)
				return ERR_NOMEM;
			s->stamp[other] = s->epoch;
			s->local[other] = (uint32_t)count;
			nodes[count++] = other;
		}
	}
	ret->nodes = nodes;
	ret->count = (uint32_t)count;
	return OK;
}

static int compare_keys(const void *left, const void *right)
{
	uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;

	return l < r ? -1 : l > r;
}

uint32_t *region_order(const struct graph *g, const struct region *r, enum bound bound, enum direction direction,
		       struct arena *a)
{
	uint64_t *keys = arena_alloc(a, r->count * sizeof(*keys));
	uint32_t *order = arena_alloc(a, r->count * sizeof(*order));

	if (!keys || !order)
		return NULL;
	for (uint32_t i = 0; i < r->count; i++) {
		uint32_t component = g->components[bound].of[r->nodes[i]];

		keys[i] = (uint64_t)(direction == UP ? ~component : component) << 32 | i;
	}
	qsort(keys, r->count, sizeof(*keys), compare_keys);
	for (uint32_t i = 0; i < r->count; i++)
		order[i] = (uint32_t)keys[i];
	return order;
}

/* Integrated ownership above a subject where a component is too large and dense to solve: what climbs is followed step by step, and
 * what is still under way when it is given up lies between both ends. How often a member comes back to itself is only bounded, so
 * members have ranges; whoever is outside of all loops has what arrives. */
#include "internal.h"

#define MOST_STEPS ((size_t)150000000) /* links passed */
#define UNDER_WAY 1e-13 /* less than this is nothing: doubles are not better */

struct bracket {
	struct task *t;
	enum bound bound;
	uint32_t *first, *holder; /* by local index, count + 1; into holder and share */
	double *share;
	double *visits, *moving, *next;
	double *back_min, *back_max; /* the share of a member that comes back to it */
	double under_way, unexplained;
};

static enum err lay(struct bracket *b)
{
	const struct graph *g = b->t->g;
	const struct region *r = &b->t->region;
	size_t links = 0, n = r->count;

	for (uint32_t i = 0; i < n; i++)
		links += g->up_start[r->nodes[i] + 1] - g->up_start[r->nodes[i]];
	b->first = arena_alloc(b->t->a, (n + 1) * sizeof(*b->first));
	b->holder = arena_alloc(b->t->a, links * sizeof(*b->holder));
	b->share = arena_alloc(b->t->a, links * sizeof(*b->share));
	b->visits = arena_alloc(b->t->a, 5 * n * sizeof(*b->visits));
	if (!b->first || !b->holder || !b->share || !b->visits)
		return ERR_NOMEM;
	b->moving = b->visits + n;
	b->next = b->visits + 2 * n;
	b->back_min = b->visits + 3 * n;
	b->back_max = b->visits + 4 * n;
	links = 0;
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t l = g->up_start[r->nodes[i]]; l < g->up_start[r->nodes[i] + 1]; l++) {
			b->holder[links] = region_local(b->t->s, g->holder[l]);
			b->share[links++] = (double)link_share(g, b->bound, l);
		}
		b->first[i + 1] = (uint32_t)links;
	}
	return OK;
}

static void climb(struct bracket *b)
{
	uint32_t n = b->t->region.count;
	size_t steps = 0;

	b->moving[0] = b->under_way = 1;
	while (b->under_way > UNDER_WAY && steps < MOST_STEPS) {
		double *moved = b->next;

		b->under_way = 0;
		for (uint32_t i = 0; i < n; i++) {
			double moving = b->moving[i];

			b->visits[i] += moving;
			b->moving[i] = 0;
			for (uint32_t k = b->first[i]; moving > 0 && k < b->first[i + 1]; k++) {
				moved[b->holder[k]] += moving * b->share[k];
				b->under_way += moving * b->share[k];
			}
		}
		steps += b->first[n] + n;
		b->next = b->moving;
		b->moving = moved;
	}
	if (b->under_way <= UNDER_WAY)
		b->under_way = 0;
}

/* At least by itself and by those it shares a link both ways with; at most whatever stays in its component. */
static void bound_returns(struct bracket *b)
{
	const struct graph *g = b->t->g;
	const struct components *c = &g->components[b->bound];
	const uint32_t *nodes = b->t->region.nodes;

	for (uint32_t i = 0; i < b->t->region.count; i++) {
		if (!c->cyclic[c->of[nodes[i]]])
			continue;
		for (uint32_t k = b->first[i]; k < b->first[i + 1]; k++) {
			uint32_t holder = b->holder[k];

			if (c->of[nodes[holder]] != c->of[nodes[i]])
				continue;
			b->back_max[i] += b->share[k];
			if (holder == i)
				b->back_min[i] += b->share[k];
			for (uint32_t j = b->first[holder]; holder != i && j < b->first[holder + 1]; j++) {
				if (b->holder[j] == i)
					b->back_min[i] += b->share[k] * b->share[j];
			}
		}
	}
}

static double least(const struct bracket *b, uint32_t local)
{
	double visits = b->visits[local];

	if (b->t->q->raw)
		return local == 0 ? visits - 1 : visits;
	if (local == 0)
		return 1 - 1 / visits;
	return visits * (1 - (b->back_max[local] < 1 ? b->back_max[local] : 1));
}

/* What is under way gets to a holder at most once, and then comes back as often as all does. Raw and unbounded: infinity. */
static double most(const struct bracket *b, uint32_t local)
{
	double visits = b->visits[local], left = b->under_way, value;

	if (b->t->q->raw) {
		value = left > 0 ? visits + left / (1 - b->back_max[local]) : visits;
		return local == 0 ? value - 1 : value;
	}
	value = local == 0 ? 1 - (1 - left) / visits : visits * (1 - b->back_min[local]) + left;
	return value < 1 ? value : 1;
}

static enum err run(struct bracket *b, struct task *t, enum bound bound)
{
	const uint32_t *nodes = t->region.nodes;
	enum err e;

	*b = (struct bracket){ .t = t, .bound = bound };
	e = lay(b);
	if (e != OK)
		return e;
	climb(b);
	bound_returns(b);
	for (uint32_t i = 0; i < t->region.count; i++) {
		if (node_held(t->g, nodes[i]))
			b->unexplained += b->visits[i] * (double)(bound == BOUND_MIN ? t->g->room : t->g->room_max)[nodes[i]];
	}
	return OK;
}

/* Whether anything above is a range, and whether all maxima may hold at once. */
static void look(const struct task *t, bool *ret_ranged, bool *ret_fits)
{
	const struct graph *g = t->g;

	*ret_ranged = false;
	*ret_fits = true;
	for (uint32_t i = 0; i < t->region.count; i++) {
		uint32_t node = t->region.nodes[i];

		*ret_fits = *ret_fits && (!node_held(g, node) || g->flags[node] & COLUMN_FITS);
		for (uint32_t l = g->up_start[node]; l < g->up_start[node + 1]; l++)
			*ret_ranged = *ret_ranged || g->weight[BOUND_MIN][l] < g->weight[BOUND_MAX][l];
	}
}

enum err bracket_owners(struct task *t)
{
	struct bracket low, high = { 0 };
	bool ranged, fits;
	double unexplained;
	enum err e = task_check_rings(t);

	if (e == OK)
		e = run(&low, t, BOUND_MIN);
	if (e != OK)
		return e;
	look(t, &ranged, &fits);
	if (ranged && !fits && t->q->raw)
		return ERR_RANGE;
	if (ranged && fits)
		e = run(&high, t, BOUND_MAX);
	t->ret->coarse = t->ret->rough = true;
	unexplained = ranged ? (fits && e == OK ? high.unexplained : 0) : low.unexplained;
	t->ret->unexplained_min = unexplained;
	t->ret->unexplained_max = (double)quad_min(low.unexplained + low.under_way, 1);
	e = e == OK ? task_round(t, unexplained, t->ret->unexplained_max, 0, NULL, &t->ret->unexplained_pct) : e;
	for (uint32_t i = 0; e == OK && i < t->region.count; i++) {
		double min = least(&low, i), max = !ranged ? most(&low, i) : fits ? most(&high, i) : 1;

		if (!(max < 1e300))
			return ERR_RANGE;
		e = task_figure(t, i, min, max, NULL);
	}
	return e;
}

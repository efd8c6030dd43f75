/* What was known when: the same judgement that src/api/compose_known.c makes in SQL. */
#include <stdlib.h>
#include "store_internal.h"

static int compare(const void *left, const void *right)
{
	uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;

	return l < r ? -1 : l > r;
}

static bool is_running(const struct graph_known *k, uint64_t xid)
{
	return k->n_xip > 0 && bsearch(&xid, k->xip, k->n_xip, sizeof(xid), compare) != NULL;
}

/* pg_visible_in_snapshot() */
static bool is_visible(const struct graph_known *k, uint64_t xid)
{
	return xid < k->xmin || (xid < k->xmax && !is_running(k, xid));
}

bool known_stamp(const struct graph_at *at, uint32_t stamp)
{
	const struct graph_known *k = &at->known;
	const struct graph_stamp *s;

	if (k->kind == GRAPH_KNOWN_ALL)
		return true;
	s = store_stamp(at->moment.store, stamp);
	if (k->kind == GRAPH_KNOWN_TIME)
		return s->time_us <= k->time_us;
	return s->epoch < k->epoch || (s->epoch == k->epoch && is_visible(k, s->xid));
}

/* The digits at *next, which is moved behind them. */
static bool read_number(const char **next, uint64_t *ret)
{
	const char *digits = *next;

	for (*ret = 0; **next >= '0' && **next <= '9'; (*next)++) {
		if (__builtin_mul_overflow(*ret, 10, ret) || __builtin_add_overflow(*ret, (uint64_t)(**next - '0'), ret))
			return false;
	}
	return *next > digits;
}

enum err graph_known_snapshot(const char *text, uint32_t epoch, struct arena *a, struct graph_known *ret)
{
	struct graph_known k = { .kind = GRAPH_KNOWN_SNAPSHOT, .epoch = epoch };
	uint64_t *xip = NULL, last = 0;
	size_t capacity = 0;

	if (!read_number(&text, &k.xmin) || *text++ != ':' || !read_number(&text, &k.xmax) || *text++ != ':' || k.xmin == 0 ||
	    k.xmin > k.xmax)
		return ERR_INVALID;
	while (*text) {
		if (k.n_xip > 0 && *text++ != ',')
			return ERR_INVALID;
		if (arena_grow(a, (void **)&xip, &capacity, k.n_xip + 1, sizeof(*xip)) != 0)
			return ERR_NOMEM;
		if (!read_number(&text, &xip[k.n_xip]) || xip[k.n_xip] < k.xmin || xip[k.n_xip] >= k.xmax ||
		    xip[k.n_xip] <= last)
			return ERR_INVALID;
		last = xip[k.n_xip++];
	}
	k.xip = xip;
	*ret = k;
	return OK;
}

bool graph_known_covers(const struct graph_known *later, const struct graph_known *snapshot)
{
	uint64_t running = 0;

	if (later->epoch != snapshot->epoch)
		return later->epoch > snapshot->epoch;
	for (size_t i = 0; i < later->n_xip; i++) {
		if (is_visible(snapshot, later->xip[i]))
			return false;
	}
	/* What begins behind `later` must all have been running in the snapshot. */
	for (size_t i = 0; i < snapshot->n_xip; i++)
		running += snapshot->xip[i] >= later->xmax;
	return snapshot->xmax <= later->xmax || running == snapshot->xmax - later->xmax;
}

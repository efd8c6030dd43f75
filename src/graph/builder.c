#include <stdlib.h>
#include <string.h>
#include "internal.h"
#include "lodebase/graph/exact.h"

_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "GMP's ui functions take a numerator");

__extension__ typedef unsigned __int128 wide;

#define LONG_COLUMN 64

struct raw_stake {
	uint32_t holder, subject;
	struct graph_stake stake;
};

struct graph_builder {
	uint32_t nodes;
	size_t max, count, capacity;
	struct raw_stake *stakes;
	__mpq_struct *big; /* shares beyond a graph_ratio, which has their places here */
	size_t big_count, big_capacity;
};

struct graph_builder *graph_builder_new(uint32_t nodes, size_t max_stakes)
{
	struct graph_builder *b;

	if (nodes > GRAPH_MAX_NODES || max_stakes > GRAPH_MAX_STAKES)
		return NULL;
	b = calloc(1, sizeof(*b));
	if (b) {
		b->nodes = nodes;
		b->max = max_stakes;
	}
	return b;
}

void graph_builder_free(struct graph_builder *b)
{
	if (!b)
		return;
	free(b->stakes);
	for (size_t i = 0; i < b->big_count; i++)
		mpq_clear(&b->big[i]);
	free(b->big);
	free(b);
}

bool ratio_valid(struct graph_ratio r)
{
	return r.denominator >= 1 && r.denominator <= INT64_MAX && r.numerator <= r.denominator;
}

/* Room for one more stake, and for its two shares where they are big. */
static enum err make_room(struct graph_builder *b, bool big)
{
	if (b->count == b->max)
		return ERR_FULL;
	if (big && b->big_count + 2 > b->big_capacity) {
		size_t capacity = b->big_capacity ? 2 * b->big_capacity : 16;
		__mpq_struct *grown = realloc(b->big, capacity * sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		b->big = grown;
		b->big_capacity = capacity;
	}
	if (b->count == b->capacity) {
		size_t capacity = b->capacity ? 2 * b->capacity : 64;
		struct raw_stake *grown = realloc(b->stakes, capacity * sizeof(*grown));

		if (!grown)
			return ERR_NOMEM;
		b->stakes = grown;
		b->capacity = capacity;
	}
	return OK;
}

enum err graph_builder_stake(struct graph_builder *b, uint32_t holder, uint32_t subject, uint64_t id, struct graph_ratio min,
			     struct graph_ratio max)
{
	enum err e;

	if (holder >= b->nodes || subject >= b->nodes)
		return ERR_RANGE;
	if (!ratio_valid(min) || !ratio_valid(max) ||
	    (wide)min.numerator * max.denominator > (wide)max.numerator * min.denominator)
		return ERR_INVALID;
	if (max.numerator == 0)
		return OK; /* a share of zero is no link */
	e = make_room(b, false);
	if (e == OK)
		b->stakes[b->count++] = (struct raw_stake){ holder, subject, { id, min, max } };
	return e;
}

/* A graph_ratio where it fits into one. There is room for a big one. */
static struct graph_ratio keep_share(struct graph_builder *b, mpq_srcptr share)
{
	struct graph_ratio kept = { 0 };

	if (mpz_sizeinbase(mpq_denref(share), 2) <= 63) {
		kept.numerator = mpz_get_ui(mpq_numref(share));
		kept.denominator = mpz_get_ui(mpq_denref(share));
		return kept;
	}
	kept.numerator = b->big_count++;
	mpq_init(&b->big[kept.numerator]);
	mpq_set(&b->big[kept.numerator], share);
	return kept;
}

enum err graph_builder_stake_exact(struct graph_builder *b, uint32_t holder, uint32_t subject, uint64_t id, mpq_srcptr min,
				   mpq_srcptr max)
{
	enum err e;

	if (holder >= b->nodes || subject >= b->nodes)
		return ERR_RANGE;
	if (mpq_sgn(min) < 0 || mpq_cmp(min, max) > 0 || mpq_cmp_ui(max, 1, 1) > 0)
		return ERR_INVALID;
	if (mpq_sgn(max) == 0)
		return OK;
	e = make_room(b, true);
	if (e == OK) {
		struct graph_ratio low = keep_share(b, min), high = mpq_equal(min, max) ? low : keep_share(b, max);

		b->stakes[b->count++] = (struct raw_stake){ holder, subject, { id, low, high } };
	}
	return e;
}

static void *array(struct graph *g, size_t count, size_t size)
{
	g->bytes += count * size;
	return calloc(count ? count : 1, size);
}

static uint32_t sort_key(const struct raw_stake *stake, bool by_subject)
{
	return by_subject ? stake->subject : stake->holder;
}

/* By counting, which keeps the order of what is alike. */
static enum err sort_once(const struct graph_builder *b, bool by_subject, struct raw_stake *ret)
{
	uint32_t *place = calloc((size_t)b->nodes + 1, sizeof(*place));

	if (!place)
		return ERR_NOMEM;
	for (size_t i = 0; i < b->count; i++)
		place[sort_key(&b->stakes[i], by_subject) + 1]++;
	for (uint32_t n = 0; n < b->nodes; n++)
		place[n + 1] += place[n];
	for (size_t i = 0; i < b->count; i++)
		ret[place[sort_key(&b->stakes[i], by_subject)]++] = b->stakes[i];
	free(place);
	return OK;
}

/* What a view gives comes subject by subject: then it is sorted where it lies, if no column is long. false: by counting. */
static bool sort_columns(struct graph_builder *b)
{
	size_t first = 0;

	for (size_t i = 1; i < b->count; i++) {
		struct raw_stake stake = b->stakes[i];
		size_t place = i;

		if (stake.subject < b->stakes[i - 1].subject)
			return false;
		if (stake.subject != b->stakes[i - 1].subject)
			first = i;
		if (i - first > LONG_COLUMN)
			return false;
		for (; place > first && b->stakes[place - 1].holder > stake.holder; place--)
			b->stakes[place] = b->stakes[place - 1];
		b->stakes[place] = stake;
	}
	return true;
}

/* Stakes by subject, then holder, then as they came. */
static enum err sort_stakes(struct graph_builder *b)
{
	enum err e = OK;

	if (sort_columns(b)) /* else it has kept the order of what is alike so far */
		return OK;
	for (int pass = 0; e == OK && pass < 2; pass++) {
		struct raw_stake *sorted = malloc((b->count ? b->count : 1) * sizeof(*sorted));

		e = sorted ? sort_once(b, pass == 1, sorted) : ERR_NOMEM;
		if (e != OK) {
			free(sorted);
			break;
		}
		free(b->stakes);
		b->stakes = sorted;
		b->capacity = b->count;
	}
	return e;
}

static void lay_links(struct graph *g, struct graph_builder *b)
{
	uint32_t links = 0;

	for (uint32_t i = 0; i < g->stakes; i++) {
		const struct raw_stake *raw = &b->stakes[i];

		g->stake[i] = raw->stake;
		if (i == 0 || raw->subject != raw[-1].subject || raw->holder != raw[-1].holder) {
			g->holder[links] = raw->holder;
			g->subject[links] = raw->subject;
			g->first_stake[links++] = i;
			g->up_start[raw->subject + 1]++;
			g->down_start[raw->holder + 1]++;
		}
	}
	g->first_stake[links] = g->stakes;
	for (uint32_t n = 0; n < g->nodes; n++) {
		g->up_start[n + 1] += g->up_start[n];
		g->down_start[n + 1] += g->down_start[n];
	}
	/* Filling moves each start to the next one's; then they are moved back. */
	for (uint32_t l = 0; l < links; l++)
		g->down_link[g->down_start[g->holder[l]]++] = l;
	for (uint32_t n = g->nodes; n > 0; n--)
		g->down_start[n] = g->down_start[n - 1];
	g->down_start[0] = 0;
}

static void link_range(struct graph *g, uint32_t link, quad min, quad max)
{
	g->weight[BOUND_MIN][link] = min;
	g->weight[BOUND_MAX][link] = max;
	g->ranges = g->ranges || min < max;
}

/* All stakes of the column have one denominator: whole numbers do. */
static void column_whole(struct graph *g, uint32_t subject, uint64_t denominator)
{
	uint32_t first = g->up_start[subject], last = g->up_start[subject + 1];
	quad unit = (quad)denominator;
	wide sum = 0, sum_max = 0, room;

	for (uint32_t i = g->first_stake[first]; i < g->first_stake[last]; i++)
		sum += g->stake[i].min.numerator;
	room = sum < denominator ? denominator - sum : 0;
	for (uint32_t l = first; l < last; l++) {
		wide min = 0, max = 0;
		quad least;

		for (uint32_t i = g->first_stake[l]; i < g->first_stake[l + 1]; i++) {
			min += g->stake[i].min.numerator;
			max += g->stake[i].max.numerator;
		}
		if (sum > denominator || max < min)
			max = min;
		else if (max > room + min)
			max = room + min;
		sum_max += max;
		least = (quad)min / unit;
		link_range(g, l, least, max == min ? least : (quad)max / unit); /* few are ranges, and a division is dear */
	}
	g->sum[subject] = (quad)sum / unit;
	g->room[subject] = (quad)room / unit;
	g->room_max[subject] = sum_max < denominator ? (quad)(denominator - sum_max) / unit : 0;
	g->flags[subject] = (uint8_t)((sum > denominator ? COLUMN_OVERFULL : 0) |
				      (sum > denominator || sum_max <= denominator ? COLUMN_FITS : 0));
}

static void column_fractions(struct graph *g, uint32_t subject)
{
	uint32_t first = g->up_start[subject], last = g->up_start[subject + 1];
	mpq_t sum, sum_max, room, min, max, share;
	bool overfull;

	mpq_inits(sum, sum_max, room, min, max, share, NULL);
	for (uint32_t l = first; l < last; l++) {
		exact_link_sum(g, BOUND_MIN, l, share);
		mpq_add(sum, sum, share);
	}
	overfull = mpq_cmp_ui(sum, 1, 1) > 0;
	mpq_set_ui(room, 1, 1);
	mpq_sub(room, room, sum);
	for (uint32_t l = first; l < last; l++) {
		exact_link_sum(g, BOUND_MIN, l, min);
		exact_link_sum(g, BOUND_MAX, l, max);
		mpq_add(share, room, min);
		if (overfull)
			mpq_set(max, min);
		else if (mpq_cmp(max, share) > 0)
			mpq_set(max, share);
		mpq_add(sum_max, sum_max, max);
		link_range(g, l, exact_quad(min), mpq_equal(min, max) ? exact_quad(min) : exact_quad(max));
	}
	g->sum[subject] = exact_quad(sum);
	g->room[subject] = overfull ? 0 : exact_quad(room);
	mpq_set_ui(room, 1, 1);
	mpq_sub(room, room, sum_max);
	g->room_max[subject] = mpq_sgn(room) > 0 ? exact_quad(room) : 0;
	g->flags[subject] = (uint8_t)((overfull ? COLUMN_OVERFULL : 0) | (overfull || mpq_sgn(room) >= 0 ? COLUMN_FITS : 0));
	mpq_clears(sum, sum_max, room, min, max, share, NULL);
}

static void lay_column(struct graph *g, uint32_t subject)
{
	uint32_t i = g->first_stake[g->up_start[subject]], end = g->first_stake[g->up_start[subject + 1]];
	uint64_t denominator = i < end ? g->stake[i].min.denominator : 1;

	for (; i < end; i++) {
		if (denominator == 0 || g->stake[i].min.denominator != denominator ||
		    g->stake[i].max.denominator != denominator) {
			column_fractions(g, subject);
			return;
		}
	}
	column_whole(g, subject, denominator);
}

static bool allocate(struct graph *g, uint32_t links)
{
	size_t nodes = g->nodes;

	g->up_start = array(g, nodes + 1, sizeof(uint32_t));
	g->down_start = array(g, nodes + 1, sizeof(uint32_t));
	g->sum = array(g, nodes, sizeof(quad));
	g->room = array(g, nodes, sizeof(quad));
	g->room_max = array(g, nodes, sizeof(quad));
	g->flags = array(g, nodes, 1);
	g->holder = array(g, links, sizeof(uint32_t));
	g->subject = array(g, links, sizeof(uint32_t));
	g->first_stake = array(g, (size_t)links + 1, sizeof(uint32_t));
	g->down_link = array(g, links, sizeof(uint32_t));
	g->weight[BOUND_MIN] = array(g, links, sizeof(quad));
	g->weight[BOUND_MAX] = array(g, links, sizeof(quad));
	g->stake = array(g, g->stakes, sizeof(struct graph_stake));
	return g->up_start && g->down_start && g->sum && g->room && g->room_max && g->flags && g->holder && g->subject &&
	       g->first_stake && g->down_link && g->weight[BOUND_MIN] && g->weight[BOUND_MAX] && g->stake;
}

static uint32_t count_links(const struct graph_builder *b)
{
	uint32_t links = 0;

	for (size_t i = 0; i < b->count; i++)
		links += i == 0 || b->stakes[i].subject != b->stakes[i - 1].subject ||
			 b->stakes[i].holder != b->stakes[i - 1].holder;
	return links;
}

enum err graph_builder_finish(struct graph_builder *b, struct graph **ret)
{
	struct graph *g;
	enum err e = sort_stakes(b);

	if (e != OK)
		return e;
	g = calloc(1, sizeof(*g));
	if (!g)
		return ERR_NOMEM;
	g->bytes = sizeof(*g);
	g->nodes = b->nodes;
	g->stakes = (uint32_t)b->count;
	g->links = count_links(b);
	if (!allocate(g, g->links)) {
		graph_free(g);
		return ERR_NOMEM;
	}
	lay_links(g, b);
	free(b->stakes);
	b->stakes = NULL;
	b->count = b->capacity = 0;
	g->big = b->big;
	g->big_count = b->big_count;
	b->big = NULL;
	b->big_count = b->big_capacity = 0;
	for (uint32_t n = 0; n < g->nodes; n++)
		lay_column(g, n);
	e = components_find(g, BOUND_MAX, &g->components[BOUND_MAX]);
	if (e == OK && g->ranges)
		e = components_find(g, BOUND_MIN, &g->components[BOUND_MIN]);
	else
		g->components[BOUND_MIN] = g->components[BOUND_MAX];
	if (e != OK) {
		graph_free(g);
		return e;
	}
	g->bytes += (g->ranges ? 2 : 1) * ((size_t)g->nodes * 2 + 1) * sizeof(uint32_t) +
		    ((size_t)g->components[0].count + (g->ranges ? g->components[1].count : 0)) * (sizeof(uint32_t) + 1);
	for (size_t i = 0; i < g->big_count; i++)
		g->bytes += sizeof(*g->big) +
			    (mpz_size(mpq_numref(&g->big[i])) + mpz_size(mpq_denref(&g->big[i]))) * sizeof(mp_limb_t);
	*ret = g;
	return OK;
}

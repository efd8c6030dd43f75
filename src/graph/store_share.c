/* Shares in 64 bits: nearly all are percentages of at most twelve decimals, or not known. */
#include "store_internal.h"

__extension__ typedef unsigned __int128 wide;

#define KIND(packed) ((unsigned)((packed) >> 62))
#define PACK(kind, value) ((uint64_t)(kind) << 62 | (value))
#define VALUE(packed) ((packed) & (UINT64_MAX >> 2))

static bool is_fraction(struct graph_ratio r)
{
	return r.denominator >= 1 && r.denominator <= INT64_MAX && r.numerator <= r.denominator;
}

/* In parts of WHOLE where it is a number of them: a subject's shares are added up faster then. */
static struct graph_ratio in_parts(struct graph_ratio r)
{
	wide parts = (wide)r.numerator * WHOLE;

	if (parts % r.denominator != 0)
		return r;
	return (struct graph_ratio){ (uint64_t)(parts / r.denominator), WHOLE };
}

enum err store_share_pack(struct graph_store *s, const struct graph_share *share, uint64_t *ret)
{
	struct graph_ratio min = share->min, max = share->max;
	enum err e;

	if (!share->given) {
		*ret = PACK(SHARE_UNKNOWN, 0);
		return OK;
	}
	if (!is_fraction(min) || !is_fraction(max) ||
	    (wide)min.numerator * max.denominator > (wide)max.numerator * min.denominator)
		return ERR_INVALID;
	min = in_parts(min);
	max = in_parts(max);
	if (min.denominator == WHOLE && max.denominator == WHOLE && min.numerator == max.numerator) {
		*ret = PACK(SHARE_EXACT, min.numerator);
		return OK;
	}
	e = chunks_reserve(&s->ranges);
	if (e != OK)
		return e;
	*store_range(s, s->ranges.count) = (struct share_range){ min, max };
	*ret = PACK(SHARE_RANGE, s->ranges.count++);
	return OK;
}

struct graph_share store_share(const struct graph_store *s, uint64_t packed)
{
	struct graph_share share = { .given = true, .min = { 0, 1 }, .max = { 1, 1 } };

	switch (KIND(packed)) {
	case SHARE_EXACT:
		share.min = share.max = (struct graph_ratio){ VALUE(packed), WHOLE };
		break;
	case SHARE_RANGE: {
		const struct share_range *range = store_range(s, (uint32_t)VALUE(packed));

		share.min = range->min;
		share.max = range->max;
		break;
	}
	default:
		share.given = false;
		share.min = (struct graph_ratio){ 0, WHOLE };
		share.max = (struct graph_ratio){ WHOLE, WHOLE };
	}
	return share;
}

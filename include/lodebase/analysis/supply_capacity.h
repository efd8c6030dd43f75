/* Whose capacity it is (domain section 4): the outputs of a mineral and stage, by the country they lie in or divided among owners.
 * Pure; exact. */
#pragma once

#include "lodebase/analysis/supply_answers.h"
#include "lodebase/analysis/supply_plants.h"

struct supply_capacity_question {
	uint32_t mineral;
	enum supply_stage stage;
	int year; /* 0: the newest in which one of the outputs starts */
	unsigned statuses; /* bits */
};

/* The outputs that count: wanted status, start_year <= year < end_year (one that does not say when it starts counts in every year), a
 * capacity, and the basis of most. What has no capacity or another basis is warned of. */
struct supply_chosen {
	const uint32_t *outputs;
	size_t count;
	int year; /* 0: none of them says when it starts */
	enum supply_unit unit; /* of the first */
	enum supply_basis basis;
};
enum err supply_capacity_choose(const struct supply_data *d, const struct supply_plants *plants,
				const struct supply_capacity_question *q, struct arena *memory,
				struct supply_warnings *warnings, struct supply_chosen *ret) MUST_CHECK;

/* Who has capacity: a country or state (key), a holder (its slug is the key), or nobody known (key NULL). */
struct supply_owner {
	const char *key;
	const char *resource; /* of a holder, as in paths; NULL: it is none */
	struct supply_node holder;
};

/* What of an output an owner has; fractions. */
struct supply_portion {
	uint32_t output; /* place among the chosen */
	uint32_t owner; /* SUPPLY_NONE: unexplained */
	mpq_t min, max;
};

struct supply_portions {
	struct arena *arena;
	struct supply_owner *owners;
	struct supply_portion *items;
	size_t n_owners, c_owners, count, capacity;
};

void supply_portions_begin(struct supply_portions *p, struct arena *a);
void supply_portions_clear(struct supply_portions *p);
/* The owner of a key, made where there is none; the key (may be NULL) is kept. SUPPLY_NONE: no memory. */
uint32_t supply_portions_owner(struct supply_portions *p, const char *key);
enum err supply_portions_add(struct supply_portions *p, uint32_t output, uint32_t owner, const mpq_t min,
			     const mpq_t max) MUST_CHECK;
/* A share as the ownership engine gives it: as printed, in units of 10^-12 per cent, and as a double, which says more where the exact
 * value has more decimals. */
struct supply_owned_share {
	int64_t units;
	double share; /* of 1 */
};
/* The fraction that it stands for: the decimal where the double is that one, else the simplest fraction that is (thirds are thirds),
 * else the double itself. */
void supply_portion_of(struct supply_owned_share share, mpq_t ret);
/* Of one output the portions of several owners, least and greatest, and what is unexplained. Where all is exact what rounding left is
 * the greatest's, so that they sum to 1. */
struct supply_owner_share {
	uint32_t owner;
	struct supply_owned_share min, max;
};
enum err supply_portions_divide(struct supply_portions *p, uint32_t output, const struct supply_owner_share *shares, size_t n,
				struct supply_owned_share unexplained_min,
				struct supply_owned_share unexplained_max) MUST_CHECK;
/* All to the country of each output's project. */
enum err supply_portions_by_location(const struct supply_plants *plants, const struct supply_chosen *chosen,
				     struct supply_portions *p) MUST_CHECK;

/* rows (greatest first, then by key, nobody known last), unexplained, total; as JSON members or CSV lines. */
enum err supply_capacity_write(const struct supply_plants *plants, const struct supply_chosen *chosen,
			       const struct supply_portions *p, const struct supply_output *out) MUST_CHECK;

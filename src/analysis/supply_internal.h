/* A table's placed rows as measures take them. Private to the supply files. */
#pragma once

#include "lodebase/analysis/supply_measures.h"

/* Rows between their ends. `free` rows may take what they like without counting themselves (other countries, or countries inside
 * a set); the rest are those that a measure counts. What the world leaves goes to open rows, in all at most `left`. */
struct supply_levels {
	size_t n;
	const mpq_t **low; /* of the rows that count */
	mpq_t *cap; /* as far as each can be raised while no other open row is raised above it */
	mpq_t free; /* what the free rows have at most */
	size_t *moving; /* rows whose minimum is below their cap; what the others have is summed up here */
	size_t n_moving;
	mpq_t fixed, fixed_squares;
	size_t positive; /* rows with cap > 0 */
};

enum err supply_levels_make(const struct supply_table *t, const bool *is_free, struct arena *a,
			    struct supply_levels *ret) MUST_CHECK;
void supply_levels_clear(struct supply_levels *l);
/* What a row has where those that can are raised to a level. */
const mpq_t *supply_level(const struct supply_levels *l, size_t i, const mpq_t level);
/* The distinct ends of the rows (of those that move alone, where moving), sorted; in the arena, not to be cleared. NULL: no memory. */
const mpq_t **supply_level_ends(const struct supply_levels *l, bool moving, struct arena *a, size_t *ret_n);

bool supply_has_range(const struct supply_table *t); /* whether any placed row has two ends */

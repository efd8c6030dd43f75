/* The search for the least and greatest of a figure over all combinations. Private to the supply files. */
#pragma once

#include "supply_combination.h"

/* Any state but MODEL_BEFORE. Every end that it gives is the exact figure of one combination: it starts from combinations of ends,
 * all of them where those are few, and climbs from the best. */
enum err model_search(const struct model *m, enum model_measure measure, enum model_state state, struct arena *memory,
		      struct supply_span *ret) MUST_CHECK;

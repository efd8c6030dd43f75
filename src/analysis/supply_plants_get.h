/* Questions about plants: their effect, and whose capacity they are. Private to them. */
#pragma once

#include "lodebase/analysis/supply_capacity.h"
#include "lodebase/analysis/supply_effect.h"
#include "lodebase/db/result.h"
#include "supply_get.h"

/* Columns of the plants' result: projects (tag 1), outputs (2), feeds (3). */
enum { PLANT_TAG, PLANT_KEY, PLANT_ID };
enum { PROJECT_SLUG = PLANT_ID + 1, PROJECT_NAME, PROJECT_COUNTRY, PROJECT_STATUS, PROJECT_START, PROJECT_ASKED };
enum {
	OUTPUT_PROJECT = PLANT_ID + 1,
	OUTPUT_MINERAL,
	OUTPUT_STAGE,
	OUTPUT_CAPACITY_MIN,
	OUTPUT_CAPACITY_MAX,
	OUTPUT_UNIT,
	OUTPUT_BASIS,
	OUTPUT_START,
	OUTPUT_END,
	OUTPUT_STATUS,
	OUTPUT_REPLACES
};
enum { FEED_OUTPUT = PLANT_ID + 1, FEED_COUNTRY, FEED_PCT };

/* With the places of the projects that were asked about. */
enum err supply_load_plants(const struct db_result *r, const struct supply_data *d, struct arena *a, struct supply_plants *ret,
			    uint32_t **ret_asked, size_t *ret_n) MUST_CHECK;

/* supply_owned.c: what the ownership engine says of a project. ERR_FULL: too much for a worker's thread. */

/* What the ultimate owners of the list's and the alliance's countries hold of it. */
enum err supply_owned(struct supply_get *g, const struct supply_project *project, int year, struct supply_warnings *warnings,
		      struct supply_owned *ret) MUST_CHECK;
/* Divides outputs among those who own their project. */
enum err supply_divide(struct supply_get *g, const struct supply_plants *plants, const struct supply_chosen *chosen,
		       struct supply_warnings *warnings, struct supply_portions *p) MUST_CHECK;

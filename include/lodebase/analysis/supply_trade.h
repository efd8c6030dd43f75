/* What countries import: exposure to a list, and net import reliance, recomputed beside what was published (domain section 4). */
#pragma once

#include "lodebase/analysis/supply_measures.h"

struct supply_exposure_question {
	uint32_t mineral;
	enum supply_stage stage;
	int year; /* of the trade asked for; where there is none of it, the newest on file. 0: the newest */
	const uint16_t *members; /* sorted: one country, or those of an alliance */
	size_t n_members;
	const struct supply_set *list;
	int list_year; /* in which countries are on the list */
};

/* Imports of the members from the list as a part of what they consume (a fraction; trade between members left out): from imports
 * by partner where all members have those and exports, else, of a single member, its net import reliance times the list's import
 * shares, both the newest on file. Not known where neither is there or an end has no bound. */
enum err supply_exposure(const struct supply_data *d, const struct supply_exposure_question *q, struct arena *memory,
			 struct supply_warnings *warnings, struct supply_span *ret) MUST_CHECK;

/* What new plants make in a country, between its ends, in the unit of mass. */
struct supply_relief {
	uint16_t country;
	mpq_t least, greatest;
};
/* The same before and after plants lower the imports of members, each by what they make there or by all that it imports, the lesser:
 * at the least the list's imports go first, at the greatest all imports pro rata. Consumption stays what it was. `change` is of one
 * combination each. After and change are not known where before comes from published shares. */
enum err supply_exposure_relieved(const struct supply_data *d, const struct supply_exposure_question *q,
				  const struct supply_relief *reliefs, size_t n, struct arena *memory,
				  struct supply_warnings *warnings, struct supply_span *before, struct supply_span *after,
				  struct supply_span *change) MUST_CHECK;

/* One country, stage and year. */
struct supply_reliance {
	enum supply_stage stage;
	uint16_t country;
	int year;
	struct supply_cell published; /* figures 0: none was */
	struct supply_span recomputed; /* a fraction; both ends are the same */
	const struct supply_figure **inputs;
	size_t n_inputs;
	unsigned assumed_none; /* kinds without a figure, as bits; 0 where nothing is recomputed */
};

/* Of a mineral every stage (stage < 0), country (0) and year that has a published reliance, imports or exports; by stage,
 * country and year. Items must be cleared. */
enum err supply_reliances(const struct supply_data *d, uint32_t mineral, int stage, uint16_t country, struct arena *memory,
			  struct supply_warnings *warnings, struct supply_reliance **ret, size_t *ret_n) MUST_CHECK;
void supply_reliances_clear(struct supply_reliance *items, size_t n);

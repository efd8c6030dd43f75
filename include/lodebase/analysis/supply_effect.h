/* What projects do to supply (domain section 4, "Effect of projects"): for each mineral and stage the newest production on file,
 * before and after what they would make, under two assumptions that bracket the answer: the world grows by it, or it takes the place
 * of what the list's countries make. Pure; every figure is exact and has both ends where something is not known. */
#pragma once

#include "lodebase/analysis/supply_answers.h"
#include "lodebase/analysis/supply_plants.h"

struct supply_effect_question {
	const uint32_t *projects; /* each once, in the order of the answer */
	size_t n_projects;
	int year; /* 0: the newest in which an output of theirs starts */
	unsigned statuses; /* bits */
	const char *use_min, *use_max; /* the utilisation, canonical decimals; NULL: by the figures */
	const struct supply_set *list; /* NULL: none; likewise */
	const struct supply_set *members;
	bool has_list, has_alliance; /* whether they were asked for, be they empty */
	/* How many rows may be looked at for what lies between the ends; 0: no bound. Where they do not suffice the ends are those of the
	 * combinations that were looked at (warning not-exact), or with `all_or_nothing` the answer is ERR_FULL. */
	size_t steps;
	bool all_or_nothing;
};

enum supply_reason {
	SUPPLY_NO_OUTPUTS,
	SUPPLY_NO_CAPACITY,
	SUPPLY_NO_FIGURES,
	SUPPLY_OTHER_STAGE,
	SUPPLY_OTHER_BASIS,
	SUPPLY_OTHER_STATUS,
	SUPPLY_OTHER_YEAR,
	SUPPLY_IN_BASELINE,
	SUPPLY_COMPARED /* none: it is not left out */
};
extern const char *const supply_reason_names[];

struct supply_measures {
	struct supply_span hhi, list, alliance, exposure; /* the last three are fractions */
};

struct supply_contribution {
	uint32_t project;
	enum supply_unit unit; /* of its first output */
	struct supply_span mass; /* less what it replaces */
};

struct supply_effect_item {
	uint32_t mineral;
	enum supply_stage stage;
	int baseline_year;
	struct supply_contribution *contributions;
	size_t n_contributions;
	struct supply_measures before, add, add_change, displace, displace_change;
};

struct supply_left_out {
	uint32_t project, mineral; /* SUPPLY_NONE: it makes nothing */
	enum supply_reason reason; /* the first of the enumeration that holds */
};

struct supply_effect {
	int year; /* 0: no output of theirs says when it starts */
	struct supply_effect_item *items; /* by the mineral's slug, then stage */
	size_t n_items;
	struct supply_left_out *left_out; /* by project as asked, then mineral's slug */
	size_t n_left_out;
};

/* Figures must be sorted. Adds to the warnings. *ret must be cleared unless an error is returned. */
enum err supply_effect_make(const struct supply_data *d, const struct supply_plants *plants,
			    const struct supply_effect_question *q, struct arena *memory, struct supply_warnings *warnings,
			    struct supply_effect *ret) MUST_CHECK;
void supply_effect_clear(struct supply_effect *e);

/* What of a project the ultimate owners of the list's and the alliance's countries hold; fractions. */
struct supply_owned {
	struct supply_span list, alliance;
};
/* The answer's items and left_out, as JSON members or CSV lines; of the two assumptions those that were asked for. `owned` has one
 * for each project of the plants. */
void supply_effect_write(const struct supply_data *d, const struct supply_plants *plants,
			 const struct supply_effect_question *q, const struct supply_effect *e,
			 const struct supply_owned *owned, bool add, bool displace, const struct supply_output *out);

/* Plants in memory beside the figures: projects, what they make and what they are fed with, as the base knew them at one instant.
 * Pure: no I/O, no threads. */
#pragma once

#include "lodebase/analysis/supply_data.h"

#define SUPPLY_NONE UINT32_MAX

/* In the order of the enumeration of projects: texts are the base's. */
enum supply_status {
	SUPPLY_PROPOSED,
	SUPPLY_ANNOUNCED,
	SUPPLY_APPROVED,
	SUPPLY_PERMITTING,
	SUPPLY_CONSTRUCTION,
	SUPPLY_COMMISSIONING,
	SUPPLY_OPERATING,
	SUPPLY_SUSPENDED,
	SUPPLY_CANCELLED,
	SUPPLY_CLOSED,
	SUPPLY_STATUSES
};
extern const char *const supply_status_names[]; /* NULL-terminated */

struct supply_project {
	struct supply_node node;
	uint32_t first_output, last_output; /* set by supply_add_output() */
	uint16_t country; /* 0: not said */
	int16_t start_year; /* 0: not said */
	uint8_t status;
};

struct supply_plant_output {
	const char *id;
	const char *capacity_min, *capacity_max; /* canonical decimals, the same where it is one; NULL: not stated */
	uint32_t project, mineral; /* indices */
	uint32_t replaces; /* the output that it takes the place of, or SUPPLY_NONE; may be added later */
	uint32_t next; /* of the same project; SUPPLY_NONE: the last. Set by supply_add_output() */
	uint32_t first_feed; /* likewise, of supply_add_feed() */
	int16_t start_year, end_year; /* 0: the project's, none */
	uint8_t stage, unit, basis;
	int8_t status; /* -1: the project's */
};

struct supply_feed {
	const char *pct; /* NULL: not said */
	uint32_t output, next;
	uint16_t country; /* 0: not said */
};

/* Everything lies in the arena that it was begun with. */
struct supply_plants {
	struct arena *arena;
	struct supply_project *projects;
	struct supply_plant_output *outputs;
	struct supply_feed *feeds;
	size_t n_projects, n_outputs, n_feeds;
	size_t c_projects, c_outputs, c_feeds;
};

void supply_plants_begin(struct supply_plants *p, struct arena *a);
enum err supply_add_project(struct supply_plants *p, struct supply_project project) MUST_CHECK;
/* Of a project that is there. */
enum err supply_add_output(struct supply_plants *p, struct supply_plant_output output) MUST_CHECK;
/* Of an output that is there. */
enum err supply_add_feed(struct supply_plants *p, struct supply_feed feed) MUST_CHECK;

/* An output's own status and years win over its project's. */
enum supply_status supply_output_status(const struct supply_plants *p, const struct supply_plant_output *o);
int supply_output_start(const struct supply_plants *p, const struct supply_plant_output *o); /* 0: not said */

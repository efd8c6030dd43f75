/* What the files of the effect of projects share. Private to them. */
#pragma once

#include "lodebase/analysis/supply_effect.h"

/* A mineral and stage: its newest production, and what is added to it. */
struct baseline {
	const char *slug; /* of the mineral */
	uint32_t mineral;
	enum supply_stage stage;
	struct supply_table table;
	struct supply_warnings warnings; /* of the table, told once something is added */
	bool has_rows;
	uint32_t *outputs; /* that count */
	size_t n_outputs, c_outputs;
};

struct making {
	const struct supply_data *d;
	const struct supply_plants *plants;
	const struct supply_effect_question *q;
	int year;
	struct arena *memory;
	struct supply_warnings *warnings;
	size_t item_steps; /* of each item; 0: no bound */
	struct baseline **baselines; /* by mineral and stage; NULL: not looked at */
	struct supply_effect *effect;
	size_t c_left_out;
};

/* The output that it takes the place of, NULL: none. */
const struct supply_plant_output *effect_replaced(const struct making *k, const struct supply_plant_output *o);
/* The figures of a baseline with the outputs that count there. The item's spans are initialised in any case. */
enum err effect_item(struct making *k, const struct baseline *b, struct supply_effect_item *item) MUST_CHECK;
void effect_each_span(struct supply_effect_item *item, void (*act)(struct supply_span *s));

/* Plants in memory: added, and chained by what they belong to. */
#include "lodebase/analysis/supply_plants.h"

const char *const supply_status_names[] = { "proposed",     "announced",     "approved",  "permitting",
					    "construction", "commissioning", "operating", "suspended",
					    "cancelled",    "closed",        NULL };

void supply_plants_begin(struct supply_plants *p, struct arena *a)
{
	*p = (struct supply_plants){ .arena = a };
}

enum err supply_add_project(struct supply_plants *p, struct supply_project project)
{
	if (arena_grow(p->arena, (void **)&p->projects, &p->c_projects, p->n_projects + 1, sizeof(*p->projects)) != 0)
		return ERR_NOMEM;
	project.first_output = project.last_output = SUPPLY_NONE;
	p->projects[p->n_projects++] = project;
	return OK;
}

enum err supply_add_output(struct supply_plants *p, struct supply_plant_output output)
{
	struct supply_project *project = &p->projects[output.project];
	uint32_t place = (uint32_t)p->n_outputs;

	if (arena_grow(p->arena, (void **)&p->outputs, &p->c_outputs, p->n_outputs + 1, sizeof(*p->outputs)) != 0)
		return ERR_NOMEM;
	output.next = output.first_feed = SUPPLY_NONE;
	if (project->first_output == SUPPLY_NONE)
		project->first_output = place;
	else
		p->outputs[project->last_output].next = place;
	project->last_output = place;
	p->outputs[p->n_outputs++] = output;
	return OK;
}

enum err supply_add_feed(struct supply_plants *p, struct supply_feed feed)
{
	struct supply_plant_output *output = &p->outputs[feed.output];

	if (arena_grow(p->arena, (void **)&p->feeds, &p->c_feeds, p->n_feeds + 1, sizeof(*p->feeds)) != 0)
		return ERR_NOMEM;
	feed.next = output->first_feed;
	output->first_feed = (uint32_t)p->n_feeds;
	p->feeds[p->n_feeds++] = feed;
	return OK;
}

enum supply_status supply_output_status(const struct supply_plants *p, const struct supply_plant_output *o)
{
	return (enum supply_status)(o->status >= 0 ? o->status : p->projects[o->project].status);
}

int supply_output_start(const struct supply_plants *p, const struct supply_plant_output *o)
{
	return o->start_year ? o->start_year : p->projects[o->project].start_year;
}

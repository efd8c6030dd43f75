/* Rows of the database as plants. Texts stay where the rows have them. */
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/hmap.h"
#include "supply_plants_get.h"

static const char *text(const struct db_result *r, int row, int column)
{
	return db_result_is_null(r, row, column) ? NULL : db_result_value(r, row, column);
}

static int16_t year(const struct db_result *r, int row, int column)
{
	const char *s = text(r, row, column);

	return (int16_t)(s ? strtol(s, NULL, 10) : 0);
}

static uint8_t place(const char *const *names, const char *s)
{
	return (uint8_t)(s ? supply_name_index(names, s) : 0);
}

struct loading {
	const struct db_result *r;
	struct supply_plants *plants;
	struct hmap *minerals, *projects, *outputs; /* ids to places, from 1 */
	uint32_t *asked;
	size_t n_asked;
};

static enum err remember(struct hmap *m, const char *id, size_t at)
{
	return hmap_set(m, id, strlen(id), (void *)(at + 1), NULL);
}

/* SUPPLY_NONE: it is none of them. */
static uint32_t find(const struct hmap *m, const char *id)
{
	size_t at = id ? (size_t)hmap_get(m, id, strlen(id)) : 0;

	return at ? (uint32_t)(at - 1) : SUPPLY_NONE;
}

static enum err load_project(struct loading *l, int row)
{
	struct supply_project p = { .node = { .id = text(l->r, row, PLANT_ID),
					      .slug = text(l->r, row, PROJECT_SLUG),
					      .name = text(l->r, row, PROJECT_NAME) },
				    .country = supply_country(text(l->r, row, PROJECT_COUNTRY)),
				    .status = place(supply_status_names, text(l->r, row, PROJECT_STATUS)),
				    .start_year = year(l->r, row, PROJECT_START) };
	enum err e = remember(l->projects, p.node.id, l->plants->n_projects);

	if (strcmp(db_result_value(l->r, row, PROJECT_ASKED), "true") == 0)
		l->asked[l->n_asked++] = (uint32_t)l->plants->n_projects;
	return e == OK ? supply_add_project(l->plants, p) : e;
}

static enum err load_output(struct loading *l, int row)
{
	const char *status = text(l->r, row, OUTPUT_STATUS);
	struct supply_plant_output o = { .id = text(l->r, row, PLANT_ID),
					 .project = find(l->projects, text(l->r, row, OUTPUT_PROJECT)),
					 .mineral = find(l->minerals, text(l->r, row, OUTPUT_MINERAL)),
					 .stage = place(supply_stage_names, text(l->r, row, OUTPUT_STAGE)),
					 .capacity_min = text(l->r, row, OUTPUT_CAPACITY_MIN),
					 .capacity_max = text(l->r, row, OUTPUT_CAPACITY_MAX),
					 .unit = place(supply_unit_names, text(l->r, row, OUTPUT_UNIT)),
					 .basis = place(supply_basis_names, text(l->r, row, OUTPUT_BASIS)),
					 .start_year = year(l->r, row, OUTPUT_START),
					 .end_year = year(l->r, row, OUTPUT_END),
					 .status = (int8_t)(status ? place(supply_status_names, status) : -1),
					 .replaces = SUPPLY_NONE };
	enum err e;

	if (o.project == SUPPLY_NONE || o.mineral == SUPPLY_NONE) /* of what a restored base lacks */
		return OK;
	e = remember(l->outputs, o.id, l->plants->n_outputs);
	return e == OK ? supply_add_output(l->plants, o) : e;
}

static enum err load_feed(struct loading *l, int row)
{
	struct supply_feed f = { .output = find(l->outputs, text(l->r, row, FEED_OUTPUT)),
				 .country = supply_country(text(l->r, row, FEED_COUNTRY)),
				 .pct = text(l->r, row, FEED_PCT) };

	return f.output == SUPPLY_NONE ? OK : supply_add_feed(l->plants, f);
}

/* What an output takes the place of may come after it. */
static void replace(struct loading *l)
{
	for (int row = 0; row < db_result_rows(l->r); row++) {
		uint32_t output, old;

		if (*db_result_value(l->r, row, PLANT_TAG) != '2' || db_result_is_null(l->r, row, OUTPUT_REPLACES))
			continue;
		output = find(l->outputs, text(l->r, row, PLANT_ID));
		old = find(l->outputs, text(l->r, row, OUTPUT_REPLACES));
		if (output != SUPPLY_NONE)
			l->plants->outputs[output].replaces = old;
	}
}

enum err supply_load_plants(const struct db_result *r, const struct supply_data *d, struct arena *a, struct supply_plants *ret,
			    uint32_t **ret_asked, size_t *ret_n)
{
	int n = db_result_rows(r);
	struct loading l = { .r = r,
			     .plants = ret,
			     .minerals = hmap_new(d->n_minerals + 1),
			     .projects = hmap_new((size_t)n + 1),
			     .outputs = hmap_new((size_t)n + 1),
			     .asked = arena_alloc(a, (size_t)n * sizeof(*l.asked)) };
	enum err e = l.minerals && l.projects && l.outputs && l.asked ? OK : ERR_NOMEM;

	supply_plants_begin(ret, a);
	for (size_t i = 0; e == OK && i < d->n_minerals; i++)
		e = remember(l.minerals, d->minerals[i].id, i);
	for (int row = 0; e == OK && row < n; row++) {
		char tag = *db_result_value(r, row, PLANT_TAG);

		e = tag == '1' ? load_project(&l, row) : tag == '2' ? load_output(&l, row) : load_feed(&l, row);
	}
	if (e == OK)
		replace(&l);
	hmap_free(l.minerals, NULL);
	hmap_free(l.projects, NULL);
	hmap_free(l.outputs, NULL);
	*ret_asked = l.asked;
	*ret_n = l.n_asked;
	return e;
}

/* Rows of the database as data for supply measures. Texts stay where the rows have them. */
#include "supply_get.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/hmap.h"

static const char *text(const struct db_result *r, int row, int column)
{
	return db_result_is_null(r, row, column) ? NULL : db_result_value(r, row, column);
}

static uint16_t country(const struct db_result *r, int row, int column)
{
	return supply_country(text(r, row, column));
}

/* Countries in a JSON list of codes. */
static enum err read_excludes(const char *json, struct arena *a, struct supply_figure *f)
{
	uint16_t *codes = arena_alloc(a, strlen(json) / 4 * sizeof(*codes));

	if (!codes)
		return ERR_NOMEM;
	for (const char *at = json; (at = strchr(at, '"')) && at[1] && at[2] && at[3] == '"'; at += 4)
		codes[f->n_excludes++] = supply_country(at + 1);
	f->excludes = codes;
	return OK;
}

/* Ids to places: what one row names the next one often does, too. */
struct places {
	struct hmap *map;
	const char *last;
	uint32_t place;
};

static enum err remember(struct places *p, const char *id, size_t place)
{
	if (!id)
		return ERR_INVALID;
	return hmap_set(p->map, id, strlen(id), (void *)(place + 1), NULL);
}

static bool find(struct places *p, const char *id, uint32_t *ret)
{
	if (!p->last || strcmp(p->last, id) != 0) {
		size_t found = (size_t)hmap_get(p->map, id, strlen(id));

		if (found == 0)
			return false;
		p->last = id;
		p->place = (uint32_t)(found - 1);
	}
	*ret = p->place;
	return true;
}

static enum err load_figure(const struct db_result *r, int row, struct places *minerals, struct places *sources,
			    struct supply_data *d)
{
	struct supply_figure f = {
		.id = text(r, row, FIGURE_ID),
		.quantity = text(r, row, FIGURE_QUANTITY),
		.product = text(r, row, FIGURE_PRODUCT),
		.country = country(r, row, FIGURE_COUNTRY),
		.partner = country(r, row, FIGURE_PARTNER),
		.year = (int16_t)strtol(db_result_value(r, row, FIGURE_YEAR), NULL, 10),
		.stage = (uint8_t)supply_name_index(supply_stage_names, db_result_value(r, row, FIGURE_STAGE)),
		.kind = (uint8_t)supply_name_index(supply_kind_names, db_result_value(r, row, FIGURE_KIND)),
		.scope = (uint8_t)supply_name_index(supply_scope_names, db_result_value(r, row, FIGURE_SCOPE)),
		.unit = (uint8_t)supply_name_index(supply_unit_names, db_result_value(r, row, FIGURE_UNIT)),
		.basis = (uint8_t)supply_name_index(supply_basis_names, db_result_value(r, row, FIGURE_BASIS)),
		.qualifier = (uint8_t)supply_name_index(supply_qualifier_names, db_result_value(r, row, FIGURE_QUALIFIER))
	};
	enum err e;

	/* known then, or it would not have been referred to; but for what a restored base lacks */
	if (!find(minerals, db_result_value(r, row, FIGURE_MINERAL), &f.mineral) ||
	    !find(sources, db_result_value(r, row, FIGURE_SOURCE), &f.source))
		return OK;
	e = read_excludes(db_result_value(r, row, FIGURE_EXCLUDES), d->arena, &f);
	return e == OK ? supply_add_figure(d, f) : e;
}

static enum err load_row(const struct db_result *r, int row, struct places *minerals, struct places *sources,
			 struct supply_data *d)
{
	struct supply_node node = { .id = text(r, row, FIGURE_ID),
				    .slug = text(r, row, FIGURE_STAGE),
				    .name = text(r, row, FIGURE_KIND),
				    .published_on = text(r, row, FIGURE_SCOPE) };
	enum err e;

	switch (*db_result_value(r, row, FIGURE_TAG)) {
	case '1':
		e = remember(minerals, node.id, d->n_minerals);
		return e == OK ? supply_add_mineral(d, node) : e;
	case '2':
		e = remember(sources, node.id, d->n_sources);
		return e == OK ? supply_add_source(d, node) : e;
	default:
		return load_figure(r, row, minerals, sources, d);
	}
}

enum err supply_load(const struct supply_get *g, struct arena *a, struct supply_data *ret)
{
	const struct db_result *r = g->figures;
	int n = db_result_rows(r);
	struct places minerals = { .map = hmap_new((size_t)n + 1) }, sources = { .map = hmap_new((size_t)n + 1) };
	enum err e = minerals.map && sources.map ? OK : ERR_NOMEM;

	supply_data_begin(ret, a);
	for (int row = 0; e == OK && row < n; row++)
		e = load_row(r, row, &minerals, &sources, ret);
	hmap_free(minerals.map, NULL);
	hmap_free(sources.map, NULL);
	if (e == OK)
		supply_data_sort(ret);
	return e;
}

enum err supply_load_set(const struct db_result *r, struct arena *a, struct supply_set *ret)
{
	int n = db_result_rows(r);
	struct supply_member *members = arena_alloc(a, (size_t)n * sizeof(*members));

	*ret = (struct supply_set){ .members = members };
	if (!members)
		return ERR_NOMEM;
	for (int row = 0; row < n; row++)
		if (!db_result_is_null(r, row, SET_COUNTRY))
			members[ret->count++] = (struct supply_member){ .country = country(r, row, SET_COUNTRY),
									.valid_from = text(r, row, SET_FROM),
									.valid_to = text(r, row, SET_TO) };
	return OK;
}

enum err supply_load_rules(const struct db_result *r, struct arena *a, struct supply_rule **ret, size_t *ret_n)
{
	int n = db_result_rows(r);
	struct supply_rule *rules = arena_alloc(a, (size_t)n * sizeof(*rules));

	if (!rules)
		return ERR_NOMEM;
	for (int row = 0; row < n; row++)
		rules[row] =
			(struct supply_rule){ .node = { .id = text(r, row, RULE_ID),
							.slug = text(r, row, RULE_SLUG),
							.name = text(r, row, RULE_TITLE) },
					      .version = text(r, row, RULE_VERSION),
					      .source_url = text(r, row, RULE_URL),
					      .threshold_pct = text(r, row, RULE_THRESHOLD),
					      .coverage = strstr(db_result_value(r, row, RULE_MEASURES), "coverage") != NULL,
					      .strict = strcmp(db_result_value(r, row, RULE_COMPARATOR), ">") == 0 };
	*ret = rules;
	*ret_n = (size_t)n;
	return OK;
}

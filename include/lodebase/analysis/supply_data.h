/* What supply measures are computed from: figures, outputs, feeds and countries' memberships as the base knew them at one
 * instant, in memory. Pure: no I/O, no threads. Quantities stay the exact text that the base has until a table is made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/arena.h"
#include "lodebase/base/err.h"

/* In the order of the enumerations of outputs and supply figures: their texts are the base's. */
enum supply_stage {
	SUPPLY_MINE,
	SUPPLY_CONCENTRATE,
	SUPPLY_SMELTER,
	SUPPLY_REFINERY,
	SUPPLY_SEPARATION,
	SUPPLY_PRODUCT,
	SUPPLY_RECYCLING,
	SUPPLY_STAGES
};
enum supply_kind {
	SUPPLY_PRODUCTION,
	SUPPLY_CAPACITY,
	SUPPLY_RESERVES,
	SUPPLY_IMPORTS,
	SUPPLY_IMPORT_SHARE,
	SUPPLY_EXPORTS,
	SUPPLY_STOCK_CHANGE,
	SUPPLY_CONSUMPTION,
	SUPPLY_SECONDARY,
	SUPPLY_RELIANCE,
	SUPPLY_KINDS
};
enum supply_scope { SUPPLY_COUNTRY, SUPPLY_OTHER, SUPPLY_WORLD };
enum supply_unit { SUPPLY_T, SUPPLY_KT, SUPPLY_KG, SUPPLY_TOZ, SUPPLY_PCT, SUPPLY_UNITS };
enum supply_basis { SUPPLY_CONTAINED, SUPPLY_GROSS };
enum supply_qualifier {
	SUPPLY_EXACT,
	SUPPLY_ESTIMATED,
	SUPPLY_WITHHELD,
	SUPPLY_NOT_AVAILABLE,
	SUPPLY_NET_EXPORTER,
	SUPPLY_GREATER_THAN,
	SUPPLY_LESS_THAN,
	SUPPLY_ZERO
};

/* NULL-terminated, in the order of the enumerations. */
extern const char *const supply_stage_names[],
	*const supply_kind_names[], *const supply_scope_names[], *const supply_unit_names[],
									 *const supply_basis_names[],
										 *const supply_qualifier_names[];
/* The place of a text in such a list, -1: none. */
int supply_name_index(const char *const *names, const char *text);

/* A country's two letters as a number that sorts as they do; 0: none. */
uint16_t supply_country(const char *code);
void supply_country_text(uint16_t country, char ret[3]);

struct supply_node { /* a mineral, a project, a source: what answers call it */
	const char *id, *slug, *name;
	const char *published_on; /* of sources, or NULL */
};

struct supply_figure {
	const char *id;
	const char *quantity; /* canonical decimal, NULL where the qualifier has no number */
	const char *product; /* NULL: the whole */
	const uint16_t *excludes; /* of a world figure, sorted */
	uint32_t n_excludes;
	uint32_t mineral, source; /* indices */
	uint32_t order; /* its place among the figures as they were recorded */
	uint16_t country, partner;
	int16_t year, period_from; /* 0: not said */
	uint8_t stage, kind, scope, unit, basis, qualifier; /* the enumerations above */
};

/* A country that belongs to something from valid_from until before valid_to (NULL: open). */
struct supply_member {
	uint16_t country;
	const char *valid_from, *valid_to;
};

/* A designation list, an alliance, or one country. */
struct supply_set {
	const struct supply_member *members;
	size_t count;
};
/* Whether a country belongs to it on 31 December of the year. A NULL set has nobody. */
bool supply_set_has(const struct supply_set *s, uint16_t country, int year);
/* Its countries in that year, sorted, each once. NULL: no memory. */
const uint16_t *supply_set_countries(const struct supply_set *s, int year, struct arena *a, size_t *ret_count);

/* Everything lies in the arena that it was begun with. */
struct supply_data {
	struct arena *arena;
	struct supply_node *minerals, *sources;
	struct supply_figure *figures;
	size_t n_minerals, n_sources, n_figures;
	size_t c_minerals, c_sources, c_figures;
	bool sorted;
};

void supply_data_begin(struct supply_data *d, struct arena *a);
enum err supply_add_mineral(struct supply_data *d, struct supply_node mineral) MUST_CHECK;
enum err supply_add_source(struct supply_data *d, struct supply_node source) MUST_CHECK;
/* In the order in which they were recorded; `order` is set here. Texts and lists are kept, not copied. */
enum err supply_add_figure(struct supply_data *d, struct supply_figure figure) MUST_CHECK;
/* When all is there: sorts the figures by mineral, stage, kind and year, within by cell. */
void supply_data_sort(struct supply_data *d);

struct supply_figures { /* some that lie beside each other */
	const struct supply_figure *first;
	size_t count;
};
/* The figures of a mineral, stage and kind: of a year, or (year 0) of all, those without a year first. Data must be sorted. */
struct supply_figures supply_find(const struct supply_data *d, uint32_t mineral, enum supply_stage stage, enum supply_kind kind,
				  int year);
/* Of those of one year the ones of a country; of these the ones of a partner (0: without one). */
struct supply_figures supply_of_country(struct supply_figures of_a_year, uint16_t country);
struct supply_figures supply_of_partner(struct supply_figures of_a_country, uint16_t partner);
/* The newest year of which there is a figure; 0: none has a year. */
int supply_newest_year(const struct supply_data *d, uint32_t mineral, enum supply_stage stage, enum supply_kind kind);
/* The stages of which a mineral has figures of this kind, as bits. */
unsigned supply_stages_on_file(const struct supply_data *d, uint32_t mineral, enum supply_kind kind);

/* Figures of one mineral, stage, kind and year as the rows of a table: what different products add up to, by which source, and
 * between which ends it lies (domain section 4). Quantities are exact, in one unit of mass whatever unit they were given in. */
#pragma once

#include <gmp.h>
#include "lodebase/analysis/supply_data.h"

/* A figure between two ends. */
struct supply_span {
	bool known; /* false: there is none (null) */
	mpq_t min, max;
};

void supply_span_init(struct supply_span *s); /* not known */
void supply_span_clear(struct supply_span *s);
void supply_span_set(struct supply_span *ret, const mpq_t min, const mpq_t max);

/* What one cell says: one figure, or several together. */
struct supply_cell {
	mpq_t low, high; /* what is certain, and with the bounds of what is "less than" */
	bool open; /* beyond that a part is withheld, unknown or "greater than": nobody knows how great */
	/* as the answer tells it: of several figures `estimated` if one is, the newest source, the unit of the first */
	enum supply_qualifier qualifier;
	enum supply_unit unit;
	uint32_t source;
	const struct supply_figure *const *parts; /* those that count */
	size_t figures; /* how many; 0: there is none */
	const struct supply_figure *first, *newest; /* by when they were recorded; by when their source was published */
};

struct supply_row {
	enum supply_scope scope;
	uint16_t country; /* 0: other countries */
	struct supply_cell cell;
	bool placed; /* has a share: false where nothing bounds what is not known */
};

/* Something that the reader of an answer must know. */
struct supply_warning {
	const char *code; /* static */
	const char *detail;
	const char **figures; /* ids of the figures that it speaks of */
	size_t n_figures;
};

struct supply_warnings {
	struct arena *arena;
	struct supply_warning *items;
	size_t count, capacity;
	bool failed; /* out of memory */
};

void supply_warnings_begin(struct supply_warnings *w, struct arena *a);
/* A warning; figures may be NULL. */
void supply_warn(struct supply_warnings *w, const char *code, const struct supply_figure *const *figures, size_t n,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

struct supply_table {
	uint32_t mineral;
	enum supply_stage stage;
	enum supply_kind kind;
	int year;
	enum supply_basis basis; /* of most rows */
	enum supply_unit unit; /* that totals are told in: the world figure's, else the first row's */
	struct supply_row *rows; /* countries by code, then other countries */
	size_t n_rows;
	struct supply_cell world; /* figures 0: none */
	const uint16_t *excludes; /* countries that the world figure leaves out, sorted */
	size_t n_excludes;
	bool has_left;
	mpq_t left; /* what the world figure leaves to all open rows together, where has_left */
	mpq_t low, high; /* the sums of the rows that have a share */
	size_t n_placed, n_open; /* rows that have a share; those of them that are open */
};

/* `memory` holds what the table needs beside its numbers. */
enum err supply_table_build(const struct supply_data *d, uint32_t mineral, enum supply_stage stage, enum supply_kind kind,
			    int year, struct arena *memory, struct supply_warnings *warnings,
			    struct supply_table *ret) MUST_CHECK;
/* An empty table, initialised: no rows, no world. */
void supply_table_init(struct supply_table *t);
void supply_table_clear(struct supply_table *t);
void supply_table_total(struct supply_table *t); /* low, high and the numbers anew, where rows were changed */
const struct supply_row *supply_table_row(const struct supply_table *t, uint16_t country); /* 0: other countries; NULL: none */

/* The cell of the figures that lie beside each other (one scope and country, any partners and products) and have this basis.
 * Adds the warnings `several-figures`. ret need not be initialised; it is also where there are none. */
enum err supply_cell_sum(const struct supply_data *d, struct supply_figures figures, enum supply_basis basis,
			 struct arena *memory, struct supply_warnings *warnings, struct supply_cell *ret) MUST_CHECK;
void supply_cell_clear(struct supply_cell *c);
/* The basis of most cells among figures that lie beside each other; a tie goes to contained. World figures count only where
 * there are no others. */
enum supply_basis supply_basis_of_most(struct supply_figures figures);

/* Canonical decimal text as an exact number; times the unit's mass. pct is taken as per cent. */
void supply_number(const char *decimal, mpq_t ret);
void supply_to_base(enum supply_unit unit, mpq_t quantity);
void supply_from_base(enum supply_unit unit, mpq_t quantity);

/* An exact number as canonical decimal text, rounded half away from zero to so many decimals (at most 12). */
#define SUPPLY_TEXT_MAX 96
char *supply_text(const mpq_t value, unsigned decimals, char *out, size_t size);

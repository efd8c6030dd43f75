/* What a table says: shares, concentration, the greatest, and what groups of countries have together. Every figure is exact, and
 * has both ends where something is not known: the least and greatest over all quantities that the figures allow. */
#pragma once

#include "lodebase/analysis/supply_table.h"

enum supply_class { SUPPLY_CLASS_NONE, SUPPLY_LOW, SUPPLY_MODERATE, SUPPLY_HIGH };
enum supply_guideline { SUPPLY_GUIDELINE_2023, SUPPLY_GUIDELINE_2010 };
extern const char *const supply_class_names[]; /* NULL for none, then "low" and so on */

/* The sum of all rows that have a share. Not known where no row has one. */
void supply_denominator(const struct supply_table *t, struct supply_span *ret);

/* Shares are fractions, 0 to 1. member[i] says whether row i counts; rows without a share never do. */
void supply_share(const struct supply_table *t, const bool *member, struct supply_span *ret);
void supply_row_share(const struct supply_table *t, size_t row, struct supply_span *ret);
/* The share of a set's countries in the table's year. Countries without a row may be among the others: those are added to the
 * maximum, and what they are to *ret_unlisted (arena; may be NULL). ERR_NOMEM. */
enum err supply_set_share(const struct supply_table *t, const struct supply_set *s, int year, struct arena *a,
			  struct supply_span *ret, const uint16_t **ret_unlisted, size_t *ret_n_unlisted) MUST_CHECK;

/* The sum of squared percentage shares, 0 to 10,000. Other countries are not one country: their square counts from 0 to whole.
 * *ret_exact is false where more than 16 rows are "less than" at once: then the greatest is one that it cannot exceed. */
enum err supply_hhi(const struct supply_table *t, struct arena *a, struct supply_span *ret, bool *ret_exact) MUST_CHECK;
/* NONE where the figure is not known or crosses a border. */
enum supply_class supply_classify(const struct supply_span *hhi, enum supply_guideline guideline);

/* The sum of the three greatest shares of countries. */
enum err supply_top3(const struct supply_table *t, struct arena *a, struct supply_span *ret) MUST_CHECK;
/* The country with the greatest minimum share, by code where several have it: its row, -1: none. */
long supply_leading(const struct supply_table *t);
/* The greatest share that one country outside the set has, in the table's year. */
enum err supply_greatest_outside(const struct supply_table *t, const struct supply_set *inside, int year, struct arena *a,
				 struct supply_span *ret) MUST_CHECK;

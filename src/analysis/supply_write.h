/* How answers about supply are written. Private to the supply files. */
#pragma once

#include "lodebase/analysis/supply_answers.h"

/* "name", or "name_min" and "name_max" where they differ as printed; null where not known. Times `factor`, so many decimals. */
void write_span(struct json_writer *w, const char *name, const struct supply_span *s, unsigned long factor);
/* A quantity, in a unit. */
void write_quantity(struct json_writer *w, const struct supply_span *mass, enum supply_unit unit);
/* quantity, qualifier, unit, basis, source into an open object; all null where the cell is empty (NULL too). */
void write_figure_members(struct json_writer *w, const struct supply_data *d, const struct supply_cell *c);
void write_figure(struct json_writer *w, const struct supply_data *d, const struct supply_cell *c); /* or null */
void write_share_of(struct json_writer *w, const char *name, const struct supply_span *s); /* "name": {VALUE} */
void write_country(struct json_writer *w, const char *name, uint16_t country);
/* hhi … alliance, into an open object */
void write_concentration(struct json_writer *w, const struct supply_question *q, const struct supply_summary *s);
void write_year(struct json_writer *w, int year); /* null for 0 */
/* denominator … unlisted, into an open object */
void write_summary(struct json_writer *w, const struct supply_data *d, const struct supply_question *q,
		   const struct supply_summary *s);

/* CSV cells, each with a comma before it. A span has three: the value where it is one, then both its ends. */
void csv_span(struct buf *out, const struct supply_span *s, unsigned long factor);
void csv_number(struct buf *out, const struct supply_span *s, unsigned long factor); /* one cell */
void csv_cells(struct buf *out, const struct supply_data *d, const struct supply_cell *c); /* quantity … source */
void csv_country(struct buf *out, uint16_t country);
void csv_summary(struct buf *out, const struct supply_question *q, const struct supply_summary *s);
#define CSV_SPAN(name) name "," name "_min," name "_max"
#define CSV_PCT(prefix) prefix "pct," prefix "min_pct," prefix "max_pct"
#define CSV_FIGURE "quantity,qualifier,unit,basis,source"
#define CSV_SUMMARY                                                                                            \
	CSV_SPAN("hhi")                                                                                        \
	",class,leading," CSV_PCT("leading_") "," CSV_PCT("top3_") "," CSV_PCT("list_") "," CSV_PCT("alliance" \
												    "_")

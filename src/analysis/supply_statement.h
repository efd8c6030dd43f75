/* How questions about supply compose their statements. Private to them. */
#pragma once

#include "lodebase/api/call.h"
#include "lodebase/api/rows.h"
#include "supply_get.h"

#define SQL_MAX (64u << 10)

/* One statement being composed: its parameters are bound as they are first used. */
struct statement {
	struct call *c;
	struct buf sql;
	const char **params;
	int n;
	struct visibility visibility;
};

bool statement_begin(struct call *c, struct statement *s);
/* The rows of a resource as known; alias may be followed by more. */
void statement_rows(struct statement *s, const char *resource, const char *alias);
/* A place for a value of a type. */
void statement_bind(struct statement *s, const char *value, const char *type);
void statement_bind_number(struct statement *s, int value);
/* alias.id = …, or alias.slug = … */
void statement_bind_key(struct statement *s, const char *alias, const char *id_or_slug);
/* Ids and slugs as a list; they have nothing to quote. */
void statement_bind_keys(struct statement *s, const char *const *ids_or_slugs, size_t n);
bool statement_end(struct statement *s, struct supply_reads *r, struct db_result **into);

/* The columns of figures as supply_load() wants them, of an alias f. */
#define FIGURE_COLUMNS                                                                                                     \
	"f.id, f.mineral_id, f.source_id, f.stage, f.kind, f.scope, f.country, f.partner, f.product, f.year, f.quantity, " \
	"f.unit, f.basis, f.qualifier, f.excludes, f.created_at"
#define ALL_STAGES \
	"unnest(array['mine', 'concentrate', 'smelter', 'refinery', 'separation', 'product', 'recycling'] collate \"C\")"
/* An expression: the newest year of which figures of a kind are known of the mineral <alias>.id at s.stage. One look into an index for
 * each of the two tables; over both together all that was ever known of the mineral would be sorted. */
void statement_newest_year(struct statement *s, const char *alias, const char *kind);
/* Behind `from <p>`: its figures, for each row of p by the index. `condition` is on f, and may be followed by more, up to
 * statement_figures_end(). The planner would rather read all figures that there are. */
void statement_figures_of(struct statement *s, const char *condition);
void statement_figures_end(struct statement *s);
/* Behind a common table `main` of figures: `f` with what members of an alliance import, export and take from stocks, and what they
 * made in years with imports, too. */
void statement_trade(struct statement *s, const char *alliance);
/* The end of a statement of figures `f`: minerals, sources and figures; also the minerals of `more` (SQL; NULL: none). */
void statement_figures(struct statement *s, const char *more);

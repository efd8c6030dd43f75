/* The walk over all records of all resources, page by page: what GET /v1/export and `lodebase export` share. Private to api. */
#pragma once

#include "internal.h"

struct export_walk {
	size_t resource; /* its place in resources[] */
	char after[UUID_TEXT_SIZE]; /* the id of the last record written, "" at a resource's beginning */
	unsigned limit; /* rows of the next page */
	const struct known *known; /* as the base knew it then, resolved; NULL: as the statement's own snapshot has it */
	uint64_t records; /* written so far */
};

void export_walk_begin(struct export_walk *w, const struct known *known);
bool export_walk_is_over(const struct export_walk *w);
/* The statement of the next page, in the arena. false: no memory. */
bool export_walk_ask(const struct export_walk *w, struct arena *arena, struct composed *ret);
/* Writes a page's records as lines, as many as make a part, and goes on behind them. false: no memory. */
bool export_walk_take(struct export_walk *w, struct arena *arena, const struct db_result *page, struct buf *out);

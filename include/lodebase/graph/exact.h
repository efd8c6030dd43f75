/* Shares that are no fraction of two 64-bit integers: what came of diluting others. For those who build graphs and those who add
 * up exactly; GMP's rationals. */
#pragma once

#include <gmp.h>
#include "lodebase/graph/graph.h"

/* As graph_builder_stake(), of shares that are copied. */
enum err graph_builder_stake_exact(struct graph_builder *b, uint32_t holder, uint32_t subject, uint64_t id, mpq_srcptr min,
				   mpq_srcptr max) MUST_CHECK;
/* A stake's min or max, whatever its size. ret is initialised. */
void graph_share_exact(const struct graph *g, struct graph_ratio share, mpq_ptr ret);
double graph_share_double(const struct graph *g, struct graph_ratio share); /* the same, rounded */

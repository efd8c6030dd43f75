/* Cross-holdings that carry no vote (Korean Commercial Act, articles 369(3), 371(1) and 342-2): where a company and its subsidiaries
 * (more than 1/2, cascading) together hold more than 1/10 of another company, the shares of the company that the other itself
 * holds carry none, and leave the denominator. Both ways, both lose. */
#pragma once

#include "lodebase/graph/ownership.h"

struct graph_strip_row {
	uint32_t link, holder;
	struct graph_pct held; /* what the subject and its subsidiaries together hold of the holder */
	bool certain, possible; /* that its shares carry no vote: at the minima, at the maxima; decided exactly */
	double min, max; /* its votes afterwards */
	struct graph_pct pct;
};

struct graph_strip {
	struct graph_strip_row *rows; /* in the order of the subject's links */
	size_t count;
	struct graph_pct stripped_pct; /* what left the denominator */
	struct graph_pct total_pct, unexplained_pct; /* of the rows' votes; what nobody explains, afterwards */
};

/* The graph must have all that is below the subject, and whoever holds it. remainders: at the maxima what is unexplained of the
 * others may be the subject's, too. ERR_INVALID: no such node; ERR_NOMEM. */
enum err graph_strip_votes(const struct graph *g, struct graph_scratch *s, uint32_t subject, bool remainders, struct arena *a,
			   struct graph_strip *ret) MUST_CHECK;

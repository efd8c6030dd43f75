/* The addresses of the analysis layer. */
#include "lodebase/api/call.h"

/* clang-format off */
const struct route analysis_routes[] = {
	{ 0 },
};
/* clang-format on */
const size_t n_analysis_routes = 0;

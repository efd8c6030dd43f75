/* What the api's own files know of computations. */
#pragma once

#include "lodebase/api/compute.h"

struct api;

void compute_done(struct call *c); /* the call is over: its job is freed, or left alone */
void compute_woken(struct api *api); /* answers those that ended */

/* `lodebase serve`: the service from start to drain. The main thread takes signals, starts and watches the embedded
 * PostgreSQL, starts the workers and ends them. */
#pragma once

#include "lodebase/core/config.h"

/* Runs until SIGTERM or SIGINT; the process's exit status. */
int serve_main(const struct config *c);

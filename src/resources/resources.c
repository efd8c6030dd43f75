#include "lodebase/resources/resources.h"

#include <string.h>

const struct resource *const resources[] = { &shareholder_resource, &project_resource, &stake_resource, NULL };

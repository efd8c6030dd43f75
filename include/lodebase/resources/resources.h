/* The nouns of the knowledge base. Each file of this layer holds one: its field table and its few own rules. */
#pragma once

#include "lodebase/api/resource.h"

extern const struct resource shareholder_resource;
extern const struct resource project_resource;
extern const struct resource stake_resource;

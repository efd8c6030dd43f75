/* The nouns of the knowledge base. Each file of this layer holds one: its field table and its few own rules. */
#pragma once

#include "lodebase/api/resource.h"

extern const struct resource shareholder_resource;
extern const struct resource project_resource;
extern const struct resource source_resource;
extern const struct resource alliance_resource;
extern const struct resource membership_resource;
extern const struct resource mineral_resource;
extern const struct resource mineral_list_resource;
extern const struct resource listing_resource;
extern const struct resource output_resource;
extern const struct resource feed_resource;
extern const struct resource supply_figure_resource;
extern const struct resource financing_resource;
extern const struct resource financing_party_resource;
extern const struct resource stake_resource;
extern const struct resource decision_resource;
extern const struct resource designation_list_resource;
extern const struct resource designation_resource;
extern const struct resource rule_resource;
extern const struct resource claim_resource;

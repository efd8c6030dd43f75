#include "lodebase/resources/resources.h"

#include "shapes.h"

const struct resource *const resources[] = {
	&shareholder_resource,     &project_resource, &source_resource,        &alliance_resource,
	&membership_resource,      &mineral_resource, &mineral_list_resource,  &listing_resource,
	&output_resource,          &feed_resource,    &supply_figure_resource, &financing_resource,
	&financing_party_resource, &stake_resource,   &decision_resource,      &designation_list_resource,
	&designation_resource,     &rule_resource,    &claim_resource,         NULL
};

/* Constant, as field tables are; a test holds them against resources[]. */
const char *const resource_names[] = { "shareholders",      "projects", "sources",        "alliances",
				       "memberships",       "minerals", "mineral_lists",  "listings",
				       "outputs",           "feeds",    "supply_figures", "financings",
				       "financing_parties", "stakes",   "decisions",      "designation_lists",
				       "designations",      "rules",    "claims",         NULL };

/* Listings: that a mineral is on a list, and when. */
#include "shapes.h"

static const struct field fields[] = {
	RESOURCE_FIELDS(0),
	COMMON_REF("list_id", FIELD_REQUIRED, "mineral_lists"),
	COMMON_REF("mineral_id", FIELD_REQUIRED, "minerals"),
	COMMON_DATE("valid_from", FIELD_INDEXED),
	COMMON_DATE("valid_to", FIELD_INDEXED),
	COMMON_PROSE("note"),
};

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &listing_resource, record, faults };

	(void)arena;
	(void)stored;
	rule_order(&c, "valid_from", "valid_to", true);
}

const struct resource listing_resource = {
	.name = "listings",
	.table = "listing",
	.singular = "listing",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.slug_optional = true,
	.check = check,
};

/* Parties of financings: who takes part, in which role, with how much. */
#include "shapes.h"

static const char *const roles[] = { "investor", "lender",   "borrower", "guarantor", "grantor",
				     "offtaker", "arranger", "issuer",   NULL };

static const struct field fields[] = {
	RESOURCE_FIELDS(0),
	COMMON_REF("financing_id", FIELD_REQUIRED, "financings"),
	COMMON_REF("shareholder_id", FIELD_REQUIRED, "shareholders"),
	COMMON_ENUM("role", FIELD_REQUIRED | FIELD_INDEXED, roles),
	COMMON_AMOUNT("amount"),
	{ .name = "currency", .type = FIELD_CURRENCY },
};

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &financing_party_resource, record, faults };

	(void)arena;
	(void)stored;
	rule_together(&c, "amount", "currency");
}

const struct resource financing_party_resource = {
	.name = "financing_parties",
	.table = "financing_party",
	.singular = "party of a financing",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.slug_optional = true,
	.check = check,
};

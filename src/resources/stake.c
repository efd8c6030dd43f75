/* Stakes: who holds how much of whom, by what instrument, how certain, since when and until when. */
#include "lodebase/resources/resources.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/decimal.h"
#include "lodebase/resources/rules.h"

static const char *const instruments[] = { "common_equity", "preferred_equity", "convertible",      "warrant", "option",
					   "units",         "other_equity",     "voting_agreement", NULL };
static const char *const stages[] = { "rumoured", "expected", "loi", "approved", "closed", "lapsed", "terminated", NULL };
static const char *const trigger_kinds[] = { "none", "date", "event", "threshold", NULL };

#define PERCENTAGE(field_name, more_flags)                                                                              \
	{                                                                                                               \
		.name = field_name, .type = FIELD_DECIMAL, .flags = (more_flags), .min = "0", .max = "100", .scale = 12 \
	}

static const struct field fields[] = {
	RESOURCE_FIELDS(0),
	{ .name = "holder_id", .type = FIELD_REF, .flags = FIELD_REQUIRED | FIELD_INDEXED, .target = "shareholders" },
	{ .name = "issuer_id", .type = FIELD_REF, .flags = FIELD_INDEXED, .target = "shareholders" },
	{ .name = "project_id", .type = FIELD_REF, .flags = FIELD_INDEXED, .target = "projects" },
	{ .name = "instrument", .type = FIELD_ENUM, .flags = FIELD_REQUIRED | FIELD_INDEXED, .values = instruments },
	{ .name = "stage", .type = FIELD_ENUM, .flags = FIELD_REQUIRED | FIELD_INDEXED, .values = stages },
	PERCENTAGE("economic_pct", FIELD_INDEXED),
	PERCENTAGE("economic_min_pct", 0),
	PERCENTAGE("economic_max_pct", 0),
	{ .name = "shares_held", .type = FIELD_INTEGER, .min = "0", .max = "9223372036854775807" },
	{ .name = "shares_issued", .type = FIELD_INTEGER, .min = "1", .max = "9223372036854775807" },
	PERCENTAGE("voting_pct", 0),
	PERCENTAGE("voting_min_pct", 0),
	PERCENTAGE("voting_max_pct", 0),
	{ .name = "contingent", .type = FIELD_BOOL, .default_value = "false" },
	{ .name = "trigger_kind", .type = FIELD_ENUM, .values = trigger_kinds, .default_value = "none" },
	{ .name = "trigger", .type = FIELD_TEXT, .max_length = 2000 },
	{ .name = "dilutive", .type = FIELD_BOOL, .default_value = "false" },
	{ .name = "counterparty_id", .type = FIELD_REF, .flags = FIELD_INDEXED, .target = "shareholders" },
	{ .name = "valid_from", .type = FIELD_DATE, .flags = FIELD_INDEXED },
	{ .name = "valid_to", .type = FIELD_DATE, .flags = FIELD_INDEXED },
	{ .name = "amount",
	  .type = FIELD_DECIMAL,
	  .flags = FIELD_MAX_EXCLUSIVE,
	  .min = "0",
	  .max = "1000000000000000000",
	  .scale = 6 },
	{ .name = "currency", .type = FIELD_CURRENCY },
	{ .name = "financing_id", .type = FIELD_REF, .flags = FIELD_INDEXED, .target = "financings" },
	{ .name = "note", .type = FIELD_TEXT, .flags = FIELD_NO_FILTER },
};

static const char *const locks[] = { "issuer_id", "project_id", NULL };

static size_t field(const char *name)
{
	return (size_t)resource_field(&stake_resource, name, strlen(name));
}

/* Whether two percentages are both given and the same by value. */
static bool same(const char *a, const char *b)
{
	return a && b && decimal_compare(a, b) == 0;
}

/* What the shares of a record come to in per cent, or NULL where it has none. */
static const char *percentage_of_shares(struct arena *arena, const struct record *record)
{
	const char *held = record->values[field("shares_held")], *issued = record->values[field("shares_issued")];
	struct decimal pct;

	if (!held || !issued || decimal_percentage(strtoll(held, NULL, 10), strtoll(issued, NULL, 10), &pct) != OK)
		return NULL;
	return arena_strdup(arena, pct.text);
}

static const char *const exact_or_shares[] = { "economic_pct", "shares_held", "shares_issued", NULL };

/* Shares define the exact rational and the percentage is derived from them: one that is sent beside them is that figure or
 * the stored one (so that what GET gave can be sent back with other shares), and one that was derived goes with them. Of the
 * votes this holds where the record says nothing else of them (contract section 2). */
static void derive(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	size_t economic = field("economic_pct"), voting = field("voting_pct");
	const char *derived = percentage_of_shares(arena, record);
	const char *before = stored ? percentage_of_shares(arena, stored) : NULL;

	if (derived) {
		const char *sent = record->given[economic] ? record->values[economic] : NULL;

		if (sent && !same(sent, derived) && !(stored && same(sent, stored->values[economic])))
			for (const char *const *name = exact_or_shares; *name; name++)
				faults_member(faults, *name, "exclusive",
					      "shares_held / shares_issued is %s %%: leave economic_pct out, or send that",
					      derived);
		record->values[economic] = derived;
		if (!record->values[voting] && !record->values[field("voting_min_pct")] &&
		    !record->values[field("voting_max_pct")])
			record->values[voting] = derived;
		else if (before && same(record->values[voting], before) && same(stored->values[voting], before))
			record->values[voting] = derived;
		return;
	}
	if (before && !record->given[economic] && same(record->values[economic], stored->values[economic]))
		record->values[economic] = NULL;
	if (before && !record->given[voting] && same(record->values[voting], before))
		record->values[voting] = NULL;
}

static const char *const economic_exact[] = { "economic_pct", NULL };
static const char *const economic_range[] = { "economic_min_pct", "economic_max_pct", NULL };
static const char *const shares[] = { "shares_held", "shares_issued", NULL };
static const char *const voting_exact[] = { "voting_pct", NULL };
static const char *const voting_range[] = { "voting_min_pct", "voting_max_pct", NULL };

static const char *const subjects[] = { "issuer_id", "project_id", NULL };

static void check(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults)
{
	struct rule_context c = { &stake_resource, record, faults };
	bool complete;

	rule_exactly_one(&c, subjects);
	rule_together(&c, "shares_held", "shares_issued");
	rule_order(&c, "shares_held", "shares_issued", false);
	complete = rule_value(&c, "shares_held") && rule_value(&c, "shares_issued");
	rule_excludes(&c, shares, economic_range, "a range of the economic share excludes shares_held and shares_issued");
	if (!faults_has_member(faults, "shares_held") && !faults_has_member(faults, "shares_issued") &&
	    !faults_has_member(faults, "economic_pct") && !faults_has_member(faults, "voting_pct"))
		derive(arena, record, stored, faults);
	if (!complete || record->given[field("economic_pct")]) /* else it is just what the shares come to */
		rule_excludes(&c, economic_exact, economic_range, "the economic share is exact or a range, not both");
	rule_order(&c, "economic_min_pct", "economic_max_pct", false);
	rule_excludes(&c, voting_exact, voting_range, "the voting share is exact or a range, not both");
	rule_order(&c, "voting_min_pct", "voting_max_pct", false);
	rule_order(&c, "valid_from", "valid_to", true);
	rule_together(&c, "amount", "currency");
}

const struct resource stake_resource = {
	.name = "stakes",
	.table = "stake",
	.singular = "stake",
	.fields = fields,
	.n_fields = sizeof(fields) / sizeof(fields[0]),
	.slug_optional = true,
	.check = check,
	.locks = locks,
};

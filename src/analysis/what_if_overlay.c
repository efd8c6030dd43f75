/* Records of a what-if as the register has them: the places of their enumerations, days as numbers, shares as fractions. */
#include "what_if.h"

#include <stdlib.h>
#include <string.h>

static const char *value(const struct resource *r, const struct record *record, const char *field)
{
	return record->values[resource_field(r, field, strlen(field))];
}

static uint8_t place(const struct resource *r, const struct record *record, const char *field)
{
	const struct field *f = &r->fields[resource_field(r, field, strlen(field))];

	return (uint8_t)parameter_place(f->values, value(r, record, field));
}

static void copy_code(char to[2], const char *from)
{
	if (from)
		memcpy(to, from, 2);
}

struct graph_node what_if_node(enum graph_resource resource, const struct record *record)
{
	const struct resource *r = resource_find(inquiry_resource(resource));
	struct graph_node n = { .resource = resource, .company = GRAPH_NONE };

	n.slug = value(r, record, "slug");
	n.name = value(r, record, "name");
	n.kind = place(r, record, "kind");
	copy_code(n.country, value(r, record, "country"));
	if (resource == GRAPH_SHAREHOLDERS)
		copy_code(n.state, value(r, record, "state"));
	return n;
}

/* A share that is exact, or a range of which one bound may be missing. */
static struct graph_share share(const char *exact, const char *min, const char *max)
{
	struct graph_share s = { .given = exact || min || max };

	s.min = ownership_ratio(exact ? exact : min ? min : "0");
	s.max = ownership_ratio(exact ? exact : max ? max : "100");
	return s;
}

static int32_t day(const char *date, int32_t open)
{
	return date ? ownership_day(date) : open;
}

static bool truth(const char *text)
{
	return text && *text == 't';
}

struct graph_stake_info what_if_stake(const struct record *record)
{
	const struct resource *r = resource_find("stakes");
	const char *held = value(r, record, "shares_held"), *economic = value(r, record, "economic_pct");
	const char *voting = value(r, record, "voting_pct");
	struct graph_stake_info s = { .counterparty = GRAPH_NONE };

	s.slug = value(r, record, "slug");
	s.instrument = place(r, record, "instrument");
	s.stage = place(r, record, "stage");
	s.contingent = truth(value(r, record, "contingent"));
	s.dilutive = truth(value(r, record, "dilutive"));
	s.valid_from = day(value(r, record, "valid_from"), GRAPH_DAY_FIRST);
	s.valid_to = day(value(r, record, "valid_to"), GRAPH_DAY_LAST);
	s.economic = share(economic, value(r, record, "economic_min_pct"), value(r, record, "economic_max_pct"));
	s.voting = share(voting, value(r, record, "voting_min_pct"), value(r, record, "voting_max_pct"));
	if (held) { /* the exact share, of which the percentage is but the rounding */
		s.economic.min = s.economic.max =
			(struct graph_ratio){ strtoull(held, NULL, 10), strtoull(value(r, record, "shares_issued"), NULL, 10) };
		if (voting && economic && strcmp(voting, economic) == 0)
			s.voting = s.economic;
	}
	return s;
}

/* Screenings: rules of laws and programmes (the `rules` resource), asked of subjects (contract section 5, POST /v1/screenings). */
#pragma once

#include "ownership.h"

struct stored;

/* Who is on a list of designations on the day asked for. A country stands for every shareholder whose `state` or `country` it is. */
struct screening_list {
	const char *slug;
	uint8_t countries[26][26];
	const struct uuid *shareholders;
	size_t n_countries, n_shareholders;
};

enum screening_contingent { CONTINGENT_AS_RULED, CONTINGENT_IGNORE, CONTINGENT_EXERCISED };

/* A rule as it was known; its texts are those of the record. */
struct screening_rule {
	const char *slug, *version, *title, *source_url, *threshold_pct, *comparator, *measures, *aggregation, *tier;
	const char *effective_from, *effective_to; /* NULL: open */
	struct graph_ratio threshold;
	enum graph_method method;
	bool strict, single, single_entity;
	enum screening_contingent contingent;
	const char **list_names; /* as the rule names them */
	const struct screening_list **lists; /* NULL: there is no such list */
	size_t n_lists;
	bool of_supply; /* measures no ownership */
};

struct screening_subject {
	enum graph_resource resource;
	const char *text; /* id or slug; NULL where it was refused */
	const char *where; /* the pointer of its member */
};

/* A request: as it was sent, then what it names. */
struct screening_request {
	struct arena *arena;
	struct faults faults; /* of its members, and of rules and lists that nobody has */
	bool several, all_projects; /* answered with items */
	struct screening_subject *subjects;
	size_t n_subjects;
	struct stored *rules, *parties /* keys alone */, *designations;
	size_t n_rules, n_parties, n_designations;
	enum screening_contingent contingent;
	char valid_at[11];
	int32_t valid_day;

	/* screening_load() */
	const struct screening_rule **ruled; /* of rules[]; NULL: there is none */
	const struct screening_list **listed; /* of designations[]; NULL: there is none */
};

#define SCREENING_NAMES_MAX 1000 /* of rules, parties, lists, subjects */

/* Reads the members of an object. Pointers of faults begin with `prefix` ("" where the object is the body). Of a question in a
 * what-if valid_at and known_at are no members (the caller sets valid_at), and those that `skip` names (NULL-terminated) are left to
 * the caller; else known_at is. */
void screening_read(struct arena *arena, const struct json_document *d, const json_t *object, const char *prefix,
		    bool in_what_if, const char *const *skip, struct screening_request *ret);
void screening_set_valid_at(struct screening_request *r, const char *valid_at); /* YYYY-MM-DD */
/* Reads the rules and lists of n requests of one valid_at as c->known (resolved) has them; then `ready` goes on. */
void screening_load(struct call *c, struct screening_request **requests, size_t n, void (*ready)(struct call *c));
/* The answer of a request that was loaded: 200, or 422 with all that is wrong in it. */
enum err screening_answer(const struct inquiry *i, const struct screening_request *r, struct answer *a) MUST_CHECK;

void screenings_run(struct call *c); /* POST /v1/screenings */

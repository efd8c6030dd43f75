/* What-if: questions asked of the register as it stands and as it would be (contract section 5, POST /v1/ownership/what-if). */
#pragma once

#include "lodebase/api/stored.h"
#include "ownership.h"
#include "screening.h"

#define WHAT_IF_ENTRIES_MAX 1000 /* of one list */
#define WHAT_IF_QUESTIONS_MAX 100

/* One entry of a list. Its faults wait here until they are gathered: a change's come in two parts. */
struct what_if_entry {
	struct faults faults;
	size_t gathered;
	struct record_input input; /* of shareholders, projects, add, change */
	const char *key; /* of change, remove, exercise: an id or slug; NULL: none that could be read */
	const struct record *stored; /* of change: the stake on file */
	const struct stored *financing; /* that a stake names and has not on file already; NULL: none */
	uint32_t version; /* of change, remove: the stake's in the register; GRAPH_NONE: none */
};

struct what_if_list {
	struct what_if_entry *entries;
	size_t n;
};

enum what_if_ask { WHAT_IF_OWNERS, WHAT_IF_HOLDINGS, WHAT_IF_CAP_TABLE, WHAT_IF_SCREENING, WHAT_IF_UNREADABLE };

struct what_if_question {
	struct faults faults;
	size_t gathered, screening_gathered;
	enum what_if_ask ask;
	struct ownership_query query; /* of all but screenings */
	const char *subject_pointer; /* of the member that names it */
	struct screening_request *screening; /* NULL: none */
	const char *address; /* of the call that would ask the same of the register as it stands */
};

/* A request, in its job's arena. */
struct what_if {
	struct arena *arena;
	struct faults faults; /* of the body itself */
	size_t gathered;
	struct what_if_list shareholders, projects, add, change, remove, exercise;
	struct what_if_question *questions;
	size_t n_questions;
	char valid_at[11];
	const char *known_at; /* as sent; NULL: not given */
	const char *request_id;

	struct inquiry inquiry; /* the register as it stands */
	struct graph_overlay overlay; /* what would be otherwise; its stakes are those added, then those changed */
};

/* Reads the body. false: no memory. */
bool what_if_read(const struct json_document *d, struct what_if *w) MUST_CHECK;
/* Adds all faults that were found since it was called last to those of the request. */
void what_if_gather(struct what_if *w, struct faults *ret);
/* Finds what `change` and `remove` name; false: no memory. */
bool what_if_find(struct what_if *w) MUST_CHECK;
bool what_if_is_removed(const struct what_if *w, uint32_t version); /* or changed */
/* Judges all that takes the register, and makes the overlay; the stakes and financings on file were read. false: no memory. */
bool what_if_check(struct what_if *w) MUST_CHECK;

/* A shareholder or project, and a stake, as the overlay has them; nodes and ids are the caller's to fill in. */
struct graph_node what_if_node(enum graph_resource resource, const struct record *record);
struct graph_stake_info what_if_stake(const struct record *record);

/* The 100 % rule in the state after: OK and *ret_answered where it is broken (409 in *a). ERR_FULL: more than a worker looks at. */
enum err what_if_allocation(const struct what_if *w, bool inline_only, struct answer *a, bool *ret_answered) MUST_CHECK;
/* The answer of a request without faults. */
enum err what_if_answer(struct what_if *w, struct answer *a) MUST_CHECK;

void what_if_run(struct call *c); /* POST /v1/ownership/what-if */

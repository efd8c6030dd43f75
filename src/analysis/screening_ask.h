/* How a rule is asked of a subject: views of the register with what is above each subject, who the parties are, figures and
 * verdicts. Private to the screening files. */
#pragma once

#include "screening.h"

enum screening_outcome { SCREENING_CLEAR, SCREENING_INDETERMINATE, SCREENING_CAUGHT };

/* Whom a rule is about. */
struct party_set {
	uint32_t *nodes; /* of the register, ascending */
	size_t n;
	uint8_t countries[26][26]; /* and every shareholder of these */
	bool asked; /* somebody was named, or a list */
	bool empty; /* but nobody is on it */
	bool governs; /* a country is designated, or somebody who has a state */
	const char *stateless; /* somebody named by the request who has none; NULL: nobody */
	const char *missing; /* a list that the rule names and nobody has; NULL: none */
};

/* What a screening needs to know of a node. */
struct screen_node {
	bool read, is_shareholder, is_unnamed;
	char country[2], state[2];
	struct uuid id;
};

/* The register by one measure, contingent instruments exercised or not: above every subject, or above one. */
struct screen_view {
	struct graph_view *view;
	struct graph_scratch *scratch;
	struct screen_node *nodes; /* by local number */
	uint8_t *unexplained; /* by local number: an unnamed holder without owners */
	uint64_t *ranks; /* by local number: the id's first half, an order that numbering does not change */
	uint32_t *stamps, stamp; /* which nodes a walk has passed */
	uint32_t *warning_of,
		*next_warning; /* by local number the first of its warnings, of each the next one; from 1, 0: none */
	struct answer *problem; /* instead of all that */
};

/* A subject in a view, with all that is above it. */
struct screen_above {
	struct screen_view *v;
	uint32_t subject; /* local */
	uint32_t *nodes; /* local; the subject first, then those nearest */
	uint32_t *by_id; /* the same in the order of their ids; NULL after screen_walk() */
	size_t n, links;
};

#define SCREEN_MEASURES 2

struct screen {
	const struct inquiry *asked; /* as it came */
	struct inquiry i; /* the same with an arena of the subject's own */
	const struct screening_request *r;
	uint32_t *subjects; /* of the register */
	size_t n_subjects, at; /* the one at hand */
	struct party_set *parties; /* by rule */
	struct screen_view *shared[SCREEN_MEASURES][2]; /* of all subjects, by measure and whether exercised */
	bool split[SCREEN_MEASURES][2]; /* that cannot be: */
	struct screen_view *own[SCREEN_MEASURES][2]; /* of the subject at hand */
	struct screen_above *above[SCREEN_MEASURES][2]; /* of the subject at hand */
	uint32_t *walked; /* the nodes of screen_walk(), until the next one */
	size_t walked_capacity;
	size_t budget; /* steps of one figure */
	size_t spent; /* links passed for the rule at hand */
	unsigned unnamed_kind;
};

/* A figure held against a threshold. */
struct screen_figure {
	struct graph_pct pct;
	int min_order, max_order; /* as in struct graph_group */
	bool exact, coarse;
	uint32_t party; /* of the register: whose it is; GRAPH_NONE: of all together, or of nobody on file */
};

/* The government of a state behind a holder. */
struct screen_interest {
	bool is_set;
	char state[2];
	struct graph_pct pct;
	const char *threshold_pct;
};

/* One of the tests that a rule consists of. */
struct screen_test {
	enum graph_measure measure;
	bool single; /* each by itself; else all together */
	const char *threshold_pct;
	struct graph_ratio threshold;
	struct screen_figure figure;
	enum screening_outcome outcome;
	struct screen_interest interest;
};

#define SCREEN_TESTS_MAX 4

/* A rule's answer about a subject. */
struct screen_result {
	const struct screening_rule *rule;
	const struct party_set *parties;
	bool exercised;
	struct screen_test tests[SCREEN_TESTS_MAX];
	size_t n_tests;
	const struct screen_test *decided; /* NULL: nothing could be tested */
	struct graph_pct pct;
	enum screening_outcome outcome;
	bool not_exact, coarse;
	bool by_state; /* it is about governments */
	bool from_subject; /* its paths run from the subject to the holder */
	struct answer *problem;
};

/* --- screening_view.c --- */

/* The subject at hand by a measure. *ret_problem: it cannot be looked at so. */
enum err screen_above(struct screen *s, enum graph_measure m, bool exercised, struct screen_above **ret,
		      struct answer **ret_problem) MUST_CHECK;
/* All that is above another node of the same view; its nodes stay until the next such walk. */
enum err screen_walk(struct screen *s, struct screen_view *v, uint32_t subject, struct screen_above *ret) MUST_CHECK;
void screen_subject_done(struct screen *s); /* the next subject follows */
void screen_done(struct screen *s);

/* --- screening_parties.c --- */

enum err screen_parties(struct screen *s, struct answer *a) MUST_CHECK; /* of every rule; faults go to the answer */
bool screen_is_party(const struct party_set *p, const struct screen_above *x, uint32_t local);
/* Those at or above the subject, local, by id; in the arena of the subject. */
enum err screen_parties_above(struct screen *s, const struct party_set *p, const struct screen_above *x, uint32_t **ret,
			      size_t *ret_n) MUST_CHECK;
/* Nodes of a view (local) in the order of their ids: the same whatever the order in which the register was read. */
void screen_sort(const struct screen_view *v, uint32_t *nodes, size_t n);
/* Whether a rule is asked without anybody named, too. */
bool screening_needs_parties(const struct screening_rule *rule);

/* --- screening_rule.c --- */

/* Everything but memory and time is in the result; ERR_FULL: it takes longer than a worker has. */
enum err screen_rule(struct screen *s, size_t rule, struct screen_result *ret) MUST_CHECK;

/* --- screening_figure.c: figures of parties --- */

struct screen_question {
	const struct screening_rule *rule; /* whose comparator it is */
	struct graph_question question;
	struct graph_ratio threshold;
	bool remainders;
};

struct screen_question screen_question_of(const struct screen *s, const struct screening_rule *rule);
/* What holders (local) have together; party is GRAPH_NONE where they are not one. */
enum err screen_share(struct screen *s, const struct screen_above *x, const struct screen_question *q, const uint32_t *holders,
		      size_t n, struct screen_figure *ret, struct answer **ret_problem) MUST_CHECK;
/* The greatest that any of them has by itself. */
enum err screen_greatest(struct screen *s, const struct screen_above *x, const struct screen_question *q,
			 const uint32_t *holders, size_t n, struct screen_figure *ret, struct answer **ret_problem) MUST_CHECK;
enum screening_outcome screen_outcome(const struct screening_rule *rule, const struct screen_figure *f);
/* Takes in another figure of which the greater counts. */
void screen_take(const struct screening_rule *rule, struct screen_figure *greatest, const struct screen_figure *f);

/* --- screening_state.c: governments of one state behind a holder --- */

/* The greatest share of any holder of whom those of the parties who have one state have together at least so much (or more than that,
 * as the rule compares). */
enum err screen_state_behind_holder(struct screen *s, const struct screen_above *x, const struct screen_question *q,
				    const uint32_t *parties, size_t n, const char *least_pct, struct screen_test *ret,
				    struct answer **ret_problem) MUST_CHECK;

/* --- screening_write.c --- */

enum err screen_write(struct screen *s, struct json_writer *w, const struct screen_result *r) MUST_CHECK;

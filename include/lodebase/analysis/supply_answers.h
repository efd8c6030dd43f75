/* The answers to questions about supply, as the contract has them (section 6), from data in memory: JSON members into an object that
 * is open, or CSV lines. Pure: whoever asks over HTTP writes the echo around them. */
#pragma once

#include "lodebase/analysis/supply_trade.h"
#include "lodebase/base/json_writer.h"

/* What a question names. Sets are those of all years: each figure takes them as they are in its own. */
struct supply_question {
	enum supply_kind kind;
	int stage; /* -1: not asked */
	int year; /* 0: not asked */
	const char *of; /* a list's slug or a country's code, as the answer says it; NULL: none */
	const struct supply_set *list; /* its countries */
	const struct supply_node *alliance; /* NULL: none */
	const struct supply_set *members; /* its countries */
	enum supply_guideline guideline;
};

/* Where an answer goes: one of json (an object is open in it) and csv (with its header line). */
struct supply_output {
	struct json_writer *json;
	struct buf *csv;
	struct arena *memory; /* scratch */
	struct supply_warnings *warnings;
};

/* A mineral's only stage on file; -1: there is none, -2: there are several. */
int supply_only_stage(const struct supply_data *d, uint32_t mineral, enum supply_kind kind);

/* Everything that one table says. */
struct supply_summary {
	struct supply_table table;
	struct supply_span denominator, hhi, top3, leading, list, alliance;
	long leading_row; /* -1: none */
	const uint16_t *unlisted;
	size_t n_unlisted;
};
enum err supply_summarise(const struct supply_data *d, const struct supply_question *q, uint32_t mineral,
			  enum supply_stage stage, int year, struct arena *memory, struct supply_warnings *warnings,
			  struct supply_summary *ret) MUST_CHECK;
void supply_summary_clear(struct supply_summary *s);

/* GET …/supply of a mineral: stage and year of the question are those to be answered; 0: there is none. */
enum err supply_write_table(const struct supply_data *d, const struct supply_question *q, uint32_t mineral,
			    const struct supply_output *out) MUST_CHECK;
/* …/supply/trend: all years of the question's stage. */
enum err supply_write_trend(const struct supply_data *d, const struct supply_question *q, uint32_t mineral,
			    const struct supply_output *out) MUST_CHECK;
/* …/chain */
enum err supply_write_chain(const struct supply_data *d, const struct supply_question *q, uint32_t mineral,
			    const struct supply_output *out) MUST_CHECK;

enum supply_sort { SUPPLY_BY_HHI, SUPPLY_BY_LEADING, SUPPLY_BY_LIST, SUPPLY_BY_ALLIANCE, SUPPLY_BY_YEAR, SUPPLY_BY_MINERAL };
extern const char *const supply_sort_names[]; /* as sort= has them */
/* /supply/concentration: by one figure's minimum (what has none comes last), then slug and stage. */
enum err supply_write_concentration(const struct supply_data *d, const struct supply_question *q, enum supply_sort sort,
				    bool descending, size_t limit, const struct supply_output *out) MUST_CHECK;
/* …/supply of an alliance */
enum err supply_write_alliance(const struct supply_data *d, const struct supply_question *q,
			       const struct supply_output *out) MUST_CHECK;

/* A benchmark: a rule of supply. */
struct supply_rule {
	struct supply_node node; /* its name is the title */
	const char *version, *source_url, *threshold_pct;
	bool coverage; /* else single_country_share */
	bool strict; /* > */
};
/* …/benchmarks of an alliance: every rule of every mineral and stage. */
enum err supply_write_benchmarks(const struct supply_data *d, const struct supply_question *q, const struct supply_rule *rules,
				 size_t n_rules, const struct supply_output *out) MUST_CHECK;
/* …/reliance of a mineral; country 0: all */
enum err supply_write_reliance(const struct supply_data *d, const struct supply_question *q, uint32_t mineral, uint16_t country,
			       const struct supply_output *out) MUST_CHECK;

/* Parts of answers. */
void supply_write_node(struct json_writer *w, const char *resource, const struct supply_node *n);
/* "pct" (null where not known), or "min_pct" and "max_pct" where they differ as printed. The span is a fraction. */
void supply_write_share(struct json_writer *w, const struct supply_span *s);
void supply_write_warnings(struct json_writer *w, const struct supply_warnings *warnings);

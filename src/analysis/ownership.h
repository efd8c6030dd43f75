/* What the questions about ownership share: their parameters, where they stand, and how answers are written. */
#pragma once

#include "lodebase/api/call.h"
#include "lodebase/api/compute.h"
#include "lodebase/base/json_writer.h"
#include "lodebase/base/uuid.h"
#include "lodebase/graph/view.h"
#include "parameters.h"

/* Where a question stands; all that a computation reads of its request. In the job's arena. */
struct inquiry {
	struct graph_at at;
	const struct graph_overlay *overlay; /* of a what-if; NULL: none */
	const char *known_at, *revision; /* as the answer says them */
	struct arena *arena;
	bool inline_only; /* as in struct compute_job */
	size_t steps;
	const atomic_bool *cancelled; /* NULL: cannot be */
};

#define PATHS_MAX 100
#define ROWS_MAX 100000
#define INLINE_LINKS 2000 /* a part of the register of more links than this is answered on a compute thread */

/* One question's parameters. Numbers of stages, kinds and the like are places in the field tables' lists. */
struct ownership_query {
	enum graph_resource resource; /* of the subject, or holder */
	const char *subject; /* id or slug, as in a path */
	enum graph_method method;
	enum graph_measure measure;
	bool raw, single_entity, inclusive;
	struct graph_ratio threshold;
	const char *threshold_pct;
	const char **parties; /* ids or slugs */
	size_t n_parties;
	unsigned stages; /* bits */
	bool exercised;
	char valid_at[11];
	int32_t valid_day;
	const char *min_pct; /* NULL: none */
	int64_t min_units; /* the same, in 10^-12 per cent */
	const char **kinds, **countries;
	size_t n_kinds, n_countries;
	bool ultimate, ultimate_given;
	enum { GROUP_NONE, GROUP_COUNTRY, GROUP_STATE, GROUP_KIND } group_by;
	unsigned paths, limit;
	bool paths_given, limit_given;
	bool strip; /* kr-cross-holding */
	bool csv;
	/* of paths and of the graph; as they were given: an id, a slug, or "projects/slug" */
	const char *from, *to, *root;
	enum { GO_UP, GO_DOWN, GO_BOTH } direction;
	unsigned depth; /* 0: all of it */
	enum { FORMAT_JSON, FORMAT_GRAPHML, FORMAT_DOT, FORMAT_CYTOSCAPE } format;
	/* of power */
	bool banzhaf;
	const char *quota_pct;
};

enum ownership_question { ASK_OWNERS, ASK_HOLDINGS, ASK_CAP_TABLE, ASK_CYCLES, ASK_PATHS, ASK_GRAPH, ASK_POWER };
extern const char *const ownership_methods[];
extern const char *const ownership_directions[], *const ownership_formats[];

/* Reads the parameters that the question takes; faults are added, *q is whole in any case. Exactly one of fields and object. */
void ownership_query_read(const struct parameter_source *s, enum ownership_question question, const struct http_field *fields,
			  size_t n_fields, const struct json_document *d, const json_t *object, const char *const *skip,
			  struct ownership_query *ret);
/* A percentage's canonical text as a fraction, and in units of 10^-12 per cent. The text is one of 0 to 100 with 12 decimals. */
struct graph_ratio ownership_ratio(const char *pct);
int64_t ownership_units(const char *pct);
unsigned ownership_stage(const char *name); /* its bit among the stages of stakes */
int32_t ownership_day(const char *date); /* YYYY-MM-DD as days since 1970-01-01 */

/* --- the frame of a GET (inquiry.c) --- */

/* `check` of an operation: makes the call's job, reads known_at (where a parameter of that name is given) and leaves the rest. The
 * source for parameters_of_query(); false: answered. */
bool inquiry_check(struct call *c, struct parameter_source *ret_source);
extern const char *const inquiry_skip[]; /* the parameters that inquiry_check() reads */
/* Goes on with `ready` when the call has a moment and c->compute's inquiry is filled in. */
void inquiry_start(struct call *c, struct inquiry *inquiry, void (*ready)(struct call *c));
/* The same where known_resolve() was done before. */
void inquiry_start_resolved(struct call *c, struct inquiry *inquiry, void (*ready)(struct call *c));

/* --- nodes --- */

/* The node of an id or slug. GRAPH_NONE: none then. */
uint32_t inquiry_find(const struct inquiry *i, enum graph_resource resource, const char *id_or_slug);
uint32_t inquiry_find_any(const struct inquiry *i,
			  const char *id_or_slug); /* "projects/slug", an id, or a slug of a shareholder, else of a project */
void inquiry_node(const struct inquiry *i, uint32_t node, struct graph_node *ret);
const char *inquiry_kind(const struct graph_node *n);
const char *inquiry_resource(enum graph_resource r); /* as in paths */
/* By slug, then resource, for qsort(). */
/* Greatest maximum first, then greatest minimum. */
int pct_order(const struct graph_pct *a, const struct graph_pct *b);
struct graph_pct pct_capped(struct graph_pct pct); /* a sum of maxima comes to the whole at most, or to the minimum */
int node_order(const struct graph_node *a, const struct graph_node *b);
int compare_node_order(const void *left, const void *right); /* the same, for qsort() of struct graph_node */
void write_node(struct json_writer *w, const struct graph_node *n);
/* The same node as far as its members, without braces: for who adds some. */
void write_node_members(struct json_writer *w, const struct graph_node *n);

/* --- figures --- */

void write_units(struct json_writer *w, int64_t units);
/* "pct", or "min_pct" and "max_pct" where they differ; with a prefix such as "direct_". */
void write_value(struct json_writer *w, const char *prefix, int64_t min, int64_t max);

/* --- answers --- */

/* The part of the register that a question is about. OK, or what the answer became: true in *ret_answered where it is a problem. */
enum err inquiry_view(const struct inquiry *i, const struct graph_filter *filter, enum graph_scope scope, const uint32_t *roots,
		      size_t n_roots, struct answer *a, struct graph_view **ret, bool *ret_answered) MUST_CHECK;
/* A question that the graph declined: closed-ring, too-complex, unbounded. */
enum err inquiry_declined(const struct inquiry *i, const struct graph_view *v, enum err why,
			  const struct graph_figures *figures, struct answer *a) MUST_CHECK;
enum err inquiry_not_found(struct answer *a, enum graph_resource resource, const char *id_or_slug) MUST_CHECK;
const char *ownership_stages(struct arena *arena, unsigned stages); /* "closed,expected"; NULL: no memory */
struct graph_filter ownership_filter(const struct inquiry *i, const struct ownership_query *q);
/* The node that a parameter names. GRAPH_NONE: there is none; the fault was added. */
uint32_t inquiry_named(const struct inquiry *i, const char *parameter, const char *text, struct answer *a);
/* subject (GRAPH_NONE: null), method …: everything that comes before the rows. The object is open. NULL view: no warnings. */
void write_echo(struct json_writer *w, const struct inquiry *i, const struct ownership_query *q,
		enum ownership_question question, uint32_t subject, const struct graph_view *v, bool coarse);
void write_echo_but_warnings(struct json_writer *w, const struct inquiry *i, const struct ownership_query *q,
			     enum ownership_question question, uint32_t subject);
/* The same with warnings of those subjects alone that `about` names (not 0, by local number). */
void write_echo_of_part(struct json_writer *w, const struct inquiry *i, const struct ownership_query *q,
			enum ownership_question question, uint32_t subject, const struct graph_view *v, const uint8_t *about);
void write_known(struct json_writer *w, const struct inquiry *i); /* known_at, revision */
/* Warnings of all subjects, or of those that `about` names, as an array; and that with its key. */
void write_warning_list(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, const uint8_t *about,
			bool coarse);
void write_warnings(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, bool coarse);
void write_plain_warning(struct json_writer *w, const char *code, const char *detail); /* of no stakes */
void write_warning(struct json_writer *w, const struct inquiry *i, const struct graph_view *v,
		   const struct graph_view_warning *warning);
/* A problem as a document within another answer: without instance and request_id, so that the same question gives the same
 * bytes. */
void write_problem(struct json_writer *w, const struct answer *a);
/* One stake of a view: id and slug (null where implied). */
void write_stake_name(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, uint64_t stake);
void write_stake_id(struct json_writer *w, const struct inquiry *i, const struct graph_view *v,
		    uint64_t stake); /* the id alone */
void write_stake_ids(struct json_writer *w, const struct inquiry *i, const struct graph_view *v,
		     const struct graph_link *link); /* "stakes": [id, …] */
bool stake_id(const struct inquiry *i, const struct graph_view *v, uint64_t stake,
	      char ret[UUID_TEXT_SIZE]); /* false: implied */
/* A path of a view, as the contract has it. */
void write_path(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, const struct graph_path *p);

size_t inquiry_path_steps(const struct inquiry *i); /* what looking for paths may take */
/* Of equal paths those first whose nodes' slugs are, from the holder down. */
enum err paths_sort(const struct inquiry *i, const struct graph_view *v, struct graph_paths *paths) MUST_CHECK;
/* By local number: which of equal paths are found first, the same whatever the order in which the register was read. NULL: no
 * memory. */
uint64_t *inquiry_ranks(const struct inquiry *i, const struct graph_view *v);

/* CSV: `figures` are the header's cells between name and resource; a figure is three of them: pct, min_pct, max_pct. */
void csv_header(struct buf *out, const char *figures);
void csv_node(struct buf *out, const struct graph_node *n);
void csv_pct(struct buf *out, struct graph_pct pct);
void csv_end(struct buf *out, const struct graph_node *n);

/* --- the questions; each fills the answer with what the call itself gives --- */

enum err owners_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a) MUST_CHECK;
enum err holdings_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a) MUST_CHECK;
enum err cap_table_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a) MUST_CHECK;
enum err cycles_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a) MUST_CHECK;
enum err paths_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a) MUST_CHECK;
enum err power_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a) MUST_CHECK;
enum err structure_answer(const struct inquiry *i, const struct ownership_query *q, struct answer *a) MUST_CHECK;

void owners_check(struct call *c);
void owners_run(struct call *c);
void holdings_check(struct call *c);
void holdings_run(struct call *c);
void cap_table_check(struct call *c);
void cap_table_run(struct call *c);
void cycles_check(struct call *c);
void cycles_run(struct call *c);
void paths_check(struct call *c);
void paths_run(struct call *c);
void structure_check(struct call *c); /* GET /v1/ownership/graph */
void structure_run(struct call *c);
void power_check(struct call *c);
void power_run(struct call *c);

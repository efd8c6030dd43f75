/* SQL composed from field tables. Column and table names come from the tables only; values are always bound. */
#pragma once

#include "lodebase/api/resource.h"
#include "lodebase/base/arena.h"
#include "lodebase/base/buf.h"
#include "lodebase/api/known.h"
#include "lodebase/api/rows.h"

/* The statements of one resource, composed once per worker. Result columns of those that give records: all fields in order,
 * then per reference field its summary's slug and name. */
struct statements {
	char *get_by_id; /* $1 id */
	char *get_by_slug; /* $1 slug */
	char *get_by_ids; /* $1 an array of ids: those that are there, in any order */
	char *get_by_slugs;
	char *insert; /* $1 id, $2 slug, then the own fields in order; gives the record */
	char *insert_if_absent; /* the same, no row where the slug is taken */
	char *update; /* $1 id, $2 slug, own fields, last: the expected version; gives the record */
	char *delete; /* $1 id, $2 expected version; one row where it was deleted */
	char *lock_row; /* $1 id: the row to change */
	char *lock_for_delete; /* $1 id */
	char *versions; /* $1 ids, $2 versions, $3 their times: the bodies, in that order, summaries as known then */
	char *bore; /* $1 slug, $2 the resource's name: the id of the record that bears it, or bore it when it was deleted */
	char *referrers; /* $1 id: resource, id, slug, field, total of the first 100 that refer to it; NULL: nothing can */
};

/* false: no memory. */
bool compose_statements(const struct resource *r, struct statements *ret);
void compose_statements_done(struct statements *s);

/* $1 an array of ids: locks those rows of a resource in id order, as the allocation rule wants it. malloc'ed. */
char *compose_lock_many(const struct resource *r);
/* The id of a record by its id or slug: `select id …`; $1. malloc'ed. */
char *compose_find(const struct resource *r, bool by_slug);

/* PostgreSQL's type of a field's column. */
const char *compose_type(const struct field *f);
size_t compose_own_fields(const struct resource *r); /* how many follow the common ones */
void compose_columns(struct buf *out, const struct resource *r, const char *alias);
void compose_joins(struct buf *out, const struct resource *r, const char *alias);
struct visibility;
/* The slug and name of what a reference points to, one arm per table that it may be in; v NULL: as it stands. */
void compose_summary(struct buf *out, const struct resource *r, size_t field, const char *alias, const struct visibility *v);
const char *compose_summary_column(const struct resource *r, size_t field); /* what the name is called there */

/* The condition under which a row of a resource's table, or of its past, was the one known. */
void compose_visible(struct buf *out, const struct visibility *v, const char *alias, bool past);
void compose_fields(struct buf *out, const struct resource *r, const char *alias); /* its own columns alone */
void compose_joins_known(struct buf *out, const struct resource *r, const char *alias, const struct visibility *v);
/* A record by id or slug ($1) as it was known; malloc'ed. */
char *compose_get_known(const struct resource *r, bool by_slug, const struct visibility *v);
/* The claims of a subject ($1 resource, $2 id), by their source's date of publication, newest first; $3: only sources published
 * until that day, null: all. The last two columns say how many they are and how many bytes of text; where that is more than max
 * or max_bytes, or nothing, one row says it alone. In the arena; NULL: no memory. v as of when ($4 on), NULL: what stands. */
const char *compose_claims(struct arena *arena, const struct visibility *v, int max, int max_bytes);
char *compose_versions(const struct resource *r);
char *compose_bore(const struct resource *r);

/* One list query: what it filters, how it sorts, where it goes on. */
enum filter_op { FILTER_IN, FILTER_NOT_IN, FILTER_GTE, FILTER_LTE, FILTER_GT, FILTER_LT, FILTER_CONTAINS, FILTER_NULL };

struct filter {
	const struct field *field;
	enum filter_op op;
	const char **values; /* canonical */
	size_t n_values;
	bool is_null; /* FILTER_NULL */
};

struct sort_key {
	const struct field *field;
	bool descending;
};

struct list_query {
	const struct resource *resource;
	struct filter *filters;
	size_t n_filters;
	struct sort_key *keys; /* the last one is id */
	size_t n_keys;
	const char **after; /* the last record's sort values, per key, NULL for null; NULL: from the start */
	unsigned limit; /* rows asked for: a number of the SQL's text, so one of few */
	const char *text; /* only what a search for it finds; NULL: all */
	const char *valid_at; /* only what was valid on that day; NULL: all */
	const struct known *known; /* as the base knew it then, resolved; NULL: as it stands */
	bool plain; /* the records' own columns alone, no summaries */
};

/* A composed statement with its parameters, in an arena. */
struct composed {
	char *sql;
	const char **params;
	int n_params;
	char name[24]; /* of its shape, for preparing */
};

/* false: no memory. compose_list gives records as above, at most limit; compose_count one row with the total. */
bool compose_list(struct arena *arena, const struct list_query *q, struct composed *ret);
bool compose_count(struct arena *arena, const struct list_query *q, struct composed *ret);
/* Whether an index leads this list's shape (design section 2); otherwise it belongs into the slow lane. */
bool compose_is_indexed(const struct list_query *q);

/* A PostgreSQL array literal of texts, in the arena. */
const char *compose_array(struct arena *arena, const char *const *values, size_t n);

/* compose_search.c: the condition under which a search for the text q (an SQL expression) finds a row; the indexes that serve it;
 * the statement of GET /v1/search, malloc'ed: $1 the text, $2 how many; wanted per resource, NULL: all. */
void compose_search_match(struct buf *out, const struct resource *r, const char *alias, const char *q);
void compose_search_indexes(struct buf *out, const struct resource *r);
char *compose_search(const bool *wanted);

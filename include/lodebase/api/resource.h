/* A resource is a table of fields plus at most two hooks. The same rows drive validation, binding, JSON output, the filter
 * and sort white lists, the composed SQL, `lodebase contract` and the tests. Column names equal JSON names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "lodebase/base/arena.h"

enum field_type {
	FIELD_UUID, /* id */
	FIELD_SLUG,
	FIELD_TEXT, /* max_length code points (0: 20,000) */
	FIELD_URL, /* http or https, at most 2,000 */
	FIELD_ENUM, /* one of values, a NULL-terminated list */
	FIELD_BOOL,
	FIELD_INTEGER, /* bigint: min and max as text */
	FIELD_DECIMAL, /* exact numeric: min and max as text (max_exclusive by flag), scale decimals */
	FIELD_DATE,
	FIELD_TIME,
	FIELD_REF, /* a record of `target`; name ends in _id; a summary of the name without _id stands beside it */
	FIELD_COUNTRY, /* ISO 3166-1 alpha-2 */
	FIELD_CURRENCY, /* ISO 4217 */
	FIELD_LEI,
	FIELD_ISIN,
	FIELD_STRINGS, /* a list of texts, jsonb */
	FIELD_OBJECTS, /* a list of objects of text members, jsonb; `members` names them, each required */
	/* A record of the resource that the enumeration just before it, named subject_resource, gives: both count as one
	 * reference. No foreign key: triggers that schema.c composes stand in for it. */
	FIELD_SUBJECT,
	FIELD_LANGUAGE, /* a language tag, well-formed by BCP 47 */
	FIELD_COUNTRIES, /* a list of countries, jsonb */
	FIELD_ENUMS, /* a list of some of values, none twice, jsonb */
	/* A list of ids and slugs, jsonb. No references: they come back as they were sent, and whether anybody has them is for who
	 * uses them to find out. */
	FIELD_KEYS,
	FIELD_JSON, /* any JSON, jsonb; null is no value; what PATCH sends is merged into it */
};

enum field_flag {
	FIELD_REQUIRED = 1 << 0,
	FIELD_READ_ONLY = 1 << 1,
	FIELD_NO_FILTER = 1 << 2, /* neither filters nor sorts: lists, description, note, website, summary, terms, value */
	FIELD_INDEXED = 1 << 3, /* an index leads with it: such shapes run in the READ lane */
	FIELD_VISIBLE = 1 << 4, /* a name: needs a visible character */
	FIELD_MAX_EXCLUSIVE = 1 << 5, /* max itself is out of range */
};

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	size_t max_length;
	const char *min, *max;
	unsigned scale;
	const char *const *values;
	const char *target; /* resource name, as in paths */
	const char *default_value; /* canonical text: what a missing or null member becomes */
	const char *const *members;
};

/* The values of a record, one per field of its resource in canonical text (a list: canonical JSON); NULL is null. */
struct record {
	const char **values; /* [resource->n_fields] */
	bool *given; /* [n_fields]: the client sent this member (null counts) */
};

struct faults; /* api/problem.h */

struct resource {
	const char *name; /* as in paths: "stakes" */
	const char *table; /* "stake"; its history is <table>_past */
	const char *singular; /* for prose: "stake" */
	const char *name_field; /* what a summary calls its name: "name", "title"; NULL: the slug */
	const struct field
		*fields; /* all columns in their order: id, slug first, then version, created_at, updated_at, then own */
	size_t n_fields;
	bool slug_optional;
	/* Rules between members, and what is derived. `stored` is the record as it stands, NULL on creation. Adds faults; may
	 * set values (from the arena). */
	void (*check)(struct arena *arena, struct record *record, const struct record *stored, struct faults *faults);
	/* Names of the reference fields whose targets a write locks first (stakes: the subject), NULL-terminated; or NULL. */
	const char *const *locks;
};

#define RESOURCE_COMMON_FIELDS 5
enum { RESOURCE_ID, RESOURCE_SLUG, RESOURCE_VERSION, RESOURCE_CREATED_AT, RESOURCE_UPDATED_AT };

/* The five fields every resource begins with; slug flags: FIELD_REQUIRED or 0. */
#define RESOURCE_FIELDS(slug_flags)                                                                     \
	{ .name = "id", .type = FIELD_UUID, .flags = FIELD_READ_ONLY | FIELD_INDEXED },                 \
		{ .name = "slug", .type = FIELD_SLUG, .flags = (slug_flags) | FIELD_INDEXED },          \
		{ .name = "version",                                                                    \
		  .type = FIELD_INTEGER,                                                                \
		  .flags = FIELD_READ_ONLY,                                                             \
		  .min = "1",                                                                           \
		  .max = "9223372036854775807" },                                                       \
		{ .name = "created_at", .type = FIELD_TIME, .flags = FIELD_READ_ONLY | FIELD_INDEXED }, \
	{                                                                                               \
		.name = "updated_at", .type = FIELD_TIME, .flags = FIELD_READ_ONLY                      \
	}

/* All resources in the order in which imports write them (what is referred to comes first), NULL-terminated. */
extern const struct resource *const resources[];
const struct resource *resource_find(const char *name); /* NULL: none */
size_t resource_index(const char *name); /* its place in resources[]; where there is none, how many there are */
int resource_field(const struct resource *r, const char *name, size_t n); /* its index, -1: none */
/* The values of an enumeration, NULL-terminated; resource and field are there. */
const char *const *resource_values(const char *resource, const char *field);
const char *resource_name_column(const struct resource *r); /* of a summary's name */
/* Whether a reference: a summary stands beside it, two more columns behind the fields. */
bool field_is_reference(const struct field *f);
/* Whether name is that of the summary beside a field: "holder" beside holder_id. */
bool field_is_summarised_as(const struct field *f, const char *name, size_t n);
#define FIELD_NAME_SIZE 64
void field_summary_name(const struct field *f, char ret[FIELD_NAME_SIZE]);
/* Whether a reference field may point to a resource. */
bool resource_may_refer(const struct resource *r, size_t field, const struct resource *target);
/* What the reference field of a record points to; NULL where a subject's resource is missing. */
const struct resource *resource_target(const struct resource *r, size_t field, const struct record *record);

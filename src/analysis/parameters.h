/* The parameters of questions, as tables: one reader for a query's parameters and for the members of a JSON object. */
#pragma once

#include "lodebase/api/problem.h"
#include "lodebase/api/resource.h"
#include "lodebase/base/json_document.h"
#include "lodebase/http/server.h"

struct parameter {
	struct field field; /* what one value of it is; of FIELD_SLUG an id or a slug */
	bool is_list; /* several, with commas between; in JSON a list */
	bool is_node; /* an id or a slug, which may say its resource: "projects/slug" */
};

struct parameter_value {
	bool given;
	const char **values; /* canonical texts */
	size_t n;
};

#define PARAMETER_VALUES_MAX 500

/* Where parameters come from and where their faults go. */
struct parameter_source {
	struct arena *arena;
	struct faults *faults; /* of JSON: its prefix is that of the object */
	enum fault_place place; /* FAULT_PARAMETER or FAULT_POINTER */
};

/* A fault of one parameter. */
void parameter_fault(const struct parameter_source *s, const char *name, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Reads what is given of a table into values[], one per row; faults of what is unknown, repeated or malformed. known_at and other
 * names that `skip` names (NULL-terminated) are left to the caller. */
void parameters_of_query(const struct parameter_source *s, const struct parameter *table, size_t n,
			 const struct http_field *fields, size_t n_fields, const char *const *skip,
			 struct parameter_value *ret);
void parameters_of_object(const struct parameter_source *s, const struct parameter *table, size_t n,
			  const struct json_document *d, const json_t *object, const char *const *skip,
			  struct parameter_value *ret);
/* An id (in lower case) or a slug, in the arena; NULL: the text is neither. */
const char *parameter_key(struct arena *arena, const char *text, size_t n);
/* The place of a text in a NULL-terminated list; its length where it is not in it. */
size_t parameter_place(const char *const *values, const char *text);

/* Faults and problem documents (RFC 9457): the only place that turns errors into HTTP. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "lodebase/base/arena.h"
#include "lodebase/base/buf.h"

enum fault_place { FAULT_POINTER, FAULT_PARAMETER, FAULT_HEADER };

struct fault {
	enum fault_place place;
	const char *where; /* a JSON Pointer without '#', a parameter's or header's name */
	const char *code; /* contract section 1 */
	const char *detail; /* an English sentence for the client */
	long line; /* of an NDJSON import, from 1; 0: none */
	const char *file; /* of an import from files; NULL: none */
};

#define FAULTS_MAX 1000 /* of any request; then `truncated` */

/* All violations of one request, in the arena. Never more than FAULTS_MAX. */
struct faults {
	struct arena *arena;
	struct fault *items;
	size_t n, capacity;
	bool truncated;
	/* Pointers of members are built on this: "" for a record's body, "/stakes/3" or "/record" in an import. */
	const char *prefix;
	size_t own; /* items from here on come from rules between members, not from a member by itself */
	size_t first; /* items before it belong to other records: faults_has_member() does not look at them */
	long line;
	const char *file;
};

void faults_init(struct faults *f, struct arena *arena);
void faults_add(struct faults *f, enum fault_place place, const char *where, const char *code, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* A fault of a member of the record at hand: where is prefix + "/" + the escaped name. */
void faults_member(struct faults *f, const char *member, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* How many bytes of a client's text a sentence quotes ("%.*s"): at most 100, and only whole characters. */
int faults_quoted(const char *s, size_t n);
/* Whether the record at hand has a fault at that member or below it. */
bool faults_has_member(const struct faults *f, const char *member);
/* The same, but only faults that the member had by itself when the rules between members began (f->own). */
bool faults_had_member(const struct faults *f, const char *member);

/* The types a problem can have. */
struct problem_type {
	const char *slug; /* "/problems/<slug>" */
	const char *title;
	const char *text; /* what GET /problems/<slug> explains, plain English */
};
extern const struct problem_type problem_types[];
extern const size_t problem_n_types;
const struct problem_type *problem_type(const char *slug); /* NULL: none */

struct problem {
	int status;
	const char *type; /* slug */
	const char *detail; /* NULL: the type's title */
	const struct faults *faults; /* NULL: no errors */
	const char *errors_json; /* instead of faults: a JSON array */
	size_t errors_json_len;
	const char *extra; /* further members as JSON without braces, or NULL */
	size_t extra_len;
	bool truncated;
};
/* Writes the document. */
void problem_write(struct buf *out, const struct problem *p, const char *instance, const char *request_id);
/* Just the errors array. */
void problem_write_faults(struct buf *out, const struct faults *f);

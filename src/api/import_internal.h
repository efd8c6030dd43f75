/* What the parts of one import share. An import goes through these steps, each a file:
 *
 *   import_reader   takes records out of the stream
 *   import_read     reads them, and says what is none
 *   import_batch    checks them in batches, beside what is stored, and copies each into a temporary table
 *   import_merge    resolves references, finds what the whole shows (repeated, unknown), and writes all in one transaction
 *   import          runs the steps and makes the answer
 *
 * Private to the api layer. */
#pragma once

#include "compose.h"
#include "import_reader.h"
#include "lodebase/base/uuid.h"
#include "lodebase/api/problem.h"
#include "lodebase/api/validate.h"

/* One resource's part of an import. Its records wait in the temporary table staged_<table>, and those that change something
 * in merge_<table>. */
struct import_table {
	const struct resource *resource;
	bool mentioned; /* the import speaks of it */
	bool prepared; /* staged_<table> is there, and `empty` is known */
	bool empty; /* there was no such record when the import came to the first of them */
	uint64_t staged; /* records read */
	uint64_t merged; /* of them, those in merge_<table> */
	uint64_t created, updated;
	/* Per field and resource (index field * n_tables + resource): references that name an id, a slug of that resource. */
	bool *by_id, *by_slug;
};

struct import_pending;

struct import {
	struct db_session *session;
	struct uuid_source ids;
	const struct import_request *request;
	struct import_answer *answer;
	bool answered;

	struct import_table *tables; /* in the order of resources[] */
	size_t n_tables;

	/* Faults of the whole import, each with its record's number, by which they are sorted in the end. */
	struct arena *fault_arena;
	struct faults faults;
	uint64_t fault_n[FAULTS_MAX];
	bool malformed; /* one of them is that something is no JSON: 400 */

	/* Reading */
	unsigned source; /* which one */
	uint64_t n; /* records and lines so far, over all sources */
	struct arena *arena; /* of the batch */
	struct import_pending *pending;
	size_t n_pending, pending_faults, pending_bytes;
	struct buf copy;
	bool copying; /* the server takes in the last batch while the next one is read */
};

/* import.c */
void import_fail(struct import *im, int status, const char *problem, const char *detail);
/* Answers a failed statement: away, timeout, cancelled, or a bug. Frees the error's detail. Always false. */
bool import_sql_failed(struct import *im, enum err e, struct db_error *error);
/* Whether to go on: marks progress; false where the import was cancelled, which it then answers. */
bool import_moves(struct import *im);
/* The same before a statement over n records: for as long as it may take, the lane counts it as progress. */
bool import_moves_slowly(struct import *im, uint64_t n);
/* Runs a statement without parameters that is wanted for its first value, NULL: for none. false: answered. */
bool import_run_sql(struct import *im, const char *sql, uint64_t *ret_value);
/* Puts the faults' place at record `place` (a line of NDJSON, an index in a bundle) of a source. */
void import_place(struct import *im, struct faults *f, struct arena *arena, unsigned source, const struct import_table *t,
		  uint64_t place);
/* Takes over what was added to im->faults since there were `before`: as of record n. */
void import_faults_of(struct import *im, size_t before, uint64_t n);
/* A member's name as a part of a JSON Pointer; long ones are cut. NULL: no memory. */
const char *import_pointer_token(struct arena *arena, const char *name, size_t n);
bool import_has_too_many_faults(const struct import *im);

/* The answer of an import that is fine, from the counts of its tables. */
void import_write_counts(const struct import *im, struct buf *out);

/* import_read.c: all sources, up to their staging. false: answered. */
bool import_read(struct import *im);

/* Whether some reference of a field names an id or a slug. */
bool import_refers(const struct import *im, const struct import_table *t, size_t field);

/* import_batch.c: what is added is checked and copied once there is enough of it, and at a flush. false: answered. */
bool import_batch_begin(struct import *im);
/* A record read from `bytes` of text, at `place` in the present source. */
bool import_batch_add(struct import *im, struct import_table *t, const struct json_document *d, const json_t *object,
		      uint64_t place, size_t bytes);
bool import_batch_flush(struct import *im);
bool import_batch_end(struct import *im, bool fine); /* fine as it was until now */

/* import_merge.c */
bool import_merge(struct import *im);

/* import_sql.c: statements of an import, malloc'ed (NULL: no memory). */
char *import_sql_create(const struct import_table *t); /* the temporary table of what was read */
char *import_sql_copy(const struct import_table *t); /* COPY … FROM STDIN, in the order of import_sql_create */
char *import_sql_stored(
	const struct import_table *t); /* $1 slugs, $2 ids: those records, fields in order, texts and lists left null */
char *import_sql_follow(const struct import_table *t); /* ids by what bears their slug now: another writer was faster */
char *import_sql_repeated(const struct import_table *t, bool by_slug); /* n, source, place */
char *import_sql_merge(const struct import *im, const struct import_table *t); /* what changes something, resolved */
/* n, source, place, text, for a subject its resource, of unknown references */
char *import_sql_lost(const struct import_table *t, size_t field);
bool import_sql_locks(const struct import *im, const struct import_table *t); /* whether there is any row to lock */
char *import_sql_lock(const struct import *im, const struct import_table *t); /* rows and subjects, in id order */
char *import_sql_latest(const struct import *im); /* a stamp above all that is replaced */
char *import_sql_write(const struct import_table *t); /* $1 stamp, $2 epoch: counts of created, updated */

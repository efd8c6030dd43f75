/* POST, PUT, PATCH and DELETE: which preconditions they need, and what they make of the body. */
#include "record.h"
#include "idempotency.h"

#include <string.h>
#include "lodebase/base/text.h"

static const char *needs_match = "send If-Match with the ETag of the version that you read (or * for whatever there is)";

static void stale(struct call *c)
{
	const struct write_state *s = c->state;

	faults_add(&c->faults, FAULT_HEADER, "If-Match", "reference", "the record is at version %s now",
		   s->stored->values[RESOURCE_VERSION]);
	call_fail(c, 412, "precondition-failed",
		  call_format(c, "the record is not the version that If-Match names; it is at version %s now",
			      s->stored->values[RESOURCE_VERSION]));
}

/* Reads the body's JSON into the state. false: no memory, answered. */
static bool read_body(struct call *c)
{
	struct write_state *s = c->state;

	faults_init(&c->faults, c->arena);
	if (validate_read(c->arena, c->resource, &c->document, c->document.root, &c->faults, &s->input))
		return true;
	call_out_of_memory(c);
	return false;
}

/* The body as parsed once, also where the operation runs again after a lost race. */
static bool have_body(struct call *c)
{
	return c->has_document || check_body(c);
}

static void insert(struct call *c)
{
	struct write_state *s = c->state;

	write_insert(c, s->if_absent);
}

void create_check(struct call *c)
{
	check_dry_run(c);
	idempotency_check(c);
}

static void create(struct call *c)
{
	if (!have_body(c) || !write_state_new(c) || !read_body(c))
		return;
	write_prepare(c, NULL, insert);
}

void create_run(struct call *c)
{
	/* a body of another type, or too large, was not read: nothing of it is told again */
	if (!check_media_type(c))
		return;
	idempotency_run(c, create);
}

/* Takes the row that was read as the stored record, and keeps it for an answer. */
static bool take_stored(struct call *c)
{
	struct write_state *s = c->state;

	db_result_free(c->kept);
	c->kept = c->job.results[0];
	c->job.results[0] = NULL;
	s->stored = encode_to_record(c->arena, c->resource, c->kept, 0);
	if (!s->stored)
		call_out_of_memory(c);
	return s->stored != NULL;
}

struct conditions {
	struct etag_condition match, none_match;
};

static void keep_conditions(struct call *c, struct conditions conditions)
{
	struct conditions *kept = arena_alloc(c->arena, sizeof(*kept));

	if (kept)
		*kept = conditions;
	c->conditions = kept;
}

static struct write_state *conditional_state(struct call *c)
{
	const struct conditions *kept = c->conditions;
	struct write_state *s = write_state_new(c);

	if (s && kept) {
		s->match = kept->match;
		s->none_match = kept->none_match;
	}
	return s;
}

void put_check(struct call *c)
{
	struct conditions k = { etag_parse(c, "If-Match"), etag_parse(c, "If-None-Match") };

	check_dry_run(c);
	if (k.none_match.kind == ETAG_LIST)
		faults_add(&c->faults, FAULT_HEADER, "If-None-Match", "enum", "a PUT takes If-None-Match: * only");
	if (k.match.kind != ETAG_ABSENT && k.none_match.kind != ETAG_ABSENT) {
		faults_add(&c->faults, FAULT_HEADER, "If-Match", "exclusive", "If-Match and If-None-Match exclude each other");
		faults_add(&c->faults, FAULT_HEADER, "If-None-Match", "exclusive",
			   "If-Match and If-None-Match exclude each other");
	}
	keep_conditions(c, k);
}

/* By slug, the body's slug is that of the address, or missing. */
static void take_slug_of_path(struct call *c)
{
	struct write_state *s = c->state;
	const char **slug = &s->input.record.values[RESOURCE_SLUG];

	if (record_path_is_id(c) || !s->input.readable)
		return;
	if (s->input.record.given[RESOURCE_SLUG] && !faults_has_member(&c->faults, "slug") &&
	    (!*slug || strcmp(*slug, c->segment) != 0))
		faults_member(&c->faults, "slug", "read-only", "the slug in the body must be that of the address, or missing");
	else if (!faults_has_member(&c->faults, "slug") && !text_is_slug(c->segment, strlen(c->segment)))
		faults_member(&c->faults, "slug", "format",
			      "the address ends in no slug: 1 to 100 characters a-z, 0-9 and single hyphens between them");
	*slug = c->segment;
	s->input.record.given[RESOURCE_SLUG] = true;
}

static void put_create(struct call *c)
{
	struct write_state *s = c->state;

	if (s->match.kind != ETAG_ABSENT) {
		faults_add(&c->faults, FAULT_HEADER, "If-Match", "reference", "there is no such record");
		call_fail(c, 412, "precondition-failed", "there is no such record, and If-Match never creates one");
		return;
	}
	if (record_path_is_id(c)) {
		record_not_found(c);
		return;
	}
	if (!read_body(c))
		return;
	take_slug_of_path(c);
	s->if_absent = true;
	write_prepare(c, NULL, insert);
}

static void put_read(struct call *c)
{
	struct write_state *s = c->state;

	if (db_result_rows(c->job.results[0]) == 0) {
		put_create(c);
		return;
	}
	if (s->none_match.kind == ETAG_ANY) {
		faults_add(&c->faults, FAULT_HEADER, "If-None-Match", "taken", "the record exists already");
		call_fail(c, 412, "precondition-failed", "the record exists already");
		return;
	}
	if (s->match.kind == ETAG_ABSENT) {
		faults_add(&c->faults, FAULT_HEADER, "If-Match", "required", "%s", needs_match);
		call_fail(c, 428, "precondition-required", call_format(c, "the record exists: to replace it, %s", needs_match));
		return;
	}
	if (!take_stored(c))
		return;
	if (!etag_strong_match(&s->match, s->stored->values[RESOURCE_VERSION])) {
		stale(c);
		return;
	}
	if (!read_body(c))
		return;
	take_slug_of_path(c);
	write_prepare(c, NULL, write_update);
}

void put_run(struct call *c)
{
	if (!have_body(c) || !conditional_state(c))
		return;
	faults_init(&c->faults, c->arena);
	if (record_statement(c, 0))
		call_query(c, DB_READ, 1, false, put_read);
	else
		put_create(c);
}

void patch_check(struct call *c)
{
	struct conditions k = { .match = etag_parse(c, "If-Match") };

	check_dry_run(c);
	keep_conditions(c, k);
}

/* 404, 428, 412 of a change to what exists; true where it may go on with s->stored set. */
static bool existing(struct call *c)
{
	struct write_state *s = c->state;

	if (db_result_rows(c->job.results[0]) == 0) {
		record_not_found(c);
		return false;
	}
	if (s->match.kind == ETAG_ABSENT) {
		faults_add(&c->faults, FAULT_HEADER, "If-Match", "required", "%s", needs_match);
		call_fail(c, 428, "precondition-required", needs_match);
		return false;
	}
	if (!take_stored(c))
		return false;
	if (!etag_strong_match(&s->match, s->stored->values[RESOURCE_VERSION])) {
		stale(c);
		return false;
	}
	return true;
}

static void patch_read(struct call *c)
{
	struct write_state *s = c->state;

	if (!existing(c) || !read_body(c))
		return;
	write_prepare(c, s->stored, write_update);
}

void patch_run(struct call *c)
{
	if (!have_body(c) || !conditional_state(c))
		return;
	faults_init(&c->faults, c->arena);
	if (record_statement(c, 0))
		call_query(c, DB_READ, 1, false, patch_read);
	else
		record_not_found(c);
}

void delete_check(struct call *c)
{
	patch_check(c);
}

static void delete_read(struct call *c)
{
	if (existing(c))
		write_delete(c);
}

void delete_run(struct call *c)
{
	if (!conditional_state(c))
		return;
	faults_init(&c->faults, c->arena);
	if (record_statement(c, 0))
		call_query(c, DB_READ, 1, false, delete_read);
	else
		record_not_found(c);
}

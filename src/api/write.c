/* What every change shares: the body is read and checked, its references are looked up, and the change goes out as one
 * implicit transaction under one Sync (postgres.md section 3): who and for which key, the locks, then the one statement
 * that writes, stamped after both. A dry run adds a statement that fails on purpose, so that nothing of it stays. */
#include "record.h"
#include "idempotency.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/base/uuid.h"
#include "lodebase/core/log.h"

struct write_state *write_state_new(struct call *c)
{
	struct write_state *s = arena_alloc(c->arena, sizeof(*s));

	c->state = s;
	if (!s)
		call_out_of_memory(c);
	return s;
}

static void conclude(struct call *c)
{
	struct write_state *s = c->state;

	if (c->faults.n > 0) {
		call_invalid(c);
		return;
	}
	s->resolved(c);
}

static void references_found(struct call *c)
{
	struct write_state *s = c->state;

	for (int i = 0; i < s->n_asked; i++) {
		const struct field *f = &c->resource->fields[s->found_index[i]];
		const char **value = &s->target->values[s->found_index[i]];

		if (db_result_rows(c->job.results[i]) == 0)
			faults_member(&c->faults, f->name, "reference", "there is no %s with the id or slug \"%s\"",
				      resource_target(c->resource, (size_t)s->found_index[i], s->target)->singular, *value);
		else
			*value = arena_strdup(c->arena, db_result_value(c->job.results[i], 0, 0));
	}
	conclude(c);
}

/* Asks for every reference that is new: a slug must become an id, and all unknown ones are to be named at once. */
static void find_references(struct call *c)
{
	struct write_state *s = c->state;

	s->n_asked = 0;
	for (size_t i = 0; i < c->resource->n_fields; i++) {
		const struct field *f = &c->resource->fields[i];
		const char *value = s->target->values[i], **params;
		const struct resource *to;
		bool by_id;

		/* a value that is wrong by itself is null here; one that breaks a rule may be unknown as well */
		if (!field_is_reference(f) || !value || !(to = resource_target(c->resource, i, s->target)))
			continue;
		if (s->stored && s->stored->values[i] && strcmp(s->stored->values[i], value) == 0 &&
		    to == resource_target(c->resource, i, s->stored))
			continue;
		by_id = uuid_is_text(value, strlen(value));
		params = arena_alloc(c->arena, sizeof(*params));
		if (!params || s->n_asked == CALL_STATEMENTS_MAX)
			break;
		params[0] = value;
		{
			const struct resource_state *target = &c->api->resources[resource_index(to->name)];

			call_statement(c, s->n_asked, call_format(c, "%s_find_by_%s", to->table, by_id ? "id" : "slug"),
				       by_id ? target->find_by_id : target->find_by_slug, params, 1);
		}
		s->found_index[s->n_asked++] = (int)i;
	}
	if (s->n_asked == 0)
		conclude(c);
	else
		call_query(c, DB_READ, s->n_asked, false, references_found);
}

void write_prepare(struct call *c, const struct record *base, void (*resolved)(struct call *c))
{
	struct write_state *s = c->state;

	s->resolved = resolved;
	validate_read_only(c->resource, &s->input, s->stored, false, &c->faults);
	s->target = &s->input.record;
	if (s->input.readable)
		validate_complete(c->arena, c->resource, s->target, base, s->stored, &c->faults);
	find_references(c);
}

static const char *retry_text = "others kept changing the same records at the same time; nothing was changed, try again";

/* The members that were sent and bear on the sum: the share itself, else what makes it count, or when, or where. */
static void name_allocation(struct call *c)
{
	static const char *const shares[] = { "economic_pct", "economic_min_pct", "shares_held", "shares_issued", NULL };
	static const char *const others[] = {
		"stage", "contingent", "valid_from", "valid_to", "issuer_id", "project_id", NULL
	};
	const struct write_state *s = c->state;
	size_t before = c->faults.n;

	for (int pass = 0; pass < 2 && c->faults.n == before; pass++)
		for (const char *const *name = pass ? others : shares; *name; name++) {
			int i = resource_field(c->resource, *name, strlen(*name));

			if (i >= 0 && s->target->given[i] && s->target->values[i])
				faults_member(&c->faults, *name, "range",
					      "with it the closed, non-contingent shares of the subject would sum to more than "
					      "100 %%");
		}
	if (c->faults.n == before)
		faults_add(&c->faults, FAULT_POINTER, "", "range",
			   "the closed, non-contingent shares of the subject would sum to more than 100 %%");
}

static bool over_allocated(struct call *c)
{
	const char *detail = c->job.error.detail;
	struct problem p = { .status = 409, .type = "over-allocated", .faults = &c->faults };
	size_t n = detail ? strlen(detail) : 0;
	struct buf members;

	buf_init(&members, 4u << 20);
	name_allocation(c);
	p.detail = "the closed, non-contingent economic shares of one subject would sum to more than 100 % at one time";
	if (n > 2 && detail[0] == '{' && detail[n - 1] == '}') {
		encode_compact(&members, detail + 1, n - 2);
		p.extra = members.data;
		p.extra_len = members.len;
	}
	call_fail_with(c, &p);
	buf_done(&members);
	return true;
}

/* The field of this resource that a foreign key's name speaks of, NULL where it is another table's. */
static const struct field *field_of_constraint(const struct call *c, const char *constraint)
{
	size_t table = strlen(c->resource->table), n = strlen(constraint);

	if (strncmp(constraint, c->resource->table, table) != 0 || constraint[table] != '_' || n < table + 7 ||
	    strcmp(constraint + n - 5, "_fkey") != 0)
		return NULL;
	{
		int i = resource_field(c->resource, constraint + table + 1, n - table - 6);

		return i < 0 ? NULL : &c->resource->fields[i];
	}
}

bool write_refused(struct call *c)
{
	const struct db_error *e = &c->job.error;
	const struct field *f;

	if (strcmp(e->sqlstate, "LD409") == 0)
		return over_allocated(c);
	if (strcmp(e->sqlstate, "23505") == 0) {
		faults_add(&c->faults, FAULT_POINTER, "/slug", "taken", "another %s has this slug", c->resource->singular);
		call_fail(c, 409, "conflict", "the slug is taken");
		return true;
	}
	if (strcmp(e->sqlstate, "23503") == 0 && (f = field_of_constraint(c, e->constraint)) != NULL) {
		faults_member(&c->faults, f->name, "reference", "the record it refers to was just deleted");
		call_fail(c, 422, "invalid", "a record that it refers to was just deleted");
		return true;
	}
	if (strcmp(e->sqlstate, "40P01") == 0 || strcmp(e->sqlstate, "40001") == 0) {
		if (c->attempts++ >= CALL_RETRIES)
			call_unavailable(c, retry_text);
		else {
			c->writing = true;
			call_query(c, DB_WRITE, c->job.n_statements, true, c->next);
		}
		return true;
	}
	if (strncmp(e->sqlstate, "23", 2) == 0 || strncmp(e->sqlstate, "22", 2) == 0) {
		/* the field tables let through what the schema's own checks refuse: a fault of ours, but nothing was changed */
		log_event(LOG_LEVEL_ERROR, "check", "request %s: %s %s", c->request->request_id, e->sqlstate, e->message);
		faults_add(&c->faults, FAULT_POINTER, "", "range", "a value is outside what the base can hold");
		call_fail(c, 422, "invalid", "a value is outside what the base can hold");
		return true;
	}
	return false;
}

static const char *begin_sql = "select write_begin($1::text, $2::text, $3::text, $4::text)";

/* Statements 0… of the transaction up to its locks; returns how many. */
static int begin(struct call *c, bool lock_row)
{
	struct write_state *s = c->state;
	const char **params = arena_alloc(c->arena, 5 * sizeof(*params));
	int n = 1;

	if (!params)
		return 0;
	params[0] = c->has_key ? c->key.name : NULL;
	params[1] = c->request->request_id;
	params[2] = c->has_key ? c->key.id : NULL;
	params[3] = "write";
	params[4] = s->id;
	call_statement(c, 0, "write_begin", begin_sql, params, 4);
	n += idempotency_before(c, n);
	if (lock_row)
		call_statement(c, n++, record_statement_name(c, "lock"), record_sql(c)->sql.lock_row, params + 4, 1);
	/* a stake's old and new subject, all of one table together and the tables in the order of resources[] */
	for (size_t i = 0; c->resource->locks && resources[i]; i++) {
		const char *ids[8];
		size_t n_ids = 0;

		for (size_t k = 0; c->resource->locks[k]; k++) {
			int f = resource_field(c->resource, c->resource->locks[k], strlen(c->resource->locks[k]));
			const char *now = s->target->values[f], *before = s->stored ? s->stored->values[f] : NULL;

			if (strcmp(c->resource->fields[f].target, resources[i]->name) != 0)
				continue;
			if (now)
				ids[n_ids++] = now;
			if (before && (!now || strcmp(now, before) != 0))
				ids[n_ids++] = before;
		}
		if (n_ids > 0) {
			const char **array = arena_alloc(c->arena, sizeof(*array));

			if (!array || !(array[0] = compose_array(c->arena, ids, n_ids)))
				return 0;
			call_statement(c, n++, call_format(c, "%s_lock_many", resources[i]->table),
				       c->api->resources[i].lock_many, array, 1);
		}
	}
	return n;
}

static void send_write(struct call *c, int n, const char *name, const char *sql, const char *const *params, int n_params,
		       void (*next)(struct call *c))
{
	struct write_state *s = c->state;

	if (n == 0) {
		call_out_of_memory(c);
		return;
	}
	s->write_index = n;
	call_statement(c, n++, name, sql, params, n_params);
	n += idempotency_behind(c, n, s->id);
	if (c->dry_run)
		call_statement(c, n++, "dry_run", "select dry_run()", NULL, 0);
	c->writing = true;
	call_query(c, DB_WRITE, n, true, next);
}

/* Whether the write stands, or would stand in a dry run. */
static bool stands(const struct call *c)
{
	return c->job.status == OK || (c->dry_run && strcmp(c->job.error.sqlstate, "LD000") == 0);
}

static void answer_record(struct call *c, int status, const struct db_result *result)
{
	if (!c->dry_run) {
		call_header(c, "ETag", etag_of(c, db_result_value(result, 0, RESOURCE_VERSION)));
		if (status == 201)
			call_header(c, "Location",
				    call_format(c, "/v1/%s/%s", c->resource->name, db_result_value(result, 0, RESOURCE_ID)));
	}
	call_header(c, "Cache-Control", "no-cache");
	encode_record(&c->out, c->resource, result, 0, NULL);
	buf_putc(&c->out, '\n');
	call_answer(c, status, "application/json");
}

static void write_failed(struct call *c)
{
	if (!write_refused(c))
		call_database_failed(c);
}

static void inserted(struct call *c)
{
	struct write_state *s = c->state;
	const struct db_result *result;

	c->writing = false;
	if (!stands(c)) {
		if (!idempotency_refused(c))
			write_failed(c);
		return;
	}
	result = c->job.results[s->write_index];
	if (db_result_rows(result) == 1) {
		call_committed(c);
		answer_record(c, 201, result);
		return;
	}
	if (s->none_match.kind == ETAG_ANY) {
		faults_add(&c->faults, FAULT_HEADER, "If-None-Match", "taken", "a record with this slug exists");
		call_fail(c, 412, "precondition-failed", "a record with this slug exists");
	} else {
		faults_add(&c->faults, FAULT_HEADER, "If-Match", "required", "send it with the ETag of the record to replace");
		call_fail(c, 428, "precondition-required",
			  "a record with this slug exists: send If-Match with its ETag to replace it");
	}
}

/* $1 id, $2 slug, then the own fields. */
static const char **write_params(struct call *c, const char *extra, int *ret_n)
{
	struct write_state *s = c->state;
	size_t n = 0;
	const char **params = arena_alloc(c->arena, (c->resource->n_fields + 1) * sizeof(*params));

	if (!params)
		return NULL;
	params[n++] = s->id;
	params[n++] = s->target->values[RESOURCE_SLUG];
	for (size_t i = RESOURCE_COMMON_FIELDS; i < c->resource->n_fields; i++)
		params[n++] = s->target->values[i];
	if (extra)
		params[n++] = extra;
	*ret_n = (int)n;
	return params;
}

void write_insert(struct call *c, bool if_absent)
{
	struct write_state *s = c->state;
	const struct statements *sql = &record_sql(c)->sql;
	const char **params;
	int n_params = 0;

	uuid7_new(&c->api->ids, s->id);
	params = write_params(c, NULL, &n_params);
	send_write(c, params ? begin(c, false) : 0, record_statement_name(c, if_absent ? "insert_if_absent" : "insert"),
		   if_absent ? sql->insert_if_absent : sql->insert, params, n_params, inserted);
}

static void updated(struct call *c)
{
	struct write_state *s = c->state;
	const struct db_result *result;

	c->writing = false;
	if (!stands(c)) {
		write_failed(c);
		return;
	}
	result = c->job.results[s->write_index];
	if (db_result_rows(result) == 1) {
		call_committed(c);
		answer_record(c, 200, result);
		return;
	}
	/* it changed, or went, since it was read: read it again, and judge the precondition anew */
	if (c->attempts++ >= 10)
		call_unavailable(c, retry_text);
	else
		c->operation->run(c);
}

void write_update(struct call *c)
{
	struct write_state *s = c->state;
	const char **params;
	int n_params = 0;

	if (record_equal(c->resource, s->target, s->stored)) {
		answer_record(c, 200, c->kept);
		return;
	}
	memcpy(s->id, s->stored->values[RESOURCE_ID], UUID_TEXT_SIZE);
	params = write_params(c, s->stored->values[RESOURCE_VERSION], &n_params);
	send_write(c, params ? begin(c, true) : 0, record_statement_name(c, "update"), record_sql(c)->sql.update, params,
		   n_params, updated);
}

static void referrers_listed(struct call *c)
{
	const struct db_result *result = c->job.results[0];
	int rows = db_result_rows(result);
	struct problem p = { .status = 409, .type = "referred", .faults = &c->faults };
	struct json_writer w;
	struct buf extra;

	if (rows == 0) { /* they went meanwhile */
		if (c->attempts++ >= 10)
			call_unavailable(c, retry_text);
		else
			c->operation->run(c);
		return;
	}
	buf_init(&extra, 1u << 20);
	json_begin(&w, &extra);
	buf_puts(&extra, "\"referrers\":");
	json_array_begin(&w);
	for (int i = 0; i < rows; i++) {
		json_object_begin(&w);
		json_member_string(&w, "resource", db_result_value(result, i, 0));
		json_member_string(&w, "id", db_result_value(result, i, 1));
		json_member_string(&w, "slug", db_result_is_null(result, i, 2) ? NULL : db_result_value(result, i, 2));
		json_member_string(&w, "field", db_result_value(result, i, 3));
		json_object_end(&w);
	}
	json_array_end(&w);
	buf_printf(&extra, ",\"referrers_total\":%s", db_result_value(result, 0, 4));
	faults_add(&c->faults, FAULT_POINTER, "", "referred", "%s record%s refer%s to it", db_result_value(result, 0, 4),
		   strcmp(db_result_value(result, 0, 4), "1") == 0 ? "" : "s",
		   strcmp(db_result_value(result, 0, 4), "1") == 0 ? "s" : "");
	p.detail = call_format(c, "other records refer to this %s; change or delete them first", c->resource->singular);
	p.extra = extra.data;
	p.extra_len = extra.len;
	call_fail_with(c, &p);
	buf_done(&extra);
}

static void deleted(struct call *c)
{
	struct write_state *s = c->state;

	c->writing = false;
	if (!stands(c)) {
		if (c->job.status == ERR_SQL && strcmp(c->job.error.sqlstate, "23503") == 0 && record_sql(c)->sql.referrers) {
			const char **params = arena_alloc(c->arena, sizeof(*params));

			if (!params) {
				call_out_of_memory(c);
				return;
			}
			params[0] = s->id;
			call_statement(c, 0, record_statement_name(c, "referrers"), record_sql(c)->sql.referrers, params, 1);
			call_query(c, DB_READ, 1, false, referrers_listed);
			return;
		}
		write_failed(c);
		return;
	}
	if (db_result_rows(c->job.results[s->write_index]) == 1) {
		call_committed(c);
		call_answer(c, 204, NULL);
	} else if (c->attempts++ >= 10)
		call_unavailable(c, retry_text);
	else
		c->operation->run(c);
}

void write_delete(struct call *c)
{
	struct write_state *s = c->state;
	const char **params = arena_alloc(c->arena, 5 * sizeof(*params));

	memcpy(s->id, s->stored->values[RESOURCE_ID], UUID_TEXT_SIZE);
	if (!params) {
		call_out_of_memory(c);
		return;
	}
	params[0] = c->has_key ? c->key.name : NULL;
	params[1] = c->request->request_id;
	params[2] = c->has_key ? c->key.id : NULL;
	params[3] = "write";
	call_statement(c, 0, "write_begin", begin_sql, params, 4);
	params[4] = s->id;
	call_statement(c, 1, record_statement_name(c, "lock_for_delete"), record_sql(c)->sql.lock_for_delete, params + 4, 1);
	params = arena_alloc(c->arena, 2 * sizeof(*params));
	if (params) {
		params[0] = s->id;
		params[1] = s->stored->values[RESOURCE_VERSION];
	}
	send_write(c, params ? 2 : 0, record_statement_name(c, "delete"), record_sql(c)->sql.delete, params, 2, deleted);
}

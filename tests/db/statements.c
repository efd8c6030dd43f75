/* Prepares every statement of the program, composed ones too, against a migrated database, and holds their parameters and
 * result columns against the field tables.   statements CONNINFO */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "compose.h"
#include "lodebase/db/migrate.h"
#include "lodebase/db/session.h"

static struct db_session *session;
static unsigned passed, failed;

static void check(bool ok, const char *what, const char *name, const char *detail)
{
	if (ok) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED %s %s: %s\n", name, what, detail);
}

/* Prepares sql and gives its parameter types as one text, such as "{uuid,text}". Caller frees; NULL: it does not prepare. */
static char *prepare(const char *name, const char *sql)
{
	struct db_error error = { 0 };
	struct db_result *result = NULL;
	struct buf b;
	char *types = NULL;

	buf_init(&b, 1u << 20);
	buf_printf(&b, "prepare probe as %s", sql);
	if (db_session_script(session, b.data, &error) == OK) {
		passed++;
		if (db_session_query(session, &result, &error,
				     "select parameter_types::text from pg_prepared_statements where name = 'probe'", 0) == OK)
			types = strdup(db_result_value(result, 0, 0));
		db_result_free(result);
		if (db_session_script(session, "deallocate probe", &error) != OK)
			check(false, "deallocate", name, error.message);
	} else {
		check(false, "prepare", name, error.message);
		printf("       %s\n", sql);
	}
	db_error_done(&error);
	buf_done(&b);
	return types;
}

static void prepares(const char *name, const char *sql)
{
	free(prepare(name, sql));
}

static const char *sql_type(const struct field *f)
{
	return strcmp(compose_type(f), "timestamptz") == 0 ? "timestamp with time zone" : compose_type(f);
}

/* The types that an insert's parameters should have. */
static void expect_parameters(const struct resource *r, const char *name, const char *sql, const char *tail)
{
	char *types = prepare(name, sql);
	struct buf want;

	buf_init(&want, 1u << 16);
	buf_puts(&want, "{uuid,text");
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++)
		buf_printf(&want, ",%s", sql_type(&r->fields[i]));
	buf_printf(&want, "%s}", tail);
	if (types)
		check(strcmp(types, want.data) == 0, "parameters", name, types);
	free(types);
	buf_done(&want);
}

static unsigned expected_oid(const struct field *f)
{
	static const struct {
		const char *type;
		unsigned oid;
	} oids[] = { { "uuid", 2950 }, { "boolean", 16 },       { "bigint", 20 },  { "numeric", 1700 },
		     { "date", 1082 }, { "timestamptz", 1184 }, { "jsonb", 3802 }, { "text", 25 } };

	for (size_t i = 0; i < sizeof(oids) / sizeof(oids[0]); i++)
		if (strcmp(oids[i].type, compose_type(f)) == 0)
			return oids[i].oid;
	return 0;
}

/* Runs a read that finds nothing, for its columns. */
static void expect_columns(const struct resource *r, const char *name, const char *sql, const char *key)
{
	struct db_error error = { 0 };
	struct db_result *result = NULL;
	size_t n_refs = 0;

	if (db_session_query(session, &result, &error, sql, 1, key) != OK) {
		check(false, "run", name, error.message);
		db_error_done(&error);
		return;
	}
	for (size_t i = 0; i < r->n_fields; i++) {
		check(strcmp(db_result_column_name(result, (int)i), r->fields[i].name) == 0, "column", name, r->fields[i].name);
		check(db_result_column_type(result, (int)i) == expected_oid(&r->fields[i]), "column type", name,
		      r->fields[i].name);
		n_refs += field_is_reference(&r->fields[i]);
	}
	check(db_result_columns(result) == (int)(r->n_fields + 2 * n_refs), "column count", name, "");
	db_result_free(result);
}

static const char *a_value(const struct field *f)
{
	switch (f->type) {
	case FIELD_UUID:
	case FIELD_REF:
	case FIELD_SUBJECT:
		return "018f0000-0000-7000-8000-000000000000";
	case FIELD_BOOL:
		return "true";
	case FIELD_INTEGER:
	case FIELD_DECIMAL:
		return "1";
	case FIELD_DATE:
		return "2025-12-15";
	case FIELD_TIME:
		return "2025-12-15T00:00:00.000000Z";
	default:
		return "a, \"b\" \\c";
	}
}

/* Runs one list shape. */
static void run_list(const struct list_query *q, const char *name)
{
	struct arena *arena = arena_new(1u << 20);
	struct composed list, count;
	struct db_error error = { 0 };
	struct db_result *result = NULL;

	if (!compose_list(arena, q, &list) || !compose_count(arena, q, &count)) {
		check(false, "compose", name, "no memory");
	} else {
		struct db_statement statements[] = {
			{ .sql = list.sql, .params = list.params, .n_params = list.n_params },
			{ .sql = count.sql, .params = count.params, .n_params = count.n_params },
		};

		for (size_t i = 0; i < 2; i++) {
			enum err e = db_session_run(session, &statements[i], &result, &error);

			check(e == OK, "run", name, error.message);
			if (e != OK)
				printf("       %s\n", statements[i].sql);
			db_result_free(result);
			result = NULL;
		}
	}
	db_error_done(&error);
	arena_free(arena);
}

static void list_shapes(const struct resource *r)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];
		const char *values[] = { a_value(f), a_value(f) }, *after[] = { a_value(f), NULL };
		char name[128];

		if (f->flags & FIELD_NO_FILTER)
			continue;
		for (int op = FILTER_IN; op <= FILTER_NULL; op++) {
			struct filter filter = {
				.field = f, .op = (enum filter_op)op, .values = values, .n_values = op <= FILTER_NOT_IN ? 2 : 1
			};
			struct sort_key keys[] = { { &r->fields[RESOURCE_CREATED_AT], false },
						   { &r->fields[RESOURCE_ID], false } };
			struct list_query q = {
				.resource = r, .filters = &filter, .n_filters = 1, .keys = keys, .n_keys = 2, .limit = 2
			};
			bool ordered = f->type != FIELD_BOOL && !field_is_reference(f);

			if ((op == FILTER_CONTAINS && strcmp(compose_type(f), "text") != 0) ||
			    (op >= FILTER_GTE && op <= FILTER_LT && !ordered))
				continue;
			snprintf(name, sizeof(name), "%s %s filter %d", r->name, f->name, op);
			run_list(&q, name);
		}
		for (int way = 0; way < 6; way++) {
			const char *last[] = { way / 2 == 2 ? NULL : after[0], "018f0000-0000-7000-8000-000000000000" };
			struct sort_key keys[] = { { f, way % 2 }, { &r->fields[RESOURCE_ID], false } };
			struct list_query q = { .resource = r,
						.keys = keys,
						.n_keys = i == RESOURCE_ID ? 1 : 2,
						.after = way < 2 ? NULL : last,
						.limit = 2 };

			snprintf(name, sizeof(name), "%s %s sort %d", r->name, f->name, way);
			run_list(&q, name);
		}
	}
}

int main(int argc, char **argv)
{
	struct db_error error = { 0 };

	if (argc != 2 || db_session_open(argv[1], NULL, 0, "statements", &session, &error) != OK) {
		fprintf(stderr, "usage: statements CONNINFO of a migrated database: %s\n", error.message);
		return 2;
	}
	for (size_t i = 0; resources[i]; i++) {
		const struct resource *r = resources[i];
		struct statements s;
		char *find, *lock;

		if (!compose_statements(r, &s))
			return 2;
		expect_columns(r, "get_by_id", s.get_by_id, "018f0000-0000-7000-8000-000000000000");
		prepares("get_by_slug", s.get_by_slug);
		expect_columns(r, "get_by_ids", s.get_by_ids, "{018f0000-0000-7000-8000-000000000000}");
		expect_columns(r, "get_by_slugs", s.get_by_slugs, "{a,b}");
		expect_parameters(r, "insert", s.insert, "");
		expect_parameters(r, "insert_if_absent", s.insert_if_absent, "");
		expect_parameters(r, "update", s.update, ",bigint");
		prepares("delete", s.delete);
		prepares("lock_row", s.lock_row);
		prepares("lock_for_delete", s.lock_for_delete);
		if (s.referrers)
			prepares("referrers", s.referrers);
		find = compose_find(r, true);
		lock = compose_lock_many(r);
		prepares("find", find);
		prepares("lock_many", lock);
		free(find);
		free(lock);
		compose_statements_done(&s);
		list_shapes(r);
	}
	for (size_t i = 0; i < db_n_queries; i++)
		prepares(db_queries[i].name, db_queries[i].sql);
	db_session_close(session);
	db_error_done(&error);
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0;
}

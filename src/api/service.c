/* What the service says of itself. */
#include "internal.h"

#include <string.h>
#include "lodebase/api/openapi.h"
#include "lodebase/core/version.h"

void service_index(struct call *c)
{
	struct json_writer w;

	json_begin(&w, &c->out);
	json_object_begin(&w);
	json_key(&w, "resources");
	json_array_begin(&w);
	for (size_t i = 0; resources[i]; i++) {
		json_object_begin(&w);
		json_member_string(&w, "name", resources[i]->name);
		json_member_string(&w, "url", call_format(c, "/v1/%s", resources[i]->name));
		json_object_end(&w);
	}
	json_array_end(&w);
	json_object_end(&w);
	buf_putc(&c->out, '\n');
	call_answer(c, 200, "application/json");
}

void service_key(struct call *c)
{
	static const char *const scopes[] = { "", "read", "write", "admin" };
	struct json_writer w;

	json_begin(&w, &c->out);
	json_object_begin(&w);
	json_member_string(&w, "name", c->key.name);
	json_member_string(&w, "scope", scopes[c->key.scope]);
	json_object_end(&w);
	buf_putc(&c->out, '\n');
	call_header(c, "Cache-Control", "no-store");
	call_answer(c, 200, "application/json");
}

void service_livez(struct call *c)
{
	buf_puts(&c->out, "{\"status\":\"ok\"}\n");
	call_header(c, "Cache-Control", "no-store");
	call_answer(c, 200, "application/json");
}

static void ready(struct call *c)
{
	bool is_protected = c->job.status == OK && *db_result_value(c->job.results[0], 0, 0) == 't';
	struct json_writer w;

	if (c->job.status != OK) {
		call_unavailable(c, "the database's schema or procedural language cannot be used; after a package upgrade "
				    "restart PostgreSQL, "
				    "else run lodebase migrate");
		return;
	}
	json_begin(&w, &c->out);
	json_object_begin(&w);
	json_member_string(&w, "status", "ok");
	json_key(&w, "checks");
	json_object_begin(&w);
	json_member_string(&w, "database", "ok");
	json_member_string(&w, "migrations", "ok");
	json_member_string(&w, "history", is_protected ? "ok" : "history is not protected from the service");
	json_object_end(&w);
	json_object_end(&w);
	buf_putc(&c->out, '\n');
	call_header(c, "Cache-Control", "no-store");
	call_answer(c, 200, "application/json");
}

void service_readyz(struct call *c)
{
	const struct api_shared *shared = c->api->shared;

	if (atomic_load_explicit(&shared->draining, memory_order_relaxed)) {
		call_unavailable(c, "the service is shutting down");
	} else if (atomic_load_explicit(&shared->plpgsql_broken, memory_order_relaxed)) {
		call_unavailable(c, "PostgreSQL was upgraded under the running service; restart the service");
	} else if (!atomic_load_explicit(&shared->migrated, memory_order_acquire)) {
		call_unavailable(c, "the database is being prepared, or is away");
	} else if (atomic_load_explicit(&shared->seeding, memory_order_acquire)) {
		call_unavailable(c, "the first data are being loaded");
	} else {
		/* a function in plpgsql, so that one that no longer loads is noticed */
		call_statement(c, 0, "ready", "select history_protected(), check_epoch()", NULL, 0);
		call_query(c, DB_READ, 1, true, ready);
	}
}

void service_metrics(struct call *c)
{
	metrics_write(c->api->shared->metrics, &c->out);
	call_header(c, "Cache-Control", "no-store");
	call_answer(c, 200, "text/plain; version=0.0.4; charset=utf-8");
}

void service_version(struct call *c)
{
	struct json_writer w;

	json_begin(&w, &c->out);
	json_object_begin(&w);
	json_member_string(&w, "name", "lodebase");
	json_member_string(&w, "version", core_version());
	json_object_end(&w);
	buf_putc(&c->out, '\n');
	call_answer(c, 200, "application/json");
}

void service_openapi_yaml(struct call *c)
{
	buf_put(&c->out, openapi_yaml, openapi_yaml_len);
	call_header(c, "Cache-Control", "no-cache");
	call_answer(c, 200, "application/yaml");
}

void service_openapi_json(struct call *c)
{
	buf_put(&c->out, openapi_json, openapi_json_len);
	call_header(c, "Cache-Control", "no-cache");
	call_answer(c, 200, "application/json");
}

void service_problem(struct call *c)
{
	const struct problem_type *type = problem_type(c->segment);

	if (!type) {
		call_fail(c, 404, "not-found", "there is no problem of this type");
		return;
	}
	buf_printf(&c->out, "%s\n\n%s\n", type->title, type->text);
	call_answer(c, 200, "text/plain; charset=utf-8");
}

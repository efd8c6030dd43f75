/* What the service says of itself. */
#include "internal.h"

#include <inttypes.h>
#include <string.h>
#include "lodebase/api/follower.h"
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

static void member_number(struct call *c, struct json_writer *w, const char *name, uint64_t value)
{
	const char *text = call_format(c, "%" PRIu64, value);

	json_key(w, name);
	json_raw(w, text, strlen(text));
}

static void ready(struct call *c)
{
	const struct follower_state graph = follower_state(c->api->shared->follower);
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
	json_member_string(&w, "graph", "ok");
	json_object_end(&w);
	json_key(&w, "graph");
	json_object_begin(&w);
	member_number(c, &w, "revision", graph.revision);
	member_number(c, &w, "nodes", graph.nodes);
	member_number(c, &w, "stakes", graph.stakes);
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
	} else if (!follower_state(shared->follower).loaded) {
		call_unavailable(c, "the ownership graph is being loaded");
	} else {
		/* a function in plpgsql, so that one that no longer loads is noticed */
		call_statement(c, 0, "ready", "select history_protected(), check_epoch()", NULL, 0);
		call_query(c, DB_READ, 1, true, ready);
	}
}

static void graph_metrics(struct buf *out, struct follower_state s)
{
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} lines[] = {
		{ "graph_nodes", "gauge", "Shareholders and projects that the ownership graph has ever known.", s.nodes },
		{ "graph_stakes", "gauge", "Stakes in the ownership graph that stand.", s.stakes },
		{ "graph_bytes", "gauge", "Memory of the ownership graph, its history included.", s.bytes },
		{ "graph_revision", "gauge", "The transaction before which the ownership graph has seen all.", s.revision },
		{ "graph_loads_total", "counter", "How often the ownership graph was loaded whole.", s.loads },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		metrics_head(out, lines[i].name, lines[i].type, lines[i].help);
		buf_printf(out, "lodebase_%s %" PRIu64 "\n", lines[i].name, lines[i].value);
	}
	metrics_head(out, "graph_lag_seconds", "gauge", "How old what the ownership graph shows is at most.");
	if (s.loaded)
		buf_printf(out, "lodebase_graph_lag_seconds %" PRIu64 ".%06" PRIu64 "\n", s.age_us / 1000000,
			   s.age_us % 1000000);
}

void service_metrics(struct call *c)
{
	metrics_write(c->api->shared->metrics, &c->out);
	graph_metrics(&c->out, follower_state(c->api->shared->follower));
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

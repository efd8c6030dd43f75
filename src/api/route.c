/* The table of addresses: what there is, which methods it takes, and what they need. */
#include "internal.h"

#include <assert.h>
#include <string.h>

/* clang-format off */
static const int read_statuses[] = { 200, 304, 400, 401, 404, 406, 503, 504, 0 };
static const int list_statuses[] = { 200, 400, 401, 406, 503, 504, 0 };
static const int history_statuses[] = { 200, 400, 401, 404, 406, 503, 504, 0 };
static const int changes_statuses[] = { 200, 400, 401, 406, 410, 503, 504, 0 };
static const int create_statuses[] = { 201, 400, 401, 403, 406, 409, 413, 415, 422, 503, 504, 0 };
static const int put_statuses[] = { 200, 201, 400, 401, 403, 404, 406, 409, 412, 413, 415, 422, 428, 503, 504, 0 };
static const int patch_statuses[] = { 200, 400, 401, 403, 404, 406, 409, 412, 413, 415, 422, 428, 503, 504, 0 };
static const int delete_statuses[] = { 204, 400, 401, 403, 404, 409, 412, 428, 503, 504, 0 };
static const int import_statuses[] = { 200, 400, 401, 403, 406, 409, 415, 422, 503, 504, 0 };
static const int export_statuses[] = { 200, 400, 401, 403, 406, 503, 504, 0 };
static const int service_statuses[] = { 200, 400, 401, 406, 503, 504, 0 };
static const int plain_statuses[] = { 200, 400, 0 };
static const int guarded_statuses[] = { 200, 400, 401, 503, 504, 0 };
static const int ready_statuses[] = { 200, 400, 503, 0 };
static const int problem_statuses[] = { 200, 400, 404, 0 };

static const struct operation index_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json", NULL, service_index, service_statuses },
};
static const struct operation key_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json", NULL, service_key, service_statuses },
};
static const struct operation import_operations[] = {
	{ HTTP_POST, SCOPE_WRITE, BODY_IMPORT, "application/json", import_check, import_http_run, import_statuses },
};
static const struct operation export_operations[] = {
	{ HTTP_GET, SCOPE_ADMIN, BODY_NONE, "application/x-ndjson", NULL, export_run, export_statuses },
};
static const struct operation collection_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json, text/csv, application/x-ndjson, application/geo+json", list_check, list_run, list_statuses },
	{ HTTP_POST, SCOPE_WRITE, BODY_RECORD, "application/json", create_check, create_run, create_statuses },
};
static const struct operation record_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json", record_get_check, record_get, read_statuses },
	{ HTTP_PUT, SCOPE_WRITE, BODY_RECORD, "application/json", put_check, put_run, put_statuses },
	{ HTTP_PATCH, SCOPE_WRITE, BODY_PATCH, "application/json", patch_check, patch_run, patch_statuses },
	{ HTTP_DELETE, SCOPE_WRITE, BODY_NONE, NULL, delete_check, delete_run, delete_statuses },
};
static const struct operation history_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json", history_check, history_run, history_statuses },
};
static const struct operation provenance_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json", provenance_check, provenance_run, history_statuses },
};
static const struct operation search_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json", search_check, search_run, list_statuses },
};
static const struct operation changes_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "application/json", changes_check, changes_run, changes_statuses },
};
static const struct operation changes_stream_operations[] = {
	{ HTTP_GET, SCOPE_READ, BODY_NONE, "text/event-stream", changes_stream_check, changes_stream_run, changes_statuses },
};
static const struct operation livez_operations[] = { { HTTP_GET, SCOPE_NONE, BODY_NONE, NULL, NULL, service_livez, plain_statuses } };
static const struct operation readyz_operations[] = { { HTTP_GET, SCOPE_NONE, BODY_NONE, NULL, NULL, service_readyz, ready_statuses } };
static const struct operation metrics_operations[] = { { HTTP_GET, SCOPE_READ, BODY_NONE, NULL, NULL, service_metrics, guarded_statuses } };
static const struct operation version_operations[] = { { HTTP_GET, SCOPE_READ, BODY_NONE, NULL, NULL, service_version, guarded_statuses } };
static const struct operation yaml_operations[] = { { HTTP_GET, SCOPE_NONE, BODY_NONE, NULL, NULL, service_openapi_yaml, plain_statuses } };
static const struct operation json_operations[] = { { HTTP_GET, SCOPE_NONE, BODY_NONE, NULL, NULL, service_openapi_json, plain_statuses } };
static const struct operation problem_operations[] = { { HTTP_GET, SCOPE_NONE, BODY_NONE, NULL, NULL, service_problem, problem_statuses } };

#define ROUTES_MAX 128

#define OPERATIONS(table) table, sizeof(table) / sizeof((table)[0])

/* Fixed addresses first: a resource is never called "key" or "export". */
static const struct route routes[] = {
	{ "/v1", false, OPERATIONS(index_operations) },
	{ "/v1/key", false, OPERATIONS(key_operations) },
	{ "/v1/import", false, OPERATIONS(import_operations) },
	{ "/v1/search", false, OPERATIONS(search_operations) },
	{ "/v1/export", false, OPERATIONS(export_operations) },
	{ "/v1/changes", false, OPERATIONS(changes_operations) },
	{ "/v1/changes/stream", false, OPERATIONS(changes_stream_operations) },
	{ "/v1/{resource}", true, OPERATIONS(collection_operations) },
	{ "/v1/{resource}/{id}", true, OPERATIONS(record_operations) },
	{ "/v1/{resource}/{id}/history", true, OPERATIONS(history_operations) },
	{ "/v1/{resource}/{id}/provenance", true, OPERATIONS(provenance_operations) },
	{ "/livez", false, OPERATIONS(livez_operations) },
	{ "/readyz", false, OPERATIONS(readyz_operations) },
	{ "/metrics", false, OPERATIONS(metrics_operations) },
	{ "/version", false, OPERATIONS(version_operations) },
	{ "/openapi.yaml", false, OPERATIONS(yaml_operations) },
	{ "/openapi.json", false, OPERATIONS(json_operations) },
	{ "/problems/{slug}", false, OPERATIONS(problem_operations) },
};
/* clang-format on */
#define OWN_ROUTES (sizeof(routes) / sizeof(routes[0]))

size_t route_count(void)
{
	return OWN_ROUTES + n_analysis_routes;
}

const struct route *route_at(size_t i)
{
	return i < OWN_ROUTES ? &routes[i] : &analysis_routes[i - OWN_ROUTES];
}

bool route_allows(const struct route *r, enum http_method m, const struct operation **ret)
{
	if (m == HTTP_HEAD)
		m = HTTP_GET;
	for (size_t i = 0; i < r->n_operations; i++)
		if (r->operations[i].method == m) {
			*ret = &r->operations[i];
			return true;
		}
	*ret = NULL;
	return false;
}

const char *route_allow_header(struct arena *arena, const struct route *r)
{
	static const struct {
		enum http_method method;
		const char *name;
	} names[] = { { HTTP_GET, "GET, HEAD" },
		      { HTTP_POST, "POST" },
		      { HTTP_PUT, "PUT" },
		      { HTTP_PATCH, "PATCH" },
		      { HTTP_DELETE, "DELETE" } };
	const struct operation *o;
	const char *list = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && list; i++)
		if (route_allows(r, names[i].method, &o))
			list = arena_printf(arena, "%s%s, ", list, names[i].name);
	list = list ? arena_printf(arena, "%sOPTIONS", list) : NULL;
	return list ? list : "OPTIONS";
}

static bool set_resource(struct call *c, const char *name, size_t n)
{
	for (size_t i = 0; resources[i]; i++)
		if (strlen(resources[i]->name) == n && memcmp(resources[i]->name, name, n) == 0) {
			c->resource = resources[i];
			c->resource_index = i;
			return true;
		}
	return false;
}

/* Matches one route; its last placeholder becomes the call's segment, and its resource, named or not, the call's. */
static bool matches(struct call *c, const struct route *r)
{
	const char *path = c->request->path, *pattern = r->pattern;

	c->segment = NULL;
	c->resource = NULL;
	while (*pattern) {
		size_t p = strcspn(pattern + 1, "/") + 1, n;

		if (*path != '/')
			return false;
		n = strcspn(path + 1, "/") + 1;
		if (pattern[1] != '{') {
			if (p != n || memcmp(pattern, path, n) != 0)
				return false;
			if (pattern == r->pattern + strlen("/v1"))
				(void)set_resource(c, path + 1, n - 1); /* "/v1/key" names none */
		} else if (strncmp(pattern, "/{resource}", p) == 0) {
			if (!set_resource(c, path + 1, n - 1))
				return false;
		} else {
			if (n < 2)
				return false;
			c->segment = arena_strndup(c->arena, path + 1, n - 1);
		}
		pattern += p;
		path += n;
	}
	return *path == '\0';
}

const struct route *route_find(struct call *c)
{
	for (size_t i = 0; i < route_count(); i++)
		if (matches(c, route_at(i))) {
			c->route_id = (unsigned)i;
			return route_at(i);
		}
	c->resource = NULL;
	c->route_id = (unsigned)route_count();
	return NULL;
}

const char *const *api_route_names(unsigned *ret_n)
{
	static const char *names[ROUTES_MAX + 1];

	assert(route_count() <= ROUTES_MAX);
	for (size_t i = 0; i < route_count(); i++)
		names[i] = route_at(i)->pattern;
	names[route_count()] = "other";
	*ret_n = (unsigned)route_count() + 1;
	return names;
}

/* The router: a method's letter, then a path. What it finds is held against the patterns, taken apart independently. */
#include "api_case.h"

#include <string.h>

static const struct {
	enum http_method method;
	const char *name;
} methods[] = { { HTTP_GET, "GET" },     { HTTP_HEAD, "HEAD" },     { HTTP_POST, "POST" },       { HTTP_PUT, "PUT" },
		{ HTTP_PATCH, "PATCH" }, { HTTP_DELETE, "DELETE" }, { HTTP_OPTIONS, "OPTIONS" }, { HTTP_OTHER, "BREW" } };

/* The part of a path or pattern that begins at *at, a slash; *at goes behind it. */
static size_t part(const char **at, const char **ret)
{
	size_t n = strcspn(*at + 1, "/");

	*ret = *at + 1;
	*at += 1 + n;
	return n;
}

static bool part_fits(const char *want, size_t want_n, const char *got, size_t n)
{
	if (*want != '{')
		return want_n == n && memcmp(want, got, n) == 0;
	if (strncmp(want, "{resource}", want_n) != 0)
		return n > 0;
	for (size_t i = 0; resources[i]; i++)
		if (strlen(resources[i]->name) == n && memcmp(resources[i]->name, got, n) == 0)
			return true;
	return false;
}

static bool fits(const char *pattern, const char *path)
{
	const char *want, *got;

	while (*pattern == '/' && *path == '/') {
		size_t want_n = part(&pattern, &want), n = part(&path, &got);

		if (!part_fits(want, want_n, got, n))
			return false;
	}
	return !*pattern && !*path;
}

static void check_found(const struct call *c, const struct route *r, const char *path)
{
	const char *last = strrchr(path, '/'), *pattern_last = strrchr(r->pattern, '/');

	FUZZ_CHECK(route_at(c->route_id) == r);
	FUZZ_CHECK(!r->per_resource || c->resource);
	FUZZ_CHECK(!c->resource || resources[c->resource_index] == c->resource);
	/* A placeholder of another name takes what it stands for. */
	FUZZ_CHECK(!strchr(pattern_last, '{') || c->resource || c->segment);
	FUZZ_CHECK(strcmp(pattern_last, "/{id}") != 0 || c->segment);
	FUZZ_CHECK(!c->segment || (*c->segment && strcmp(c->segment, last + 1) == 0));
}

static void check_methods(struct arena *a, const struct route *r, enum http_method method, const char *name)
{
	const char *allow = route_allow_header(a, r), *at = strstr(allow, name);
	const struct operation *o = NULL;
	bool allows = route_allows(r, method, &o);

	FUZZ_CHECK(allows == (o != NULL));
	FUZZ_CHECK(!o || o->method == (method == HTTP_HEAD ? HTTP_GET : method));
	/* What the header names is allowed, and nothing else; OPTIONS is for every address. */
	FUZZ_CHECK((allows || method == HTTP_OPTIONS) == (at != NULL));
	FUZZ_CHECK(!at || at[strlen(name)] == ',' || !at[strlen(name)]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const char letters[] = "GHPUADOX"; /* an update is a PUT, an amendment a PATCH */
	struct arena *a = arena_new(FUZZ_ARENA);
	struct call *c = fuzz_call(a, NULL);
	const struct route *found, *want = NULL;
	char *path;

	if (n > 0) {
		const char *letter = *bytes ? strchr(letters, *bytes) : NULL;
		size_t m = letter ? (size_t)(letter - letters) : *bytes % 8u;

		path = arena_strndup(a, (const char *)bytes + 1, n - 1);
		FUZZ_CHECK(path);
		if (*path != '/')
			path = arena_strdup(a, "*");
		c->request->path = c->request->raw_path = path;
		found = route_find(c);
		for (size_t i = 0; i < route_count() && !want; i++)
			if (fits(route_at(i)->pattern, path))
				want = route_at(i);
		FUZZ_CHECK(found == want);
		FUZZ_CHECK(found || (!c->resource && c->route_id == route_count()));
		if (found) {
			check_found(c, found, path);
			check_methods(a, found, methods[m].method, methods[m].name);
		}
	}
	arena_free(a);
	return 0;
}

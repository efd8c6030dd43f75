/* Access: API keys. A read asks a cache of this worker, no older than a second; a write is checked once more inside its own
 * transaction. Unknown keys are remembered for a second too, in a bounded cache, so that guessing costs the database
 * little; what is no key at all (checksum) costs it nothing. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "lodebase/base/clock.h"

#define CACHE_MS 900 /* a revoked key reads nothing after one second, the question's own way included */
#define HASH_HEX 64

struct auth_state {
	char hash[HASH_HEX + 1];
	uint64_t asked_ms;
	const char *params[1];
	char id[API_KEY_ID_LENGTH + 1];
	void (*passed)(struct call *c);
};

static void refuse(struct call *c, const char *detail, bool has_key)
{
	call_header(c, "WWW-Authenticate", has_key ? "Bearer error=\"invalid_token\"" : "Bearer");
	faults_add(&c->faults, FAULT_HEADER, "Authorization", has_key ? "format" : "required", "%s", detail);
	call_fail(c, 401, "unauthenticated", detail);
}

static void scoped(struct call *c, void (*passed)(struct call *c))
{
	if (c->has_key && c->key.scope < c->operation->scope) {
		static const char *const names[] = { "", "read", "write", "admin" };

		call_fail(c, 403, "forbidden",
			  call_format(c, "this needs a key of scope %s; the key sent has scope %s", names[c->operation->scope],
				      names[c->key.scope]));
		return;
	}
	passed(c);
}

static enum scope scope_of(const char *name)
{
	return strcmp(name, "admin") == 0 ? SCOPE_ADMIN : strcmp(name, "write") == 0 ? SCOPE_WRITE : SCOPE_READ;
}

static void free_key(void *p)
{
	struct key *k = p;

	if (k)
		free(k->name);
	free(k);
}

static void free_stamp(void *p)
{
	free(p);
}

void auth_forget(struct api *api)
{
	hmap_free(api->keys, free_key);
	hmap_free(api->unknown, free_stamp);
}

/* Puts an entry in; a full cache is emptied first, which only costs questions. */
static void remember(struct hmap **map, const char *hash, void *value, void (*free_value)(void *))
{
	if (!value)
		return;
	if (hmap_set(*map, hash, HASH_HEX, value, free_value) == OK)
		return;
	hmap_free(*map, free_value);
	*map = hmap_new(4096);
	if (!*map || hmap_set(*map, hash, HASH_HEX, value, free_value) != OK)
		free_value(value);
}

static void use_key(struct call *c, const struct key *k)
{
	c->key = *k;
	c->key.name = arena_strdup(c->arena, k->name);
	c->has_key = true;
}

static void unknown(struct call *c, const struct auth_state *s)
{
	uint64_t *stamp = malloc(sizeof(*stamp));

	if (stamp)
		*stamp = s->asked_ms;
	remember(&c->api->unknown, s->hash, stamp, free_stamp);
	refuse(c, "this API key is not known here, or was revoked", true);
}

static void looked_up(struct call *c)
{
	struct auth_state *s = c->state;
	const struct db_result *result = c->job.results[0];
	struct key *k;

	if (db_result_rows(result) != 1 || strlen(db_result_value(result, 0, 2)) != HASH_HEX ||
	    !digest_equal(db_result_value(result, 0, 2), s->hash, HASH_HEX)) {
		unknown(c, s);
		return;
	}
	k = calloc(1, sizeof(*k));
	if (k)
		k->name = strdup(db_result_value(result, 0, 0));
	if (!k || !k->name) {
		free_key(k);
		call_out_of_memory(c);
		return;
	}
	memcpy(k->id, s->id, sizeof(k->id));
	k->scope = scope_of(db_result_value(result, 0, 1));
	k->checked_ms = s->asked_ms;
	use_key(c, k);
	remember(&c->api->keys, s->hash, k, free_key);
	scoped(c, s->passed);
}

static bool needs_key(const struct call *c)
{
	const struct api_shared *shared = c->api->shared;

	if (c->operation->scope == SCOPE_NONE)
		return false;
	if (c->operation->scope > SCOPE_READ)
		return true;
	/* /metrics and /version are open to this machine itself, whatever is said of anonymous reading */
	if (!c->resource && shared->loopback && (c->operation->run == service_metrics || c->operation->run == service_version))
		return false;
	if (c->operation->run == service_metrics || c->operation->run == service_version)
		return true;
	if (c->operation->run == service_key)
		return true;
	return !shared->anonymous_read;
}

/* The key of `Authorization: Bearer …`, NULL where the header is of another form. */
static const char *bearer(const char *header)
{
	if (strncasecmp(header, "Bearer ", 7) != 0)
		return NULL;
	header += 7;
	return header + strspn(header, " ");
}

void auth_check(struct call *c, void (*passed)(struct call *c))
{
	const char *header = http_header(c->request, "Authorization");
	const char *key;
	size_t key_len;
	uint8_t digest[32];
	struct auth_state *s;
	const struct key *known;
	const uint64_t *refused;
	uint64_t now = clock_monotonic_ms();

	if (c->operation->scope == SCOPE_NONE) {
		passed(c);
		return;
	}
	if (!header) {
		if (needs_key(c))
			refuse(c, "this needs an API key: send Authorization: Bearer lode_...", false);
		else
			passed(c);
		return;
	}
	key = bearer(header);
	key_len = key ? strlen(key) : 0;
	while (key_len > 0 && (key[key_len - 1] == ' ' || key[key_len - 1] == '\t'))
		key_len--;
	if (!key || http_header_count(c->request, "Authorization") != 1 || !api_key_is_wellformed(key, key_len)) {
		refuse(c, "the Authorization header holds no API key of this service (Bearer lode_...)", true);
		return;
	}
	s = arena_alloc(c->arena, sizeof(*s));
	if (!s) {
		call_out_of_memory(c);
		return;
	}
	digest_sha256(key, API_KEY_LENGTH, digest);
	digest_hex(digest, sizeof(digest), s->hash);
	memcpy(s->id, key + strlen("lode_"), API_KEY_ID_LENGTH);
	s->asked_ms = now;
	s->passed = passed;
	known = hmap_get(c->api->keys, s->hash, HASH_HEX);
	if (known && now - known->checked_ms < CACHE_MS) {
		use_key(c, known);
		scoped(c, passed);
		return;
	}
	refused = hmap_get(c->api->unknown, s->hash, HASH_HEX);
	if (refused && now - *refused < CACHE_MS) {
		refuse(c, "this API key is not known here, or was revoked", true);
		return;
	}
	s->params[0] = s->id;
	c->state = s;
	call_statement(c, 0, "key",
		       "select name, scope, encode(sha256, 'hex') from api_key where id = $1 and revoked_at is null", s->params,
		       1);
	call_query(c, DB_READ, 1, false, looked_up);
}

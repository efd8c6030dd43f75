/* The instants of known_at: reading them, waiting for them, saying them. */
#include "lodebase/api/known.h"

#include <stdlib.h>
#include <string.h>
#include "internal.h"
#include "lodebase/db/migrate.h"
#include "token.h"

#define WAIT_FIRST_MS 2
#define WAIT_LONGEST_MS 50

/* One step of known_resolve(). */
struct waiting {
	void (*ready)(struct call *c);
	uint64_t until_ms;
	unsigned pause_ms;
	const char *params[2];
};

const char *known_seal(struct call *c, const struct known *k)
{
	const char *text;
	struct buf b;

	buf_init(&b, TOKEN_MAX);
	token_put(&b, k->time);
	if (k->kind == KNOWN_REVISION) {
		token_put(&b, k->epoch);
		token_put(&b, k->snapshot);
	}
	text = b.failed ? NULL : token_seal(c, 'R', b.data, b.len);
	buf_done(&b);
	return text;
}

bool known_open(struct call *c, const char *text, size_t n, struct known *ret)
{
	size_t len;
	const uint8_t *p = token_open(c, 'R', text, n, &len);
	const char *time;

	if (!p || !token_get(c, &p, &len, &time) || !time || strlen(time) >= sizeof(ret->time))
		return false;
	*ret = (struct known){ .kind = KNOWN_TIME };
	memcpy(ret->time, time, strlen(time) + 1);
	if (len > 0) {
		ret->kind = KNOWN_REVISION;
		if (!token_get(c, &p, &len, &ret->epoch) || !token_get(c, &p, &len, &ret->snapshot) || len != 0 ||
		    !ret->epoch || !ret->snapshot)
			return false;
	}
	ret->revision = arena_strndup(c->arena, text, n);
	return ret->revision != NULL;
}

static bool parse(struct call *c, const char *text, size_t n, struct known *ret)
{
	int64_t us;

	if (n == 3 && memcmp(text, "now", 3) == 0) {
		*ret = (struct known){ .kind = KNOWN_NOW };
		return true;
	}
	if (clock_parse_us(text, n, &us)) {
		*ret = (struct known){ .kind = KNOWN_TIME };
		clock_format_us(us, ret->time);
		return true;
	}
	return known_open(c, text, n, ret);
}

#define MALFORMED "known_at must be a time like 2025-12-15T09:30:00Z, now, or the revision of an answer of this base"

void known_parse(struct call *c, const char *text, size_t n, struct known *ret)
{
	if (!parse(c, text, n, ret))
		faults_add(&c->faults, FAULT_PARAMETER, "known_at", "format", MALFORMED);
}

void known_parse_member(struct call *c, const char *text, size_t n, struct faults *faults, struct known *ret)
{
	if (parse(c, text, n, ret))
		ret->is_member = true;
	else
		faults_member(faults, "known_at", "format", MALFORMED);
}

static void look(struct call *c);

static void waited(struct loop_timer *t)
{
	look(t->data);
}

/* The writers of that time have not all ended. */
static void wait_more(struct call *c)
{
	struct waiting *w = c->known_wait;
	uint64_t now = clock_monotonic_ms();

	if (now >= w->until_ms) {
		call_unavailable(c,
				 "changes that were under way at that time have not ended yet; ask again, or for known_at=now");
		return;
	}
	if (loop_timer_set(c->api->loop, &c->pause, now + w->pause_ms) != OK)
		call_unavailable(c, "out of memory");
	if (w->pause_ms < WAIT_LONGEST_MS)
		w->pause_ms *= 2;
}

static void lies_ahead(struct call *c)
{
	static const char detail[] = "known_at lies in the future: nobody knows yet what the base will know";

	if (c->known.is_member) {
		faults_add(&c->faults, FAULT_POINTER, "/known_at", "range", "%s", detail);
		call_fail(c, 422, "invalid", detail);
	} else {
		faults_add(&c->faults, FAULT_PARAMETER, "known_at", "range", "%s", detail);
		call_failed_early(c);
	}
}

/* Columns: epoch, snapshot, when the question's transaction began, the clock now, transactions under way. */
static void looked(struct call *c)
{
	const struct db_result *r = c->job.results[0];
	struct waiting *w = c->known_wait;
	struct known *k = &c->known;
	char began[CLOCK_TIME_SIZE], now[CLOCK_TIME_SIZE];
	const char *epoch = arena_strdup(c->arena, db_result_value(r, 0, 0));

	if (!epoch || !clock_from_postgres(db_result_value(r, 0, 2), (size_t)db_result_length(r, 0, 2), began) ||
	    !clock_from_postgres(db_result_value(r, 0, 3), (size_t)db_result_length(r, 0, 3), now)) {
		call_unavailable(c, "out of memory");
		return;
	}
	switch (k->kind) {
	case KNOWN_NOW:
		k->kind = KNOWN_REVISION;
		k->epoch = epoch;
		k->snapshot = arena_strdup(c->arena, db_result_value(r, 0, 1));
		memcpy(k->time, now, sizeof(now));
		break;
	case KNOWN_REVISION:
		k->epoch_is_over = strcmp(k->epoch, epoch) != 0;
		break;
	default:
		if (strcmp(k->time, now) > 0) {
			lies_ahead(c);
			return;
		}
		/* The list is whole only where that time lies before the looking; then those on it are waited for, nobody else. */
		if (!w->params[1] && strcmp(k->time, began) > 0) {
			wait_more(c);
			return;
		}
		if (strcmp(db_result_value(r, 0, 4), "{}") != 0) {
			w->params[1] = arena_strdup(c->arena, db_result_value(r, 0, 4));
			wait_more(c);
			return;
		}
	}
	if (!k->revision)
		k->revision = known_seal(c, k);
	if (!k->revision || (k->kind == KNOWN_REVISION && !k->snapshot))
		call_unavailable(c, "out of memory");
	else
		w->ready(c);
}

static void look(struct call *c)
{
	struct waiting *w = c->known_wait;

	w->params[0] = c->known.kind == KNOWN_TIME ? c->known.time : NULL;
	call_statement(c, 0, "instant", db_query("instant"), w->params, 2);
	call_query(c, DB_READ, 1, false, looked);
}

void known_resolve(struct call *c, void (*ready)(struct call *c))
{
	struct waiting *w;

	if (c->known.kind == KNOWN_UNASKED) {
		ready(c);
		return;
	}
	w = arena_alloc(c->arena, sizeof(*w));
	if (!w) {
		call_unavailable(c, "out of memory");
		return;
	}
	w->ready = ready;
	w->until_ms = clock_monotonic_ms() + c->api->shared->request_timeout_ms / 2;
	w->pause_ms = WAIT_FIRST_MS;
	c->known_wait = w;
	c->pause.fire = waited;
	c->pause.data = c;
	look(c);
}

void known_headers(struct call *c)
{
	if (c->known.kind == KNOWN_UNASKED)
		return;
	call_header(c, "Known-At", c->known.time);
	call_header(c, "Revision", c->known.revision);
}

const struct visibility *known_visibility(struct call *c, const char **params, int *n, struct visibility *ret)
{
	const struct known *k = &c->known;

	if (k->kind == KNOWN_UNASKED)
		return NULL;
	*ret = (struct visibility){ .epoch_is_over = k->epoch_is_over };
	if (k->kind == KNOWN_TIME) {
		params[(*n)++] = k->time;
		ret->time = call_format(c, "$%d::timestamptz", *n);
	} else {
		params[(*n)++] = k->epoch;
		ret->epoch = call_format(c, "$%d::integer", *n);
		params[(*n)++] = k->snapshot;
		ret->snapshot = call_format(c, "$%d::pg_snapshot", *n);
	}
	return ret;
}

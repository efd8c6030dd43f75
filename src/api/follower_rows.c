/* Rows of sql/queries/graph.sql, in PostgreSQL's binary forms, as versions of the register. */
#include "follower_internal.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/api/resource.h"

#define EPOCH_DAYS 10957 /* 2000-01-01, where PostgreSQL counts from, since 1970-01-01 */
#define EPOCH_US (EPOCH_DAYS * INT64_C(86400000000))
#define SLUG_SIZE 128 /* at most 100 letters, digits and hyphens */
#define NAME_SIZE 1216 /* at most 300 characters */
#define WHOLE UINT64_C(100000000000000) /* 100 % in units of the twelfth decimal */

static const struct db_field *next(struct row *r)
{
	static const struct db_field none = { .n = -1 };

	if (r->at < r->n)
		return &r->fields[r->at++];
	r->failed = true;
	return &none;
}

bool row_is_null(const struct row *r)
{
	return r->at >= r->n || r->fields[r->at].n < 0;
}

bool row_is(struct row *r, const char *text)
{
	const struct db_field *f = next(r);

	return f->n == (int)strlen(text) && memcmp(f->bytes, text, (size_t)f->n) == 0;
}

int64_t row_integer(struct row *r, int bytes)
{
	const struct db_field *f = next(r);
	uint64_t n = 0;

	if (f->n != bytes) {
		r->failed = true;
		return 0;
	}
	for (int i = 0; i < bytes; i++)
		n = n << 8 | f->bytes[i];
	return bytes == 4 ? (int32_t)n : (int64_t)n;
}

int64_t row_time(struct row *r)
{
	return row_integer(r, 8) + EPOCH_US;
}

static bool boolean(struct row *r)
{
	const struct db_field *f = next(r);

	r->failed |= f->n != 1;
	return f->n == 1 && f->bytes[0];
}

struct uuid row_uuid(struct row *r)
{
	const struct db_field *f = next(r);
	struct uuid id = { 0 };

	if (f->n == (int)sizeof(id.bytes))
		memcpy(id.bytes, f->bytes, sizeof(id.bytes));
	else
		r->failed = true;
	return id;
}

static bool maybe_uuid(struct row *r, struct uuid *ret)
{
	if (row_is_null(r)) {
		r->at++;
		return false;
	}
	*ret = row_uuid(r);
	return true;
}

/* false: null. */
static bool text(struct row *r, char *to, size_t size)
{
	const struct db_field *f = next(r);

	if (f->n < 0)
		return false;
	if ((size_t)f->n >= size) {
		r->failed = true;
		return false;
	}
	memcpy(to, f->bytes, (size_t)f->n);
	to[f->n] = '\0';
	return true;
}

static void country(struct row *r, char ret[2])
{
	const struct db_field *f = next(r);

	if (f->n == 2)
		memcpy(ret, f->bytes, 2);
	else
		r->failed |= f->n >= 0;
}

static int32_t day(struct row *r, int32_t open)
{
	if (row_is_null(r)) {
		r->at++;
		return open;
	}
	return (int32_t)row_integer(r, 4) + EPOCH_DAYS;
}

void row_values_init(struct row_values *ret)
{
	ret->kinds[GRAPH_SHAREHOLDERS] = resource_values("shareholders", "kind");
	ret->kinds[GRAPH_PROJECTS] = resource_values("projects", "kind");
	ret->instruments = resource_values("stakes", "instrument");
	ret->stages = resource_values("stakes", "stage");
}

/* The place of an enumeration's value in its field's list. */
static uint8_t value(struct row *r, const char *const *values)
{
	const struct db_field *f = next(r);

	for (uint8_t i = 0; f->n >= 0 && values[i]; i++)
		if (strncmp(values[i], (const char *)f->bytes, (size_t)f->n) == 0 && !values[i][f->n])
			return i;
	r->failed = true; /* of a newer version of the program, perhaps */
	return 0;
}

/* A percentage: groups of four decimal digits, the first with the weight given, as a fraction. false: null. */
static bool percentage(struct row *r, struct graph_ratio *ret)
{
	const struct db_field *f = next(r);
	uint64_t units = 0;
	int groups, weight;

	if (f->n < 0)
		return false;
	groups = f->n >= 8 ? f->bytes[0] << 8 | f->bytes[1] : -1;
	weight = f->n >= 8 ? (int16_t)(f->bytes[2] << 8 | f->bytes[3]) : 0;
	/* 100 has the weight 0, the twelfth decimal -3; neither negative nor no number */
	if (groups < 0 || f->n != 8 + 2 * groups || f->bytes[4] || f->bytes[5] ||
	    (groups > 0 && (weight > 0 || weight - groups + 1 < -3))) {
		r->failed = true;
		return false;
	}
	for (int i = 0; i < groups; i++)
		units = units * 10000 + (unsigned)(f->bytes[8 + 2 * i] << 8 | f->bytes[9 + 2 * i]);
	for (int i = weight - groups + 1; groups > 0 && i > -3; i--)
		units *= 10000;
	*ret = (struct graph_ratio){ units, WHOLE };
	r->failed |= units > WHOLE;
	return true;
}

/* An exact share, or the bounds of one. */
static struct graph_share share(struct row *r)
{
	struct graph_ratio exact, min, max;
	bool is_exact = percentage(r, &exact), has_min = percentage(r, &min), has_max = percentage(r, &max);

	if (is_exact)
		return (struct graph_share){ .given = true, .min = exact, .max = exact };
	if (!has_min)
		min = (struct graph_ratio){ 0, WHOLE };
	if (!has_max)
		max = (struct graph_ratio){ WHOLE, WHOLE };
	return (struct graph_share){ .given = has_min || has_max, .min = min, .max = max };
}

static struct graph_stamp stamp(struct row *r)
{
	struct graph_stamp s = { .time_us = row_time(r) };

	s.xid = (uint64_t)row_integer(r, 8);
	s.epoch = (uint32_t)row_integer(r, 4);
	return s;
}

bool row_look(struct row *r, struct look *ret)
{
	const struct db_field *snapshot;

	ret->epoch = (uint32_t)row_integer(r, 4);
	snapshot = next(r);
	ret->clock_us = row_time(r);
	ret->snapshot = r->failed || snapshot->n < 0 ? NULL : strndup((const char *)snapshot->bytes, (size_t)snapshot->n);
	return ret->snapshot != NULL;
}

/* --- versions --- */

/* What both kinds of rows have in the end: slug, name, kind, country, state, company. */
static enum err node(struct graph_store *s, struct row *r, struct graph_node_version v)
{
	char slug[SLUG_SIZE] = "", name[NAME_SIZE] = "";

	text(r, slug, sizeof(slug));
	text(r, name, sizeof(name));
	v.slug = slug;
	v.name = name;
	v.kind = value(r, r->values->kinds[v.resource]);
	country(r, v.country);
	country(r, v.state);
	v.has_company = maybe_uuid(r, &v.company);
	return r->failed ? ERR_INVALID : graph_store_node(s, &v);
}

static bool same_share(struct graph_share a, struct graph_share b)
{
	return a.given && b.given && a.min.numerator == b.min.numerator && a.max.numerator == b.max.numerator;
}

/* A stake's behind its slug. */
static enum err stake(struct graph_store *s, struct row *r, struct graph_stake_version *v)
{
	struct graph_share rounded = { 0 };
	struct uuid issuer, project;
	bool of_issuer, of_project;

	v->holder = row_uuid(r);
	of_issuer = maybe_uuid(r, &issuer);
	of_project = maybe_uuid(r, &project);
	r->failed |= of_issuer == of_project;
	v->subject_resource = of_issuer ? GRAPH_SHAREHOLDERS : GRAPH_PROJECTS;
	if (of_issuer)
		v->subject = issuer;
	else if (of_project)
		v->subject = project;
	v->has_counterparty = maybe_uuid(r, &v->counterparty);
	v->instrument = value(r, r->values->instruments);
	v->stage = value(r, r->values->stages);
	v->contingent = boolean(r);
	v->dilutive = boolean(r);
	v->valid_from = day(r, GRAPH_DAY_FIRST);
	v->valid_to = day(r, GRAPH_DAY_LAST);
	if (row_is_null(r)) {
		r->at += 2;
		v->economic = share(r);
	} else {
		int64_t held = row_integer(r, 8), issued = row_integer(r, 8);

		rounded = share(r);
		r->failed |= held < 0 || issued < 1 || held > issued;
		v->economic.given = true;
		v->economic.min = v->economic.max = (struct graph_ratio){ (uint64_t)held, (uint64_t)issued };
	}
	v->voting = share(r);
	if (same_share(v->voting, rounded)) /* the shares define the votes, too */
		v->voting = v->economic;
	return r->failed ? ERR_INVALID : graph_store_stake(s, v);
}

static bool ended(struct row *r, struct graph_stamp *ret)
{
	if (row_is_null(r)) {
		r->at += 3;
		return false;
	}
	*ret = stamp(r);
	return true;
}

enum err row_load_node(struct graph_store *s, struct row *r, enum graph_resource resource)
{
	struct graph_node_version v = { .resource = resource, .id = row_uuid(r) };

	v.from = stamp(r);
	v.ended = ended(r, &v.to);
	return node(s, r, v);
}

enum err row_load_stake(struct graph_store *s, struct row *r)
{
	struct graph_stake_version v = { .id = row_uuid(r) };
	char slug[SLUG_SIZE];

	v.from = stamp(r);
	v.ended = ended(r, &v.to);
	v.slug = text(r, slug, sizeof(slug)) ? slug : NULL;
	return stake(s, r, &v);
}

enum err row_apply_change(struct graph_store *s, struct row *r)
{
	static const char *const names[] = {
		[GRAPH_SHAREHOLDERS] = "shareholders", [GRAPH_PROJECTS] = "projects", [GRAPH_STAKES] = "stakes"
	};
	enum graph_resource resource = GRAPH_SHAREHOLDERS;
	const int first = r->at;
	struct graph_stamp when;
	struct uuid id;
	bool deleted;

	while (resource < GRAPH_STAKES && !(r->at = first, row_is(r, names[resource])))
		resource++;
	r->at = first + 1;
	deleted = row_is(r, "deleted");
	id = row_uuid(r);
	when = stamp(r);
	if (r->failed)
		return ERR_INVALID;
	if (deleted)
		return graph_store_deleted(s, resource, &id, &when);
	if (resource == GRAPH_STAKES) {
		struct graph_stake_version v = { .id = id, .from = when };
		char slug[SLUG_SIZE];

		v.slug = text(r, slug, sizeof(slug)) ? slug : NULL;
		r->at += 5; /* a node's */
		return stake(s, r, &v);
	}
	struct graph_node_version v = { .resource = resource, .id = id, .from = when };
	return node(s, r, v);
}

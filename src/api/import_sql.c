/* The statements of an import, composed from the field tables. Names come from the tables only, values are bound or copied.
 * Columns of the import's own begin with '_': no field does. */
#include "import_internal.h"

#include <stdlib.h>
#include <string.h>

#define SQL_MAX (256u << 10)

char *import_sql_create(const struct import_table *t)
{
	const struct resource *r = t->resource;
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(&b,
		   "create temporary table staged_%s (_n bigint, _source integer, _place bigint, _fresh boolean, _sent_id "
		   "boolean, "
		   "id uuid, slug text collate \"C\"",
		   r->table);
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];
		const char *type = compose_type(f);

		buf_printf(&b, ", \"%s\" %s%s", f->name, type, strcmp(type, "text") == 0 ? " collate \"C\"" : "");
		if (field_is_reference(f))
			buf_printf(&b, ", \"%s_slug\" text collate \"C\"", f->name);
	}
	buf_putc(&b, ')');
	return buf_steal(&b, NULL);
}

char *import_sql_copy(const struct import_table *t)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(&b, "copy staged_%s from stdin", t->resource->table);
	return buf_steal(&b, NULL);
}

/* What a check may look at: not the texts and lists, which can be large. */
static bool is_wanted_stored(const struct field *f)
{
	return f->type != FIELD_TEXT && f->type != FIELD_URL && strcmp(compose_type(f), "jsonb") != 0;
}

char *import_sql_stored(const struct import_table *t)
{
	const struct resource *r = t->resource;
	struct buf b;

	buf_init(&b, SQL_MAX);
	for (int arm = 0; arm < 2; arm++) {
		buf_puts(&b, arm ? " union all select " : "select ");
		for (size_t i = 0; i < r->n_fields; i++)
			if (is_wanted_stored(&r->fields[i]))
				buf_printf(&b, "%st.\"%s\"", i ? ", " : "", r->fields[i].name);
			else
				buf_puts(&b, ", null");
		buf_printf(&b, " from %s t where %s", r->table,
			   arm ? "t.id = any ($2::uuid[]) and (t.slug = any ($1::text[])) is not true"
			       : "t.slug = any ($1::text[])");
	}
	return buf_steal(&b, NULL);
}

char *import_sql_follow(const struct import_table *t)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(&b,
		   "update staged_%s s set id = t.id, _fresh = false from %s t where t.slug = s.slug and t.id <> s.id and not "
		   "s._sent_id",
		   t->resource->table, t->resource->table);
	return buf_steal(&b, NULL);
}

/* The first of several keeps its place; the others repeat it. What repeats a slug is not named a second time for its id. */
char *import_sql_repeated(const struct import_table *t, bool by_slug)
{
	const char *key = by_slug ? "slug" : "id", *table = t->resource->table;
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(
		&b,
		"select s._n, s._source, s._place, s._sent_id from staged_%s s join (select %s, min(_n) as _n from staged_%s "
		"where %s is not null group by %s having count(*) > 1) d on d.%s = s.%s where s._n > d._n",
		table, key, table, key, key, key, key);
	if (!by_slug)
		buf_printf(&b,
			   " and not exists (select from staged_%s e where e.id = s.id and e.slug = s.slug and e._n < s._n)",
			   table);
	buf_printf(&b, " order by s._n limit %d", FAULTS_MAX + 1);
	return buf_steal(&b, NULL);
}

/* A reference's id: of a record of this import, else of a stored one. Only the joins that something needs: of a subject those
 * of the resources that are named. */
static void resolved(struct buf *b, const struct import *im, const struct import_table *t, size_t i)
{
	if (!import_refers(im, t, i)) {
		buf_puts(b, "null::uuid");
		return;
	}
	buf_puts(b, "coalesce(null::uuid");
	for (size_t k = 0; k < im->n_tables; k++) {
		bool staged = im->tables[k].staged > 0, by_slug = t->by_slug[i * im->n_tables + k];
		bool by_id = t->by_id[i * im->n_tables + k];

		if (by_slug && staged)
			buf_printf(b, ", s%zu_%zu.id", i, k);
		if (by_slug)
			buf_printf(b, ", t%zu_%zu.id", i, k);
		if (by_id && staged)
			buf_printf(b, ", u%zu_%zu.id", i, k);
		if (by_id)
			buf_printf(b, ", v%zu_%zu.id", i, k);
	}
	buf_putc(b, ')');
}

/* The end of a join: where a subject can be of several resources, only for those of this one. */
static void on_resource(struct buf *b, const struct field *f, const struct resource *target)
{
	if (f->type == FIELD_SUBJECT)
		buf_printf(b, " and s.\"%s\" = '%s'", f[-1].name, target->name);
}

static void resolving_joins(struct buf *b, const struct import *im, const struct import_table *t, size_t i)
{
	const struct field *f = &t->resource->fields[i];

	for (size_t k = 0; k < im->n_tables; k++) {
		const struct resource *target = im->tables[k].resource;
		bool staged = im->tables[k].staged > 0, by_slug = t->by_slug[i * im->n_tables + k];
		bool by_id = t->by_id[i * im->n_tables + k];

		/* What is there twice is a fault of its own; here one of them is enough, or the join would multiply rows. */
		if (by_slug && staged) {
			buf_printf(b,
				   " left join (select distinct on (slug) slug, id from staged_%s where slug is not null order "
				   "by slug, _n) s%zu_%zu on s%zu_%zu.slug = s.\"%s_slug\"",
				   target->table, i, k, i, k, f->name);
			on_resource(b, f, target);
		}
		if (by_slug) {
			buf_printf(b, " left join %s t%zu_%zu on t%zu_%zu.slug = s.\"%s_slug\"", target->table, i, k, i, k,
				   f->name);
			on_resource(b, f, target);
		}
		if (by_id && staged) {
			buf_printf(b, " left join (select distinct id from staged_%s) u%zu_%zu on u%zu_%zu.id = s.\"%s\"",
				   target->table, i, k, i, k, f->name);
			on_resource(b, f, target);
		}
		if (by_id) {
			buf_printf(b, " left join %s v%zu_%zu on v%zu_%zu.id = s.\"%s\"", target->table, i, k, i, k, f->name);
			on_resource(b, f, target);
		}
	}
}

/* All writable columns, each with a prefix. */
static void writable(struct buf *b, const struct resource *r, const char *prefix)
{
	buf_printf(b, "%sslug", prefix);
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++)
		buf_printf(b, ", %s\"%s\"", prefix, r->fields[i].name);
}

char *import_sql_merge(const struct import *im, const struct import_table *t)
{
	const struct resource *r = t->resource;
	bool any = false;
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(
		&b,
		"create temporary table merge_%s as select m.* from (select s._n, s._source, s._place, s._fresh, s.id, s.slug",
		r->table);
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++) {
		buf_puts(&b, ", ");
		if (field_is_reference(&r->fields[i]))
			resolved(&b, im, t, i);
		else
			buf_printf(&b, "s.\"%s\"", r->fields[i].name);
		buf_printf(&b, " as \"%s\"", r->fields[i].name);
	}
	/* lost: it refers to something unknown */
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++) {
		if (!field_is_reference(&r->fields[i]) || !import_refers(im, t, i))
			continue;
		buf_printf(&b, "%scoalesce(s.\"%s_slug\", s.\"%s\"::text) is not null and ", any ? " or " : ", ",
			   r->fields[i].name, r->fields[i].name);
		resolved(&b, im, t, i);
		buf_puts(&b, " is null");
		any = true;
	}
	buf_printf(&b, "%s as _lost from staged_%s s", any ? "" : ", false", r->table);
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++)
		if (field_is_reference(&r->fields[i]))
			resolving_joins(&b, im, t, i);
	buf_printf(&b, ") m left join %s t on t.id = m.id where m._lost or t.id is null or (", r->table);
	writable(&b, r, "t.");
	buf_puts(&b, ") is distinct from (");
	writable(&b, r, "m.");
	buf_putc(&b, ')');
	return buf_steal(&b, NULL);
}

char *import_sql_lost(const struct import_table *t, size_t field)
{
	const struct field *f = &t->resource->fields[field];
	const char *name = f->name, *table = t->resource->table;
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(&b,
		   "select m._n, m._source, m._place, coalesce(s.\"%s_slug\", s.\"%s\"::text), s.\"%s\" from merge_%s m join "
		   "staged_%s s on s._n = m._n "
		   "where m._lost and m.\"%s\" is null and coalesce(s.\"%s_slug\", s.\"%s\"::text) is not null order by m._n "
		   "limit %d",
		   name, name, f->type == FIELD_SUBJECT ? f[-1].name : name, table, table, name, name, name, FAULTS_MAX + 1);
	return buf_steal(&b, NULL);
}

bool import_sql_locks(const struct import *im, const struct import_table *t)
{
	if (t->merged > 0)
		return true;
	for (size_t k = 0; k < im->n_tables; k++) {
		const struct resource *r = im->tables[k].resource;

		for (size_t i = 0; r->locks && r->locks[i] && im->tables[k].merged > 0; i++)
			if (strcmp(r->fields[resource_field(r, r->locks[i], strlen(r->locks[i]))].target, t->resource->name) ==
			    0)
				return true;
	}
	return false;
}

/* The rows of one table that this import changes, and those that are subjects of what it changes, as they are and as they
 * will be. */
char *import_sql_lock(const struct import *im, const struct import_table *t)
{
	const char *table = t->resource->table;
	bool any = false;
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_printf(&b, "select count(*) from (select t.id from %s t where t.id in (", table);
	if (t->merged > 0) {
		buf_printf(&b, "select m.id from merge_%s m where not m._fresh", table);
		any = true;
	}
	for (size_t k = 0; k < im->n_tables; k++) {
		const struct resource *r = im->tables[k].resource;

		for (size_t i = 0; r->locks && r->locks[i] && im->tables[k].merged > 0; i++) {
			int f = resource_field(r, r->locks[i], strlen(r->locks[i]));

			if (strcmp(r->fields[f].target, t->resource->name) != 0)
				continue;
			buf_printf(&b,
				   "%sselect m.\"%s\" from merge_%s m union all select o.\"%s\" from merge_%s m join %s o on "
				   "o.id = m.id "
				   "where not m._fresh",
				   any ? " union all " : "", r->locks[i], r->table, r->locks[i], r->table, r->table);
			any = true;
		}
	}
	buf_printf(&b, "%s) order by t.id for no key update) x", any ? "" : "select null::uuid where false");
	return buf_steal(&b, NULL);
}

char *import_sql_latest(const struct import *im)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	buf_puts(&b, "select greatest(clock_timestamp()");
	for (size_t k = 0; k < im->n_tables; k++) {
		const struct resource *r = im->tables[k].resource;

		if (im->tables[k].merged == 0)
			continue;
		buf_printf(&b,
			   ", (select max(t.updated_at) + interval '1 microsecond' from %s t join merge_%s m on m.id = t.id "
			   "where not m._fresh)"
			   ", (select max(c.at) + interval '1 microsecond' from change c join merge_%s m on m.id = c.id "
			   "where not m._fresh and c.resource = '%s' and not exists (select from %s t where t.id = m.id))",
			   r->table, r->table, r->table, r->name, r->table);
	}
	buf_puts(&b, ")::text, lodebase.epoch()");
	return buf_steal(&b, NULL);
}

/* What is new, and what comes again under the id of a deleted record: version 1, or the next after its deletion. */
static void insert(struct buf *b, const struct import_table *t)
{
	const struct resource *r = t->resource;

	buf_printf(b, "with i as (insert into %s (id, version, created_at, updated_at, known_xid, known_epoch, ", r->table);
	writable(b, r, "");
	for (int arm = 0; arm < 2; arm++) {
		buf_printf(b, "%s select m.id, ", arm ? " union all" : ")");
		if (arm)
			buf_printf(b, "lodebase.next_version('%s', m.id)", r->name);
		else
			buf_puts(b, "1");
		buf_puts(b, ", $1::timestamptz, $1::timestamptz, pg_current_xact_id(), $2::integer, ");
		writable(b, r, "m.");
		buf_printf(b, " from merge_%s m where ", r->table);
		if (arm)
			buf_printf(b, "not m._fresh and not exists (select from %s x where x.id = m.id)", r->table);
		else
			buf_puts(b, "m._fresh");
	}
	buf_puts(b, " returning id)");
}

static void update(struct buf *b, const struct import_table *t)
{
	const struct resource *r = t->resource;

	buf_printf(b,
		   ", u as (update %s t set version = t.version + 1, updated_at = $1::timestamptz, known_xid = "
		   "pg_current_xact_id(), "
		   "known_epoch = $2::integer, slug = m.slug",
		   r->table);
	for (size_t i = RESOURCE_COMMON_FIELDS; i < r->n_fields; i++)
		buf_printf(b, ", \"%s\" = m.\"%s\"", r->fields[i].name, r->fields[i].name);
	buf_printf(b, " from merge_%s m where t.id = m.id and not m._fresh and (", r->table);
	writable(b, r, "t.");
	buf_puts(b, ") is distinct from (");
	writable(b, r, "m.");
	buf_puts(b, ") returning t.id)");
}

/* One statement, so that the rules see all of it done. The rows that exist are locked by now and stay; one that comes under
 * the same id meanwhile is a race that the key shows. Plain inserts, because those with a conflict clause look twice. */
char *import_sql_write(const struct import_table *t)
{
	struct buf b;

	buf_init(&b, SQL_MAX);
	insert(&b, t);
	update(&b, t);
	buf_puts(&b, " select (select count(*) from i), (select count(*) from u)");
	return buf_steal(&b, NULL);
}

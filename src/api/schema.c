#include "lodebase/api/schema.h"

#include <string.h>
#include "compose.h"
#include "lodebase/api/resource.h"
#include "lodebase/base/buf.h"

#define SCHEMA_MAX (4u << 20)

/* Columns that every resource table has behind its fields. */
static const char *const own_columns[] = { "known_xid", "known_epoch", NULL };

static const char change_columns[] = "change (epoch, xid, resource, id, version, action, at, actor, request_id)";
static const char who[] = "nullif(current_setting('lode.actor', true), ''), nullif(current_setting('lode.request', true), '')";

/* All columns, each as prefix."name", with ", " between them. */
static void columns(struct buf *b, const struct resource *r, const char *prefix)
{
	for (size_t i = 0; i < r->n_fields; i++)
		buf_printf(b, "%s%s\"%s\"", i ? ", " : "", prefix, r->fields[i].name);
	for (const char *const *c = own_columns; *c; c++)
		buf_printf(b, ", %s%s", prefix, *c);
}

static void function_begin(struct buf *b, const struct resource *r, const char *event, const char *declare)
{
	/* The plans are made for the first statement of a session and kept: no nested loop over an import's thousands. */
	buf_printf(b,
		   "create or replace function lodebase.%s_history_%s() returns trigger\n"
		   "language plpgsql security definer\n"
		   "set search_path = lodebase, pg_temp\n"
		   "set enable_nestloop = off\n"
		   "as $history$\n%sbegin\n",
		   r->table, event, declare);
}

static void function_end(struct buf *b, const struct resource *r, const char *event, const char *tables)
{
	buf_printf(b,
		   "\treturn null;\nend\n$history$;\n"
		   "create or replace trigger %s_history_%s after %s on lodebase.%s\n"
		   "referencing %s\nfor each statement execute function lodebase.%s_history_%s();\n\n",
		   r->table, event, event, r->table, tables, r->table, event);
}

static void refuse(struct buf *b, const struct resource *r, const char *what)
{
	buf_printf(b, "\t\traise exception using errcode = 'LD500', message = '%s of %s: %s';\n\tend if;\n", what, r->name,
		   "version, updated_at, created_at, known_xid or known_epoch do not follow from what was there");
}

static void compose_insert(struct buf *b, const struct resource *r)
{
	function_begin(b, r, "insert", "");
	buf_printf(b,
		   "\tif exists (\n\t\tselect from new_rows n\n"
		   "\t\twhere n.known_xid <> pg_current_xact_id() or n.known_epoch <> (select epoch())\n"
		   "\t\t\tor n.version <> 1 and (n.version <> next_version('%s', n.id) or n.updated_at <= (\n"
		   "\t\t\t\tselect c.at from change c where c.id = n.id and c.version = n.version - 1 and c.resource = '%s'))\n"
		   "\t) then\n",
		   r->name, r->name);
	refuse(b, r, "insert");
	buf_printf(b,
		   "\tinsert into %s\n"
		   "\tselect n.known_epoch, n.known_xid, '%s', n.id, n.version, 'created', n.updated_at,\n\t\t%s\n"
		   "\tfrom new_rows n;\n",
		   change_columns, r->name, who);
	function_end(b, r, "insert", "new table as new_rows");
}

static void compose_update(struct buf *b, const struct resource *r)
{
	function_begin(b, r, "update", "");
	buf_puts(b, "\tif exists (\n\t\tselect from old_rows o left join new_rows n on n.id = o.id\n"
		    "\t\twhere n.id is null or n.version <> o.version + 1 or n.updated_at <= o.updated_at or n.created_at <> "
		    "o.created_at\n"
		    "\t\t\tor n.known_xid <> pg_current_xact_id() or n.known_epoch <> (select epoch())\n"
		    "\t) then\n");
	refuse(b, r, "update");
	buf_printf(b, "\tinsert into %s_past (known_to, to_xid, to_epoch, ", r->table);
	columns(b, r, "");
	buf_puts(b, ")\n\tselect n.updated_at, n.known_xid, n.known_epoch, ");
	columns(b, r, "o.");
	buf_puts(b, "\n\tfrom old_rows o join new_rows n on n.id = o.id;\n");
	buf_printf(b,
		   "\tinsert into %s\n"
		   "\tselect n.known_epoch, n.known_xid, '%s', n.id, n.version, 'updated', n.updated_at,\n\t\t%s\n"
		   "\tfrom new_rows n;\n",
		   change_columns, r->name, who);
	function_end(b, r, "update", "old table as old_rows new table as new_rows");
}

static void compose_delete(struct buf *b, const struct resource *r)
{
	function_begin(b, r, "delete",
		       "declare\n\tstamp timestamptz;\n\there constant integer := epoch();\n"
		       "\tmine constant xid8 := pg_current_xact_id();\n");
	buf_puts(b, "\tselect greatest(clock_timestamp(), max(o.updated_at) + interval '1 microsecond') into stamp from "
		    "old_rows o;\n");
	buf_printf(b, "\tinsert into %s_past (known_to, to_xid, to_epoch, ", r->table);
	columns(b, r, "");
	buf_puts(b, ")\n\tselect stamp, mine, here, ");
	columns(b, r, "o.");
	buf_puts(b, "\n\tfrom old_rows o;\n");
	buf_printf(b,
		   "\tinsert into %s\n"
		   "\tselect here, mine, '%s', o.id, o.version + 1, 'deleted', stamp,\n\t\t%s\n"
		   "\tfrom old_rows o;\n",
		   change_columns, r->name, who);
	function_end(b, r, "delete", "old table as old_rows");
}

/* What a subject is has no foreign key, since it may be of several resources. Two kinds of triggers stand in for it
 * (postgres.md section 3), with the errors that a foreign key would give. A record's subjects are locked FOR KEY SHARE, in
 * one order, and those that are not there any more are not locked. */
static void compose_subject_lock(struct buf *b, const struct resource *r, size_t field, const char *event)
{
	const struct field *f = &r->fields[field];
	bool update = strcmp(event, "update") == 0;

	buf_printf(
		b,
		"create or replace function lodebase.%s_subject_%s() returns trigger\n"
		"language plpgsql\n"
		"set search_path = lodebase, pg_temp\n"
		"set plan_cache_mode = force_generic_plan\n"
		"set enable_seqscan = off\nset enable_nestloop = off\n"
		"as $subject$\ndeclare\n\tnamed record;\n\tlocked bigint;\nbegin\n"
		"\tfor named in\n"
		"\t\tselect n.\"%s\" as resource, array_agg(distinct n.\"%s\" order by n.\"%s\") as ids\n\t\tfrom new_rows n",
		r->table, event, f[-1].name, f->name, f->name);
	if (update)
		buf_printf(b,
			   " join old_rows o on o.id = n.id\n"
			   "\t\twhere (n.\"%s\", n.\"%s\") is distinct from (o.\"%s\", o.\"%s\")",
			   f[-1].name, f->name, f[-1].name, f->name);
	buf_puts(b, "\n\t\tgroup by 1 order by 1\n\tloop\n\t\tcase named.resource\n");
	for (const char *const *name = f[-1].values; *name; name++)
		buf_printf(b,
			   "\t\twhen '%s' then\n"
			   "\t\t\tperform from %s t where t.id = any (named.ids) order by t.id for key share;\n",
			   *name, resource_find(*name)->table);
	buf_printf(b,
		   "\t\tend case;\n\t\tget diagnostics locked = row_count;\n"
		   "\t\tif locked <> cardinality(named.ids) then\n"
		   "\t\t\traise exception using errcode = 'foreign_key_violation', constraint = '%s_%s_fkey',\n"
		   "\t\t\t\tmessage = 'a subject is not there';\n"
		   "\t\tend if;\n\tend loop;\n\treturn null;\nend\n$subject$;\n"
		   "create or replace trigger %s_subject_%s after %s on lodebase.%s\n"
		   "referencing %snew table as new_rows\n"
		   "for each statement execute function lodebase.%s_subject_%s();\n\n",
		   r->table, f->name, r->table, event, event, r->table, update ? "old table as old_rows " : "", r->table,
		   event);
}

/* Whoever deletes holds its rows' locks when this looks, by a statement whose snapshot is younger than they are. */
static void compose_subject_delete(struct buf *b, const struct resource *target)
{
	buf_printf(b,
		   "create or replace function lodebase.%s_subject_delete() returns trigger\n"
		   "language plpgsql\n"
		   "set search_path = lodebase, pg_temp\n"
		   "as $subject$\nbegin\n"
		   "\tif current_setting('transaction_isolation') <> 'read committed' then\n"
		   "\t\traise exception using errcode = 'active_sql_transaction',\n"
		   "\t\t\tmessage = '%s are deleted under read committed only';\n\tend if;\n",
		   target->table, target->name);
	for (const struct resource *const *r = resources; *r; r++)
		for (size_t i = 0; i < (*r)->n_fields; i++)
			if ((*r)->fields[i].type == FIELD_SUBJECT && resource_may_refer(*r, i, target))
				buf_printf(b,
					   "\tif exists (select from old_rows o join %s t on t.\"%s\" = o.id where t.\"%s\" = "
					   "'%s') "
					   "then\n"
					   "\t\traise exception using errcode = 'foreign_key_violation', constraint = "
					   "'%s_%s_fkey',\n"
					   "\t\t\tmessage = 'it is the subject of others';\n\tend if;\n",
					   (*r)->table, (*r)->fields[i].name, (*r)->fields[i - 1].name, target->name,
					   (*r)->table, (*r)->fields[i].name);
	buf_printf(b,
		   "\treturn null;\nend\n$subject$;\n"
		   "create or replace trigger %s_subject_delete after delete on lodebase.%s\n"
		   "referencing old table as old_rows\n"
		   "for each statement execute function lodebase.%s_subject_delete();\n\n",
		   target->table, target->table, target->table);
}

static bool can_be_subject(const struct resource *target)
{
	for (const struct resource *const *r = resources; *r; r++)
		for (size_t i = 0; i < (*r)->n_fields; i++)
			if ((*r)->fields[i].type == FIELD_SUBJECT && resource_may_refer(*r, i, target))
				return true;
	return false;
}

static void compose_subjects(struct buf *b, const struct resource *r)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (r->fields[i].type == FIELD_SUBJECT) {
			compose_subject_lock(b, r, i, "insert");
			compose_subject_lock(b, r, i, "update");
		}
	if (can_be_subject(r))
		compose_subject_delete(b, r);
}

char *schema_compose(void)
{
	struct buf b;

	buf_init(&b, SCHEMA_MAX);
	for (const struct resource *const *r = resources; *r; r++) {
		compose_insert(&b, *r);
		compose_update(&b, *r);
		compose_delete(&b, *r);
		compose_search_indexes(&b, *r);
		compose_subjects(&b, *r);
	}
	return buf_steal(&b, NULL);
}

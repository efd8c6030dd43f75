#include "lodebase/api/schema.h"

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

char *schema_compose(void)
{
	struct buf b;

	buf_init(&b, SCHEMA_MAX);
	for (const struct resource *const *r = resources; *r; r++) {
		compose_insert(&b, *r);
		compose_update(&b, *r);
		compose_delete(&b, *r);
	}
	return buf_steal(&b, NULL);
}

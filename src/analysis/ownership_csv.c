/* Rows of answers about ownership as CSV: id, slug, name, then figures. A figure has three cells: the share where it is one, and its
 * least and greatest value in any case. */
#include "ownership.h"

#include "lodebase/api/csv.h"
#include "lodebase/base/uuid.h"

void csv_header(struct buf *out, const char *figures)
{
	buf_printf(out, "id,slug,name,%s,resource\r\n", figures);
}

void csv_node(struct buf *out, const struct graph_node *n)
{
	char id[UUID_TEXT_SIZE];

	uuid_to_text(&n->id, id);
	buf_printf(out, "%s,%s,", id, n->slug ? n->slug : "");
	csv_text(out, n->name);
}

void csv_pct(struct buf *out, struct graph_pct pct)
{
	struct json_writer w;

	for (int cell = 0; cell < 3; cell++) {
		buf_putc(out, ',');
		json_begin(&w, out);
		if (cell == 2 || pct.min == pct.max || cell == 1)
			write_units(&w, cell == 2 ? pct.max : pct.min);
	}
}

void csv_end(struct buf *out, const struct graph_node *n)
{
	buf_printf(out, ",%s\r\n", inquiry_resource(n->resource));
}

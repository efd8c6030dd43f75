/* A structure as GraphML and in the language of Graphviz. Names are anything that somebody typed: what a format cannot hold is
 * replaced, what it would take for its own is escaped. */
#include <ctype.h>
#include <string.h>
#include "lodebase/base/uuid.h"
#include "structure.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* The bytes of one character; U+FFFE and U+FFFF are none in XML, nor are control characters but three. */
static void put_xml_char(struct buf *out, const char *s, size_t n)
{
	unsigned char c = (unsigned char)s[0];

	if (c == '&')
		buf_puts(out, "&amp;");
	else if (c == '<')
		buf_puts(out, "&lt;");
	else if (c == '>')
		buf_puts(out, "&gt;");
	else if (c == '"')
		buf_puts(out, "&quot;");
	else if (c == '\t' || c == '\n' || c == '\r')
		buf_printf(out, "&#%d;", c);
	else if (c < 0x20 || (n == 3 && memcmp(s, "\xef\xbf", 2) == 0 && (unsigned char)s[2] >= 0xbe))
		buf_puts(out, REPLACEMENT);
	else
		buf_put(out, s, n);
}

static size_t char_length(const char *s)
{
	size_t n = 1;

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static void put_xml(struct buf *out, const char *s)
{
	for (size_t n; *s; s += n) {
		n = char_length(s);
		put_xml_char(out, s, n);
	}
}

static void put_xml_data(struct buf *out, const char *key, const char *value)
{
	buf_printf(out, "<data key=\"%s\">", key);
	put_xml(out, value);
	buf_puts(out, "</data>");
}

/* Whether Graphviz would take what follows an ampersand for a character. */
static bool is_entity(const char *s)
{
	const char *end = s + 1 + (s[1] == '#');

	while (isalnum((unsigned char)*end))
		end++;
	return *end == ';' && end > s + 1;
}

/* A string of Graphviz: backslashes begin escapes, such as \N for the node's name. */
static void put_dot(struct buf *out, const char *s)
{
	buf_putc(out, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\') {
			buf_putc(out, '\\');
			buf_putc(out, *s);
		} else if (c == '\n' || c == '\r') {
			buf_puts(out, "\\n");
		} else if (c == '&' && is_entity(s)) {
			buf_puts(out, "&amp;");
		} else if (c < 0x20 && c != '\t') {
			buf_puts(out, REPLACEMENT);
		} else {
			buf_putc(out, *s);
		}
	}
	buf_putc(out, '"');
}

static void put_units(struct buf *out, int64_t units)
{
	struct json_writer w;

	json_begin(&w, out);
	write_units(&w, units);
}

/* What both say of the whole, beside nodes and edges. */
struct said {
	const char *name, *type, *value;
};

#define SAID_MAX 16

static const char *warnings_text(const struct structure *s)
{
	const char *text;
	struct buf out;
	struct json_writer w;

	buf_init(&out, (size_t)64 << 20);
	json_begin(&w, &out);
	write_warning_list(&w, s->i, s->view, s->about, false);
	text = out.failed ? NULL : arena_strdup(s->i->arena, out.data);
	buf_done(&out);
	return text;
}

/* How many; 0: no memory. */
static size_t say(const struct structure *s, struct said ret[SAID_MAX])
{
	struct arena *arena = s->i->arena;
	const char *warnings = warnings_text(s);
	const struct said said[] = {
		{ "subject", "string", s->nodes[0].name },
		{ "method", "string", ownership_methods[GRAPH_DIRECT] },
		{ "measure", "string", s->q->measure == GRAPH_VOTING ? "voting" : "economic" },
		{ "stages", "string", ownership_stages(arena, s->q->stages) },
		{ "contingent", "string", s->q->exercised ? "exercised" : "ignore" },
		{ "direction", "string", ownership_directions[s->q->direction] },
		{ "depth_asked", "string", s->q->depth ? arena_printf(arena, "%u", s->q->depth) : "" },
		{ "valid_at", "string", s->q->valid_at },
		{ "known_at", "string", s->i->known_at },
		{ "revision", "string", s->i->revision },
		{ "warnings", "string", warnings },
		{ "nodes_total", "long", arena_printf(arena, "%zu", s->nodes_total) },
		{ "edges_total", "long", arena_printf(arena, "%zu", s->edges_total) },
		{ "truncated", "boolean", structure_truncated(s) ? "true" : "false" },
	};

	_Static_assert(sizeof(said) / sizeof(said[0]) <= SAID_MAX, "room for all");
	if (!warnings || arena_failed(arena))
		return 0;
	memcpy(ret, said, sizeof(said));
	return sizeof(said) / sizeof(said[0]);
}

static const struct {
	const char *of, *name, *type;
} keys[] = { { "node", "resource", "string" }, { "node", "record", "string" },  { "node", "slug", "string" },
	     { "node", "name", "string" },     { "node", "depth", "int" },      { "edge", "pct", "double" },
	     { "edge", "min_pct", "double" },  { "edge", "max_pct", "double" }, { "edge", "stakes", "string" } };

static void put_xml_keys(struct buf *out, const struct said *said, size_t n)
{
	for (size_t k = 0; k < n; k++)
		buf_printf(out, "<key id=\"%s\" for=\"graph\" attr.name=\"%s\" attr.type=\"%s\"/>\n", said[k].name,
			   said[k].name, said[k].type);
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		buf_printf(out, "<key id=\"%s\" for=\"%s\" attr.name=\"%s\" attr.type=\"%s\"/>\n", keys[k].name, keys[k].of,
			   keys[k].name, keys[k].type);
}

static void put_xml_node(struct buf *out, const struct structure_node *n)
{
	char id[UUID_TEXT_SIZE];

	uuid_to_text(&n->node.id, id);
	buf_printf(out, "<node id=\"%s\">", n->name);
	put_xml_data(out, "resource", inquiry_resource(n->node.resource));
	put_xml_data(out, "record", id);
	if (n->node.slug)
		put_xml_data(out, "slug", n->node.slug);
	put_xml_data(out, "name", n->node.name ? n->node.name : "");
	buf_printf(out, "<data key=\"depth\">%u</data></node>\n", n->depth);
}

static void put_xml_units(struct buf *out, const char *key, int64_t units)
{
	buf_printf(out, "<data key=\"%s\">", key);
	put_units(out, units);
	buf_puts(out, "</data>");
}

/* Ids of stakes with blanks between; implied ones have none. */
static void put_stakes(struct buf *out, const struct structure *s, const struct graph_link *l)
{
	const char *between = "";
	char id[UUID_TEXT_SIZE];

	for (size_t k = 0; k < l->stakes_count; k++) {
		if (!stake_id(s->i, s->view, l->stakes[k].id, id))
			continue;
		buf_printf(out, "%s%s", between, id);
		between = " ";
	}
}

static void put_xml_edge(struct buf *out, const struct structure *s, const struct structure_edge *edge)
{
	const struct graph_link l = graph_link(s->view->graph, edge->link);

	buf_printf(out, "<edge source=\"%s\" target=\"%s\">", s->nodes[edge->holder].name, s->nodes[edge->subject].name);
	if (l.pct.min == l.pct.max) {
		put_xml_units(out, "pct", l.pct.min);
	} else {
		put_xml_units(out, "min_pct", l.pct.min);
		put_xml_units(out, "max_pct", l.pct.max);
	}
	buf_puts(out, "<data key=\"stakes\">");
	put_stakes(out, s, &l);
	buf_puts(out, "</data></edge>\n");
}

void structure_write_graphml(const struct structure *s, struct answer *a)
{
	struct said said[SAID_MAX];
	size_t n = say(s, said);
	struct buf *out = &a->body;

	a->content_type = "application/graphml+xml";
	buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" "
		      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
		      "xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns "
		      "http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n");
	put_xml_keys(out, said, n);
	buf_puts(out, "<graph id=\"ownership\" edgedefault=\"directed\">\n");
	for (size_t k = 0; k < n; k++) {
		put_xml_data(out, said[k].name, said[k].value);
		buf_putc(out, '\n');
	}
	for (size_t k = 0; k < s->n_nodes; k++)
		put_xml_node(out, &s->nodes[k]);
	for (size_t k = 0; k < s->n_edges; k++)
		put_xml_edge(out, s, &s->edges[k]);
	buf_puts(out, "</graph>\n</graphml>\n");
	if (n == 0)
		out->failed = true;
}

static void put_dot_node(struct buf *out, const struct structure_node *n)
{
	char id[UUID_TEXT_SIZE];

	uuid_to_text(&n->node.id, id);
	buf_printf(out, "\t\"%s\" [label=", n->name);
	put_dot(out, n->node.name ? n->node.name : n->name);
	buf_printf(out, ", shape=%s, resource=%s, record=\"%s\", depth=%u];\n",
		   n->node.resource == GRAPH_PROJECTS ? "box" : "ellipse", inquiry_resource(n->node.resource), id, n->depth);
}

static void put_dot_edge(struct buf *out, const struct structure *s, const struct structure_edge *edge)
{
	const struct graph_link l = graph_link(s->view->graph, edge->link);

	buf_printf(out, "\t\"%s\" -> \"%s\" [label=\"", s->nodes[edge->holder].name, s->nodes[edge->subject].name);
	put_units(out, l.pct.min);
	if (l.pct.min == l.pct.max) {
		buf_puts(out, " %\", pct=");
		put_units(out, l.pct.min);
	} else {
		buf_puts(out, "–");
		put_units(out, l.pct.max);
		buf_puts(out, " %\", min_pct=");
		put_units(out, l.pct.min);
		buf_puts(out, ", max_pct=");
		put_units(out, l.pct.max);
	}
	buf_puts(out, ", stakes=\"");
	put_stakes(out, s, &l);
	buf_puts(out, "\"];\n");
}

void structure_write_dot(const struct structure *s, struct answer *a)
{
	struct said said[SAID_MAX];
	size_t n = say(s, said);
	struct buf *out = &a->body;

	a->content_type = "text/vnd.graphviz; charset=utf-8";
	buf_puts(out, "digraph ownership {\n\tgraph [charset=\"UTF-8\"");
	for (size_t k = 0; k < n; k++) {
		buf_printf(out, ", %s=", said[k].name);
		put_dot(out, said[k].value);
	}
	buf_puts(out, "];\n");
	for (size_t k = 0; k < s->n_nodes; k++)
		put_dot_node(out, &s->nodes[k]);
	for (size_t k = 0; k < s->n_edges; k++)
		put_dot_edge(out, s, &s->edges[k]);
	buf_puts(out, "}\n");
	if (n == 0)
		out->failed = true;
}

/* A structure as JSON, and as the JSON that Cytoscape reads. */
#include "lodebase/base/uuid.h"
#include "structure.h"

static void write_totals(struct json_writer *w, const struct structure *s)
{
	json_member_int(w, "nodes_total", (int64_t)s->nodes_total);
	json_member_int(w, "edges_total", (int64_t)s->edges_total);
	json_member_bool(w, "truncated", structure_truncated(s));
}

void structure_write_json(const struct structure *s, struct answer *a)
{
	struct json_writer w;

	json_begin(&w, &a->body);
	json_object_begin(&w);
	write_echo_of_part(&w, s->i, s->q, ASK_GRAPH, s->view->nodes[s->view->roots[0]], s->view, s->about);
	json_key(&w, "nodes");
	json_array_begin(&w);
	for (size_t k = 0; k < s->n_nodes; k++) {
		json_object_begin(&w);
		write_node_members(&w, &s->nodes[k].node);
		json_member_int(&w, "depth", s->nodes[k].depth);
		json_object_end(&w);
	}
	json_array_end(&w);
	json_key(&w, "edges");
	json_array_begin(&w);
	for (size_t k = 0; k < s->n_edges; k++) {
		const struct graph_link l = graph_link(s->view->graph, s->edges[k].link);

		json_object_begin(&w);
		json_member_string(&w, "holder", s->nodes[s->edges[k].holder].name);
		json_member_string(&w, "subject", s->nodes[s->edges[k].subject].name);
		write_value(&w, "", l.pct.min, l.pct.max);
		write_stake_ids(&w, s->i, s->view, &l);
		json_object_end(&w);
	}
	json_array_end(&w);
	write_totals(&w, s);
	json_object_end(&w);
	buf_putc(&a->body, '\n');
}

static void write_element(struct json_writer *w, const struct structure_node *n)
{
	char id[UUID_TEXT_SIZE];

	uuid_to_text(&n->node.id, id);
	json_object_begin(w);
	json_key(w, "data");
	json_object_begin(w);
	json_member_string(w, "id", n->name);
	json_member_string(w, "name", n->node.name);
	json_member_string(w, "slug", n->node.slug);
	json_member_string(w, "resource", inquiry_resource(n->node.resource));
	json_member_string(w, "record", id);
	json_member_int(w, "depth", n->depth);
	json_object_end(w);
	json_object_end(w);
}

static void write_arrow(struct json_writer *w, const struct structure *s, const struct structure_edge *edge)
{
	const struct graph_link l = graph_link(s->view->graph, edge->link);
	const char *holder = s->nodes[edge->holder].name, *subject = s->nodes[edge->subject].name;

	json_object_begin(w);
	json_key(w, "data");
	json_object_begin(w);
	json_member_string(w, "id", arena_printf(s->i->arena, "%s->%s", holder, subject));
	json_member_string(w, "source", holder);
	json_member_string(w, "target", subject);
	write_value(w, "", l.pct.min, l.pct.max);
	write_stake_ids(w, s->i, s->view, &l);
	json_object_end(w);
	json_object_end(w);
}

void structure_write_cytoscape(const struct structure *s, struct answer *a)
{
	struct json_writer w;

	json_begin(&w, &a->body);
	json_object_begin(&w);
	write_echo_of_part(&w, s->i, s->q, ASK_GRAPH, s->view->nodes[s->view->roots[0]], s->view, s->about);
	json_key(&w, "elements");
	json_object_begin(&w);
	json_key(&w, "nodes");
	json_array_begin(&w);
	for (size_t k = 0; k < s->n_nodes; k++)
		write_element(&w, &s->nodes[k]);
	json_array_end(&w);
	json_key(&w, "edges");
	json_array_begin(&w);
	for (size_t k = 0; k < s->n_edges; k++)
		write_arrow(&w, s, &s->edges[k]);
	json_array_end(&w);
	json_object_end(&w);
	write_totals(&w, s);
	json_object_end(&w);
	buf_putc(&a->body, '\n');
}

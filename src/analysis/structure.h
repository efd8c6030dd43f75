/* The structure around one node, as a graph to be drawn: what GET /v1/ownership/graph answers in four formats. */
#pragma once

#include "ownership.h"

/* What one answer holds; beyond, the nearest nodes are given and the rest is counted. A chain of the greatest depth fits. */
#define STRUCTURE_NODES_MAX 20000
#define STRUCTURE_EDGES_MAX 100000

struct structure_node {
	struct graph_node node;
	const char *name; /* by which edges know it: its slug, or "projects/slug" where a shareholder has that slug, too */
	uint32_t local;
	uint32_t depth; /* links between it and the root, on the shortest way */
};

struct structure_edge {
	uint32_t holder, subject; /* places among the nodes */
	uint32_t link;
};

struct structure {
	const struct inquiry *i;
	const struct ownership_query *q;
	const struct graph_view *view;
	struct structure_node *nodes; /* by depth, then slug; the root first */
	size_t n_nodes, nodes_total;
	struct structure_edge *edges; /* by subject, then holder */
	size_t n_edges, edges_total;
	uint8_t *about; /* by local number: it is among the nodes */
};

static inline bool structure_truncated(const struct structure *s)
{
	return s->n_nodes < s->nodes_total || s->n_edges < s->edges_total;
}

void structure_write_json(const struct structure *s, struct answer *a);
void structure_write_cytoscape(const struct structure *s, struct answer *a);
void structure_write_graphml(const struct structure *s, struct answer *a);
void structure_write_dot(const struct structure *s, struct answer *a);

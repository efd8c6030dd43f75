/* A small graph for tests: made of a few shares, asked, and looked into. Nodes are numbers, shares are per cent. */
#pragma once

#include <math.h>
#include "harness.h"
#include "lodebase/graph/ownership.h"

#define ARENA ((size_t)256 << 20) /* of one bench */

struct share {
	uint32_t holder, subject;
	double min, max; /* per cent, up to 12 decimals */
};

struct bench {
	struct graph *graph;
	struct graph_scratch *scratch;
	struct arena *arena;
	struct graph_figures figures;
};

struct graph_ratio per_cent(double pct);
struct bench build(uint32_t nodes, const struct share *shares, size_t count);
void done(struct bench *b);
enum err owners(struct bench *b, uint32_t subject, struct graph_question q);
enum err holdings(struct bench *b, uint32_t holder, struct graph_question q);
const struct graph_figure *figure(const struct bench *b, uint32_t node);
bool listed(const struct bench *b, uint32_t node);
bool is(double share, double pct);
/* Both ends, per cent; 0 also where it is not listed. */
bool has(const struct bench *b, uint32_t node, double min, double max);
struct bench ring(uint32_t members, double share);

#define BUILD(nodes, ...)                                   \
	build(nodes, (const struct share[]){ __VA_ARGS__ }, \
	      sizeof((const struct share[]){ __VA_ARGS__ }) / sizeof(struct share))
#define EXACT(holder, subject, pct)       \
	{                                 \
		holder, subject, pct, pct \
	}

#define ASK(method_, ...) ((struct graph_question){ .method = method_, __VA_ARGS__ })
#define INTEGRATED ASK(GRAPH_INTEGRATED, .raw = false)
#define RAW ASK(GRAPH_INTEGRATED, .raw = true)
#define CONTROL ASK(GRAPH_CONTROL, .threshold = { 1, 2 })
#define CASCADE ASK(GRAPH_CASCADE, .raw = false)
#define PROMOTE_LOWER ASK(GRAPH_ATTRIBUTION, .single_entity = false)
#define SINGLE_ENTITY ASK(GRAPH_ATTRIBUTION, .single_entity = true)

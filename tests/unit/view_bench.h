/* A small register for tests: made of a few lines, a view cut out of it, and looked into. Nodes and stakes are named by small
 * numbers. */
#pragma once

#include <math.h>
#include "harness.h"
#include "lodebase/graph/exact.h"
#include "lodebase/graph/view.h"

enum { CLOSED, ANNOUNCED };

struct bench {
	struct graph_store *store;
	struct graph_at at;
	struct graph_filter filter;
	struct graph_view *view;
};

extern const struct graph_stamp once;

struct uuid id(unsigned n);
struct graph_ratio per_cent(double pct);
struct graph_share between(double min, double max);
void put_node(struct bench *b, enum graph_resource resource, unsigned n, unsigned company);
struct bench bench(void);
struct graph_stake_version stake(unsigned n, unsigned holder, unsigned subject, double min, double max);
void put(struct bench *b, struct graph_stake_version v);
void owns(struct bench *b, unsigned n, unsigned holder, unsigned subject, double pct);
void warrant(struct bench *b, unsigned n, unsigned holder, unsigned subject, double min, double max);
void option(struct bench *b, unsigned n, unsigned holder, unsigned subject, double pct, unsigned counterparty);
enum err view(struct bench *b, enum graph_scope scope, const uint32_t *roots, size_t n);
enum err look(struct bench *b, enum graph_scope scope, unsigned root);
void done(struct bench *b);
uint32_t local(const struct bench *b, unsigned n);
bool find_link(const struct bench *b, unsigned holder, unsigned subject, struct graph_link *ret);
/* Whether the link's least and greatest share are exactly these millionths of a per cent, by the sums of its stakes. */
bool has(const struct bench *b, unsigned holder, unsigned subject, double min, double max);
bool is(const struct bench *b, unsigned holder, unsigned subject, double pct);
size_t warnings(const struct bench *b, enum graph_warning_code code);

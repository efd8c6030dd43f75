#include "view_bench.h"

#include <stdio.h>
#include <stdlib.h>

const struct graph_stamp once = { .time_us = 1, .xid = 1, .epoch = 1 };

struct uuid id(unsigned n)
{
	struct uuid made = { { 0 } };

	made.bytes[15] = (unsigned char)n;
	return made;
}

struct graph_ratio per_cent(double pct)
{
	return (struct graph_ratio){ (uint64_t)llround(pct * 1e12), UINT64_C(100000000000000) };
}

struct graph_share between(double min, double max)
{
	return (struct graph_share){ true, per_cent(min), per_cent(max) };
}

void put_node(struct bench *b, enum graph_resource resource, unsigned n, unsigned company)
{
	char slug[16];
	struct graph_node_version v = { .resource = resource, .id = id(n), .slug = slug, .name = slug, .from = once };

	(void)snprintf(slug, sizeof slug, "node-%u", n);
	v.has_company = company > 0;
	v.company = id(company);
	CHECK_INT(graph_store_node(b->store, &v), OK);
}

struct bench bench(void)
{
	return (struct bench){ .store = graph_store_new(), .filter = { .valid_at = 100, .stages = 1u << CLOSED } };
}

struct graph_stake_version stake(unsigned n, unsigned holder, unsigned subject, double min, double max)
{
	return (struct graph_stake_version){ .id = id(n),
					     .holder = id(holder),
					     .subject_resource = GRAPH_SHAREHOLDERS,
					     .subject = id(subject),
					     .valid_from = GRAPH_DAY_FIRST,
					     .valid_to = GRAPH_DAY_LAST,
					     .economic = between(min, max),
					     .from = once };
}

void put(struct bench *b, struct graph_stake_version v)
{
	CHECK_INT(graph_store_stake(b->store, &v), OK);
}

void owns(struct bench *b, unsigned n, unsigned holder, unsigned subject, double pct)
{
	put(b, stake(n, holder, subject, pct, pct));
}

void warrant(struct bench *b, unsigned n, unsigned holder, unsigned subject, double min, double max)
{
	struct graph_stake_version v = stake(n, holder, subject, min, max);

	v.contingent = v.dilutive = true;
	put(b, v);
}

void option(struct bench *b, unsigned n, unsigned holder, unsigned subject, double pct, unsigned counterparty)
{
	struct graph_stake_version v = stake(n, holder, subject, pct, pct);

	v.contingent = true;
	v.has_counterparty = counterparty > 0;
	v.counterparty = id(counterparty);
	put(b, v);
}

enum err view(struct bench *b, enum graph_scope scope, const uint32_t *roots, size_t n)
{
	enum err e = graph_view_new(&b->at, &b->filter, scope, roots, n, 0, &b->view);

	if (!b->view)
		abort();
	return e;
}

enum err look(struct bench *b, enum graph_scope scope, unsigned root)
{
	uint32_t number;
	struct uuid which = id(root);

	graph_view_free(b->view);
	b->at = (struct graph_at){ .moment = graph_store_moment(b->store) };
	number = graph_find_id(&b->at, GRAPH_SHAREHOLDERS, &which);
	if (number == GRAPH_NONE)
		number = graph_find_id(&b->at, GRAPH_PROJECTS, &which);
	return view(b, scope, &number, 1);
}

void done(struct bench *b)
{
	graph_view_free(b->view);
	graph_store_free(b->store);
}

uint32_t local(const struct bench *b, unsigned n)
{
	struct uuid which = id(n);
	uint32_t number = graph_find_id(&b->at, GRAPH_SHAREHOLDERS, &which);

	if (number == GRAPH_NONE)
		number = graph_find_id(&b->at, GRAPH_PROJECTS, &which);
	return number == GRAPH_NONE ? GRAPH_NONE : graph_view_local(b->view, number);
}

bool find_link(const struct bench *b, unsigned holder, unsigned subject, struct graph_link *ret)
{
	uint32_t h = local(b, holder), s = local(b, subject), first, n;

	if (h == GRAPH_NONE || s == GRAPH_NONE)
		return false;
	n = graph_links_of_subject(b->view->graph, s, &first);
	for (uint32_t l = first; l < first + n; l++) {
		*ret = graph_link(b->view->graph, l);
		if (ret->holder == h)
			return true;
	}
	return false;
}

bool has(const struct bench *b, unsigned holder, unsigned subject, double min, double max)
{
	struct graph_link link;
	mpq_t low, high, share, wanted;
	bool same;

	if (!find_link(b, holder, subject, &link))
		return false;
	mpq_inits(low, high, share, wanted, NULL);
	for (size_t i = 0; i < link.stakes_count; i++) {
		graph_share_exact(b->view->graph, link.stakes[i].min, share);
		mpq_add(low, low, share);
		graph_share_exact(b->view->graph, link.stakes[i].max, share);
		mpq_add(high, high, share);
	}
	mpq_set_si(wanted, lround(min * 1e6), 100000000);
	mpq_canonicalize(wanted);
	same = mpq_equal(low, wanted) && fabs(link.min * 100 - min) < 1e-12;
	mpq_set_si(wanted, lround(max * 1e6), 100000000);
	mpq_canonicalize(wanted);
	same = same && mpq_cmp(high, wanted) >= 0 && fabs(link.max * 100 - max) < 1e-12;
	mpq_clears(low, high, share, wanted, NULL);
	return same;
}

bool is(const struct bench *b, unsigned holder, unsigned subject, double pct)
{
	return has(b, holder, subject, pct, pct);
}

size_t warnings(const struct bench *b, enum graph_warning_code code)
{
	size_t n = 0;

	for (size_t i = 0; i < b->view->n_warnings; i++)
		n += b->view->warnings[i].code == code;
	return n;
}

/* Who the parties of a rule are: those whom the request names, those on its lists and on the rule's. A country on a list stands for
 * every shareholder whose `state` it is (a government, or an organ of one) and every shareholder whose `country` it is (a person of
 * that country): what the laws call persons of a covered nation. */
#include "screening_ask.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/api/stored.h"

static int ascending(const void *left, const void *right)
{
	uint32_t l = *(const uint32_t *)left, r = *(const uint32_t *)right;

	return l < r ? -1 : l > r;
}

static void add_list(const struct inquiry *i, struct party_set *p, const struct screening_list *list)
{
	p->asked = true;
	for (size_t k = 0; k < list->n_shareholders; k++) {
		uint32_t node = graph_find_id(&i->at, GRAPH_SHAREHOLDERS, &list->shareholders[k]);

		if (node != GRAPH_NONE)
			p->nodes[p->n++] = node;
	}
	for (unsigned k = 0; k < 26u * 26u; k++)
		p->countries[k / 26][k % 26] |= list->countries[k / 26][k % 26];
	if (list->n_countries + list->n_shareholders > 0)
		p->empty = false;
}

static size_t count(const struct screening_request *r, const struct screening_rule *rule)
{
	size_t n = r->n_parties;

	for (size_t k = 0; k < r->n_designations; k++)
		n += r->listed[k] ? r->listed[k]->n_shareholders : 0;
	for (size_t k = 0; rule && k < rule->n_lists; k++)
		n += rule->lists[k] ? rule->lists[k]->n_shareholders : 0;
	return n;
}

static void sort(struct party_set *p)
{
	size_t unique = 0;

	if (p->n > 1)
		qsort(p->nodes, p->n, sizeof(*p->nodes), ascending);
	for (size_t k = 0; k < p->n; k++)
		if (unique == 0 || p->nodes[unique - 1] != p->nodes[k])
			p->nodes[unique++] = p->nodes[k];
	p->n = unique;
}

static void judge_states(const struct inquiry *i, const struct screening_request *r, const uint32_t *named, struct party_set *p)
{
	struct graph_node n;

	for (unsigned k = 0; k < 26u * 26u; k++)
		p->governs = p->governs || p->countries[k / 26][k % 26];
	for (size_t k = 0; !p->governs && k < p->n; k++) {
		inquiry_node(i, p->nodes[k], &n);
		p->governs = n.state[0] != '\0';
	}
	for (size_t k = 0; !p->stateless && k < r->n_parties; k++) {
		inquiry_node(i, named[k], &n);
		if (named[k] != GRAPH_NONE && !n.state[0])
			p->stateless = n.slug;
	}
}

static enum err make_set(struct screen *s, const struct screening_rule *rule, const uint32_t *named, struct party_set *ret)
{
	const struct screening_request *r = s->r;

	ret->nodes = arena_alloc(s->asked->arena, (count(r, rule) + 1) * sizeof(*ret->nodes));
	if (!ret->nodes)
		return ERR_NOMEM;
	ret->asked = r->n_parties + r->n_designations > 0;
	ret->empty = r->n_parties == 0;
	for (size_t k = 0; k < r->n_parties; k++)
		if (named[k] != GRAPH_NONE)
			ret->nodes[ret->n++] = named[k];
	for (size_t k = 0; k < r->n_designations; k++)
		if (r->listed[k])
			add_list(s->asked, ret, r->listed[k]);
	for (size_t k = 0; rule && k < rule->n_lists; k++) {
		if (rule->lists[k])
			add_list(s->asked, ret, rule->lists[k]);
		else if (!ret->missing)
			ret->missing = rule->list_names[k];
		ret->asked = true;
	}
	sort(ret);
	judge_states(s->asked, r, named, ret);
	return OK;
}

enum err screen_parties(struct screen *s, struct answer *a)
{
	const struct screening_request *r = s->r;
	uint32_t *named = arena_alloc(s->asked->arena, (r->n_parties + 1) * sizeof(*named));
	enum err e = OK;

	s->parties = arena_alloc(s->asked->arena, (r->n_rules + 1) * sizeof(*s->parties));
	if (!named || !s->parties)
		return ERR_NOMEM;
	for (size_t k = 0; k < r->n_parties; k++) {
		const char *key = r->parties[k].key;

		named[k] = key ? inquiry_find(s->asked, GRAPH_SHAREHOLDERS, key) : GRAPH_NONE;
		if (key && named[k] == GRAPH_NONE)
			faults_add(&a->faults, FAULT_POINTER, arena_printf(a->arena, "%s/parties/%zu", r->faults.prefix, k),
				   "reference", "there is no shareholder \"%s\"", key);
	}
	for (size_t k = 0; e == OK && k < r->n_rules; k++) {
		const struct screening_rule *rule = r->ruled[k];

		e = make_set(s, rule, named, &s->parties[k]);
		if (e == OK && rule && !rule->of_supply && screening_needs_parties(rule) && !s->parties[k].asked)
			faults_add(
				&a->faults, FAULT_POINTER, arena_printf(a->arena, "%s/parties", r->faults.prefix), "incomplete",
				"%s asks about somebody: name parties, or lists of designations; the rule names no list itself",
				rule->slug);
	}
	return e;
}

static bool has_country(const struct party_set *p, const char code[2])
{
	return code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z' &&
	       p->countries[code[0] - 'A'][code[1] - 'A'];
}

bool screen_is_party(const struct party_set *p, const struct screen_above *x, uint32_t local)
{
	const struct screen_node *n = &x->v->nodes[local];

	if (!n->is_shareholder)
		return false;
	return has_country(p, n->state) || has_country(p, n->country) ||
	       (p->n > 0 && bsearch(&x->v->view->nodes[local], p->nodes, p->n, sizeof(*p->nodes), ascending));
}

static int by_id(const void *left, const void *right, void *data)
{
	const struct screen_view *v = data;

	return memcmp(&v->nodes[*(const uint32_t *)left].id, &v->nodes[*(const uint32_t *)right].id, sizeof(struct uuid));
}

void screen_sort(const struct screen_view *v, uint32_t *nodes, size_t n)
{
	if (n > 1)
		qsort_r(nodes, n, sizeof(*nodes), by_id, (void *)(uintptr_t)v);
}

enum err screen_parties_above(struct screen *s, const struct party_set *p, const struct screen_above *x, uint32_t **ret,
			      size_t *ret_n)
{
	*ret_n = 0;
	*ret = arena_alloc(s->i.arena, (x->n + 1) * sizeof(**ret));
	if (!*ret)
		return ERR_NOMEM;
	for (size_t k = 0; k < x->n; k++)
		if (screen_is_party(p, x, x->nodes[k]))
			(*ret)[(*ret_n)++] = x->nodes[k];
	screen_sort(x->v, *ret, *ret_n);
	return OK;
}

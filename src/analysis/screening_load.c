/* What a screening's request names, as it was known: its rules, and who was on which list on the day asked for. */
#include "screening.h"

#include <stdlib.h>
#include <string.h>
#include "lodebase/api/rows.h"
#include "lodebase/api/stored.h"

#define SQL_MAX (1u << 20)

/* The steps of a loading: rules, then lists, then designations. */
struct loading {
	struct screening_request **requests;
	size_t n;
	struct arena *arena; /* the requests' */
	struct stored *rules, *lists; /* of all requests; of all requests and rules, each name once, by name */
	size_t n_rules, n_lists;
	struct screening_rule **ruled; /* of rules[] */
	struct screening_list **listed; /* of lists[] */
	const char **params;
	void *state; /* the call's own, put back in the end */
	void (*ready)(struct call *c);
};

static const char *value(const struct resource *r, const struct record *record, const char *field)
{
	return record->values[resource_field(r, field, strlen(field))];
}

static bool is(const char *text, const char *other)
{
	return text && strcmp(text, other) == 0;
}

static bool read_list_names(struct arena *arena, const char *text, struct screening_rule *ret)
{
	struct json_document d = { 0 };
	struct json_fault fault;
	size_t n;

	if (json_document_parse(text, strlen(text), &d, &fault) != OK)
		return false;
	n = json_array_size(d.root);
	ret->list_names = arena_alloc(arena, (n + 1) * sizeof(*ret->list_names));
	ret->lists = arena_alloc(arena, (n + 1) * sizeof(*ret->lists));
	for (size_t i = 0; ret->list_names && ret->lists && i < n; i++) {
		const char *name = json_string_value(json_array_get(d.root, i));
		char id[UUID_TEXT_SIZE];

		if (uuid_is_text(name, strlen(name))) {
			uuid_canonical(name, id);
			name = id;
		}
		ret->list_names[i] = arena_strdup(arena, name);
	}
	ret->n_lists = n;
	json_document_done(&d);
	return ret->list_names && ret->lists;
}

static struct screening_rule *make_rule(struct arena *arena, const struct record *record)
{
	const struct resource *r = resource_find("rules");
	struct screening_rule *rule = arena_alloc(arena, sizeof(*rule));
	const char *contingent = value(r, record, "contingent"), *method = value(r, record, "method");

	if (!rule)
		return NULL;
	*rule = (struct screening_rule){
		.slug = value(r, record, "slug"),
		.version = value(r, record, "version"),
		.title = value(r, record, "title"),
		.source_url = value(r, record, "source_url"),
		.threshold_pct = value(r, record, "threshold_pct"),
		.comparator = value(r, record, "comparator"),
		.measures = value(r, record, "measures"),
		.aggregation = value(r, record, "aggregation"),
		.tier = value(r, record, "tier"),
		.effective_from = value(r, record, "effective_from"),
		.effective_to = value(r, record, "effective_to"),
		.of_supply = method == NULL,
	};
	rule->threshold = ownership_ratio(rule->threshold_pct);
	rule->strict = is(rule->comparator, ">");
	rule->single = is(rule->aggregation, "single");
	rule->single_entity = is(rule->tier, "single_entity");
	rule->contingent = is(contingent, "exercised") ? CONTINGENT_EXERCISED : CONTINGENT_IGNORE;
	if (method)
		rule->method = (enum graph_method)parameter_place(ownership_methods, method);
	return read_list_names(arena, value(r, record, "lists"), rule) ? rule : NULL;
}

/* --- designations --- */

static int by_key(const void *left, const void *right)
{
	const struct stored *l = left, *r = right;

	return strcmp(l->key, r->key);
}

static const struct screening_list *list_named(const struct loading *l, const char *key)
{
	const struct stored name = { .key = key };
	const struct stored *found = key && l->n_lists > 0 ? bsearch(&name, l->lists, l->n_lists, sizeof(name), by_key) : NULL;

	return found ? l->listed[found - l->lists] : NULL;
}

/* Everything is read: each request and rule gets what it named. */
static void finish(struct call *c, struct loading *l)
{
	for (size_t k = 0; k < l->n_rules; k++)
		for (size_t i = 0; l->ruled[k] && i < l->ruled[k]->n_lists; i++)
			l->ruled[k]->lists[i] = list_named(l, l->ruled[k]->list_names[i]);
	for (size_t k = 0, rule = 0; k < l->n; k++) {
		struct screening_request *r = l->requests[k];

		r->ruled = (const struct screening_rule **)l->ruled + rule;
		rule += r->n_rules;
		r->listed = arena_alloc(l->arena, (r->n_designations + 1) * sizeof(*r->listed));
		for (size_t i = 0; r->listed && i < r->n_designations; i++) {
			const char *key = r->designations[i].key;

			r->listed[i] = list_named(l, key);
			if (key && !r->listed[i])
				faults_add(&r->faults, FAULT_POINTER,
					   arena_printf(l->arena, "%s/designations/%zu", r->faults.prefix, i), "reference",
					   "there is no list of designations \"%s\"", key);
		}
	}
	c->state = l->state;
	if (arena_failed(l->arena))
		call_out_of_memory(c);
	else
		l->ready(c);
}

/* What rows from..to say of one list. Columns: list, country, shareholder. */
static bool read_list(struct arena *arena, const struct db_result *result, int from, int to, struct screening_list *ret)
{
	struct uuid *shareholders = arena_alloc(arena, (size_t)(to - from) * sizeof(*shareholders));

	for (int row = from; shareholders && row < to; row++) {
		const char *country = db_result_value(result, row, 1);

		if (db_result_is_null(result, row, 1)) {
			(void)uuid_from_text(db_result_value(result, row, 2), db_result_length(result, row, 2),
					     &shareholders[ret->n_shareholders++]);
		} else {
			ret->n_countries += !ret->countries[country[0] - 'A'][country[1] - 'A'];
			ret->countries[country[0] - 'A'][country[1] - 'A'] = 1;
		}
	}
	ret->shareholders = shareholders;
	return shareholders != NULL;
}

static void designations_read(struct call *c)
{
	struct loading *l = c->state;
	const struct db_result *result = c->job.results[0];
	int rows = db_result_rows(result);

	for (int from = 0, to; from < rows; from = to) {
		const char *id = db_result_value(result, from, 0);

		for (to = from + 1; to < rows && strcmp(db_result_value(result, to, 0), id) == 0;)
			to++;
		for (size_t k = 0; k < l->n_lists; k++) /* one may be named by its id and by its slug */
			if (l->lists[k].record && strcmp(l->lists[k].record->values[RESOURCE_ID], id) == 0 &&
			    !read_list(l->arena, result, from, to, l->listed[k])) {
				call_out_of_memory(c);
				return;
			}
	}
	finish(c, l);
}

/* $1: the ids of the lists, $2: the day. */
static void ask_designations(struct call *c, struct loading *l)
{
	struct visibility v;
	struct buf ids, sql;
	const char *text;
	int n = 2;

	l->params = arena_alloc(c->arena, 4 * sizeof(*l->params));
	if (!l->params) {
		call_out_of_memory(c);
		return;
	}
	buf_init(&ids, SQL_MAX);
	buf_putc(&ids, '{');
	for (size_t k = 0; k < l->n_lists; k++)
		if (l->lists[k].record)
			buf_printf(&ids, "%s%s", ids.len > 1 ? "," : "", l->lists[k].record->values[RESOURCE_ID]);
	buf_putc(&ids, '}');
	l->params[0] = ids.failed ? NULL : arena_strdup(c->arena, ids.data);
	buf_done(&ids);
	l->params[1] = l->requests[0]->valid_at;
	buf_init(&sql, SQL_MAX);
	buf_puts(&sql, "select t.list_id, t.country, t.shareholder_id from ");
	compose_rows_known(&sql, resource_find("designations"), known_visibility(c, l->params, &n, &v));
	buf_puts(&sql, " t where t.list_id = any($1::uuid[]) and (t.valid_from is null or t.valid_from <= $2::date) and "
		       "(t.valid_to is null or t.valid_to > $2::date) order by t.list_id");
	text = sql.failed ? NULL : arena_strndup(c->arena, sql.data, sql.len);
	buf_done(&sql);
	if (!text || !l->params[0]) {
		call_out_of_memory(c);
		return;
	}
	call_statement(c, 0, NULL, text, l->params, n);
	call_query(c, DB_READ, 1, false, designations_read);
}

/* --- lists --- */

static void lists_read(struct call *c)
{
	struct loading *l = c->state;

	l->listed = arena_alloc(l->arena, (l->n_lists + 1) * sizeof(*l->listed));
	for (size_t k = 0; l->listed && k < l->n_lists; k++) {
		if (!l->lists[k].record)
			continue;
		l->listed[k] = arena_alloc(l->arena, sizeof(*l->listed[k]));
		if (l->listed[k])
			l->listed[k]->slug = l->lists[k].record->values[RESOURCE_SLUG];
	}
	if (!l->listed || arena_failed(l->arena))
		call_out_of_memory(c);
	else if (l->n_lists == 0)
		finish(c, l);
	else
		ask_designations(c, l);
}

/* --- rules --- */

static bool name_lists(struct loading *l)
{
	size_t n = 0, unique = 0;

	for (size_t k = 0; k < l->n; k++)
		n += l->requests[k]->n_designations;
	for (size_t k = 0; k < l->n_rules; k++)
		n += l->ruled[k] ? l->ruled[k]->n_lists : 0;
	l->lists = arena_alloc(l->arena, (n + 1) * sizeof(*l->lists));
	if (!l->lists)
		return false;
	n = 0;
	for (size_t k = 0; k < l->n; k++)
		for (size_t i = 0; i < l->requests[k]->n_designations; i++)
			if (l->requests[k]->designations[i].key)
				l->lists[n++].key = l->requests[k]->designations[i].key;
	for (size_t k = 0; k < l->n_rules; k++)
		for (size_t i = 0; l->ruled[k] && i < l->ruled[k]->n_lists; i++)
			l->lists[n++].key = l->ruled[k]->list_names[i];
	qsort(l->lists, n, sizeof(*l->lists), by_key);
	for (size_t i = 0; i < n; i++)
		if (unique == 0 || strcmp(l->lists[unique - 1].key, l->lists[i].key) != 0)
			l->lists[unique++] = l->lists[i];
	l->n_lists = unique;
	return true;
}

static void judge_rule(struct screening_request *r, size_t i, const struct screening_rule *rule)
{
	const char *where = arena_printf(r->arena, "%s/rules/%zu", r->faults.prefix, i);

	if (!rule && r->rules[i].key)
		faults_add(&r->faults, FAULT_POINTER, where ? where : "", "reference", "there is no rule \"%s\"",
			   r->rules[i].key);
	else if (rule && rule->of_supply)
		faults_add(&r->faults, FAULT_POINTER, where ? where : "", "exclusive",
			   "%s measures supply: /v1/alliances/{id}/benchmarks asks it", rule->slug);
}

static void rules_read(struct call *c)
{
	struct loading *l = c->state;

	l->ruled = arena_alloc(l->arena, (l->n_rules + 1) * sizeof(*l->ruled));
	for (size_t k = 0; l->ruled && k < l->n_rules; k++)
		if (l->rules[k].record && !(l->ruled[k] = make_rule(l->arena, l->rules[k].record)))
			l->ruled = NULL;
	if (!l->ruled || !name_lists(l)) {
		call_out_of_memory(c);
		return;
	}
	for (size_t k = 0, place = 0; k < l->n; k++)
		for (size_t i = 0; i < l->requests[k]->n_rules; i++)
			judge_rule(l->requests[k], i, l->ruled[place++]);
	stored_read(c, resource_find("designation_lists"), l->lists, l->n_lists, l->arena, lists_read);
}

void screening_load(struct call *c, struct screening_request **requests, size_t n, void (*ready)(struct call *c))
{
	struct loading *l = arena_alloc(c->arena, sizeof(*l));
	size_t rules = 0;

	for (size_t k = 0; k < n; k++)
		rules += requests[k]->n_rules;
	if (l) {
		*l = (struct loading){
			.requests = requests, .n = n, .arena = requests[0]->arena, .state = c->state, .ready = ready
		};
		l->rules = arena_alloc(l->arena, (rules + 1) * sizeof(*l->rules));
	}
	if (!l || !l->rules) {
		call_out_of_memory(c);
		return;
	}
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < requests[k]->n_rules; i++)
			l->rules[l->n_rules++].key = requests[k]->rules[i].key ? requests[k]->rules[i].key : "";
	c->state = l;
	stored_read(c, resource_find("rules"), l->rules, l->n_rules, l->arena, rules_read);
}

/* How answers about ownership are written. */
#include "ownership.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "lodebase/base/uuid.h"

void write_node_members(struct json_writer *w, const struct graph_node *n)
{
	char id[UUID_TEXT_SIZE];

	uuid_to_text(&n->id, id);
	json_member_string(w, "resource", inquiry_resource(n->resource));
	json_member_string(w, "id", id);
	json_member_string(w, "slug", n->slug);
	json_member_string(w, "name", n->name);
}

void write_node(struct json_writer *w, const struct graph_node *n)
{
	json_object_begin(w);
	write_node_members(w, n);
	json_object_end(w);
}

void write_units(struct json_writer *w, int64_t units)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld.%012lld", (long long)(units / 1000000000000),
			 (long long)(units % 1000000000000));

	while (text[n - 1] == '0')
		n--;
	json_raw(w, text, (size_t)(text[n - 1] == '.' ? n - 1 : n));
}

static void write_prefixed(struct json_writer *w, const char *prefix, const char *name, int64_t units)
{
	char key[64];

	snprintf(key, sizeof(key), "%s%s", prefix, name);
	json_key(w, key);
	write_units(w, units);
}

void write_value(struct json_writer *w, const char *prefix, int64_t min, int64_t max)
{
	if (min == max) {
		write_prefixed(w, prefix, "pct", min);
		return;
	}
	write_prefixed(w, prefix, "min_pct", min);
	write_prefixed(w, prefix, "max_pct", max);
}

void write_known(struct json_writer *w, const struct inquiry *i)
{
	json_member_string(w, "known_at", i->known_at);
	json_member_string(w, "revision", i->revision);
}

/* A stake of the view as it is recorded; false: an implied link. */
static bool stake_of(const struct inquiry *i, const struct graph_view *v, uint64_t stake, struct graph_stake_info *ret)
{
	const struct graph_view_stake *s = &v->stakes[stake];

	if (s->implied)
		return false;
	if (s->overlay != GRAPH_NONE) {
		*ret = i->overlay->stakes[s->overlay].stake;
		return true;
	}
	return graph_stake_at(&i->at, s->version, ret);
}

void write_stake_name(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, uint64_t stake)
{
	struct graph_stake_info info;
	char id[UUID_TEXT_SIZE];
	bool is_recorded = stake_of(i, v, stake, &info);

	if (is_recorded)
		uuid_to_text(&info.id, id);
	json_member_string(w, "id", is_recorded ? id : NULL);
	json_member_string(w, "slug", is_recorded ? info.slug : NULL);
}

bool stake_id(const struct inquiry *i, const struct graph_view *v, uint64_t stake, char ret[UUID_TEXT_SIZE])
{
	struct graph_stake_info info;

	if (!stake_of(i, v, stake, &info))
		return false;
	uuid_to_text(&info.id, ret);
	return true;
}

void write_stake_id(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, uint64_t stake)
{
	char id[UUID_TEXT_SIZE];

	json_str(w, stake_id(i, v, stake, id) ? id : NULL);
}

void write_stake_ids(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, const struct graph_link *link)
{
	json_key(w, "stakes");
	json_array_begin(w);
	for (size_t k = 0; k < link->stakes_count; k++)
		write_stake_id(w, i, v, link->stakes[k].id);
	json_array_end(w);
}

static void write_link_stakes(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, uint32_t link)
{
	struct graph_link l = graph_link(v->graph, link);
	struct graph_node holder, subject;

	inquiry_node(i, v->nodes[l.holder], &holder);
	inquiry_node(i, v->nodes[l.subject], &subject);
	for (size_t k = 0; k < l.stakes_count; k++) {
		const struct graph_stake *s = &l.stakes[k];
		struct graph_pct pct = l.stakes_count == 1 ? l.pct : graph_stake_pct(v->graph, s);

		json_object_begin(w);
		write_stake_name(w, i, v, s->id);
		json_key(w, "holder");
		write_node(w, &holder);
		json_key(w, "subject");
		write_node(w, &subject);
		write_value(w, "", pct.min, pct.max);
		json_member_bool(w, "implied", v->stakes[s->id].implied);
		json_member_bool(w, "assumed", v->stakes[s->id].assumed);
		json_object_end(w);
	}
}

void write_path(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, const struct graph_path *p)
{
	json_object_begin(w);
	write_value(w, "", p->pct.min, p->pct.max);
	json_key(w, "stakes");
	json_array_begin(w);
	for (size_t k = 0; k < p->count; k++)
		write_link_stakes(w, i, v, p->links[k]);
	json_array_end(w);
	json_object_end(w);
}

void write_warning(struct json_writer *w, const struct inquiry *i, const struct graph_view *v,
		   const struct graph_view_warning *warning)
{
	static const struct {
		const char *code, *detail;
	} texts[] = {
		[GRAPH_WARNING_OVERFULL] = { "overfull",
					     "the shares on file of %s come to more than 100 %%; methods that multiply divide "
					     "them by their sum" },
		[GRAPH_WARNING_OPTION_SHORT] = { "option-short",
						 "an option takes more of %s than its counterparty holds; it took what "
						 "there was" },
		[GRAPH_WARNING_COUNTERPARTY_UNKNOWN] = { "counterparty-unknown",
							 "who gives up what an option takes of %s is not "
							 "recorded; it came out of what no stake explains" },
		[GRAPH_WARNING_UNKNOWN_SHARE] = { "unknown-share",
						  "of %s there is a stake of unknown size; it counts from 0 to what the "
						  "others leave" },
	};
	struct graph_node n;
	char detail[512];

	inquiry_node(i, v->nodes[warning->subject], &n);
	snprintf(detail, sizeof(detail), texts[warning->code].detail, n.slug ? n.slug : "a subject");
	json_object_begin(w);
	json_member_string(w, "code", texts[warning->code].code);
	json_member_string(w, "detail", detail);
	json_key(w, "stakes");
	json_array_begin(w);
	for (uint32_t k = 0; k < warning->count; k++)
		write_stake_id(w, i, v, v->warned[warning->first + k]);
	json_array_end(w);
	json_object_end(w);
}

void write_plain_warning(struct json_writer *w, const char *code, const char *detail)
{
	json_object_begin(w);
	json_member_string(w, "code", code);
	json_member_string(w, "detail", detail);
	json_key(w, "stakes");
	json_array_begin(w);
	json_array_end(w);
	json_object_end(w);
}

void write_warning_list(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, const uint8_t *about,
			bool coarse)
{
	json_array_begin(w);
	for (size_t k = 0; v && k < v->n_warnings; k++)
		if (!about || about[v->warnings[k].subject])
			write_warning(w, i, v, &v->warnings[k]);
	if (coarse) {
		write_plain_warning(w, "not-exact",
				    "the structure is too large for exact figures: some maxima are upper bounds");
	}
	json_array_end(w);
}

void write_problem(struct json_writer *w, const struct answer *a)
{
	const struct problem_type *type = problem_type(a->problem);
	struct buf errors;
	char slug[64];

	snprintf(slug, sizeof(slug), "/problems/%s", a->problem);
	json_object_begin(w);
	json_member_string(w, "type", slug);
	json_member_string(w, "title", type ? type->title : a->problem);
	json_member_int(w, "status", a->status);
	json_member_string(w, "detail", a->detail ? a->detail : type ? type->title : a->problem);
	buf_init(&errors, (size_t)1 << 20);
	problem_write_faults(&errors, &a->faults);
	json_key(w, "errors");
	json_raw(w, errors.failed ? "[]" : errors.data, errors.failed ? 2 : errors.len);
	buf_done(&errors);
	if (a->extra.len > 0) {
		buf_putc(w->out, ',');
		buf_put(w->out, a->extra.data, a->extra.len);
	}
	json_object_end(w);
}

void write_warnings(struct json_writer *w, const struct inquiry *i, const struct graph_view *v, bool coarse)
{
	json_key(w, "warnings");
	write_warning_list(w, i, v, NULL, coarse);
}

static void write_names(struct json_writer *w, const char *key, const char *const *values, size_t n)
{
	json_key(w, key);
	json_array_begin(w);
	for (size_t k = 0; k < n; k++)
		json_str(w, values[k]);
	json_array_end(w);
}

static void write_stages(struct json_writer *w, unsigned stages)
{
	const char *const *values = resource_values("stakes", "stage");

	json_key(w, "stages");
	json_array_begin(w);
	for (unsigned k = 0; values[k]; k++)
		if (stages & 1u << k)
			json_str(w, values[k]);
	json_array_end(w);
}

const char *ownership_stages(struct arena *arena, unsigned stages)
{
	const char *const *values = resource_values("stakes", "stage");
	const char *text = "";

	for (unsigned k = 0; text && values[k]; k++)
		if (stages & 1u << k)
			text = arena_printf(arena, "%s%s%s", text, *text ? "," : "", values[k]);
	return text;
}

static void write_number(struct json_writer *w, const char *key, const char *number)
{
	json_key(w, key);
	json_raw(w, number, strlen(number));
}

static void write_method(struct json_writer *w, const struct inquiry *i, const struct ownership_query *q)
{
	switch (q->method) {
	case GRAPH_INTEGRATED:
		json_member_string(w, "self_loops", q->raw ? "raw" : "corrected");
		break;
	case GRAPH_ATTRIBUTION:
		json_member_string(w, "tier", q->single_entity ? "single_entity" : "promote_lower");
		break;
	case GRAPH_CONTROL:
		write_number(w, "threshold", q->threshold_pct);
		json_member_bool(w, "inclusive", q->inclusive);
		break;
	case GRAPH_CASCADE:
		if (q->n_parties == 0)
			break;
		json_key(w, "parties");
		json_array_begin(w);
		for (size_t k = 0; k < q->n_parties; k++) {
			struct graph_node n;

			inquiry_node(i, inquiry_find_any(i, q->parties[k]), &n);
			write_node(w, &n);
		}
		json_array_end(w);
		break;
	default:
		break;
	}
}

/* What a row has to be, as far as it was asked. */
static void write_row_parameters(struct json_writer *w, const struct ownership_query *q)
{
	static const char *const groups[] = { "", "country", "state", "kind" };

	if (q->min_pct)
		write_number(w, "min_pct", q->min_pct);
	if (q->n_kinds)
		write_names(w, "kind", q->kinds, q->n_kinds);
	if (q->n_countries)
		write_names(w, "country", q->countries, q->n_countries);
	if (q->ultimate_given)
		json_member_bool(w, "ultimate", q->ultimate);
	if (q->group_by)
		json_member_string(w, "group_by", groups[q->group_by]);
	json_member_int(w, "paths", q->paths);
	json_member_int(w, "limit", q->limit);
}

static void write_named(struct json_writer *w, const struct inquiry *i, const char *key, uint32_t node)
{
	struct graph_node n;

	json_key(w, key);
	if (node == GRAPH_NONE) {
		json_nil(w);
		return;
	}
	inquiry_node(i, node, &n);
	write_node(w, &n);
}

/* What the question alone has. */
static void write_own_parameters(struct json_writer *w, const struct inquiry *i, const struct ownership_query *q,
				 enum ownership_question question)
{
	switch (question) {
	case ASK_OWNERS:
	case ASK_HOLDINGS:
		write_row_parameters(w, q);
		break;
	case ASK_CAP_TABLE:
		if (q->strip)
			json_member_string(w, "strip", "kr-cross-holding");
		break;
	case ASK_CYCLES:
		break;
	case ASK_POWER: /* the index stands with the figures */
		write_number(w, "quota", q->quota_pct);
		break;
	case ASK_PATHS:
		write_named(w, i, "from", inquiry_find_any(i, q->from));
		write_named(w, i, "to", inquiry_find_any(i, q->to));
		json_member_int(w, "limit", q->limit);
		break;
	case ASK_GRAPH:
		write_named(w, i, "root", inquiry_find_any(i, q->root));
		json_member_string(w, "direction", ownership_directions[q->direction]);
		if (q->depth)
			json_member_int(w, "depth", q->depth);
		json_member_string(w, "format", ownership_formats[q->format]);
		break;
	}
}

static const char *method_of(const struct ownership_query *q, enum ownership_question question)
{
	switch (question) {
	case ASK_OWNERS:
	case ASK_HOLDINGS:
		return ownership_methods[q->method];
	case ASK_CYCLES:
		return NULL;
	case ASK_PATHS:
		return ownership_methods[GRAPH_SIMPLE_PATHS];
	case ASK_CAP_TABLE:
	case ASK_GRAPH:
	case ASK_POWER:
		break;
	}
	return ownership_methods[GRAPH_DIRECT];
}

void write_echo_but_warnings(struct json_writer *w, const struct inquiry *i, const struct ownership_query *q,
			     enum ownership_question question, uint32_t subject)
{
	write_named(w, i, "subject", subject);
	json_member_string(w, "method", method_of(q, question));
	if (question == ASK_OWNERS || question == ASK_HOLDINGS)
		write_method(w, i, q);
	json_member_string(w, "measure", q->measure == GRAPH_VOTING ? "voting" : "economic");
	write_stages(w, q->stages);
	json_member_string(w, "contingent", q->exercised ? "exercised" : "ignore");
	write_own_parameters(w, i, q, question);
	json_member_string(w, "valid_at", q->valid_at);
	write_known(w, i);
}

void write_echo(struct json_writer *w, const struct inquiry *i, const struct ownership_query *q,
		enum ownership_question question, uint32_t subject, const struct graph_view *v, bool coarse)
{
	write_echo_but_warnings(w, i, q, question, subject);
	write_warnings(w, i, v, coarse);
}

void write_echo_of_part(struct json_writer *w, const struct inquiry *i, const struct ownership_query *q,
			enum ownership_question question, uint32_t subject, const struct graph_view *v, const uint8_t *about)
{
	write_echo_but_warnings(w, i, q, question, subject);
	json_key(w, "warnings");
	write_warning_list(w, i, v, about, false);
}

struct graph_filter ownership_filter(const struct inquiry *i, const struct ownership_query *q)
{
	return (struct graph_filter){ .valid_at = q->valid_day,
				      .stages = q->stages,
				      .measure = q->measure,
				      .exercised = q->exercised,
				      .overlay = i->overlay };
}

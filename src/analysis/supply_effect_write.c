/* The effect of projects as JSON and CSV. */
#include "lodebase/analysis/supply_effect.h"
#include "supply_write.h"

/* {VALUE}, or null where it was not asked for. */
static void write_asked(struct json_writer *w, const char *name, const struct supply_span *s, bool asked)
{
	if (asked) {
		write_share_of(w, name, s);
		return;
	}
	json_key(w, name);
	json_nil(w);
}

static void write_measures(struct json_writer *w, const char *name, const struct supply_effect_question *q,
			   const struct supply_measures *m)
{
	json_key(w, name);
	json_object_begin(w);
	write_span(w, "hhi", &m->hhi, 1);
	write_asked(w, "list", &m->list, q->has_list);
	write_asked(w, "alliance", &m->alliance, q->has_alliance);
	write_asked(w, "exposure", &m->exposure, m->exposure.known);
	json_object_end(w);
}

static void write_contribution(struct json_writer *w, const struct supply_plants *plants,
			       const struct supply_effect_question *q, const struct supply_contribution *c,
			       const struct supply_owned *owned)
{
	json_object_begin(w);
	json_key(w, "project");
	supply_write_node(w, "projects", &plants->projects[c->project].node);
	write_quantity(w, &c->mass, c->unit);
	json_member_string(w, "unit", supply_unit_names[c->unit]);
	json_key(w, "owned");
	json_object_begin(w);
	write_asked(w, "list", &owned[c->project].list, q->has_list);
	write_asked(w, "alliance", &owned[c->project].alliance, q->has_alliance);
	json_object_end(w);
	json_object_end(w);
}

static void write_assumed(struct json_writer *w, const char *name, const struct supply_effect_question *q,
			  const struct supply_measures *before, const struct supply_measures *after,
			  const struct supply_measures *change)
{
	json_key(w, name);
	json_object_begin(w);
	write_measures(w, "before", q, before);
	write_measures(w, "after", q, after);
	write_measures(w, "change", q, change);
	json_object_end(w);
}

static void csv_projects(struct buf *csv, const struct supply_plants *plants, const struct supply_effect_item *item)
{
	for (size_t i = 0; i < item->n_contributions; i++)
		buf_printf(csv, "%s%s", i ? " " : "", plants->projects[item->contributions[i].project].node.slug);
}

static void csv_measures(struct buf *csv, const struct supply_measures *m)
{
	csv_span(csv, &m->hhi, 1);
	csv_span(csv, &m->list, 100);
	csv_span(csv, &m->alliance, 100);
	csv_span(csv, &m->exposure, 100);
}

static void csv_assumed(struct buf *csv, const struct supply_data *d, const struct supply_plants *plants,
			const struct supply_effect_item *item, const char *assume, const struct supply_measures *after,
			const struct supply_measures *change)
{
	csv_projects(csv, plants, item);
	buf_printf(csv, ",%s,%s,%d,%s,", d->minerals[item->mineral].slug, supply_stage_names[item->stage], item->baseline_year,
		   assume);
	csv_measures(csv, &item->before);
	csv_measures(csv, after);
	csv_measures(csv, change);
	buf_puts(csv, "\r\n");
}

#define CSV_MEASURES(state) \
	CSV_SPAN(state "hhi") "," CSV_PCT(state "list_") "," CSV_PCT(state "alliance_") "," CSV_PCT(state "exposure_")
#define CSV_NO_MEASURES ",,,,,,,,,,,,"

static void write_csv(const struct supply_data *d, const struct supply_plants *plants, const struct supply_effect *e, bool add,
		      bool displace, struct buf *csv)
{
	buf_puts(csv, "projects,mineral,stage,baseline_year,assume,left_out," CSV_MEASURES("before_") "," CSV_MEASURES(
			      "after_") "," CSV_MEASURES("change_") "\r\n");
	for (size_t i = 0; i < e->n_items; i++) {
		const struct supply_effect_item *item = &e->items[i];

		if (add)
			csv_assumed(csv, d, plants, item, "add", &item->add, &item->add_change);
		if (displace)
			csv_assumed(csv, d, plants, item, "displace", &item->displace, &item->displace_change);
	}
	for (size_t i = 0; i < e->n_left_out; i++) {
		const struct supply_left_out *l = &e->left_out[i];

		buf_printf(csv, "%s,%s,,,,%s" CSV_NO_MEASURES CSV_NO_MEASURES CSV_NO_MEASURES "\r\n",
			   plants->projects[l->project].node.slug,
			   l->mineral == SUPPLY_NONE ? "" : d->minerals[l->mineral].slug, supply_reason_names[l->reason]);
	}
}

static void write_item(const struct supply_data *d, const struct supply_plants *plants, const struct supply_effect_question *q,
		       const struct supply_effect_item *item, const struct supply_owned *owned, bool add, bool displace,
		       struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "mineral");
	supply_write_node(w, "minerals", &d->minerals[item->mineral]);
	json_member_string(w, "stage", supply_stage_names[item->stage]);
	json_member_int(w, "baseline_year", item->baseline_year);
	json_key(w, "contributions");
	json_array_begin(w);
	for (size_t i = 0; i < item->n_contributions; i++)
		write_contribution(w, plants, q, &item->contributions[i], owned);
	json_array_end(w);
	if (add)
		write_assumed(w, "add", q, &item->before, &item->add, &item->add_change);
	if (displace)
		write_assumed(w, "displace", q, &item->before, &item->displace, &item->displace_change);
	json_object_end(w);
}

void supply_effect_write(const struct supply_data *d, const struct supply_plants *plants,
			 const struct supply_effect_question *q, const struct supply_effect *e,
			 const struct supply_owned *owned, bool add, bool displace, const struct supply_output *out)
{
	struct json_writer *w = out->json;

	if (out->csv) {
		write_csv(d, plants, e, add, displace, out->csv);
		return;
	}
	json_key(w, "items");
	json_array_begin(w);
	for (size_t i = 0; i < e->n_items; i++)
		write_item(d, plants, q, &e->items[i], owned, add, displace, w);
	json_array_end(w);
	json_key(w, "left_out");
	json_array_begin(w);
	for (size_t i = 0; i < e->n_left_out; i++) {
		const struct supply_left_out *l = &e->left_out[i];

		json_object_begin(w);
		json_key(w, "project");
		supply_write_node(w, "projects", &plants->projects[l->project].node);
		json_key(w, "mineral");
		if (l->mineral == SUPPLY_NONE)
			json_nil(w);
		else
			supply_write_node(w, "minerals", &d->minerals[l->mineral]);
		json_member_string(w, "reason", supply_reason_names[l->reason]);
		json_object_end(w);
	}
	json_array_end(w);
}

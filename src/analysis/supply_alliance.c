/* What an alliance has and needs of every mineral, the benchmarks that it is held against, and reliances. */
#include "supply_write.h"

#include <string.h>

/* One mineral and stage for an alliance in a year. */
struct part {
	struct supply_table table;
	struct supply_span coverage, dependence, exposure;
	const uint16_t *countries; /* the members of that year */
	size_t n_countries;
};

static void part_clear(struct part *p)
{
	supply_span_clear(&p->coverage);
	supply_span_clear(&p->dependence);
	supply_span_clear(&p->exposure);
	supply_table_clear(&p->table);
}

static enum err expose(const struct supply_data *d, const struct supply_question *q, const struct supply_table *t,
		       const uint16_t *members, size_t n, const struct supply_output *out, struct supply_warnings *warnings,
		       struct supply_span *ret)
{
	struct supply_exposure_question x = { .mineral = t->mineral,
					      .stage = t->stage,
					      .year = t->year,
					      .members = members,
					      .n_members = n,
					      .list = q->list,
					      .list_year = t->year };

	ret->known = false;
	return q->of && n > 0 ? supply_exposure(d, &x, out->memory, warnings, ret) : OK;
}

/* Of a mineral without a table of this kind: the newest of what exposure is worked out from. */
static int year_of(const struct supply_data *d, const struct supply_question *q, uint32_t mineral, enum supply_stage stage)
{
	static const enum supply_kind kinds[] = { SUPPLY_IMPORTS, SUPPLY_IMPORT_SHARE, SUPPLY_RELIANCE };
	int year = q->year ? q->year : supply_newest_year(d, mineral, stage, q->kind);

	for (size_t k = 0; q->of && !q->year && k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (!year)
			year = supply_newest_year(d, mineral, stage, kinds[k]);
	return year;
}

/* false in *ret_there: nothing is known of it. */
static enum err part_make(const struct supply_data *d, const struct supply_question *q, uint32_t mineral,
			  enum supply_stage stage, int year, const struct supply_output *out, struct part *p, bool *ret_there)
{
	enum err e = supply_table_build(d, mineral, stage, q->kind, year, out->memory, out->warnings, &p->table);

	if (e != OK)
		return e;
	supply_span_init(&p->coverage);
	supply_span_init(&p->dependence);
	supply_span_init(&p->exposure);
	p->countries = supply_set_countries(q->members, year, out->memory, &p->n_countries);
	if (!p->countries)
		e = ERR_NOMEM;
	if (e == OK)
		e = supply_set_share(&p->table, q->members, year, out->memory, &p->coverage, NULL, NULL);
	if (e == OK && q->of)
		e = supply_set_share(&p->table, q->list, year, out->memory, &p->dependence, NULL, NULL);
	if (e == OK)
		e = expose(d, q, &p->table, p->countries, p->n_countries, out, out->warnings, &p->exposure);
	*ret_there = p->table.n_rows > 0 || p->table.world.figures > 0 || p->exposure.known;
	if (e != OK)
		part_clear(p);
	return e;
}

static void write_exposure(struct json_writer *w, const struct supply_span *s)
{
	if (s->known) {
		write_share_of(w, "exposure", s);
		return;
	}
	json_key(w, "exposure");
	json_nil(w);
}

static void csv_part(const struct supply_data *d, const struct part *p, const struct supply_output *out)
{
	buf_printf(out->csv, "%s,%s,%d", d->minerals[p->table.mineral].slug, supply_stage_names[p->table.stage], p->table.year);
}

static enum err write_members(const struct supply_data *d, const struct supply_question *q, const struct part *p,
			      const struct supply_output *out)
{
	/* what a member's figures give rise to was said of the alliance's */
	struct supply_span share, exposure, none = { 0 };
	struct supply_warnings said;
	enum err e = OK;

	supply_warnings_begin(&said, out->memory);
	supply_span_init(&share);
	supply_span_init(&exposure);
	for (size_t i = 0; e == OK && i < p->n_countries; i++) {
		const struct supply_row *row = supply_table_row(&p->table, p->countries[i]);

		share.known = false;
		if (row)
			supply_row_share(&p->table, (size_t)(row - p->table.rows), &share);
		e = expose(d, q, &p->table, &p->countries[i], 1, out, &said, &exposure);
		if (out->csv) {
			csv_part(d, p, out);
			csv_country(out->csv, p->countries[i]);
			csv_cells(out->csv, d, row ? &row->cell : NULL);
			csv_span(out->csv, &share, 100);
			csv_span(out->csv, &none, 100);
			csv_span(out->csv, &exposure, 100);
			buf_puts(out->csv, "\r\n");
			continue;
		}
		json_object_begin(out->json);
		write_country(out->json, "country", p->countries[i]);
		write_figure_members(out->json, d, row ? &row->cell : NULL);
		supply_write_share(out->json, &share);
		write_exposure(out->json, &exposure);
		json_object_end(out->json);
	}
	supply_span_clear(&share);
	supply_span_clear(&exposure);
	return e;
}

static enum err write_part(const struct supply_data *d, const struct supply_question *q, const struct part *p,
			   const struct supply_output *out)
{
	enum err e;

	if (out->csv) {
		csv_part(d, p, out);
		csv_country(out->csv, 0);
		csv_cells(out->csv, d, NULL);
		csv_span(out->csv, &p->coverage, 100);
		csv_span(out->csv, &p->dependence, 100);
		csv_span(out->csv, &p->exposure, 100);
		buf_puts(out->csv, "\r\n");
		return write_members(d, q, p, out);
	}
	json_object_begin(out->json);
	json_key(out->json, "mineral");
	supply_write_node(out->json, "minerals", &d->minerals[p->table.mineral]);
	json_member_string(out->json, "stage", supply_stage_names[p->table.stage]);
	write_year(out->json, p->table.year);
	write_share_of(out->json, "coverage", &p->coverage);
	write_share_of(out->json, "dependence", &p->dependence);
	write_exposure(out->json, &p->exposure);
	json_key(out->json, "members");
	json_array_begin(out->json);
	e = write_members(d, q, p, out);
	json_array_end(out->json);
	json_object_end(out->json);
	return e;
}

static void begin(const struct supply_output *out, const char *header)
{
	if (out->csv) {
		buf_puts(out->csv, header);
		return;
	}
	json_key(out->json, "items");
	json_array_begin(out->json);
}

static void end(const struct supply_output *out)
{
	if (out->json)
		json_array_end(out->json);
}

enum err supply_write_alliance(const struct supply_data *d, const struct supply_question *q, const struct supply_output *out)
{
	enum err e = OK;

	begin(out, "mineral,stage,year,country," CSV_FIGURE
		   "," CSV_PCT("coverage_") "," CSV_PCT("dependence_") "," CSV_PCT("exposure_") "\r\n");
	for (uint32_t mineral = 0; e == OK && mineral < d->n_minerals; mineral++) {
		for (unsigned s = 0; e == OK && s < SUPPLY_STAGES; s++) {
			int year = year_of(d, q, mineral, (enum supply_stage)s);
			struct part p;
			bool there = false;

			if (!year || (q->stage >= 0 && (unsigned)q->stage != s))
				continue;
			e = part_make(d, q, mineral, (enum supply_stage)s, year, out, &p, &there);
			if (e != OK)
				break;
			if (there)
				e = write_part(d, q, &p, out);
			part_clear(&p);
		}
	}
	end(out);
	return e;
}

/* --- benchmarks --- */

/* Whether a figure is beyond the threshold as the comparator says. */
static bool meets(const mpq_t figure, const mpq_t threshold, bool strict)
{
	int order = mpq_cmp(figure, threshold);

	return order > 0 || (order == 0 && !strict);
}

/* A country's share must not meet the threshold, a coverage must; `caught`: the benchmark is missed. */
static const char *outcome(const struct supply_rule *rule, const struct supply_span *figure)
{
	mpq_t threshold, hundred;
	bool min, max;

	if (!figure->known)
		return "indeterminate";
	mpq_inits(threshold, hundred, NULL);
	supply_number(rule->threshold_pct, threshold);
	mpq_set_ui(hundred, 100, 1);
	mpq_div(threshold, threshold, hundred);
	min = meets(figure->min, threshold, rule->strict);
	max = meets(figure->max, threshold, rule->strict);
	mpq_clears(threshold, hundred, NULL);
	if (min != max)
		return "indeterminate";
	return min != rule->coverage ? "caught" : "clear";
}

static void write_benchmark(const struct supply_data *d, const struct supply_table *t, const struct supply_rule *rule,
			    const struct supply_span *figure, const struct supply_output *out)
{
	const char *verdict = outcome(rule, figure);

	if (out->csv) {
		buf_printf(out->csv, "%s,%s,%s,%d", rule->node.slug, d->minerals[t->mineral].slug, supply_stage_names[t->stage],
			   t->year);
		csv_span(out->csv, figure, 100);
		buf_printf(out->csv, ",%s,%s\r\n", rule->threshold_pct, verdict);
		return;
	}
	json_object_begin(out->json);
	json_key(out->json, "rule");
	json_object_begin(out->json);
	json_member_string(out->json, "slug", rule->node.slug);
	json_key(out->json, "version");
	json_raw(out->json, rule->version, strlen(rule->version));
	json_member_string(out->json, "title", rule->node.name);
	json_member_string(out->json, "source_url", rule->source_url);
	json_object_end(out->json);
	json_key(out->json, "mineral");
	supply_write_node(out->json, "minerals", &d->minerals[t->mineral]);
	json_member_string(out->json, "stage", supply_stage_names[t->stage]);
	write_year(out->json, t->year);
	json_member_string(out->json, "measure", rule->coverage ? "coverage" : "single_country_share");
	supply_write_share(out->json, figure);
	json_key(out->json, "threshold_pct");
	json_raw(out->json, rule->threshold_pct, strlen(rule->threshold_pct));
	json_member_string(out->json, "outcome", verdict);
	json_object_end(out->json);
}

static enum err judge(const struct supply_data *d, const struct supply_question *q, const struct supply_rule *rules, size_t n,
		      const struct supply_table *t, const struct supply_output *out)
{
	struct supply_span figure;
	enum err e = OK;

	supply_span_init(&figure);
	for (size_t i = 0; e == OK && i < n; i++) {
		e = rules[i].coverage ? supply_set_share(t, q->members, t->year, out->memory, &figure, NULL, NULL)
				      : supply_greatest_outside(t, q->members, t->year, out->memory, &figure);
		if (e == OK)
			write_benchmark(d, t, &rules[i], &figure, out);
	}
	supply_span_clear(&figure);
	return e;
}

enum err supply_write_benchmarks(const struct supply_data *d, const struct supply_question *q, const struct supply_rule *rules,
				 size_t n_rules, const struct supply_output *out)
{
	enum err e = OK;

	begin(out, "rule,mineral,stage,year," CSV_PCT("") ",threshold_pct,outcome\r\n");
	for (uint32_t mineral = 0; e == OK && mineral < d->n_minerals; mineral++) {
		for (unsigned s = 0; e == OK && s < SUPPLY_STAGES; s++) {
			int year = q->year ? q->year : supply_newest_year(d, mineral, (enum supply_stage)s, q->kind);
			struct supply_table t;

			if (!year || (q->stage >= 0 && (unsigned)q->stage != s))
				continue;
			e = supply_table_build(d, mineral, (enum supply_stage)s, q->kind, year, out->memory, out->warnings, &t);
			if (e != OK)
				break;
			if (t.n_rows > 0 || t.world.figures > 0)
				e = judge(d, q, rules, n_rules, &t, out);
			supply_table_clear(&t);
		}
	}
	end(out);
	return e;
}

/* --- reliance --- */

static void write_input(struct json_writer *w, const struct supply_data *d, const struct supply_figure *f)
{
	struct supply_cell cell = { .figures = 1,
				    .first = f,
				    .qualifier = (enum supply_qualifier)f->qualifier,
				    .unit = (enum supply_unit)f->unit,
				    .source = f->source };

	mpq_inits(cell.low, cell.high, NULL);
	if (f->quantity) {
		supply_number(f->quantity, cell.low);
		supply_to_base(cell.unit, cell.low);
		mpq_set(cell.high, cell.low);
	}
	json_object_begin(w);
	json_member_string(w, "kind", supply_kind_names[f->kind]);
	json_member_string(w, "product", f->product);
	write_country(w, "partner", f->partner);
	write_figure_members(w, d, &cell);
	json_object_end(w);
	supply_cell_clear(&cell);
}

static void write_reliance(struct json_writer *w, const struct supply_data *d, const struct supply_reliance *r)
{
	json_object_begin(w);
	write_country(w, "country", r->country);
	json_member_string(w, "stage", supply_stage_names[r->stage]);
	write_year(w, r->year);
	json_key(w, "published");
	write_figure(w, d, &r->published);
	write_span(w, "recomputed_pct", &r->recomputed, 100);
	json_key(w, "inputs");
	json_array_begin(w);
	for (size_t i = 0; i < r->n_inputs; i++)
		write_input(w, d, r->inputs[i]);
	json_array_end(w);
	json_key(w, "assumed_none");
	json_array_begin(w);
	for (unsigned k = 0; k < SUPPLY_KINDS; k++)
		if (r->assumed_none & 1u << k)
			json_str(w, supply_kind_names[k]);
	json_array_end(w);
	json_object_end(w);
}

static void csv_reliance(struct buf *out, const struct supply_data *d, const struct supply_reliance *r)
{
	char country[3];

	supply_country_text(r->country, country);
	buf_printf(out, "%s,%s,%d", country, supply_stage_names[r->stage], r->year);
	csv_cells(out, d, &r->published);
	csv_number(out, &r->recomputed, 100);
	buf_puts(out, "\r\n");
}

enum err supply_write_reliance(const struct supply_data *d, const struct supply_question *q, uint32_t mineral, uint16_t country,
			       const struct supply_output *out)
{
	struct supply_reliance *items = NULL;
	size_t n = 0;
	enum err e = supply_reliances(d, mineral, q->stage, country, out->memory, out->warnings, &items, &n);

	begin(out, "country,stage,year," CSV_FIGURE ",recomputed_pct\r\n");
	for (size_t i = 0; e == OK && i < n; i++) {
		if (out->csv)
			csv_reliance(out->csv, d, &items[i]);
		else
			write_reliance(out->json, d, &items[i]);
	}
	end(out);
	if (e == OK)
		supply_reliances_clear(items, n);
	return e;
}

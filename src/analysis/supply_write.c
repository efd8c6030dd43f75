/* Figures, quantities and shares as JSON and CSV. */
#include "supply_write.h"

#include <stdio.h>
#include <string.h>

#define DECIMALS 12

/* The texts of both ends times a factor, as printed. */
struct texts {
	char min[SUPPLY_TEXT_MAX], max[SUPPLY_TEXT_MAX];
	bool known, same;
};

static void print(const struct supply_span *s, unsigned long factor, struct texts *ret)
{
	mpq_t value, times;

	ret->known = s->known;
	if (!s->known)
		return;
	mpq_inits(value, times, NULL);
	mpq_set_ui(times, factor, 1);
	mpq_mul(value, s->min, times);
	ret->known = supply_text(value, DECIMALS, ret->min, sizeof(ret->min)) != NULL;
	mpq_mul(value, s->max, times);
	ret->known = supply_text(value, DECIMALS, ret->max, sizeof(ret->max)) && ret->known;
	ret->same = ret->known && strcmp(ret->min, ret->max) == 0;
	mpq_clears(value, times, NULL);
}

static void write_number(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	if (text)
		json_raw(w, text, strlen(text));
	else
		json_nil(w);
}

static void write_ends(struct json_writer *w, const char *name, const char *min, const char *max, const struct texts *t)
{
	if (!t->known || t->same) {
		write_number(w, name, t->known ? t->min : NULL);
		return;
	}
	write_number(w, min, t->min);
	write_number(w, max, t->max);
}

void write_span(struct json_writer *w, const char *name, const struct supply_span *s, unsigned long factor)
{
	char min[64], max[64];
	struct texts t;

	print(s, factor, &t);
	snprintf(min, sizeof(min), "%s_min", name);
	snprintf(max, sizeof(max), "%s_max", name);
	write_ends(w, name, min, max, &t);
}

void supply_write_share(struct json_writer *w, const struct supply_span *s)
{
	struct texts t;

	print(s, 100, &t);
	write_ends(w, "pct", "min_pct", "max_pct", &t);
}

void write_share_of(struct json_writer *w, const char *name, const struct supply_span *s)
{
	json_key(w, name);
	json_object_begin(w);
	supply_write_share(w, s);
	json_object_end(w);
}

void write_quantity(struct json_writer *w, const struct supply_span *mass, enum supply_unit unit)
{
	struct supply_span in_unit;

	supply_span_init(&in_unit);
	if (mass->known) {
		supply_span_set(&in_unit, mass->min, mass->max);
		supply_from_base(unit, in_unit.min);
		supply_from_base(unit, in_unit.max);
	}
	write_span(w, "quantity", &in_unit, 1);
	supply_span_clear(&in_unit);
}

void supply_write_node(struct json_writer *w, const char *resource, const struct supply_node *n)
{
	json_object_begin(w);
	json_member_string(w, "resource", resource);
	json_member_string(w, "id", n->id);
	json_member_string(w, "slug", n->slug);
	json_member_string(w, "name", n->name);
	json_object_end(w);
}

/* The number that a cell's qualifier goes with; false: it has none. */
static bool number_of(const struct supply_cell *c, char text[SUPPLY_TEXT_MAX])
{
	mpq_t value;
	bool has;

	if (c->figures == 0 || c->qualifier == SUPPLY_WITHHELD || c->qualifier == SUPPLY_NOT_AVAILABLE ||
	    c->qualifier == SUPPLY_NET_EXPORTER)
		return false;
	mpq_init(value);
	mpq_set(value, c->qualifier == SUPPLY_LESS_THAN ? c->high : c->low);
	supply_from_base(c->unit, value);
	has = supply_text(value, DECIMALS, text, SUPPLY_TEXT_MAX) != NULL;
	mpq_clear(value);
	return has;
}

void write_figure_members(struct json_writer *w, const struct supply_data *d, const struct supply_cell *c)
{
	const struct supply_node *source = c && c->figures ? &d->sources[c->source] : NULL;
	char text[SUPPLY_TEXT_MAX];

	write_number(w, "quantity", c && number_of(c, text) ? text : NULL);
	json_member_string(w, "qualifier", source ? supply_qualifier_names[c->qualifier] : NULL);
	json_member_string(w, "unit", source ? supply_unit_names[c->unit] : NULL);
	json_member_string(w, "basis", source ? supply_basis_names[c->first->basis] : NULL);
	json_key(w, "source");
	if (!source) {
		json_nil(w);
		return;
	}
	json_object_begin(w);
	json_member_string(w, "id", source->id);
	json_member_string(w, "slug", source->slug);
	json_member_string(w, "title", source->name);
	json_object_end(w);
}

void write_figure(struct json_writer *w, const struct supply_data *d, const struct supply_cell *c)
{
	if (c->figures == 0) {
		json_nil(w);
		return;
	}
	json_object_begin(w);
	write_figure_members(w, d, c);
	json_object_end(w);
}

void write_country(struct json_writer *w, const char *name, uint16_t country)
{
	char text[3];

	supply_country_text(country, text);
	json_member_string(w, name, country ? text : NULL);
}

void write_year(struct json_writer *w, int year)
{
	if (year) {
		json_member_int(w, "year", year);
		return;
	}
	json_key(w, "year");
	json_nil(w);
}

static void write_leading(struct json_writer *w, const struct supply_summary *s)
{
	json_key(w, "leading");
	if (s->leading_row < 0) {
		json_nil(w);
		return;
	}
	json_object_begin(w);
	write_country(w, "country", s->table.rows[s->leading_row].country);
	supply_write_share(w, &s->leading);
	json_object_end(w);
}

static void write_list(struct json_writer *w, const struct supply_question *q, const struct supply_summary *s)
{
	json_key(w, "list");
	if (!q->of) {
		json_nil(w);
		return;
	}
	json_object_begin(w);
	json_member_string(w, "of", q->of);
	supply_write_share(w, &s->list);
	json_object_end(w);
}

static void write_alliance(struct json_writer *w, const struct supply_question *q, const struct supply_summary *s)
{
	json_key(w, "alliance");
	if (!q->alliance) {
		json_nil(w);
		return;
	}
	json_object_begin(w);
	json_member_string(w, "resource", "alliances");
	json_member_string(w, "id", q->alliance->id);
	json_member_string(w, "slug", q->alliance->slug);
	json_member_string(w, "name", q->alliance->name);
	supply_write_share(w, &s->alliance);
	json_object_end(w);
}

void write_concentration(struct json_writer *w, const struct supply_question *q, const struct supply_summary *s)
{
	write_span(w, "hhi", &s->hhi, 1);
	json_member_string(w, "class", supply_class_names[supply_classify(&s->hhi, q->guideline)]);
	write_leading(w, s);
	write_list(w, q, s);
	write_alliance(w, q, s);
}

void write_summary(struct json_writer *w, const struct supply_data *d, const struct supply_question *q,
		   const struct supply_summary *s)
{
	const struct supply_table *t = &s->table;
	bool any = t->n_rows > 0 || t->world.figures > 0;

	json_key(w, "denominator");
	json_object_begin(w);
	write_quantity(w, &s->denominator, t->unit);
	json_member_string(w, "unit", any ? supply_unit_names[t->unit] : NULL);
	json_member_string(w, "basis", any ? supply_basis_names[t->basis] : NULL);
	json_object_end(w);
	json_key(w, "world");
	write_figure(w, d, &t->world);
	json_member_string(w, "guideline", q->guideline == SUPPLY_GUIDELINE_2010 ? "2010" : "2023");
	write_concentration(w, q, s);
	write_share_of(w, "top3", &s->top3);
	json_key(w, "unlisted");
	json_array_begin(w);
	for (size_t i = 0; i < s->n_unlisted; i++) {
		char text[3];

		supply_country_text(s->unlisted[i], text);
		json_str(w, text);
	}
	json_array_end(w);
}

void supply_write_warnings(struct json_writer *w, const struct supply_warnings *warnings)
{
	json_key(w, "warnings");
	json_array_begin(w);
	for (size_t i = 0; i < warnings->count; i++) {
		const struct supply_warning *x = &warnings->items[i];

		json_object_begin(w);
		json_member_string(w, "code", x->code);
		json_member_string(w, "detail", x->detail);
		json_key(w, "stakes");
		json_array_begin(w);
		json_array_end(w);
		json_key(w, "figures");
		json_array_begin(w);
		for (size_t k = 0; k < x->n_figures; k++)
			json_str(w, x->figures[k]);
		json_array_end(w);
		json_object_end(w);
	}
	json_array_end(w);
}

void csv_span(struct buf *out, const struct supply_span *s, unsigned long factor)
{
	struct texts t;

	print(s, factor, &t);
	buf_printf(out, ",%s,%s,%s", t.known && t.same ? t.min : "", t.known ? t.min : "", t.known ? t.max : "");
}

void csv_number(struct buf *out, const struct supply_span *s, unsigned long factor)
{
	struct texts t;

	print(s, factor, &t);
	buf_printf(out, ",%s", t.known && t.same ? t.min : "");
}

void csv_cells(struct buf *out, const struct supply_data *d, const struct supply_cell *c)
{
	char text[SUPPLY_TEXT_MAX];

	if (!c || c->figures == 0) {
		buf_puts(out, ",,,,,");
		return;
	}
	buf_printf(out, ",%s,%s,%s,%s,%s", number_of(c, text) ? text : "", supply_qualifier_names[c->qualifier],
		   supply_unit_names[c->unit], supply_basis_names[c->first->basis], d->sources[c->source].slug);
}

void csv_country(struct buf *out, uint16_t country)
{
	char text[3];

	supply_country_text(country, text);
	buf_printf(out, ",%s", country ? text : "");
}

void csv_summary(struct buf *out, const struct supply_question *q, const struct supply_summary *s)
{
	const char *class = supply_class_names[supply_classify(&s->hhi, q->guideline)];

	csv_span(out, &s->hhi, 1);
	buf_printf(out, ",%s", class ? class : "");
	csv_country(out, s->leading_row < 0 ? 0 : s->table.rows[s->leading_row].country);
	csv_span(out, &s->leading, 100);
	csv_span(out, &s->top3, 100);
	csv_span(out, &s->list, 100);
	csv_span(out, &s->alliance, 100);
	buf_puts(out, "\r\n");
}

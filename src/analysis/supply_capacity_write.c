/* Capacity by who has it: sums, shares of the total between their ends, and how they are written. */
#include "lodebase/analysis/supply_capacity.h"

#include <stdlib.h>
#include <string.h>

#include "supply_write.h"

/* What one owner has of one output. */
struct part {
	const mpq_t *low, *high; /* the output's capacity */
	const struct supply_portion *portion;
};

struct row {
	const struct supply_owner *owner; /* NULL: unexplained */
	struct part *parts;
	size_t n;
	struct supply_span mass, share;
};

struct sums {
	struct row *rows; /* one for each owner, then the unexplained */
	size_t n_rows;
	mpq_t *low, *high; /* of each output */
	size_t n;
	struct supply_span total;
};

static void sums_clear(struct sums *s)
{
	for (size_t i = 0; s->rows && i < s->n_rows; i++) {
		supply_span_clear(&s->rows[i].mass);
		supply_span_clear(&s->rows[i].share);
	}
	for (size_t i = 0; s->low && s->high && i < s->n; i++)
		mpq_clears(s->low[i], s->high[i], NULL);
	supply_span_clear(&s->total);
}

static enum err capacities(const struct supply_plants *plants, const struct supply_chosen *chosen, struct arena *a,
			   struct sums *s)
{
	s->n = chosen->count;
	s->low = arena_alloc(a, s->n * sizeof(*s->low));
	s->high = arena_alloc(a, s->n * sizeof(*s->high));
	if (!s->low || !s->high)
		return ERR_NOMEM;
	s->total.known = true;
	for (size_t i = 0; i < s->n; i++) {
		const struct supply_plant_output *o = &plants->outputs[chosen->outputs[i]];

		mpq_inits(s->low[i], s->high[i], NULL);
		supply_number(o->capacity_min, s->low[i]);
		supply_to_base((enum supply_unit)o->unit, s->low[i]);
		supply_number(o->capacity_max, s->high[i]);
		supply_to_base((enum supply_unit)o->unit, s->high[i]);
		mpq_add(s->total.min, s->total.min, s->low[i]);
		mpq_add(s->total.max, s->total.max, s->high[i]);
	}
	return OK;
}

static enum err divide(const struct supply_portions *p, struct arena *a, struct sums *s)
{
	mpq_t product;

	s->n_rows = p->n_owners + 1;
	s->rows = arena_alloc(a, s->n_rows * sizeof(*s->rows));
	if (!s->rows)
		return ERR_NOMEM;
	mpq_init(product);
	for (size_t i = 0; i < s->n_rows; i++) {
		s->rows[i].owner = i < p->n_owners ? &p->owners[i] : NULL;
		supply_span_init(&s->rows[i].mass);
		supply_span_init(&s->rows[i].share);
		s->rows[i].mass.known = true;
	}
	for (int pass = 0; pass < 2; pass++) /* count, then fill */
		for (size_t i = 0; i < p->count; i++) {
			const struct supply_portion *x = &p->items[i];
			struct row *row = &s->rows[x->owner == SUPPLY_NONE ? p->n_owners : x->owner];

			if (pass == 0) {
				row->n++;
				continue;
			}
			if (!row->parts) {
				row->parts = arena_alloc(a, row->n * sizeof(*row->parts));
				row->n = 0;
			}
			if (!row->parts)
				break;
			row->parts[row->n++] = (struct part){ .low = (const mpq_t *)&s->low[x->output],
							      .high = (const mpq_t *)&s->high[x->output],
							      .portion = x };
			mpq_mul(product, s->low[x->output], x->min);
			mpq_add(row->mass.min, row->mass.min, product);
			mpq_mul(product, s->high[x->output], x->max);
			mpq_add(row->mass.max, row->mass.max, product);
		}
	mpq_clear(product);
	return OK;
}

static int greatest_portion(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return mpq_cmp(y->portion->max, x->portion->max);
}

static int least_portion(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return mpq_cmp(x->portion->min, y->portion->min);
}

/* The share of the total is a mean of portions, weighted by capacities between their ends: at its greatest those of which the row has
 * more than that mean are at their greatest and all others at their least; at its least the other way round. */
static void extreme(const struct sums *s, struct row *row, bool most, mpq_t ret)
{
	mpq_t part, total, extra, mean;

	mpq_inits(part, total, extra, mean, NULL);
	mpq_set(total, most ? s->total.min : s->total.max); /* of outputs that the row has nothing of */
	for (size_t i = 0; i < row->n; i++) {
		const struct part *x = &row->parts[i];

		if (!most) {
			mpq_sub(total, total, *x->high);
			mpq_add(total, total, *x->low);
		}
		mpq_mul(extra, *x->low, most ? x->portion->max : x->portion->min);
		mpq_add(part, part, extra);
	}
	qsort(row->parts, row->n, sizeof(*row->parts), most ? greatest_portion : least_portion);
	for (size_t i = 0; i < row->n; i++) {
		const struct part *x = &row->parts[i];
		const mpq_t *portion = most ? (const mpq_t *)&x->portion->max : (const mpq_t *)&x->portion->min;

		/* with nothing so far any part of something is the mean */
		mpq_mul(mean, *portion, total);
		if (mpq_sgn(total) > 0 && (most ? mpq_cmp(mean, part) <= 0 : mpq_cmp(mean, part) >= 0))
			break;
		mpq_sub(extra, *x->high, *x->low);
		mpq_add(total, total, extra);
		mpq_mul(extra, extra, *portion);
		mpq_add(part, part, extra);
	}
	if (mpq_sgn(total) > 0)
		mpq_div(ret, part, total);
	mpq_clears(part, total, extra, mean, NULL);
}

static void share(const struct sums *s, struct row *row)
{
	row->share.known = mpq_sgn(s->total.max) > 0;
	if (!row->share.known || row->n == 0)
		return;
	extreme(s, row, false, row->share.min);
	extreme(s, row, true, row->share.max);
}

static int by_quantity(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = mpq_cmp(y->mass.max, x->mass.max);

	if (!x->owner->key != !y->owner->key)
		return x->owner->key ? -1 : 1;
	order = order ? order : mpq_cmp(y->mass.min, x->mass.min);
	return order || !x->owner->key ? order : strcmp(x->owner->key, y->owner->key);
}

static void write_row(const struct supply_chosen *chosen, const struct row *row, struct json_writer *w)
{
	json_object_begin(w);
	if (row->owner) {
		json_member_string(w, "key", row->owner->key);
		json_key(w, "holder");
		if (row->owner->resource)
			supply_write_node(w, row->owner->resource, &row->owner->holder);
		else
			json_nil(w);
	}
	write_quantity(w, &row->mass, chosen->unit);
	supply_write_share(w, &row->share);
	json_object_end(w);
}

static void csv_row(const struct supply_chosen *chosen, const char *what, const struct row *row, struct buf *csv)
{
	struct supply_span mass;

	supply_span_init(&mass);
	supply_span_set(&mass, row->mass.min, row->mass.max);
	supply_from_base(chosen->unit, mass.min);
	supply_from_base(chosen->unit, mass.max);
	buf_printf(csv, "%s,%s", what, row->owner && row->owner->key ? row->owner->key : "");
	csv_span(csv, &mass, 1);
	buf_printf(csv, ",%s,%s", supply_unit_names[chosen->unit], supply_basis_names[chosen->basis]);
	csv_span(csv, &row->share, 100);
	buf_puts(csv, "\r\n");
	supply_span_clear(&mass);
}

static void write(const struct supply_chosen *chosen, const struct sums *s, const struct supply_output *out)
{
	const struct row *unexplained = &s->rows[s->n_rows - 1];
	struct row total = { 0 };

	if (out->csv) {
		supply_span_init(&total.share);
		total.mass = s->total;
		if (mpq_sgn(s->total.max) > 0) {
			total.share.known = true;
			mpq_set_ui(total.share.min, 1, 1);
			mpq_set_ui(total.share.max, 1, 1);
		}
		buf_puts(out->csv, "row,key," CSV_SPAN("quantity") ",unit,basis," CSV_PCT("") "\r\n");
		for (size_t i = 0; i + 1 < s->n_rows; i++)
			csv_row(chosen, "owner", &s->rows[i], out->csv);
		csv_row(chosen, "unexplained", unexplained, out->csv);
		csv_row(chosen, "total", &total, out->csv);
		supply_span_clear(&total.share);
		return;
	}
	json_key(out->json, "rows");
	json_array_begin(out->json);
	for (size_t i = 0; i + 1 < s->n_rows; i++)
		write_row(chosen, &s->rows[i], out->json);
	json_array_end(out->json);
	json_key(out->json, "unexplained");
	write_row(chosen, unexplained, out->json);
	json_key(out->json, "total");
	json_object_begin(out->json);
	write_quantity(out->json, &s->total, chosen->unit);
	json_member_string(out->json, "unit", chosen->count ? supply_unit_names[chosen->unit] : NULL);
	json_member_string(out->json, "basis", chosen->count ? supply_basis_names[chosen->basis] : NULL);
	json_object_end(out->json);
}

enum err supply_capacity_write(const struct supply_plants *plants, const struct supply_chosen *chosen,
			       const struct supply_portions *p, const struct supply_output *out)
{
	struct sums s = { 0 };
	enum err e;

	supply_span_init(&s.total);
	e = capacities(plants, chosen, out->memory, &s);
	if (e == OK)
		e = divide(p, out->memory, &s);
	for (size_t i = 0; e == OK && i < s.n_rows; i++) {
		if (s.rows[i].n > 0 && !s.rows[i].parts)
			e = ERR_NOMEM;
		else
			share(&s, &s.rows[i]);
	}
	if (e == OK && p->n_owners > 0)
		qsort(s.rows, p->n_owners, sizeof(*s.rows), by_quantity);
	if (e == OK)
		write(chosen, &s, out);
	sums_clear(&s);
	return e;
}

/* All that one table says, for those who tell it. */
#include "lodebase/analysis/supply_answers.h"

#include <stdlib.h>

int supply_only_stage(const struct supply_data *d, uint32_t mineral, enum supply_kind kind)
{
	unsigned stages = supply_stages_on_file(d, mineral, kind);

	if (stages == 0)
		return -1;
	return stages & (stages - 1) ? -2 : __builtin_ctz(stages);
}

static struct supply_span *const *spans(struct supply_summary *s, struct supply_span *ret[6])
{
	ret[0] = &s->denominator;
	ret[1] = &s->hhi;
	ret[2] = &s->top3;
	ret[3] = &s->leading;
	ret[4] = &s->list;
	ret[5] = &s->alliance;
	return ret;
}

void supply_summary_clear(struct supply_summary *s)
{
	struct supply_span *all[6];

	spans(s, all);
	for (size_t i = 0; i < 6; i++)
		supply_span_clear(all[i]);
	supply_table_clear(&s->table);
}

static int by_code(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Countries of either set that have no row beside other countries, each once. */
static enum err join(struct supply_summary *s, const uint16_t *a, size_t n_a, const uint16_t *b, size_t n_b,
		     struct arena *memory)
{
	uint16_t *all = arena_alloc(memory, (n_a + n_b) * sizeof(*all));
	size_t n = 0, distinct = 0;

	if (!all)
		return ERR_NOMEM;
	for (size_t i = 0; i < n_a; i++)
		all[n++] = a[i];
	for (size_t i = 0; i < n_b; i++)
		all[n++] = b[i];
	if (n > 0)
		qsort(all, n, sizeof(*all), by_code);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || all[i] != all[i - 1])
			all[distinct++] = all[i];
	s->unlisted = all;
	s->n_unlisted = distinct;
	return OK;
}

static enum err measure(const struct supply_data *d, const struct supply_question *q, struct arena *memory,
			struct supply_warnings *warnings, struct supply_summary *s)
{
	const uint16_t *unlisted[2] = { NULL, NULL };
	size_t n_unlisted[2] = { 0, 0 };
	bool exact = true;
	enum err e;

	supply_denominator(&s->table, &s->denominator);
	e = supply_hhi(&s->table, memory, &s->hhi, &exact);
	if (e == OK)
		e = supply_top3(&s->table, memory, &s->top3);
	s->leading_row = supply_leading(&s->table);
	if (s->leading_row >= 0)
		supply_row_share(&s->table, (size_t)s->leading_row, &s->leading);
	if (e == OK && q->of)
		e = supply_set_share(&s->table, q->list, s->table.year, memory, &s->list, &unlisted[0], &n_unlisted[0]);
	if (e == OK && q->alliance)
		e = supply_set_share(&s->table, q->members, s->table.year, memory, &s->alliance, &unlisted[1], &n_unlisted[1]);
	if (e == OK)
		e = join(s, unlisted[0], n_unlisted[0], unlisted[1], n_unlisted[1], memory);
	if (!exact && warnings)
		supply_warn(
			warnings, "not-exact", NULL, 0,
			"%s %s %d: so many figures are \"less than\" that the greatest index is only one that it cannot exceed",
			d->minerals[s->table.mineral].slug, supply_stage_names[s->table.stage], s->table.year);
	return e;
}

enum err supply_summarise(const struct supply_data *d, const struct supply_question *q, uint32_t mineral,
			  enum supply_stage stage, int year, struct arena *memory, struct supply_warnings *warnings,
			  struct supply_summary *ret)
{
	struct supply_span *all[6];
	enum err e;

	*ret = (struct supply_summary){ .leading_row = -1 };
	e = supply_table_build(d, mineral, stage, q->kind, year, memory, warnings, &ret->table);
	if (e != OK)
		return e;
	spans(ret, all);
	for (size_t i = 0; i < 6; i++)
		supply_span_init(all[i]);
	e = measure(d, q, memory, warnings, ret);
	if (e != OK)
		supply_summary_clear(ret);
	return e;
}

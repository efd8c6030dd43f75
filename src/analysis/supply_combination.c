/* Figures of a table with what plants add to it: where a table with shifted ends says it all, from that; else by a search. */
#include "supply_search.h"

#define USES_TRIED 64 /* between two ends of the utilisation */
#define CORNERS_MOST 16 /* rows between two ends of which supply_hhi() looks at every combination */

bool model_init(struct model *m, struct arena *a, size_t n_rows, size_t n_parts)
{
	*m = (struct model){ .n_rows = n_rows, .n_parts = n_parts };
	m->rows = arena_alloc(a, n_rows * sizeof(*m->rows));
	m->parts = arena_alloc(a, n_parts * sizeof(*m->parts));
	if (!m->rows || !m->parts)
		return false;
	mpq_inits(m->left, m->use[0], m->use[1], NULL);
	for (size_t i = 0; i < n_rows; i++)
		mpq_inits(m->rows[i].low, m->rows[i].high, NULL);
	for (size_t i = 0; i < n_parts; i++) {
		struct model_part *p = &m->parts[i];

		p->replaced = MODEL_NONE;
		mpq_inits(p->capacity[0], p->capacity[1], p->old[0], p->old[1], NULL);
	}
	return true;
}

bool model_spend(const struct model *m, size_t steps)
{
	if (!m->steps)
		return true;
	if (*m->steps < steps) {
		*m->steps = 0;
		return false;
	}
	*m->steps -= steps;
	return true;
}

void model_clear(struct model *m)
{
	for (size_t i = 0; i < m->n_rows; i++)
		mpq_clears(m->rows[i].low, m->rows[i].high, NULL);
	for (size_t i = 0; i < m->n_parts; i++) {
		struct model_part *p = &m->parts[i];

		mpq_clears(p->capacity[0], p->capacity[1], p->old[0], p->old[1], NULL);
	}
	mpq_clears(m->left, m->use[0], m->use[1], NULL);
}

void model_net(const struct model *m, const bool *of, mpq_t least, mpq_t greatest)
{
	mpq_t sum[2], product;

	mpq_inits(sum[0], sum[1], product, NULL);
	for (size_t i = 0; i < m->n_parts; i++) {
		if (!of[i])
			continue;
		for (int end = 0; end < 2; end++) {
			mpq_add(sum[end], sum[end], m->parts[i].capacity[end]);
			mpq_sub(sum[end], sum[end], m->parts[i].old[1 - end]);
		}
	}
	for (int end = 0; end < 2; end++) {
		mpq_mul(product, sum[0], m->use[end]);
		if (end == 0 || mpq_cmp(product, least) < 0)
			mpq_set(least, product);
		mpq_mul(product, sum[1], m->use[end]);
		if (end == 0 || mpq_cmp(product, greatest) > 0)
			mpq_set(greatest, product);
	}
	mpq_clears(sum[0], sum[1], product, NULL);
}

/* The table as it is with every part at this utilisation. Countries' ends move; none goes below nothing. */
static enum err shift(const struct model *m, const mpq_t use, struct arena *a, struct supply_table *t)
{
	mpq_t product;

	supply_table_init(t);
	t->rows = arena_alloc(a, m->n_rows * sizeof(*t->rows));
	if (!t->rows)
		return ERR_NOMEM;
	mpq_init(product);
	mpq_set(t->left, m->left);
	t->has_left = true;
	for (size_t i = 0; i < m->n_rows; i++) {
		struct supply_row *row = &t->rows[i];

		*row = (struct supply_row){ .scope = m->rows[i].other ? SUPPLY_OTHER : SUPPLY_COUNTRY,
					    .country = m->rows[i].other ? 0 : (uint16_t)(i + 1),
					    .placed = true };
		row->cell.open = m->rows[i].open;
		mpq_inits(row->cell.low, row->cell.high, NULL);
		mpq_set(row->cell.low, m->rows[i].low);
		mpq_set(row->cell.high, m->rows[i].high);
	}
	t->n_rows = m->n_rows;
	for (size_t i = 0; i < m->n_parts; i++) {
		const struct model_part *p = &m->parts[i];
		struct supply_cell *own = &t->rows[p->row].cell, *old = NULL;

		mpq_mul(product, use, p->capacity[0]);
		mpq_add(own->low, own->low, product);
		mpq_mul(product, use, p->capacity[1]);
		mpq_add(own->high, own->high, product);
		if (p->replaced == MODEL_NONE)
			continue;
		old = &t->rows[p->replaced].cell;
		mpq_mul(product, use, p->old[1]);
		mpq_sub(old->low, old->low, product);
		mpq_mul(product, use, p->old[0]);
		mpq_sub(old->high, old->high, product);
	}
	for (size_t i = 0; i < t->n_rows; i++) {
		if (mpq_sgn(t->rows[i].cell.low) < 0)
			mpq_set_ui(t->rows[i].cell.low, 0, 1);
		if (mpq_sgn(t->rows[i].cell.high) < 0)
			mpq_set_ui(t->rows[i].cell.high, 0, 1);
	}
	mpq_clear(product);
	supply_table_total(t);
	return OK;
}

static enum err table_share(const struct model *m, const struct supply_table *t, bool alliance, struct arena *a,
			    struct supply_span *ret)
{
	bool *member = arena_alloc(a, t->n_rows * sizeof(*member));
	bool unlisted = alliance ? m->alliance_unlisted : m->list_unlisted, others = false;
	struct supply_span with;

	if (!member)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->n_rows; i++)
		member[i] = alliance ? m->rows[i].allied : m->rows[i].listed;
	supply_share(t, member, ret);
	for (size_t i = 0; unlisted && i < t->n_rows; i++)
		if (m->rows[i].other)
			others = member[i] = true;
	if (!others || !ret->known)
		return OK;
	supply_span_init(&with);
	supply_share(t, member, &with);
	mpq_set(ret->max, with.max);
	supply_span_clear(&with);
	return OK;
}

static enum err table_measure(const struct model *m, enum model_measure measure, const mpq_t use, struct arena *a,
			      struct supply_span *ret)
{
	struct supply_table t;
	bool exact;
	enum err e = shift(m, use, a, &t);

	if (e == OK)
		e = measure == MODEL_HHI ? supply_hhi(&t, a, ret, &exact)
					 : table_share(m, &t, measure == MODEL_ALLIANCE, a, ret);
	supply_table_clear(&t);
	return e;
}

/* Takes what lies further out. */
static void widen(struct supply_span *ret, const struct supply_span *by)
{
	if (!by->known)
		return;
	if (!ret->known || mpq_cmp(by->min, ret->min) < 0)
		mpq_set(ret->min, by->min);
	if (!ret->known || mpq_cmp(by->max, ret->max) > 0)
		mpq_set(ret->max, by->max);
	ret->known = true;
}

/* What an index costs about. */
static size_t index_steps(const struct model *m)
{
	size_t ranges = 0, open = 1;

	for (size_t i = 0; i < m->n_rows; i++) {
		ranges += !mpq_equal(m->rows[i].low, m->rows[i].high);
		open += m->rows[i].open;
	}
	return ((size_t)1 << (ranges < CORNERS_MOST ? ranges : CORNERS_MOST)) * open + 16 * m->n_rows;
}

/* The least index is quasi-convex in the utilisation: one valley, found by narrowing. */
static enum err narrow(const struct model *m, struct arena *a, struct supply_span *ret)
{
	double low = mpq_get_d(m->use[0]), high = mpq_get_d(m->use[1]);
	struct supply_span left, right;
	mpq_t use;
	enum err e = OK;

	supply_span_init(&left);
	supply_span_init(&right);
	mpq_init(use);
	for (int i = 0; e == OK && i < USES_TRIED && model_spend(m, 2 * index_steps(m)); i++) {
		double a_third = low + (high - low) / 3, two_thirds = high - (high - low) / 3;

		mpq_set_d(use, a_third);
		e = table_measure(m, MODEL_HHI, use, a, &left);
		if (e != OK)
			break;
		mpq_set_d(use, two_thirds);
		e = table_measure(m, MODEL_HHI, use, a, &right);
		if (e != OK || !left.known || !right.known)
			break;
		widen(ret, &left);
		widen(ret, &right);
		if (mpq_cmp(left.min, right.min) <= 0)
			high = two_thirds;
		else
			low = a_third;
	}
	supply_span_clear(&left);
	supply_span_clear(&right);
	mpq_clear(use);
	return e;
}

static enum err from_tables(const struct model *m, enum model_measure measure, bool before, struct arena *a,
			    struct supply_span *ret)
{
	struct supply_span at;
	mpq_t none;
	enum err e = OK;

	supply_span_init(&at);
	mpq_init(none);
	for (int end = 0; e == OK && end < (before || mpq_equal(m->use[0], m->use[1]) ? 1 : 2); end++) {
		e = table_measure(m, measure, before ? none : m->use[end], a, &at);
		if (e == OK)
			widen(ret, &at);
	}
	if (e == OK && measure == MODEL_HHI && !before && !mpq_equal(m->use[0], m->use[1]))
		e = narrow(m, a, ret);
	mpq_clear(none);
	supply_span_clear(&at);
	return e;
}

enum err model_measure(const struct model *m, enum model_measure measure, enum model_state state, struct arena *memory,
		       struct supply_span *ret)
{
	bool replaces = false;

	ret->known = false;
	for (size_t i = 0; i < m->n_parts; i++)
		replaces = replaces || m->parts[i].replaced != MODEL_NONE;
	/* where something is taken off that a utilisation between the ends may use up, ends are not all */
	if (state == MODEL_BEFORE || (state == MODEL_ADD && (!replaces || mpq_equal(m->use[0], m->use[1]))))
		return from_tables(m, measure, state == MODEL_BEFORE, memory, ret);
	return model_search(m, measure, state, memory, ret);
}

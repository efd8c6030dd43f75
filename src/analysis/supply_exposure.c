/* Exposure: from trade by partner, or from published shares. */
#include "supply_exposure.h"

#include <string.h>

bool exposure_is_member(const struct supply_exposure_question *q, uint16_t country)
{
	for (size_t i = 0; i < q->n_members; i++)
		if (q->members[i] == country)
			return true;
	return false;
}

bool exposure_is_listed(const struct supply_exposure_question *q, uint16_t country)
{
	return !exposure_is_member(q, country) && supply_set_has(q->list, country, q->list_year);
}

struct supply_figures exposure_figures(const struct supply_data *d, const struct supply_exposure_question *q,
				       enum supply_kind kind, int year, uint16_t country)
{
	return supply_of_country(supply_find(d, q->mineral, q->stage, kind, year), country);
}

/* What a country trades with three kinds of partners: the list, members, and the rest. */
enum { LISTED, MEMBERS, OTHERS, PARTNERS };

struct trade {
	bool on_file;
	bool by_partner; /* there are parts, or the whole is nothing */
	bool bounded; /* every part has a greatest */
	bool has_whole;
	mpq_t low[PARTNERS], high[PARTNERS];
	mpq_t whole_low, whole_high;
};

static void trade_init(struct trade *t)
{
	*t = (struct trade){ .bounded = true };
	mpq_inits(t->whole_low, t->whole_high, NULL);
	for (int p = 0; p < PARTNERS; p++)
		mpq_inits(t->low[p], t->high[p], NULL);
}

static void trade_clear(struct trade *t)
{
	mpq_clears(t->whole_low, t->whole_high, NULL);
	for (int p = 0; p < PARTNERS; p++)
		mpq_clears(t->low[p], t->high[p], NULL);
}

/* Whether a partner of some kind could be among those that have no figure. */
static bool has_unnamed(const struct supply_exposure_question *q, struct supply_figures all, int side, uint16_t self)
{
	if (side == MEMBERS) {
		for (size_t i = 0; i < q->n_members; i++)
			if (q->members[i] != self && supply_of_partner(all, q->members[i]).count == 0)
				return true;
		return false;
	}
	for (size_t i = 0; q->list && i < q->list->count; i++)
		if (exposure_is_listed(q, q->list->members[i].country) &&
		    supply_of_partner(all, q->list->members[i].country).count == 0)
			return true;
	return false;
}

/* The parts by partner, and what the whole leaves to those that are open or not named. */
static enum err trade_read(const struct supply_data *d, const struct supply_exposure_question *q, enum supply_kind kind,
			   int year, uint16_t country, struct arena *memory, struct supply_warnings *warnings, struct trade *t)
{
	struct supply_figures all = exposure_figures(d, q, kind, year, country);
	enum supply_basis basis = supply_basis_of_most(all);
	bool open[PARTNERS] = { false, false, false };
	mpq_t rest;
	enum err e = OK;

	t->on_file = all.count > 0;
	mpq_init(rest);
	for (size_t begin = 0, end; e == OK && begin < all.count; begin = end) {
		struct supply_figures part = supply_of_partner(all, all.first[begin].partner);
		uint16_t partner = all.first[begin].partner;
		int side = exposure_is_member(q, partner) ? MEMBERS : exposure_is_listed(q, partner) ? LISTED : OTHERS;
		struct supply_cell cell;

		end = begin + part.count;
		e = supply_cell_sum(d, part, basis, memory, warnings, &cell);
		if (e != OK)
			break;
		if (!partner && cell.figures > 0) {
			t->has_whole = !cell.open;
			t->bounded = !cell.open;
			mpq_set(t->whole_low, cell.low);
			mpq_set(t->whole_high, cell.high);
			mpq_set(rest, cell.high);
		} else if (partner) {
			t->by_partner = true;
			open[side] = open[side] || cell.open;
			mpq_add(t->low[side], t->low[side], cell.low);
			mpq_add(t->high[side], t->high[side], cell.high);
		}
		supply_cell_clear(&cell);
	}
	for (int side = 0; side < PARTNERS; side++)
		mpq_sub(rest, rest, t->low[side]);
	if (mpq_sgn(rest) < 0)
		mpq_set_ui(rest, 0, 1);
	if (t->has_whole && mpq_sgn(t->whole_high) == 0)
		t->by_partner = true;
	/* who could have it, the list before the members: it can be only with one of them */
	for (int side = 0; side < PARTNERS; side++) {
		if (!t->has_whole) {
			t->bounded = t->bounded && !open[side];
		} else if (open[side] || (side != OTHERS && has_unnamed(q, all, side, country))) {
			mpq_add(t->high[side], t->high[side], rest);
			mpq_set_ui(rest, 0, 1);
		}
	}
	mpq_clear(rest);
	return e;
}

/* Adds what a country made and took from stocks. */
static enum err add_own(const struct supply_data *d, const struct supply_exposure_question *q, int year, uint16_t country,
			struct arena *memory, struct supply_warnings *warnings, mpq_t low, mpq_t high, bool *ret_bounded)
{
	static const enum supply_kind kinds[] = { SUPPLY_PRODUCTION, SUPPLY_SECONDARY, SUPPLY_STOCK_CHANGE };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct supply_figures all = exposure_figures(d, q, kinds[k], year, country);
		struct supply_cell cell;
		enum err e = supply_cell_sum(d, all, supply_basis_of_most(all), memory, warnings, &cell);

		if (e != OK)
			return e;
		*ret_bounded = *ret_bounded && !cell.open;
		mpq_add(low, low, cell.low);
		mpq_add(high, high, cell.high);
		supply_cell_clear(&cell);
	}
	return OK;
}

/* The year of trade: that asked for where any member has imports in it, else the newest. */
static int trade_year(const struct supply_data *d, const struct supply_exposure_question *q)
{
	struct supply_figures all = supply_find(d, q->mineral, q->stage, SUPPLY_IMPORTS, 0);
	int newest = 0;

	for (size_t i = 0; i < all.count; i++) {
		if (all.first[i].scope != SUPPLY_COUNTRY || !exposure_is_member(q, all.first[i].country))
			continue;
		if (q->year && all.first[i].year == q->year)
			return q->year;
		if (all.first[i].year > newest)
			newest = all.first[i].year;
	}
	return newest;
}

/* The sums over members: what comes from the list, and what else is consumed where that is least and where it is greatest. */
struct consumption {
	mpq_t from[2]; /* least, greatest */
	mpq_t beside[2]; /* the most beside the least from the list; the least beside the most */
	bool computable; /* all is on file, and by partner */
	bool bounded;
	const struct supply_relief *reliefs;
	size_t n_reliefs;
	mpq_t first[2]; /* what plants take from the list's imports where these go first; by the end of `from` */
	mpq_t pro_rata[2][2]; /* where all imports go alike; by the ends of `from` and `beside` */
	bool whole; /* a total is on file: then the ends are of one combination only where both are least, or both greatest */
};

/* What does not come from the list, or go to members, between its ends. */
static void beside(const struct trade *t, bool without_list, mpq_t least, mpq_t most)
{
	if (!t->has_whole) {
		mpq_set(least, t->low[OTHERS]);
		mpq_set(most, t->high[OTHERS]);
		if (!without_list) {
			mpq_add(least, least, t->low[LISTED]);
			mpq_add(most, most, t->high[LISTED]);
		}
		return;
	}
	mpq_sub(least, t->whole_low, t->high[MEMBERS]);
	mpq_sub(most, t->whole_high, t->low[MEMBERS]);
	if (without_list) {
		mpq_sub(least, least, t->high[LISTED]);
		mpq_sub(most, most, t->low[LISTED]);
	}
	if (mpq_sgn(least) < 0)
		mpq_set_ui(least, 0, 1);
	if (mpq_cmp(most, least) < 0)
		mpq_set(most, least);
}

/* What a member's own plants take from its imports. */
static void relieve(const struct supply_relief *r, const struct trade *in, struct consumption *c)
{
	mpq_t made, total, part;

	mpq_inits(made, total, part, NULL);
	for (int end = 0; end < 2; end++) {
		const mpq_t *listed = end ? (const mpq_t *)&in->high[LISTED] : (const mpq_t *)&in->low[LISTED];

		if (mpq_sgn(r->greatest) > 0) {
			mpq_set(part, mpq_cmp(r->greatest, *listed) < 0 ? r->greatest : *listed);
			mpq_add(c->first[end], c->first[end], part);
		}
		for (int most = 0; most < 2; most++) { /* 0: of what is beside it */
			if (in->has_whole) {
				mpq_set(total, most ? in->whole_low : in->whole_high);
			} else {
				mpq_add(total, *listed, most ? in->low[OTHERS] : in->high[OTHERS]);
				mpq_add(total, total, most ? in->low[MEMBERS] : in->high[MEMBERS]);
			}
			if (mpq_cmp(total, *listed) < 0)
				mpq_set(total, *listed);
			if (mpq_sgn(r->least) <= 0 || mpq_sgn(total) <= 0)
				continue;
			mpq_set(made, mpq_cmp(r->least, total) < 0 ? r->least : total);
			mpq_div(part, made, total);
			mpq_mul(part, part, *listed);
			mpq_add(c->pro_rata[end][most], c->pro_rata[end][most], part);
		}
	}
	mpq_clears(made, total, part, NULL);
}

static enum err add_member(const struct supply_data *d, const struct supply_exposure_question *q, int year, uint16_t country,
			   struct arena *memory, struct supply_warnings *warnings, struct consumption *c)
{
	struct trade in, out;
	mpq_t least, most;
	enum err e;

	trade_init(&in);
	trade_init(&out);
	mpq_inits(least, most, NULL);
	e = trade_read(d, q, SUPPLY_IMPORTS, year, country, memory, warnings, &in);
	if (e == OK)
		e = trade_read(d, q, SUPPLY_EXPORTS, year, country, memory, warnings, &out);
	c->whole = c->whole || in.has_whole || out.has_whole;
	c->computable = c->computable && in.by_partner && out.on_file;
	c->bounded = c->bounded && in.bounded && out.bounded;
	for (size_t i = 0; i < c->n_reliefs; i++)
		if (c->reliefs[i].country == country)
			relieve(&c->reliefs[i], &in, c);
	mpq_add(c->from[0], c->from[0], in.low[LISTED]);
	mpq_add(c->from[1], c->from[1], in.high[LISTED]);
	beside(&in, true, least, most);
	mpq_add(c->beside[0], c->beside[0], most);
	mpq_add(c->beside[1], c->beside[1], least);
	beside(&out, false, least, most);
	mpq_sub(c->beside[0], c->beside[0], least);
	mpq_sub(c->beside[1], c->beside[1], most);
	if (e == OK)
		e = add_own(d, q, year, country, memory, warnings, c->beside[1], c->beside[0], &c->bounded);
	trade_clear(&in);
	trade_clear(&out);
	mpq_clears(least, most, NULL);
	return e;
}

/* Takes what lies further out. */
static void widen(struct supply_span *s, const mpq_t value)
{
	if (!s->known || mpq_cmp(value, s->min) < 0)
		mpq_set(s->min, value);
	if (!s->known || mpq_cmp(value, s->max) > 0)
		mpq_set(s->max, value);
	s->known = true;
}

/* The figure after, and its change; the sums are whole. */
static void relieved(const struct consumption *c, struct supply_span *after, struct supply_span *change)
{
	mpq_t value;

	mpq_init(value);
	for (int end = 0; end < 2; end++)
		for (int most = 0; most < 2; most++) {
			mpq_t total;

			if (c->whole && end != most)
				continue;
			mpq_init(total);
			mpq_add(total, c->from[end], c->beside[most]);
			for (int pro_rata = 0; mpq_sgn(total) > 0 && pro_rata < 2; pro_rata++) {
				mpq_div(value, pro_rata ? c->pro_rata[end][most] : c->first[end], total);
				mpq_neg(value, value);
				widen(change, value);
				mpq_sub(value, c->from[end], pro_rata ? c->pro_rata[end][most] : c->first[end]);
				mpq_div(value, value, total);
				widen(after, value);
			}
			mpq_clear(total);
		}
	mpq_clear(value);
}

static void consumption_init(struct consumption *c)
{
	mpq_inits(c->from[0], c->from[1], c->beside[0], c->beside[1], c->first[0], c->first[1], NULL);
	for (int end = 0; end < 2; end++)
		mpq_inits(c->pro_rata[end][0], c->pro_rata[end][1], NULL);
}

static void consumption_clear(struct consumption *c)
{
	mpq_clears(c->from[0], c->from[1], c->beside[0], c->beside[1], c->first[0], c->first[1], NULL);
	for (int end = 0; end < 2; end++)
		mpq_clears(c->pro_rata[end][0], c->pro_rata[end][1], NULL);
}

/* after NULL: it is not asked. */
static enum err from_trade(const struct supply_data *d, const struct supply_exposure_question *q,
			   const struct supply_relief *reliefs, size_t n, struct arena *memory,
			   struct supply_warnings *warnings, struct supply_span *ret, struct supply_span *after,
			   struct supply_span *change, bool *ret_computable)
{
	int year = trade_year(d, q);
	struct consumption c = {
		.computable = q->n_members > 0 && year > 0, .bounded = true, .reliefs = reliefs, .n_reliefs = n
	};
	mpq_t least, most;
	enum err e = OK;

	consumption_init(&c);
	mpq_inits(least, most, NULL);
	for (size_t i = 0; e == OK && c.computable && i < q->n_members; i++)
		e = add_member(d, q, year, q->members[i], memory, warnings, &c);
	*ret_computable = c.computable;
	if (e == OK && c.computable && c.bounded) {
		mpq_add(most, c.beside[0], c.from[0]);
		mpq_add(least, c.beside[1], c.from[1]);
		ret->known = mpq_sgn(most) > 0 && mpq_sgn(least) > 0;
	}
	if (ret->known) {
		mpq_div(ret->min, c.from[0], most);
		mpq_div(ret->max, c.from[1], least);
	}
	if (ret->known && after)
		relieved(&c, after, change);
	mpq_clears(least, most, NULL);
	consumption_clear(&c);
	return e;
}

enum err supply_exposure_relieved(const struct supply_data *d, const struct supply_exposure_question *q,
				  const struct supply_relief *reliefs, size_t n, struct arena *memory,
				  struct supply_warnings *warnings, struct supply_span *before, struct supply_span *after,
				  struct supply_span *change)
{
	bool computable = false;
	enum err e;

	before->known = false;
	mpq_set_ui(before->min, 0, 1);
	mpq_set_ui(before->max, 0, 1);
	if (after)
		after->known = change->known = false;
	e = from_trade(d, q, reliefs, n, memory, warnings, before, after, change, &computable);
	if (e == OK && !computable && q->n_members == 1)
		e = exposure_from_shares(d, q, memory, warnings, before);
	return e == OK && warnings->failed ? ERR_NOMEM : e;
}

enum err supply_exposure(const struct supply_data *d, const struct supply_exposure_question *q, struct arena *memory,
			 struct supply_warnings *warnings, struct supply_span *ret)
{
	return supply_exposure_relieved(d, q, NULL, 0, memory, warnings, ret, NULL, NULL);
}

/* The 100 % rule in the state after a what-if, as the database judges it of writes: the closed, non-contingent economic shares of a
 * subject, exactly and in time. A range counts with its minimum. */
#include "what_if.h"

#include <gmp.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/clock.h"
#include "lodebase/base/decimal.h"
#include "lodebase/base/uuid.h"

#define DENOMINATORS_MAX 400 /* different ones whose common multiple is taken; with more, shares are rounded up far behind */
#define LISTED_MAX 1000 /* stakes that a 409 lists */
#define DETAIL "the closed, non-contingent economic shares of one subject would sum to more than 100 %% at one time"

/* A stake that counts. */
struct part {
	struct graph_stake_info stake;
	struct graph_ratio share; /* reduced */
	uint32_t place; /* in the overlay; GRAPH_NONE: on file */
};

struct event {
	int32_t day;
	bool ends;
	const struct part *part;
};

struct column {
	const struct what_if *w;
	uint32_t subject;
	struct part *parts;
	size_t n, capacity;
	mpz_t unit, total;
	int32_t day; /* the first on which it is too much */
};

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static bool add(struct column *x, const struct graph_stake_info *stake, uint32_t place)
{
	struct graph_ratio share = stake->economic.min;
	uint64_t divisor;

	if (stake->contingent || 1u << stake->stage != ownership_stage("closed") || !stake->economic.given ||
	    share.numerator == 0)
		return true;
	divisor = greatest_common_divisor(share.numerator, share.denominator);
	share = (struct graph_ratio){ share.numerator / divisor, share.denominator / divisor };
	if (arena_grow(x->w->arena, (void **)&x->parts, &x->capacity, x->n + 1, sizeof(*x->parts)) != 0)
		return false;
	x->parts[x->n++] = (struct part){ .stake = *stake, .share = share, .place = place };
	return true;
}

static enum err collect(struct column *x, bool inline_only)
{
	const struct graph_at *at = &x->w->inquiry.at;
	const struct graph_overlay *o = &x->w->overlay;
	uint32_t *versions = NULL;
	size_t n = 0;
	enum err e = x->subject < at->moment.nodes ? graph_stakes_in(at, x->subject, x->w->arena, &versions, &n) : OK;

	if (e != OK)
		return e;
	if (inline_only && n > INLINE_LINKS)
		return ERR_FULL;
	for (size_t i = 0; i < n; i++) {
		struct graph_stake_info stake;

		if (!what_if_is_removed(x->w, versions[i]) && graph_stake_at(at, versions[i], &stake) &&
		    !add(x, &stake, GRAPH_NONE))
			return ERR_NOMEM;
	}
	for (uint32_t i = 0; i < o->n_stakes; i++)
		if (o->stakes[i].stake.subject == x->subject && !add(x, &o->stakes[i].stake, i))
			return ERR_NOMEM;
	return OK;
}

static int by_denominator(const void *left, const void *right)
{
	const uint64_t *l = left, *r = right;

	return *l < *r ? -1 : *l > *r;
}

/* The unit of which all shares are whole numbers, as far as there is one of bearable size: 1 / unit of the whole. */
static bool choose_unit(struct column *x)
{
	uint64_t *all = arena_alloc(x->w->arena, x->n * sizeof(*all));
	size_t n = 0, kept = 0;

	if (!all)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (GRAPH_PCT_WHOLE % x->parts[i].share.denominator != 0)
			all[n++] = x->parts[i].share.denominator;
	if (n > 1)
		qsort(all, n, sizeof(*all), by_denominator);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || all[kept - 1] != all[i])
			all[kept++] = all[i];
	mpz_set_ui(x->unit, GRAPH_PCT_WHOLE);
	if (kept > DENOMINATORS_MAX)
		mpz_ui_pow_ui(x->unit, 10, 62);
	for (size_t i = 0; kept <= DENOMINATORS_MAX && i < kept; i++)
		mpz_lcm_ui(x->unit, x->unit, all[i]);
	return true;
}

static int by_day(const void *left, const void *right)
{
	const struct event *l = left, *r = right;

	return l->day < r->day ? -1 : l->day > r->day;
}

/* Running sums over the days on which stakes begin and end; those of one day count together, because intervals are half-open.
 * *ret_broken: it came to more than the whole, on x->day, to x->total. */
static bool sum(struct column *x, bool *ret_broken)
{
	struct event *events = arena_alloc(x->w->arena, 2 * x->n * sizeof(*events));
	size_t n = 0;
	mpz_t units;

	*ret_broken = false;
	if (!events)
		return false;
	for (size_t i = 0; i < x->n; i++) {
		events[n++] = (struct event){ x->parts[i].stake.valid_from, false, &x->parts[i] };
		if (x->parts[i].stake.valid_to != GRAPH_DAY_LAST)
			events[n++] = (struct event){ x->parts[i].stake.valid_to, true, &x->parts[i] };
	}
	if (n > 1)
		qsort(events, n, sizeof(*events), by_day);
	mpz_init(units);
	for (size_t i = 0; i < n && !*ret_broken; i++) {
		const struct graph_ratio share = events[i].part->share;

		mpz_mul_ui(units, x->unit, share.numerator);
		mpz_cdiv_q_ui(units, units, share.denominator);
		if (events[i].ends)
			mpz_sub(x->total, x->total, units);
		else
			mpz_add(x->total, x->total, units);
		if ((i + 1 == n || events[i + 1].day != events[i].day) && mpz_cmp(x->total, x->unit) > 0) {
			*ret_broken = true;
			x->day = events[i].day;
		}
	}
	mpz_clear(units);
	return true;
}

/* --- 409 --- */

static int greatest_first(const void *left, const void *right)
{
	const struct part *l = left, *r = right;
	__extension__ const unsigned __int128 a = (unsigned __int128)l->share.numerator * r->share.denominator,
					      b = (unsigned __int128)r->share.numerator * l->share.denominator;

	if (a != b)
		return a > b ? -1 : 1;
	return memcmp(&l->stake.id, &r->stake.id, sizeof(l->stake.id));
}

/* Half up to twelve decimals; what is more than 100 by less than that is still told as more than 100. */
static void write_total(struct json_writer *w, const struct column *x)
{
	char text[64];
	size_t n;
	mpz_t units;

	mpz_init(units);
	mpz_mul_ui(units, x->total, 2 * (uint64_t)GRAPH_PCT_WHOLE);
	mpz_add(units, units, x->unit);
	mpz_fdiv_q(units, units, x->unit);
	mpz_fdiv_q_2exp(units, units, 1);
	if (mpz_cmp_ui(units, GRAPH_PCT_WHOLE) <= 0)
		mpz_set_ui(units, GRAPH_PCT_WHOLE + 1);
	n = (size_t)gmp_snprintf(text, sizeof(text), "%Zd", units); /* 10^9 stakes of the whole have 23 digits */
	mpz_clear(units);
	memmove(text + n - 11, text + n - 12, 13);
	text[n - 12] = '.';
	while (text[n] == '0')
		n--;
	json_raw(w, text, text[n] == '.' ? n : n + 1);
}

static void write_day(struct json_writer *w, int32_t day)
{
	char text[CLOCK_TIME_SIZE];

	if (day == GRAPH_DAY_FIRST) {
		json_nil(w);
		return;
	}
	clock_format_us((int64_t)day * 86400 * 1000000, text);
	json_str_n(w, text, strlen("YYYY-MM-DD"));
}

static void write_part(struct json_writer *w, const struct inquiry *after, const struct part *p)
{
	struct decimal pct;
	struct graph_node holder;
	char id[UUID_TEXT_SIZE];

	inquiry_node(after, p->stake.holder, &holder);
	json_object_begin(w);
	uuid_to_text(&p->stake.id, id);
	json_member_string(w, "id", id);
	json_member_string(w, "slug", p->stake.slug);
	json_key(w, "holder");
	json_object_begin(w);
	uuid_to_text(&holder.id, id);
	json_member_string(w, "id", id);
	json_member_string(w, "slug", holder.slug);
	json_member_string(w, "name", holder.name);
	json_object_end(w);
	json_key(w, "economic_pct");
	if (decimal_percentage((int64_t)p->share.numerator, (int64_t)p->share.denominator, &pct) == OK)
		json_raw(w, pct.text, strlen(pct.text));
	else
		json_nil(w);
	json_object_end(w);
}

/* The further members of the problem, of the first subject that breaks the rule. */
static void write_members(struct column *x, size_t n, struct answer *a)
{
	struct inquiry after = x->w->inquiry;
	struct graph_node subject;
	struct json_writer w;

	after.overlay = &x->w->overlay;
	inquiry_node(&after, x->subject, &subject);
	json_begin(&w, &a->extra);
	buf_puts(&a->extra, "\"subject\":");
	write_node(&w, &subject);
	buf_puts(&a->extra, ",\"at\":");
	json_begin(&w, &a->extra);
	write_day(&w, x->day);
	buf_puts(&a->extra, ",\"total_pct\":");
	json_begin(&w, &a->extra);
	write_total(&w, x);
	buf_puts(&a->extra, ",\"stakes\":");
	json_begin(&w, &a->extra);
	json_array_begin(&w);
	for (size_t i = 0; i < n && i < LISTED_MAX; i++)
		write_part(&w, &after, &x->parts[i]);
	json_array_end(&w);
}

static void tell(struct column *x, struct answer *a, bool is_first)
{
	const struct what_if *w = x->w;
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++) { /* those that count on that day */
		const struct graph_stake_info *s = &x->parts[i].stake;

		if (s->valid_from <= x->day && s->valid_to > x->day)
			x->parts[n++] = x->parts[i];
	}
	if (n > 1)
		qsort(x->parts, n, sizeof(*x->parts), greatest_first);
	for (size_t i = 0; i < n; i++) {
		uint32_t place = x->parts[i].place;

		if (place == GRAPH_NONE)
			continue;
		a->faults.prefix = place < w->add.n ? w->add.entries[place].faults.prefix
						    : w->change.entries[place - w->add.n].faults.prefix;
		faults_member(&a->faults, "economic_pct", "range",
			      "with it the closed, non-contingent shares of the subject would sum to more than 100 %%");
	}
	if (is_first)
		write_members(x, n, a);
}

static enum err judge(const struct what_if *w, uint32_t subject, bool inline_only, struct answer *a, bool *ret_answered)
{
	struct column x = { .w = w, .subject = subject };
	bool is_broken = false;
	enum err e;

	mpz_init(x.unit);
	mpz_init(x.total);
	e = collect(&x, inline_only);
	if (e == OK && (!choose_unit(&x) || !sum(&x, &is_broken)))
		e = ERR_NOMEM;
	if (e == OK && is_broken) {
		tell(&x, a, !*ret_answered);
		*ret_answered = true;
	}
	mpz_clear(x.unit);
	mpz_clear(x.total);
	return e;
}

static int by_number(const void *left, const void *right)
{
	const uint32_t *l = left, *r = right;

	return *l < *r ? -1 : *l > *r;
}

enum err what_if_allocation(const struct what_if *w, bool inline_only, struct answer *a, bool *ret_answered)
{
	uint32_t *subjects = arena_alloc(w->arena, (w->overlay.n_stakes + 1) * sizeof(*subjects));
	enum err e = OK;
	size_t n = 0;

	*ret_answered = false;
	if (!subjects)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < w->overlay.n_stakes; i++)
		subjects[n++] = w->overlay.stakes[i].stake.subject;
	if (n > 1)
		qsort(subjects, n, sizeof(*subjects), by_number);
	for (size_t i = 0; e == OK && i < n; i++)
		if (i == 0 || subjects[i] != subjects[i - 1])
			e = judge(w, subjects[i], inline_only, a, ret_answered);
	return e == OK && *ret_answered ? answer_problem(a, 409, "over-allocated", DETAIL) : e;
}

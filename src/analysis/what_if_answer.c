/* The answers of a what-if: each question twice, of the register as it stands and with the overlay. */
#include "what_if.h"

#include <string.h>

#define INLINE_QUESTIONS 4 /* more than these are answered on a compute thread */

static enum err ask(const struct inquiry *i, const struct what_if_question *q, struct answer *a)
{
	switch (q->ask) {
	case WHAT_IF_OWNERS:
		return owners_answer(i, &q->query, a);
	case WHAT_IF_HOLDINGS:
		return holdings_answer(i, &q->query, a);
	case WHAT_IF_CAP_TABLE:
		return cap_table_answer(i, &q->query, a);
	case WHAT_IF_SCREENING:
		return screening_answer(i, q->screening, a);
	default:
		return ERR_INVALID;
	}
}

/* A body of its own line as a member of another. */
static void put_body(struct json_writer *w, const struct buf *body)
{
	size_t n = body->len;

	if (n > 0 && body->data[n - 1] == '\n')
		n--;
	json_raw(w, body->data ? body->data : "", n);
}

/* What the call itself would answer: its body, or its problem. */
static enum err answer_one(const struct what_if *w, const struct inquiry *i, const struct what_if_question *q,
			   struct json_writer *out)
{
	struct answer a;
	enum err e;

	answer_init(&a, w->arena);
	e = ask(i, q, &a);
	if (e == OK && a.status != 200) {
		const struct problem p = { .status = a.status,
					   .type = a.problem,
					   .detail = a.detail,
					   .faults = &a.faults,
					   .extra = a.extra.data,
					   .extra_len = a.extra.len };

		buf_reset(&a.body);
		problem_write(&a.body, &p, q->address, w->request_id);
	}
	if (a.body.failed || a.extra.failed)
		e = ERR_NOMEM;
	if (e == OK)
		put_body(out, &a.body);
	answer_done(&a);
	return e;
}

static enum err answer_question(const struct what_if *w, const struct what_if_question *q, struct json_writer *out)
{
	struct inquiry i = w->inquiry;
	enum err e;

	json_object_begin(out);
	json_key(out, "before");
	e = answer_one(w, &i, q, out);
	i.overlay = &w->overlay;
	json_key(out, "after");
	if (e == OK)
		e = answer_one(w, &i, q, out);
	json_object_end(out);
	return e;
}

enum err what_if_answer(struct what_if *w, struct answer *a)
{
	struct json_writer out;
	bool answered = false;
	enum err e;

	if (w->inquiry.inline_only && w->n_questions > INLINE_QUESTIONS)
		return ERR_FULL;
	e = what_if_allocation(w, w->inquiry.inline_only, a, &answered);
	if (e != OK || answered)
		return e;
	json_begin(&out, &a->body);
	json_object_begin(&out);
	json_member_string(&out, "valid_at", w->valid_at);
	write_known(&out, &w->inquiry);
	json_key(&out, "answers");
	json_array_begin(&out);
	for (size_t k = 0; e == OK && k < w->n_questions; k++) {
		if (w->inquiry.cancelled && atomic_load(w->inquiry.cancelled))
			return ERR_UNAVAILABLE;
		e = answer_question(w, &w->questions[k], &out);
	}
	json_array_end(&out);
	json_object_end(&out);
	buf_putc(&a->body, '\n');
	return e;
}

/* Requests and moments. A worker has one moment and takes the next when it is woken, or when a request comes; a request that needs
 * a later one is put aside until it is there. */
#include "follow.h"

#include <stdlib.h>
#include <string.h>
#include "follower_internal.h"
#include "internal.h"
#include "lodebase/base/clock.h"

struct follow {
	struct follower *follower;
	struct mailbox *box;
	struct moment *current; /* with a reference; NULL: none yet */
	char *sealed; /* current's revision as clients get it; NULL: nobody asked yet */
	struct follow_state *first; /* waiting */
};

/* What one call needs of a moment. */
struct follow_state {
	struct call *call;
	void (*ready)(struct call *c);
	uint64_t writes, asked_us;
	struct graph_known known; /* what c->known says */
	struct follow_state *previous, *next;
	bool waiting;
};

enum err follow_new(struct api *api, struct follow **ret)
{
	struct follower *follower = api->shared->follower;
	struct follow *f = calloc(1, sizeof(*f));

	*ret = f;
	if (!f)
		return ERR_NOMEM;
	f->follower = follower;
	if (follower && api->worker < follower->config.n_workers) {
		f->box = &follower->boxes[api->worker];
		f->box->loop = api->loop;
	}
	return OK;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	if (f->box)
		f->box->loop = NULL;
	moment_unref(f->current);
	free(f->sealed);
	free(f);
}

void follow_wrote(struct api *api)
{
	follower_wrote(api->shared->follower);
}

static void take(struct follow *f)
{
	struct moment *m = atomic_exchange_explicit(&f->box->slot, NULL, memory_order_acq_rel);

	if (!m)
		return;
	moment_unref(f->current);
	f->current = m;
	free(f->sealed);
	f->sealed = NULL;
}

static bool suffices(const struct moment *m, const struct follow_state *w)
{
	if (!m || m->complete_to < w->writes)
		return false;
	switch (w->known.kind) {
	case GRAPH_KNOWN_SNAPSHOT:
		return graph_known_covers(&m->covers, &w->known);
	case GRAPH_KNOWN_TIME:
		return m->began_us >= w->asked_us; /* what was being written at that time had ended by then */
	default:
		return true;
	}
}

static void ask(struct follow *f)
{
	atomic_store(&f->box->waiting, true);
	follower_ask(f->follower);
}

void follow_leave(struct call *c)
{
	struct follow_state *w = c->follow;

	if (!w || !w->waiting)
		return;
	w->waiting = false;
	if (w->previous)
		w->previous->next = w->next;
	else
		c->api->follow->first = w->next;
	if (w->next)
		w->next->previous = w->previous;
	loop_timer_cancel(c->api->loop, &c->pause);
}

void follow_done(struct call *c)
{
	follow_leave(c);
	moment_unref(c->moment);
	c->moment = NULL;
}

static void go_on(struct follow *f, struct follow_state *w)
{
	moment_ref(f->current);
	moment_unref(w->call->moment); /* where it asks again */
	w->call->moment = f->current;
	w->ready(w->call);
}

void follow_woken(struct api *api)
{
	struct follow *f = api->follow;
	struct follow_state *w;

	if (!f->box)
		return;
	take(f);
	/* from the first again: what goes on may end others */
	for (w = f->first; w;) {
		if (!suffices(f->current, w)) {
			w = w->next;
			continue;
		}
		follow_leave(w->call);
		go_on(f, w);
		w = f->first;
	}
	if (f->first)
		ask(f);
}

static void expired(struct loop_timer *t)
{
	struct call *c = t->data;

	follow_leave(c);
	call_unavailable(c, "the ownership graph is not up to date: the database is away, or much is being written; ask again");
}

static void wait(struct follow_state *w)
{
	struct call *c = w->call;
	struct follow *f = c->api->follow;

	c->pause.fire = expired;
	c->pause.data = c;
	if (loop_timer_set(c->api->loop, &c->pause, clock_monotonic_ms() + c->api->shared->request_timeout_ms / 2) != OK) {
		call_out_of_memory(c);
		return;
	}
	w->previous = NULL;
	w->next = f->first;
	if (f->first)
		f->first->previous = w;
	f->first = w;
	w->waiting = true;
	ask(f);
}

static void look(struct call *c)
{
	struct follow_state *w = c->follow;
	struct follow *f = c->api->follow;

	take(f);
	if (suffices(f->current, w))
		go_on(f, w);
	else if (!f->current && !follower_state(f->follower).loaded)
		call_unavailable(c, "the ownership graph is being loaded");
	else
		wait(w);
}

/* c->known as the register has it. */
static enum err read_known(struct call *c, struct graph_known *ret)
{
	const struct known *k = &c->known;

	*ret = (struct graph_known){ .kind = GRAPH_KNOWN_ALL };
	switch (k->kind) {
	case KNOWN_TIME:
		ret->kind = GRAPH_KNOWN_TIME;
		return clock_parse_us(k->time, strlen(k->time), &ret->time_us) ? OK : ERR_INVALID;
	case KNOWN_REVISION:
		return graph_known_snapshot(k->snapshot, (uint32_t)strtoul(k->epoch, NULL, 10), c->arena, ret);
	default:
		return OK;
	}
}

void follow_wait(struct call *c, void (*ready)(struct call *c))
{
	struct follow_state *w = arena_alloc(c->arena, sizeof(*w));
	const _Atomic uint64_t *writes = c->api->shared->writes;

	if (!c->api->follow->box) {
		call_unavailable(c, "there is no ownership graph");
		return;
	}
	if (!w || read_known(c, &w->known) != OK) {
		call_out_of_memory(c);
		return;
	}
	w->call = c;
	w->ready = ready;
	w->writes = writes ? atomic_load_explicit(writes, memory_order_acquire) : 0;
	w->asked_us = clock_monotonic_us();
	c->follow = w;
	cursor_secret_load(c, look); /* for the revision that the answer tells */
}

struct graph_at follow_at(const struct call *c)
{
	return (struct graph_at){ .moment = c->moment->at.moment, .known = c->follow->known };
}

/* Sealing takes two rounds of SHA-256, and most requests of a worker have one moment: it keeps that one's. */
static const char *sealed(struct call *c)
{
	struct follow *f = c->api->follow;
	const struct moment *m = c->moment;
	const char *text = m == f->current ? f->sealed : NULL;
	struct known known = { .kind = KNOWN_REVISION, .snapshot = m->snapshot, .epoch = call_format(c, "%u", m->epoch) };

	if (text)
		return arena_strdup(c->arena, text);
	memcpy(known.time, m->time, sizeof(known.time));
	text = known_seal(c, &known);
	if (text && m == f->current)
		f->sealed = strdup(text); /* where memory is out the next one tries again */
	return text;
}

bool follow_echo(struct call *c, const char **ret_known_at, const char **ret_revision)
{
	bool asked = c->known.kind != KNOWN_UNASKED;

	*ret_known_at = arena_strdup(c->arena, asked ? c->known.time : c->moment->time);
	*ret_revision = asked ? c->known.revision : sealed(c);
	if (*ret_known_at && *ret_revision)
		return true;
	call_out_of_memory(c);
	return false;
}

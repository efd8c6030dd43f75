/* Registers and moments: who has them, and how a new one reaches the workers. */
#include "follower_internal.h"

#include <stdlib.h>
#include <string.h>

#define MOMENT_MAX ((size_t)4 << 20) /* of a snapshot's text and list: some 10 bytes for each transaction under way */

struct register_held *register_new(struct follower *f)
{
	struct register_held *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->store = graph_store_new();
	if (!h->store) {
		free(h);
		return NULL;
	}
	atomic_init(&h->references, 1);
	h->follower = f;
	return h;
}

/* Freeing takes its time, so it is not done here: this may be a worker. */
void register_unref(struct register_held *h)
{
	struct follower *f;

	if (!h || atomic_fetch_sub_explicit(&h->references, 1, memory_order_acq_rel) != 1)
		return;
	f = h->follower;
	h->next = atomic_load_explicit(&f->left, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&f->left, &h->next, h, memory_order_release, memory_order_relaxed))
		continue;
}

void register_free_left(struct follower *f)
{
	struct register_held *h = atomic_exchange_explicit(&f->left, NULL, memory_order_acquire);

	while (h) {
		struct register_held *next = h->next;

		graph_store_free(h->store);
		free(h);
		h = next;
	}
}

void moment_ref(struct moment *m)
{
	atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
}

void moment_unref(struct moment *m)
{
	if (!m || atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) != 1)
		return;
	register_unref(m->store);
	arena_free(m->arena);
	free(m);
}

static enum err moment_new(struct follower *f, const struct look *look, struct moment **ret)
{
	struct moment *m = calloc(1, sizeof(*m));
	enum err e = ERR_NOMEM;

	if (!m)
		return ERR_NOMEM;
	m->arena = arena_new(MOMENT_MAX);
	m->snapshot = m->arena ? arena_strdup(m->arena, look->snapshot) : NULL;
	if (m->snapshot)
		e = graph_known_snapshot(m->snapshot, look->epoch, m->arena, &m->covers);
	if (e != OK) {
		arena_free(m->arena);
		free(m);
		return e;
	}
	atomic_init(&m->references, 1);
	m->at = (struct graph_at){ .moment = graph_store_moment(f->held->store), .known = { .kind = GRAPH_KNOWN_ALL } };
	m->epoch = look->epoch;
	clock_format_us(look->clock_us, m->time);
	m->complete_to = look->complete_to;
	m->began_us = look->began_us;
	m->store = f->held;
	atomic_fetch_add_explicit(&f->held->references, 1, memory_order_relaxed);
	*ret = m;
	return OK;
}

/* A worker is woken where it waits for one, or holds another register that could go. */
static void deliver(struct follower *f, struct moment *m, bool wake)
{
	for (unsigned i = 0; i < f->config.n_workers; i++) {
		struct mailbox *box = &f->boxes[i];

		if (!box->loop)
			continue;
		moment_ref(m);
		moment_unref(atomic_exchange_explicit(&box->slot, m, memory_order_acq_rel));
		if (atomic_exchange(&box->waiting, false) || wake)
			loop_wake(box->loop);
	}
}

enum err moment_publish(struct follower *f, const struct look *look)
{
	struct graph_store_size size = graph_store_size(f->held->store);
	struct moment *m;
	enum err e = moment_new(f, look, &m);
	bool other = e == OK && (!f->last || f->last->store != f->held);

	if (e != OK)
		return e;
	if (!other && !graph_known_covers(&m->covers, &f->last->covers)) {
		moment_unref(m);
		return ERR_STATE;
	}
	atomic_store(&f->revision, m->covers.xmin);
	atomic_store(&f->taken_us, look->began_us);
	atomic_store(&f->nodes, size.nodes);
	atomic_store(&f->stakes, size.stakes);
	atomic_store(&f->bytes, size.bytes);
	if (other)
		atomic_fetch_add(&f->loads, 1);
	atomic_store(&f->loaded, true);
	deliver(f, m, other);
	moment_unref(f->last);
	f->last = m;
	return OK;
}

void moment_drop_all(struct follower *f)
{
	for (unsigned i = 0; i < f->config.n_workers; i++)
		moment_unref(atomic_exchange(&f->boxes[i].slot, NULL));
}

struct follower_state follower_state(const struct follower *f)
{
	uint64_t taken_us, now_us;

	if (!f)
		return (struct follower_state){ 0 };
	taken_us = atomic_load(&f->taken_us);
	now_us = clock_monotonic_us();
	return (struct follower_state){
		.loaded = atomic_load(&f->loaded),
		.revision = atomic_load(&f->revision),
		.age_us = now_us > taken_us ? now_us - taken_us : 0,
		.nodes = atomic_load(&f->nodes),
		.stakes = atomic_load(&f->stakes),
		.bytes = atomic_load(&f->bytes),
		.loads = atomic_load(&f->loads),
	};
}

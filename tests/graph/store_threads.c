/* One thread writes the register, others ask it meanwhile: what a moment has once answered it answers for ever. For
 * ThreadSanitizer above all (tests/chaos). store_threads [WRITES] */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lodebase/base/hash.h"
#include "lodebase/graph/view.h"

enum { NODES = 60, STAKES = 200, READERS = 2, MOMENTS = 4096, PER_MOMENT = 8 };

struct shared {
	struct graph_store *store;
	struct graph_moment moments[MOMENTS];
	_Atomic uint64_t answers[MOMENTS]; /* 0: nobody has asked yet */
	atomic_uint count; /* of moments, published after they are written */
	atomic_bool over, failed;
	unsigned writes;
};

struct random {
	uint64_t state;
};

static unsigned draw(struct random *r, unsigned below)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (unsigned)(r->state % below);
}

static struct uuid id(unsigned n)
{
	struct uuid made = { { 0 } };

	memcpy(made.bytes, &n, sizeof n);
	return made;
}

static enum err write_one(struct graph_store *s, struct random *r, unsigned time)
{
	const struct graph_stamp now = { .time_us = time, .xid = time / 3, .epoch = 1 };
	unsigned kind = draw(r, 10), share = draw(r, 50);
	struct uuid which = id(draw(r, kind < 3 ? NODES : STAKES));
	char slug[16];

	(void)snprintf(slug, sizeof slug, "s%u", draw(r, NODES));
	if (kind < 3) {
		struct graph_node_version v = { .resource = kind == 0 ? GRAPH_PROJECTS : GRAPH_SHAREHOLDERS,
						.id = which,
						.slug = slug,
						.name = slug,
						.has_company = kind == 0,
						.company = id(draw(r, NODES)),
						.from = now };

		return draw(r, 8) == 0 ? graph_store_deleted(s, v.resource, &which, &now) : graph_store_node(s, &v);
	}
	struct graph_stake_version v = { .id = which,
					 .slug = draw(r, 2) ? slug : NULL,
					 .holder = id(draw(r, NODES)),
					 .subject_resource = draw(r, 2) ? GRAPH_PROJECTS : GRAPH_SHAREHOLDERS,
					 .subject = id(draw(r, NODES)),
					 .has_counterparty = draw(r, 2),
					 .counterparty = id(draw(r, NODES)),
					 .contingent = draw(r, 5) == 0,
					 .dilutive = draw(r, 2),
					 .valid_from = GRAPH_DAY_FIRST,
					 .valid_to = GRAPH_DAY_LAST,
					 .economic = { true, { share, 1000 }, { share + draw(r, 2), 1000 } },
					 .from = now };

	return draw(r, 6) == 0 ? graph_store_deleted(s, GRAPH_STAKES, &which, &now) : graph_store_stake(s, &v);
}

static void *write_all(void *data)
{
	struct shared *sh = data;
	struct random r = { 88172645463325252u };
	enum err e = OK;

	for (unsigned i = 0; e == OK && i < sh->writes; i++) {
		e = write_one(sh->store, &r, i + 1);
		if (i % PER_MOMENT == 0) {
			unsigned n = atomic_load_explicit(&sh->count, memory_order_relaxed);

			if (n < MOMENTS) {
				sh->moments[n] = graph_store_moment(sh->store);
				atomic_store_explicit(&sh->count, n + 1, memory_order_release);
			}
		}
	}
	if (e != OK)
		atomic_store(&sh->failed, true);
	atomic_store(&sh->over, true);
	return NULL;
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
	const uint64_t words[2] = { sum, value };
	static const uint64_t seed[2] = { 1, 2 };

	return hash_bytes(seed, words, sizeof words);
}

static uint64_t ask_view(const struct graph_at *at, uint32_t root, uint64_t sum)
{
	const struct graph_filter filter = { .valid_at = 0, .stages = 1, .exercised = root & 1 };
	struct graph_view *v;
	enum err e = graph_view_new(at, &filter, root & 2 ? GRAPH_ABOVE : GRAPH_ABOVE_AND_BELOW, &root, 1, 0, &v);

	sum = mix(sum, e);
	if (e == OK) {
		for (uint32_t i = 0; i < v->count; i++)
			sum = mix(sum, v->nodes[i]);
		for (uint32_t l = 0; l < graph_links(v->graph); l++) {
			struct graph_link link = graph_link(v->graph, l);
			uint64_t max;

			memcpy(&max, &link.max, sizeof max);
			sum = mix(mix(sum, link.holder), mix(link.subject, max));
		}
	}
	graph_view_free(v);
	return sum;
}

/* All that is asked of a moment, as one number; the same questions each time. */
static uint64_t ask(struct graph_moment moment)
{
	struct graph_at at = { .moment = moment, .known = { .kind = GRAPH_KNOWN_ALL } };
	uint64_t sum = 1;
	char slug[16];

	for (unsigned past = 0; past < 2; past++) {
		for (unsigned i = past; i < NODES; i += 7) {
			struct uuid which = id(i);
			struct graph_node node;

			(void)snprintf(slug, sizeof slug, "s%u", i);
			sum = mix(sum, graph_find_id(&at, GRAPH_SHAREHOLDERS, &which));
			sum = mix(sum, graph_find_slug(&at, GRAPH_PROJECTS, slug, strlen(slug)));
			sum = mix(sum, graph_find_stake_slug(&at, slug, strlen(slug)));
			sum = mix(sum, graph_find_stake_id(&at, &which));
			if (i < moment.nodes) {
				sum = mix(sum, graph_node_at(&at, i, &node));
				sum = mix(mix(sum, node.company), node.slug ? (unsigned char)node.slug[1] : 0);
				sum = ask_view(&at, i, sum);
			}
		}
		at.known = (struct graph_known){ .kind = GRAPH_KNOWN_TIME, .time_us = moment.stamps / 2 };
	}
	return sum | 1;
}

static void *read_all(void *data)
{
	struct shared *sh = data;
	struct random r = { (uint64_t)(uintptr_t)&r | 1 };

	for (unsigned last = 0; last < 50 && !atomic_load(&sh->failed); last += atomic_load(&sh->over)) {
		unsigned count = atomic_load_explicit(&sh->count, memory_order_acquire), i;
		uint64_t before = 0, answer;

		if (count == 0)
			continue;
		i = draw(&r, 2) ? count - 1 : draw(&r, count);
		answer = ask(sh->moments[i]);
		if (!atomic_compare_exchange_strong(&sh->answers[i], &before, answer) && before != answer) {
			fprintf(stderr, "moment %u has changed\n", i);
			atomic_store(&sh->failed, true);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct shared sh;
	pthread_t writer, readers[READERS];
	unsigned asked = 0;

	sh.store = graph_store_new();
	sh.writes = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000;
	if (!sh.store || pthread_create(&writer, NULL, write_all, &sh) != 0)
		return 1;
	for (int i = 0; i < READERS; i++) {
		if (pthread_create(&readers[i], NULL, read_all, &sh) != 0)
			return 1;
	}
	pthread_join(writer, NULL);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	for (unsigned i = 0; i < sh.count; i++) {
		uint64_t before = sh.answers[i];

		asked += before != 0;
		if (before != 0 && before != ask(sh.moments[i])) {
			fprintf(stderr, "moment %u has changed since\n", i);
			sh.failed = true;
		}
	}
	printf("%u moments, %u asked\n", sh.count, asked);
	graph_store_free(sh.store);
	return sh.failed || asked < 10;
}

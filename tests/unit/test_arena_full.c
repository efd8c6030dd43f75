/* A record is read into arenas of every size: either it is what it should be, or the reader says that there was no memory. */
#include "harness.h"

#include <string.h>

#include "lodebase/api/problem.h"
#include "lodebase/api/validate.h"
#include "lodebase/base/arena.h"

#define ENOUGH 60000

static const char body[] =
	"{\"slug\":\"cerro-azul\",\"name\":\"Cerro Azul\",\"kind\":\"mine\",\"status\":\"operating\","
	"\"aliases\":[\"Blue Hill\",\"La Azul\"],\"country\":\"cl\",\"id\":\"0190A000-0000-7000-8000-00000000000A\","
	"\"description\":\"Two pits and a mill; the name is that of the hill.\",\"never_heard_of\":1}";

static size_t read_in(size_t cap, const struct json_document *d, struct record *ret, struct faults *ret_faults,
		      struct arena **ret_arena, bool *ret_fine)
{
	const struct resource *r = resource_find("projects");
	struct record_input input;

	*ret_arena = arena_new(cap);
	faults_init(ret_faults, *ret_arena);
	*ret_fine = validate_read(*ret_arena, r, d, d->root, ret_faults, &input);
	if (*ret_fine)
		validate_complete(*ret_arena, r, &input.record, NULL, NULL, ret_faults);
	*ret = input.record;
	return arena_used(*ret_arena);
}

static void is_whole_or_refused(void)
{
	const struct resource *r = resource_find("projects");
	struct json_document d;
	struct json_fault fault;
	struct record whole, got;
	struct faults faults, got_faults;
	struct arena *large, *small;
	bool fine;
	int refused = 0, taken = 0;

	CHECK_INT(json_document_parse(body, sizeof(body) - 1, &d, &fault), OK);
	const size_t need = read_in(ENOUGH, &d, &whole, &faults, &large, &fine);
	CHECK(fine && !arena_failed(large) && need < ENOUGH);
	for (size_t cap = 0; cap <= need + 64; cap += 8) {
		read_in(cap, &d, &got, &got_faults, &small, &fine);
		if (!fine || arena_failed(small)) {
			CHECK(arena_failed(small));
			refused++;
		} else {
			CHECK(record_equal(r, &whole, &got));
			CHECK_INT(got_faults.n, faults.n);
			taken++;
		}
		arena_free(small);
	}
	CHECK(refused > 0 && taken > 0);
	arena_free(large);
	json_document_done(&d);
}

TESTS({ "a record is whole or refused", is_whole_or_refused })

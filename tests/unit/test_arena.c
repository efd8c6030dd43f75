#include "harness.h"

#include <stdalign.h>

#include "lodebase/base/arena.h"

static void gives_aligned_zeroed_memory(void)
{
	struct arena *a = arena_new(10 * 1024 * 1024);

	for (int i = 0; i < 2000; i++) {
		size_t size = test_random_below(i % 50 == 0 ? 30000 : 200);
		unsigned char *p = arena_alloc(a, size);

		if (!CHECK(p))
			break;
		CHECK((uintptr_t)p % alignof(max_align_t) == 0);
		for (size_t j = 0; j < size; j++)
			if (!CHECK(p[j] == 0))
				break;
		memset(p, 0xFF, size);
	}
	arena_free(a);
	arena_free(NULL);
}

static void keeps_its_cap(void)
{
	for (size_t cap = 0; cap < 20000; cap += 991) {
		struct arena *a = arena_new(cap);
		size_t given = 0;

		while (arena_alloc(a, 16))
			given += 16;
		CHECK_INT(given, cap / 16 * 16);
		CHECK(arena_failed(a));
		CHECK_INT(arena_used(a), given);
		CHECK(arena_alloc(a, SIZE_MAX) == NULL);
		CHECK(arena_alloc(a, SIZE_MAX - 15) == NULL);
		arena_free(a);
	}
}

static void keeps_what_was_written(void)
{
	enum { COUNT = 500 };
	struct arena *a = arena_new(100 * 1024 * 1024);
	char *texts[COUNT];

	for (int i = 0; i < COUNT; i++)
		texts[i] = arena_printf(a, "%*d", (int)test_random_below(i % 20 == 0 ? 100000 : 60) + 1, i);
	for (int i = 0; i < COUNT; i++) {
		char wanted[16];
		char *wanted_end = wanted + 15;

		*wanted_end = '\0';
		for (int left = i; wanted_end == wanted + 15 || left > 0; left /= 10)
			*--wanted_end = (char)('0' + left % 10);
		if (!CHECK(texts[i]))
			continue;
		CHECK_STR(texts[i] + strlen(texts[i]) - strlen(wanted_end), wanted_end);
	}
	arena_free(a);
}

static void copies_strings(void)
{
	struct arena *a = arena_new(1000);

	CHECK_STR(arena_strdup(a, ""), "");
	CHECK_STR(arena_strdup(a, "smelter"), "smelter");
	CHECK_STR(arena_strndup(a, "smelter", 5), "smelt");
	CHECK_STR(arena_strndup(a, NULL, 0), "");
	CHECK(arena_strndup(a, "", SIZE_MAX) == NULL);
	CHECK(arena_alloc(a, 0) != NULL);
	CHECK(arena_printf(a, "%2000d", 1) == NULL);
	CHECK_STR(arena_printf(a, "%d%%", 40), "40%");
	arena_free(a);
}

static void grows_arrays(void)
{
	struct arena *a = arena_new(1024 * 1024);
	int *numbers = NULL;
	size_t capacity = 0;

	for (size_t i = 0; i < 10000; i++) {
		if (!CHECK_INT(arena_grow(a, (void **)&numbers, &capacity, i + 1, sizeof *numbers), 0))
			break;
		numbers[i] = (int)i;
	}
	for (int i = 0; i < 10000; i++)
		CHECK(numbers[i] == i);
	size_t before = capacity;
	CHECK_INT(arena_grow(a, (void **)&numbers, &capacity, 1024 * 1024, sizeof *numbers), -1);
	CHECK_INT(arena_grow(a, (void **)&numbers, &capacity, SIZE_MAX, sizeof *numbers), -1);
	CHECK_INT(arena_grow(a, (void **)&numbers, &capacity, SIZE_MAX / 4 + 2, sizeof *numbers), -1);
	CHECK_INT(capacity, before);
	arena_free(a);
}

TESTS({ "gives aligned zeroed memory", gives_aligned_zeroed_memory }, { "keeps its cap", keeps_its_cap },
      { "keeps what was written", keeps_what_was_written }, { "copies strings", copies_strings },
      { "grows arrays", grows_arrays })

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "lodebase/base/hmap.h"

enum { KEYS = 300 };

static unsigned freed;

static void count_free(void *value)
{
	freed++;
	free(value);
}

static bool add_up(void *data, const char *key, size_t n, void *value)
{
	unsigned *seen = data;

	CHECK(n > 0 && key[0] == 'k');
	*seen += *(const unsigned *)value;
	return true;
}

/* Random operations against an array that does the same. */
static void agrees_with_an_array(void)
{
	struct hmap *m = hmap_new(KEYS);
	unsigned *expected[KEYS] = { NULL };
	size_t count = 0;

	freed = 0;
	unsigned made = 0;
	for (int i = 0; i < 50000; i++) {
		size_t which = test_random_below(KEYS);
		char key[32];
		size_t n = (size_t)snprintf(key, sizeof key, "key-%zu%s", which, which % 7 == 0 ? "-long-enough" : "");

		switch (test_random_below(3)) {
		case 0: {
			unsigned *value = malloc(sizeof *value);

			if (!CHECK(value))
				return;
			*value = (unsigned)i;
			made++;
			count += expected[which] == NULL;
			expected[which] = value;
			CHECK_INT(hmap_set(m, key, n, value, count_free), OK);
			break;
		}
		case 1: {
			unsigned *value = hmap_remove(m, key, n);

			CHECK(value == expected[which]);
			count -= expected[which] != NULL;
			expected[which] = NULL;
			if (value)
				count_free(value);
			break;
		}
		default:
			CHECK(hmap_get(m, key, n) == expected[which]);
		}
		CHECK_INT(hmap_count(m), count);
	}
	unsigned sum = 0, wanted = 0;
	for (size_t i = 0; i < KEYS; i++)
		wanted += expected[i] ? *expected[i] : 0;
	hmap_each(m, add_up, &sum);
	CHECK_INT(sum, wanted);
	hmap_free(m, count_free);
	CHECK_INT(freed, made);
}

static bool stop_at_once(void *data, const char *key, size_t n, void *value)
{
	(void)key, (void)n, (void)value;
	++*(int *)data;
	return false;
}

static void keeps_its_bound(void)
{
	struct hmap *m = hmap_new(3);
	int value = 1, other = 2, visits = 0;

	CHECK_INT(hmap_set(m, "a", 1, &value, NULL), OK);
	CHECK_INT(hmap_set(m, "b", 1, &value, NULL), OK);
	CHECK_INT(hmap_set(m, "c", 1, &value, NULL), OK);
	CHECK_INT(hmap_set(m, "d", 1, &value, NULL), ERR_FULL);
	CHECK_INT(hmap_set(m, "a", 1, &other, NULL), OK);
	CHECK(hmap_get(m, "a", 1) == &other);
	CHECK(hmap_remove(m, "b", 1) == &value);
	CHECK_INT(hmap_set(m, "d", 1, &value, NULL), OK);
	CHECK_INT(hmap_count(m), 3);
	hmap_each(m, stop_at_once, &visits);
	CHECK_INT(visits, 1);
	hmap_free(m, NULL);

	m = hmap_new(0);
	CHECK_INT(hmap_set(m, "a", 1, &value, NULL), ERR_FULL);
	hmap_free(m, NULL);
	hmap_free(NULL, NULL);
}

static void tells_keys_apart(void)
{
	struct hmap *m = hmap_new(100);
	int values[4];

	CHECK_INT(hmap_set(m, "", 0, &values[0], NULL), OK);
	CHECK_INT(hmap_set(m, LITERAL("\0"), &values[1], NULL), OK);
	CHECK_INT(hmap_set(m, LITERAL("\0\0"), &values[2], NULL), OK);
	CHECK_INT(hmap_set(m, LITERAL("\0\0\0\0\0\0\0\0"), &values[3], NULL), OK);
	CHECK(hmap_get(m, "", 0) == &values[0]);
	CHECK(hmap_get(m, LITERAL("\0")) == &values[1]);
	CHECK(hmap_get(m, LITERAL("\0\0")) == &values[2]);
	CHECK(hmap_get(m, LITERAL("\0\0\0\0\0\0\0\0")) == &values[3]);
	CHECK(hmap_get(m, LITERAL("\0\0\0")) == NULL);
	CHECK(hmap_remove(m, "x", 1) == NULL);
	hmap_free(m, NULL);
}

TESTS({ "agrees with an array", agrees_with_an_array }, { "keeps its bound", keeps_its_bound },
      { "tells keys apart", tells_keys_apart })

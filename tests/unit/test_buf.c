#include "harness.h"

#include <stdlib.h>

#include "lodebase/base/buf.h"

static void grows_and_terminates(void)
{
	struct buf b;

	buf_init(&b, 10000);
	CHECK(b.data == NULL);
	for (int i = 0; i < 1000; i++) {
		buf_putc(&b, 'x');
		CHECK(b.data && b.data[b.len] == '\0');
	}
	CHECK_INT(b.len, 1000);
	CHECK_INT(strlen(b.data), 1000);
	buf_puts(&b, "yz");
	CHECK_STR(b.data + 999, "xyz");
	CHECK(!b.failed);
	buf_done(&b);
	CHECK(b.data == NULL && b.len == 0 && b.max == 10000);
}

static void keeps_its_bound(void)
{
	struct buf b;

	for (size_t max = 0; max < 300; max++) {
		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			buf_putc(&b, 'a');
		CHECK(!b.failed);
		CHECK_INT(b.len, max);
		CHECK(b.capacity <= (max == 0 ? 1 : max + 1));
		buf_putc(&b, 'b');
		CHECK(b.failed);
		CHECK_INT(b.len, max);
		buf_put(&b, "", 0);
		CHECK(b.failed);
		buf_done(&b);
	}
}

static void failure_sticks_until_reset(void)
{
	struct buf b;

	buf_init(&b, 4);
	buf_puts(&b, "abc");
	buf_puts(&b, "de");
	CHECK(b.failed);
	CHECK_STR(b.data, "abc");
	buf_putc(&b, 'd');
	CHECK_STR(b.data, "abc");
	CHECK(buf_reserve(&b, 1) == NULL);
	buf_reset(&b);
	CHECK(!b.failed);
	CHECK_STR(b.data, "");
	buf_puts(&b, "abcd");
	CHECK_STR(b.data, "abcd");
	CHECK(!b.failed);
	buf_done(&b);
}

static void refuses_sizes_that_overflow(void)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	buf_putc(&b, 'a');
	CHECK(buf_reserve(&b, SIZE_MAX) == NULL);
	CHECK(b.failed);
	buf_reset(&b);
	CHECK(buf_reserve(&b, SIZE_MAX / 2 + 1) == NULL);
	CHECK(b.failed);
	buf_done(&b);
}

static void reserves_and_advances(void)
{
	struct buf b;

	buf_init(&b, 100);
	char *place = buf_reserve(&b, 100);
	if (!CHECK(place))
		return;
	memset(place, 'z', 100);
	buf_advance(&b, 60);
	CHECK_INT(b.len, 60);
	CHECK_INT(strlen(b.data), 60);
	CHECK(buf_reserve(&b, 40) != NULL);
	CHECK(buf_reserve(&b, 41) == NULL);
	buf_done(&b);
}

static void prints_short_and_long(void)
{
	struct buf b;

	buf_init(&b, 5000);
	for (int width = 1; width < 400; width += 7) {
		buf_reset(&b);
		buf_printf(&b, "<%*d>", width, 7);
		CHECK_INT(b.len, width + 2);
		CHECK(b.data[b.len - 1] == '>' && b.data[b.len - 2] == '7');
	}
	buf_reset(&b);
	buf_printf(&b, "%5001d", 1);
	CHECK(b.failed);
	CHECK_INT(b.len, 0);
	buf_done(&b);
}

static void gives_its_memory_away(void)
{
	struct buf b;
	size_t n = 99;

	buf_init(&b, 100);
	CHECK(buf_steal(&b, &n) == NULL);
	CHECK_INT(n, 0);
	buf_puts(&b, "mine");
	char *text = buf_steal(&b, &n);
	CHECK_STR(text, "mine");
	CHECK_INT(n, 4);
	CHECK(b.data == NULL && b.len == 0);
	free(text);

	buf_init(&b, 2);
	buf_puts(&b, "too long");
	CHECK(buf_steal(&b, NULL) == NULL);
	CHECK(!b.failed);
}

TESTS({ "grows and terminates", grows_and_terminates }, { "keeps its bound", keeps_its_bound },
      { "failure sticks until reset", failure_sticks_until_reset },
      { "refuses sizes that overflow", refuses_sizes_that_overflow }, { "reserves and advances", reserves_and_advances },
      { "prints short and long", prints_short_and_long }, { "gives its memory away", gives_its_memory_away })

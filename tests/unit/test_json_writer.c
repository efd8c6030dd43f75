#include "harness.h"

#include <jansson.h>
#include <stdlib.h>

#include "lodebase/base/json_writer.h"

static void writes_documents(void)
{
	struct buf b;
	struct json_writer w;

	buf_init(&b, 1000);
	json_begin(&w, &b);
	json_object_begin(&w);
	json_member_int(&w, "least", INT64_MIN);
	json_member_int(&w, "most", INT64_MAX);
	json_member_int(&w, "none", 0);
	json_member_string(&w, "name", "Korea Zinc");
	json_member_string(&w, "absent", NULL);
	json_member_bool(&w, "yes", true);
	json_member_bool(&w, "no", false);
	json_key(&w, "list");
	json_array_begin(&w);
	json_array_begin(&w);
	json_array_end(&w);
	json_object_begin(&w);
	json_object_end(&w);
	json_raw(&w, LITERAL("12.5"));
	json_nil(&w);
	json_array_end(&w);
	json_key(&w, "a \"key\"");
	json_str_n(&w, "xyz", 2);
	json_object_end(&w);
	CHECK_STR(b.data, "{\"least\":-9223372036854775808,\"most\":9223372036854775807,\"none\":0,\"name\":\"Korea Zinc\","
			  "\"absent\":null,\"yes\":true,\"no\":false,\"list\":[[],{},12.5,null],\"a \\\"key\\\"\":\"xy\"}");
	CHECK(!b.failed);
	buf_done(&b);
}

static void writes_several_values_in_a_row(void)
{
	struct buf b;
	struct json_writer w;

	buf_init(&b, 100);
	json_begin(&w, &b);
	json_int(&w, 1);
	buf_putc(&b, '\n');
	json_object_begin(&w);
	json_object_end(&w);
	CHECK_STR(b.data, "1\n{}");
	buf_done(&b);
}

static void escapes_what_has_to_be(void)
{
	struct buf b;
	struct json_writer w;

	buf_init(&b, 1000);
	json_begin(&w, &b);
	json_str_n(&w, LITERAL("\"\\/\b\f\n\r\t\x01\x1f\x7f é \xF0\x9F\x98\x80\0"));
	CHECK_STR(b.data, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f é \xF0\x9F\x98\x80\\u0000\"");
	buf_done(&b);
}

static void strings_come_back(void)
{
	struct buf b;
	struct json_writer w;
	char text[64];

	buf_init(&b, 10000);
	for (int i = 0; i < 20000; i++) {
		size_t n = test_random_below(sizeof text);

		/* Every second one has hardly anything to escape, in any place among the others. */
		for (size_t j = 0; j < n; j++)
			text[j] = (char)(i % 2 || test_random_below(40) == 0 ? test_random_below(128)
									     : 0x5D + test_random_below(0x23));
		for (size_t j = 0; j + 1 < n; j++)
			if (test_random_below(20) == 0)
				memcpy(text + j++, "\xC3\xA2", 2);
		buf_reset(&b);
		json_begin(&w, &b);
		json_str_n(&w, text, n);
		json_t *read = json_loadb(b.data, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		CHECK(read && json_string_length(read) == n && memcmp(json_string_value(read), text, n) == 0);
		json_decref(read);
	}
	buf_done(&b);
}

static void nests_up_to_64(void)
{
	struct buf b;
	struct json_writer w;

	buf_init(&b, 10000);
	json_begin(&w, &b);
	for (int i = 0; i < 64; i++) {
		json_array_begin(&w);
		json_int(&w, i);
	}
	for (int i = 0; i < 64; i++) {
		json_int(&w, i);
		json_array_end(&w);
	}
	CHECK(!b.failed);
	json_t *read = json_loadb(b.data, b.len, 0, NULL);
	CHECK(read != NULL);
	json_decref(read);

	buf_reset(&b);
	json_begin(&w, &b);
	for (int i = 0; i < 65; i++)
		json_array_begin(&w);
	CHECK(b.failed);
	for (int i = 0; i < 65; i++)
		json_array_end(&w);
	CHECK(b.failed);
	buf_done(&b);
}

TESTS({ "writes documents", writes_documents }, { "writes several values in a row", writes_several_values_in_a_row },
      { "escapes what has to be", escapes_what_has_to_be }, { "strings come back", strings_come_back },
      { "nests up to 64", nests_up_to_64 })

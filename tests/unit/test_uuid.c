#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "lodebase/base/clock.h"
#include "lodebase/base/uuid.h"

static void makes_version_7(void)
{
	char before[UUID_TEXT_SIZE] = "", text[UUID_TEXT_SIZE], digits[16];

	struct uuid_source source = { 0 };

	for (int i = 0; i < 2000; i++) {
		int64_t earliest = clock_wall_us() / 1000;

		uuid7_new(&source, text);
		int64_t latest = clock_wall_us() / 1000;
		CHECK(uuid_is_text(text, strlen(text)));
		CHECK(text[14] == '7');
		CHECK(strchr("89ab", text[19]));
		CHECK(strspn(text, "0123456789abcdef-") == 36);
		CHECK(strcmp(text, before) != 0);
		CHECK(strcmp(text + 19, before[0] ? before + 19 : "") != 0); /* the random part alone */
		memcpy(digits, text, 8);
		memcpy(digits + 8, text + 9, 4);
		digits[12] = '\0';
		int64_t ms = strtoll(digits, NULL, 16);
		CHECK(ms >= earliest && ms <= latest);
		memcpy(before, text, sizeof before);
	}
}

static void knows_the_form(void)
{
	char canonical[UUID_TEXT_SIZE];

	CHECK(uuid_is_text(LITERAL("00000000-0000-0000-0000-000000000000")));
	CHECK(uuid_is_text(LITERAL("0198B2C4-7f00-7ABC-8def-0123456789aF")));
	CHECK(!uuid_is_text(LITERAL("")));
	CHECK(!uuid_is_text(LITERAL("0198b2c4-7f00-7abc-8def-0123456789a")));
	CHECK(!uuid_is_text(LITERAL("0198b2c4-7f00-7abc-8def-0123456789abc")));
	CHECK(!uuid_is_text(LITERAL("0198b2c47-f00-7abc-8def-0123456789ab")));
	CHECK(!uuid_is_text(LITERAL("0198b2c4-7f00-7abc-8def-0123456789ag")));
	CHECK(!uuid_is_text(LITERAL("0198b2c4-7f00-7abc-8def-0123456789a-")));
	CHECK(!uuid_is_text(LITERAL("{0198b2c4-7f00-7abc-8def-0123456789}")));
	CHECK(!uuid_is_text(LITERAL("0198b2c47f007abc8def0123456789abcdef")));
	CHECK(!uuid_is_text(LITERAL("0198b2c4-7f00-7abc-8def-0123456789a\0")));
	uuid_canonical("0198B2C4-7f00-7ABC-8def-0123456789aF", canonical);
	CHECK_STR(canonical, "0198b2c4-7f00-7abc-8def-0123456789af");
}

static void parses_and_formats(void)
{
	static const unsigned char bytes[16] = { 0x01, 0x98, 0xb2, 0xc4, 0x7f, 0x00, 0x7a, 0xbc,
						 0x8d, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xaf };
	struct uuid_source source = { 0 };
	struct uuid id;
	char text[UUID_TEXT_SIZE], made[UUID_TEXT_SIZE];

	CHECK(uuid_from_text(LITERAL("0198B2C4-7f00-7ABC-8def-0123456789aF"), &id));
	CHECK(memcmp(id.bytes, bytes, sizeof bytes) == 0);
	uuid_to_text(&id, text);
	CHECK_STR(text, "0198b2c4-7f00-7abc-8def-0123456789af");
	CHECK(!uuid_from_text(LITERAL("0198b2c4-7f00-7abc-8def-0123456789a"), &id));
	CHECK(!uuid_from_text(LITERAL("0198b2c4-7f00-7abc-8def-0123456789ag"), &id));
	for (int i = 0; i < 100; i++) {
		uuid7_new(&source, made);
		CHECK(uuid_from_text(made, UUID_TEXT_SIZE - 1, &id));
		uuid_to_text(&id, text);
		CHECK_STR(text, made);
	}
}

TESTS({ "makes version 7", makes_version_7 }, { "knows the form", knows_the_form },
      { "parses and formats", parses_and_formats })

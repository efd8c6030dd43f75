#include "harness.h"

#include <stdio.h>

#include "lodebase/base/text.h"

/* UTF-8 of any number below 2^21, also of what is no character. */
static size_t encode(uint32_t point, char *out)
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xC0 | point >> 6);
		out[1] = (char)(0x80 | (point & 63));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xE0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 63));
		out[2] = (char)(0x80 | (point & 63));
		return 3;
	}
	out[0] = (char)(0xF0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 63));
	out[2] = (char)(0x80 | (point >> 6 & 63));
	out[3] = (char)(0x80 | (point & 63));
	return 4;
}

static void utf8_takes_every_character(void)
{
	char text[16] = "12345678";

	for (uint32_t point = 0; point < 0x110400; point++) {
		bool is_character = point < 0x110000 && (point < 0xD800 || point > 0xDFFF);
		size_t n = encode(point, text + 8);

		CHECK_FOR(text_is_utf8(text + 8, n) == is_character, "U+%04X", point);
		CHECK_FOR(text_is_utf8(text, 8 + n) == is_character, "U+%04X after others", point);
		if (is_character)
			CHECK(text_code_points(text, 8 + n) == 9);
		for (size_t cut = 1; cut < n; cut++)
			CHECK_FOR(!text_is_utf8(text + 8, cut), "U+%04X cut", point);
	}
}

static void utf8_refuses_the_rest(void)
{
	static const char *const wrong[] = { "\x80",
					     "\xBF",
					     "\xC0\x80",
					     "\xC1\xBF",
					     "\xC3",
					     "\xC3\xC3",
					     "\xE0\x80\x80",
					     "\xE0\x9F\xBF",
					     "\xE2\x82",
					     "\xED\xA0\x80",
					     "\xED\xBF\xBF",
					     "\xF0\x80\x80\x80",
					     "\xF0\x8F\xBF\xBF",
					     "\xF4\x90\x80\x80",
					     "\xF5\x80\x80\x80",
					     "\xF8\x88\x80\x80\x80",
					     "\xFE",
					     "\xFF",
					     "abcdefgh\xFF",
					     "abcdefghi\xFFjklmnopq" };

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_FOR(!text_is_utf8(wrong[i], strlen(wrong[i])), "number %zu", i);
	CHECK(text_is_utf8("", 0));
	CHECK(text_is_utf8(LITERAL("a\0b")));
	CHECK_INT(text_utf8_prefix(LITERAL("abc\xC3\xA9\xFFz")), 5);
	CHECK_INT(text_utf8_prefix(LITERAL("abcdefghijk\xF0\x9F\x98")), 11);
	CHECK_INT(text_utf8_prefix(LITERAL("abcdefghijk")), 11);
	CHECK_INT(text_code_points(LITERAL("a\xC3\xA9\xED\x95\x9C\xF0\x9F\x98\x80")), 4);
}

static void finds_visible_characters(void)
{
	static const char *const visible[] = { "a",
					       "0",
					       "-",
					       ".",
					       "\xC3\xA9",
					       "\xEA\xB3\xA0\xEB\xA0\xA4\xEC\x95\x84\xEC\x97\xB0" /* Korea Zinc */,
					       "\xF0\x9F\x98\x80",
					       "\xE2\x82\xAC",
					       "  x  ",
					       "\xE2\x80\x8Bz",
					       "e\xCC\x81",
					       "\xE6\x97\xA5",
					       "\xD8\xB9",
					       "\xE2\xA0\x81" /* a Braille dot */,
					       "\xEE\x80\x80" /* private use */ };
	static const uint32_t invisible[] = {
		0x00,   0x09,   0x0A,    0x0D,    0x1F,    0x20,    0x7F,    0x85,    0xA0,    0xAD,     0x034F, 0x0301,
		0x061C, 0x115F, 0x1160,  0x1680,  0x17B4,  0x17B5,  0x180E,  0x2000,  0x200A,  0x200B,   0x200C, 0x200D,
		0x200E, 0x200F, 0x2028,  0x2029,  0x202A,  0x202E,  0x202F,  0x205F,  0x2060,  0x2061,   0x2064, 0x2066,
		0x2069, 0x206F, 0x2800,  0x3000,  0x3164,  0xFE00,  0xFE0F,  0xFEFF,  0xFFA0,  0xFFF9,   0xFFFC, 0xFFFE,
		0xFFFF, 0xFDD0, 0x1D159, 0x1D173, 0xE0001, 0xE0020, 0xE007F, 0xE0100, 0x1FFFF, 0x10FFFF, 0x0378, 0x20DD,
	};
	char all[512];
	size_t n = 0;

	for (size_t i = 0; i < sizeof visible / sizeof visible[0]; i++)
		CHECK_FOR(text_has_visible(visible[i], strlen(visible[i])), "number %zu", i);
	CHECK(!text_has_visible("", 0));
	for (size_t i = 0; i < sizeof invisible / sizeof invisible[0]; i++) {
		char one[4];
		size_t length = encode(invisible[i], one);

		CHECK_FOR(!text_has_visible(one, length), "U+%04X", invisible[i]);
		memcpy(all + n, one, length);
		n += length;
	}
	CHECK(!text_has_visible(all, n));
	all[n++] = '!';
	CHECK(text_has_visible(all, n));
}

static void knows_slugs(void)
{
	static const char *const good[] = { "a",
					    "0",
					    "korea-zinc",
					    "a-b-c",
					    "10-times",
					    "x9",
					    "0123456789abcdef0123456789abcdef0123",
					    "01234567-89ab-cdef-0123-456789abcde",
					    "01234567-89ab-cdef-0123-456789abcdeg" };
	static const char *const wrong[] = { "",
					     "-",
					     "-a",
					     "a-",
					     "a--b",
					     "A",
					     "a_b",
					     "a b",
					     "a.b",
					     "\xC3\xA9",
					     "a/b",
					     "a\n",
					     "01234567-89ab-cdef-0123-456789abcdef" };
	char longest[102];

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK_FOR(text_is_slug(good[i], strlen(good[i])), "%s", good[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_FOR(!text_is_slug(wrong[i], strlen(wrong[i])), "%s", wrong[i]);
	CHECK(!text_is_slug(LITERAL("a\0")));
	memset(longest, 'a', sizeof longest);
	CHECK(text_is_slug(longest, 100));
	CHECK(!text_is_slug(longest, 101));
}

/* What the published rule says, over the whole expanded digit string. */
static int lei_remainder(const char *s)
{
	unsigned __int128 rest = 0;

	for (; *s; s++) {
		if (*s <= '9')
			rest = rest * 10 + (unsigned)(*s - '0');
		else
			rest = rest * 100 + (unsigned)(*s - 'A') + 10;
		rest %= 97;
	}
	return (int)rest;
}

static void checks_lei(void)
{
	char text[32];

	CHECK(text_is_lei(LITERAL("213800KUD8LAJWSQ9D15")));
	CHECK(!text_is_lei(LITERAL("213800KUD8LXJWSQ9D15")));
	CHECK(!text_is_lei(LITERAL("213800kud8lajwsq9d15")));
	CHECK(!text_is_lei(LITERAL("213800KUD8LAJWSQ9D1")));
	CHECK(!text_is_lei(LITERAL("213800KUD8LAJWSQ9D150")));
	CHECK(!text_is_lei(LITERAL("213800KUD8LAJWSQ9D1 ")));
	CHECK(!text_is_lei(LITERAL("213800KUD8LAJWSQ9 15")));
	CHECK(!text_is_lei(LITERAL("")));
	/* Vectors of ISO 7064 MOD 97-10, filled up to 20 with zeros in front, which do not count. */
	CHECK(text_is_lei(LITERAL("00435411161155111431")));
	for (int i = 0; i < 20000; i++) {
		for (int j = 0; j < 18; j++)
			text[j] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[test_random_below(36)];
		memcpy(text + 18, "00", 3);
		(void)snprintf(text + 18, 3, "%02u", (unsigned)(98 - lei_remainder(text)) % 100);
		CHECK_FOR(text_is_lei(text, 20), "%s", text);
		/* A wrong character is always found, and so is a swap of neighbours. */
		size_t at = test_random_below(18);
		char right = text[at];
		text[at] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[test_random_below(36)];
		CHECK_FOR(text_is_lei(text, 20) == (lei_remainder(text) == 1), "%s", text);
		text[at] = right;
		if (text[at] != text[at + 1] && at < 17) {
			char second = text[at + 1];

			text[at + 1] = text[at];
			text[at] = second;
			CHECK_FOR(text_is_lei(text, 20) == (lei_remainder(text) == 1), "%s", text);
		}
	}
}

static void checks_isin(void)
{
	static const char *const good[] = { "US0378331005", "GB00BYXJL758", "KR7010130003",
					    "AU0000XVGZA3", "US38259P5089", "DE000BAY0017" };
	static const char *const wrong[] = {
		"US0378331003", "us0378331005", "U50378331005", "US037833100A", "US03783310051", "US037833100", "",
		"US03783310 5", "US0373831005"
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char text[13];

		CHECK_FOR(text_is_isin(good[i], 12), "%s", good[i]);
		/* Every other check digit is wrong, and so is every other digit elsewhere. */
		for (size_t at = 2; at < 12; at++) {
			memcpy(text, good[i], 13);
			if (text[at] > '9')
				continue;
			for (char c = '0'; c <= '9'; c++) {
				text[at] = c;
				CHECK_FOR(text_is_isin(text, 12) == (c == good[i][at]), "%s", text);
			}
		}
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_FOR(!text_is_isin(wrong[i], strlen(wrong[i])), "%s", wrong[i]);
}

static void knows_http_urls(void)
{
	static const char *const good[] = {
		"http://example.com",
		"https://example.com/",
		"HTTPS://Example.COM/a?b=c#d",
		"https://www.finanzen.at/nachrichten/aktien/korea-zinc-to-build-$7-4b-smelter",
		"https://example.com:8080/x",
		"http://localhost",
		"http://127.0.0.1:1/",
		"http://[::1]/",
		"http://[2001:db8::1]:443",
		"https://example.com?q=a@b",
		"https://example.com/@user",
		"https://example.com/a%20b",
		"https://xn--bcher-kva.example/",
		"https://m\xC3\xBCnster.example/\xED\x95\x9C",
		"https://example.com./",
		"https://en.wikipedia.org/wiki/Zinc_(metal)",
		"https://example.com/a|b",
	};
	static const char *const wrong[] = {
		"",
		"http",
		"http:",
		"http:/",
		"http://",
		"https:///path",
		"http://?x",
		"http://#x",
		"ftp://example.com",
		"example.com",
		"//example.com",
		"javascript:alert(1)",
		"https:example.com",
		"http://user@example.com",
		"http://user:pw@example.com/",
		"http://example.com/a b",
		" http://example.com",
		"http://example.com\n",
		"http://exa\tmple.com",
		"http://.example.com",
		"http://a..b",
		"http://:80/",
		"http://example.com:x/",
		"http://example.com:70000/",
		"http://example.com:123456/",
		"http://[::1",
		"http://[]/",
		"http://[zz::]/",
		"http://[::1]x/",
		"http://exa<mple.com/",
		"http://example.com/\"",
		"http://example.com\\@evil.org",
		"http://example.com/\xC2\xA0",
		"http://example.com/\xE2\x80\x8B",
		"http://example.com/\xE3\x80\x80",
		"http://example.com/\x7F",
		"http://exam!ple.com/",
		"http://example.com/<x>",
		"http://example.com/\xC2\x85",
		"http://example.com/\xE2\x80\xAE",
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK_FOR(text_is_http_url(good[i], strlen(good[i])), "%s", good[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_FOR(!text_is_http_url(wrong[i], strlen(wrong[i])), "%s", wrong[i]);
	CHECK(!text_is_http_url(LITERAL("http://example.com/\0")));
	CHECK(!text_is_http_url(LITERAL("http://exam\0ple.com/")));
}

static void knows_languages(void)
{
	static const char *const good[] = {
		"ko",       "en-US",      "EN-us",          "zh-Hant-TW", "sl-rozaj-biske-1994", "de-CH-1901",
		"es-419",   "x-private",  "zh-min-nan",     "i-klingon",  "sgn-be-fr",           "en-u-ca-gregory",
		"abcdefgh", "art-lojban", "en-a-bbb-x-a-b", "en-x-a",     "hy-Latn-IT-arevela",  "zh-cmn-Hans-CN",
	};
	static const char *const wrong[] = {
		"",
		"a",
		"e-US",
		"en_US",
		"en--US",
		"-en",
		"en-",
		"en-US-US",
		"en-x",
		"en-a",
		"x",
		"12",
		"en-12",
		"en-1994-1994",
		"en US",
		"e",
		"abcdefghi",
		"en-a-x-b",
		"en-u-ca-U-nu",
		"en-a-b",
		"i-nothing",
		"en-Latn-Latn",
		"abcd-efg",
		"\xED\x95\x9C",
	};
	char many[600] = "en-x";

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK_FOR(text_is_language(good[i], strlen(good[i])), "%s", good[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_FOR(!text_is_language(wrong[i], strlen(wrong[i])), "%s", wrong[i]);
	for (size_t i = 0; i < 62; i++) /* as many subtags as it takes, and one more */
		memcpy(many + 4 + 2 * i, "-a", 3);
	CHECK(text_is_language(many, strlen(many)));
	memcpy(many + strlen(many), "-a", 3);
	CHECK(!text_is_language(many, strlen(many)));
	CHECK(!text_is_language(LITERAL("en\0")));
}

TESTS({ "UTF-8 takes every character", utf8_takes_every_character }, { "UTF-8 refuses the rest", utf8_refuses_the_rest },
      { "finds visible characters", finds_visible_characters }, { "knows slugs", knows_slugs }, { "checks LEI", checks_lei },
      { "checks ISIN", checks_isin }, { "knows http URLs", knows_http_urls }, { "knows language tags", knows_languages })

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "lodebase/base/json_document.h"

static void keeps_numbers_as_written(void)
{
	static const char text[] =
		"[1.50e1, -0, 49.9999999999999999, 1e400, 1e-400, 123456789012345678901234567890, \"7\", {\"n\": 0}]";
	static const char *const numbers[] = { "1.50e1", "-0",     "49.9999999999999999",
					       "1e400",  "1e-400", "123456789012345678901234567890" };
	struct json_document d;
	struct json_fault fault;
	size_t n;

	if (!CHECK_INT(json_document_parse(LITERAL(text), &d, &fault), OK))
		return;
	for (size_t i = 0; i < 6; i++) {
		const json_t *v = json_array_get(d.root, i);
		char copy[64] = "";

		CHECK(json_is_integer(v));
		const char *token = json_number(&d, v, &n);
		memcpy(copy, token, n);
		CHECK_STR(copy, numbers[i]);
	}
	CHECK(json_is_string(json_array_get(d.root, 6)));
	const char *token = json_number(&d, json_object_get(json_array_get(d.root, 7), "n"), &n);
	CHECK(n == 1 && *token == '0');
	json_document_done(&d);
	CHECK(d.root == NULL && d.tokens == NULL);
	json_document_done(&d);
}

static void takes_any_value(void)
{
	static const char *const texts[] = { "0",
					     "\"\"",
					     "true",
					     "false",
					     "null",
					     "{}",
					     "[]",
					     " \t\r\n1 \t\r\n",
					     "\"\\u0000\"",
					     "\"\\ud83d\\ude00\"",
					     "\"\\/\\b\\f\\n\\r\\t\\\\\\\"\"",
					     "\"\x7f\"" };
	struct json_document d;
	struct json_fault fault;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		CHECK_FOR(json_document_parse(texts[i], strlen(texts[i]), &d, &fault) == OK, "%s: %s", texts[i], fault.reason);
		json_document_done(&d);
	}
	CHECK_INT(json_document_parse(LITERAL("\"\\u0000x\""), &d, &fault), OK);
	CHECK_INT(json_string_length(d.root), 2);
	json_document_done(&d);
}

static void says_what_is_wrong_and_where(void)
{
	static const struct {
		const char *text;
		int line, column;
		size_t offset;
		const char *reason;
	} vectors[] = {
		{ "", 1, 1, 0, "the text is empty" },
		{ " \n ", 2, 2, 3, "the text ends too early" },
		{ "[", 1, 2, 1, "the text ends too early" },
		{ "{\"a\"", 1, 5, 4, "the text ends too early" },
		{ "{\"a\":1", 1, 7, 6, "the text ends too early" },
		{ "[1,]", 1, 4, 3, "expected a value" },
		{ "{\"a\":1,}", 1, 8, 7, "expected a member name in double quotes" },
		{ "{'a':1}", 1, 2, 1, "expected a member name in double quotes" },
		{ "{\"a\" 1}", 1, 6, 5, "expected ':' after the member name" },
		{ "{\"a\":1 \"b\":2}", 1, 8, 7, "expected ',' or '}'" },
		{ "[1 2]", 1, 4, 3, "expected ',' or ']'" },
		{ "{]", 1, 2, 1, "expected a member name in double quotes" },
		{ "[}", 1, 2, 1, "expected a value" },
		{ "{} {}", 1, 4, 3, "something follows the end of the JSON value" },
		{ "tru", 1, 1, 0, "expected a value" },
		{ "nulL", 1, 1, 0, "expected a value" },
		{ "NaN", 1, 1, 0, "expected a value" },
		{ "[01]", 1, 2, 1, "a number may not begin with an idle 0" },
		{ "[-]", 1, 3, 2, "expected a digit after '-'" },
		{ "[1.]", 1, 4, 3, "expected a digit after the decimal point" },
		{ "[1e+]", 1, 5, 4, "expected a digit in the exponent" },
		{ "[9-0]", 1, 3, 2, "a number ends in something that is no part of one" },
		{ "[1.2.5]", 1, 5, 4, "a number ends in something that is no part of one" },
		{ "[1true]", 1, 3, 2, "a number ends in something that is no part of one" },
		{ "[1\"\"]", 1, 3, 2, "a number ends in something that is no part of one" },
		{ "[+1]", 1, 2, 1, "expected a value" },
		{ "[.5]", 1, 2, 1, "expected a value" },
		{ "\"abc", 1, 1, 0, "a string without an end" },
		{ "\"abc\\", 1, 6, 5, "the text ends within a string" },
		{ "\"a\tb\"", 1, 3, 2, "a control character in a string has to be escaped" },
		{ "\"\\x\"", 1, 3, 2, "an unknown escape in a string" },
		{ "\"\\u12g4\"", 1, 6, 5, "expected four hex digits after \\u" },
		{ "\"\xC3\xA9\\ud800\"", 1, 3, 3, "an unpaired surrogate in a string" },
		{ "\"\\udc00\"", 1, 2, 1, "an unpaired surrogate in a string" },
		{ "\"\\ud800\\u0041\"", 1, 2, 1, "an unpaired surrogate in a string" },
		{ "[\"ok\",\n\"\xFF\"]", 2, 2, 8, "not UTF-8" },
		{ "\"\xED\xA0\x80\"", 1, 2, 1, "not UTF-8" },
		{ "\xEF\xBB\xBF{}", 1, 1, 0, "begins with a byte order mark" },
		{ "{\"\xC3\xA9\":1,\n \"b\":12345,\n \"\xC3\xA9\":2}", 3, 2, 22, "a member twice: \"\xC3\xA9\"" },
		{ "[1.5555,2,3,{\"x\\\\\\\"\":1e99,\"x\\\\\\\"\":2}]", 1, 27, 26, "a member twice: \"x\\\\\\\"\"" },
		{ "{\"\":{},\"\":1}", 1, 8, 7, "a member twice: \"\"" },
		{ "{\"a\":1,\"\\u0061\":1}", 1, 8, 7, "a member twice: \"\\u0061\"" },
		{ "{\"a\\u0000\":1}", 1, 2, 1, "a NUL in a member name: \"a\\u0000\"" },
	};
	struct json_document d;
	struct json_fault fault;

	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		enum err e = json_document_parse(vectors[i].text, strlen(vectors[i].text), &d, &fault);

		if (!CHECK_FOR(e == ERR_INVALID, "%s: %s", vectors[i].text, err_name(e)))
			continue;
		CHECK(d.root == NULL && d.tokens == NULL);
		CHECK_STR(fault.reason, vectors[i].reason);
		CHECK_FOR(fault.line == vectors[i].line && fault.column == vectors[i].column &&
				  fault.offset == vectors[i].offset,
			  "%s: %d:%d, offset %zu", vectors[i].text, fault.line, fault.column, fault.offset);
	}
	CHECK_INT(json_document_parse(LITERAL("[1\0]"), &d, &fault), ERR_INVALID);
	CHECK_INT(json_document_parse(LITERAL("1\0"), &d, &fault), ERR_INVALID);
	CHECK_INT(json_document_parse(LITERAL("{}\0"), &d, &fault), ERR_INVALID);
	CHECK_INT(json_document_parse(LITERAL("\"\0\""), &d, &fault), ERR_INVALID);
	CHECK_INT(json_document_parse(LITERAL("\"\\\0\""), &d, &fault), ERR_INVALID);
}

static void cuts_long_names_between_characters(void)
{
	char text[2000] = "{\"";
	struct json_document d;
	struct json_fault fault;

	for (size_t before = 0; before < 4; before++) {
		char name[800] = "abc";

		name[before] = '\0';
		for (int i = 0; i < 100; i++)
			memcpy(name + before + (size_t)i * 3, "\xE9\x8A\x85", 4);
		int n = snprintf(text, sizeof text, "{\"%s\":1,\"%s\":2}", name, name);
		CHECK_INT(json_document_parse(text, (size_t)n, &d, &fault), ERR_INVALID);
		CHECK(strlen(fault.reason) < sizeof fault.reason - 1);
		CHECK(strcmp(fault.reason + strlen(fault.reason) - 4, "…\"") == 0);
		CHECK(memcmp(fault.reason + strlen(fault.reason) - 7, "\xE9\x8A\x85", 3) == 0);
	}
}

static void nests_up_to_64(void)
{
	struct json_document d;
	struct json_fault fault;
	char text[1000];

	for (unsigned depth = 62; depth < 68; depth++) {
		size_t n = 0;

		for (unsigned i = 0; i < depth; i++)
			n += (size_t)snprintf(text + n, sizeof text - n, i % 2 ? "[" : "{\"a\":");
		text[n++] = '1';
		for (unsigned i = depth; i-- > 0;)
			text[n++] = i % 2 ? ']' : '}';
		enum err e = json_document_parse(text, n, &d, &fault);
		if (depth <= 64) {
			CHECK_INT(e, OK);
			char *canonical = json_canonical(&d, d.root);
			CHECK(canonical && strlen(canonical) == n && memcmp(canonical, text, n) == 0);
			free(canonical);
			json_document_done(&d);
		} else {
			CHECK_INT(e, ERR_INVALID);
			CHECK_STR(fault.reason, "nested deeper than 64");
		}
	}
	/* Side by side is not deep. */
	size_t n = 0;
	text[n++] = '[';
	for (int i = 0; i < 100; i++) {
		memcpy(text + n, "[{}],", 5);
		n += 5;
	}
	text[n - 1] = ']';
	CHECK_INT(json_document_parse(text, n, &d, &fault), OK);
	json_document_done(&d);
}

static void many_numbers(void)
{
	enum { COUNT = 100000 };
	char *text = malloc(COUNT * 2 + 2);
	struct json_document d;
	struct json_fault fault;
	size_t n;

	if (!CHECK(text))
		return;
	text[0] = '[';
	for (int i = 0; i < COUNT; i++) {
		text[1 + 2 * i] = (char)('0' + i % 10);
		text[2 + 2 * i] = ',';
	}
	text[COUNT * 2] = ']';
	CHECK_INT(json_document_parse(text, COUNT * 2 + 1, &d, &fault), OK);
	CHECK_INT(d.n_tokens, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		CHECK(*json_number(&d, json_array_get(d.root, i), &n) == (char)('0' + i % 10) && n == 1);
	json_document_done(&d);
	free(text);
}

static void canonical_text(void)
{
	static const struct {
		const char *a, *canonical;
	} vectors[] = {
		{ " { \"b\" : [ 1.50 , true , null ] , \"a\" : { } , \"B\" : \"\" } ",
		  "{\"B\":\"\",\"a\":{},\"b\":[1.5,true,null]}" },
		{ "\"\\u0041\\/\\u00e9\\ud83d\\ude00\\u0000\"", "\"A/\xC3\xA9\xF0\x9F\x98\x80\\u0000\"" },
		{ "{\"\xC3\xA9\":1,\"z\":2,\"\":3}", "{\"\":3,\"z\":2,\"\xC3\xA9\":1}" },
		{ "-0.0e-5", "0" },
		{ "[1.50e1,1E3,0.0010,1e400,1e-41]", "[15,1000,0.001,1e400,1e-41]" },
	};

	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		char *text = json_canonical_text(vectors[i].a, strlen(vectors[i].a));

		CHECK_STR(text, vectors[i].canonical);
		char *again = text ? json_canonical_text(text, strlen(text)) : NULL;
		CHECK_STR(again, vectors[i].canonical);
		free(text);
		free(again);
	}
	CHECK(json_canonical_text(LITERAL("{")) == NULL);
}

/* Mutations of good documents: accepted exactly where Jansson alone accepts, and then with the same tree. */
static const char *const seeds[] = {
	"{\"slug\":\"x\",\"pct\":49.999999999999,\"note\":null,\"aliases\":[\"a\\u00e9\",\"\\ud83d\\ude00\"],\"x\":-1.5e-3}",
	"[0,-0,1e5,1E+5,1.25e-1,[],{},[[{\"a\":[1,2,3]}]],true,false,null,\"\"]",
	" [ 10 , 20.0 , \"1.5\" , { \"1\" : 1 , \"01\" : 2 } ] \n",
	"{\"a\":{\"b\":{\"c\":{\"d\":\"\\\\\\\"\\/\\b\\f\\n\\r\\t\"}}},\"\xC3\xA9\":\"\xED\x95\x9C\xF0\x9F\x98\x80\"}",
};
static const char alphabet[] = "{}[]:,\"\\ \n0123456789.eE+-tfnu\xC3\xA9\xED\xA0\x80\xF0\x9F\x98\x80\x01/ad";

static size_t mutate(char *text, size_t n, size_t size)
{
	for (size_t times = 1 + test_random_below(3); times > 0; times--) {
		size_t at = test_random_below(n + 1), length = 1 + test_random_below(4);
		char c = alphabet[test_random_below(sizeof alphabet - 1)];

		switch (test_random_below(4)) {
		case 0: /* replace */
			if (at < n)
				text[at] = c;
			break;
		case 1: /* insert */
			if (n + 1 < size) {
				memmove(text + at + 1, text + at, n - at);
				text[at] = c;
				n++;
			}
			break;
		case 2: /* remove */
			if (length > n - at)
				length = n - at;
			memmove(text + at, text + at + length, n - at - length);
			n -= length;
			break;
		default: /* repeat a piece elsewhere */
			if (length <= n - at && n + length < size) {
				char piece[8];
				size_t to = test_random_below(n + 1);

				memcpy(piece, text + at, length);
				memmove(text + to + length, text + to, n - to);
				memcpy(text + to, piece, length);
				n += length;
			}
		}
	}
	return n;
}

static void agrees_with_jansson(void)
{
	unsigned accepted = 0, refused = 0;

	for (int i = 0; i < 60000; i++) {
		const char *seed = seeds[test_random_below(sizeof seeds / sizeof seeds[0])];
		char text[512];
		struct json_document d;
		struct json_fault fault;
		json_error_t error;
		size_t n = strlen(seed);

		memcpy(text, seed, n);
		n = mutate(text, n, sizeof text);
		json_t *wanted = json_loadb(
			text, n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
		/* A double has bounds that a number does not. */
		if (!wanted && json_error_code(&error) == json_error_numeric_overflow)
			continue;
		enum err e = json_document_parse(text, n, &d, &fault);
		CHECK_FOR((e == OK) == (wanted != NULL), "%.*s: %s, Jansson: %s", (int)n, text, e ? fault.reason : "accepted",
			  wanted ? "accepted" : error.text);
		if (e == OK) {
			char *canonical = json_canonical(&d, d.root);
			json_t *got = canonical ? json_loads(canonical,
							     JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL)
						: NULL;

			CHECK_FOR(got && json_equal(got, wanted), "%.*s became %s", (int)n, text,
				  canonical ? canonical : "nothing");
			json_decref(got);
			free(canonical);
			json_document_done(&d);
			accepted++;
		} else {
			CHECK(fault.reason[0] != '\0' && fault.line > 0 && fault.column > 0 && fault.offset <= n);
			refused++;
		}
		json_decref(wanted);
	}
	/* The comparison is worth something only where both happen often. */
	CHECK(accepted > 5000 && refused > 5000);
}

TESTS({ "keeps numbers as written", keeps_numbers_as_written }, { "takes any value", takes_any_value },
      { "says what is wrong and where", says_what_is_wrong_and_where },
      { "cuts long names between characters", cuts_long_names_between_characters }, { "nests up to 64", nests_up_to_64 },
      { "many numbers", many_numbers }, { "canonical text", canonical_text }, { "agrees with Jansson", agrees_with_jansson })

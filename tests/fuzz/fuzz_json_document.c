/* The number pass against Jansson alone: the same texts accepted, the same trees. */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "lodebase/base/json_document.h"

#define FLAGS (JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

static void check_numbers(const struct json_document *d, json_t *v)
{
	const char *key;
	json_t *member;
	size_t i, n;

	if (json_is_object(v)) {
		json_object_foreach(v, key, member) check_numbers(d, member);
	} else if (json_is_array(v)) {
		json_array_foreach(v, i, member) check_numbers(d, member);
	} else if (json_is_integer(v)) {
		const char *token = json_number(d, v, &n);

		FUZZ_CHECK(n > 0 && memchr("-0123456789", *token, 11));
	} else {
		FUZZ_CHECK(!json_is_real(v));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes;
	struct json_document d;
	struct json_fault fault;
	json_error_t error;
	enum err e = json_document_parse(text, n, &d, &fault);
	json_t *wanted = json_loadb(text, n, FLAGS, &error);
	bool has_overflow = !wanted && json_error_code(&error) == json_error_numeric_overflow;

	if (e != OK) {
		FUZZ_CHECK(e == ERR_INVALID && fault.offset <= n && fault.line > 0 && fault.column > 0 && fault.reason[0]);
		/* Deeper than 64 is fine with Jansson, and it overlooks a NUL behind a number. */
		FUZZ_CHECK(!wanted || strcmp(fault.reason, "nested deeper than 64") == 0 || memchr(text, '\0', n));
		json_decref(wanted);
		return 0;
	}
	FUZZ_CHECK(wanted || has_overflow);
	check_numbers(&d, d.root);
	char *canonical = json_canonical(&d, d.root);
	FUZZ_CHECK(canonical);
	char *again = json_canonical_text(canonical, strlen(canonical));
	FUZZ_CHECK(again && strcmp(canonical, again) == 0);
	if (wanted) {
		json_t *got = json_loads(canonical, FLAGS, NULL);

		FUZZ_CHECK(got && json_equal(got, wanted));
		json_decref(got);
	}
	free(canonical);
	free(again);
	json_decref(wanted);
	json_document_done(&d);
	return 0;
}

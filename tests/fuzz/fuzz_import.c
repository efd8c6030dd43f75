/* The import's reader: a letter that says what comes (b a bundle, else lines), a byte that says in how large pieces, then the
 * text. It takes apart what the JSON parser takes as a whole, and nothing else, into the same records. */
#include "api_case.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "import_reader.h"

#define PIECES_MAX 50

/* A socket whose reader gets the text piece by piece. -1: the system has no room. */
static int source_of(const uint8_t *bytes, size_t n, size_t piece)
{
	int pair[2];

	if (piece < n / PIECES_MAX + 1)
		piece = n / PIECES_MAX + 1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return -1;
	for (size_t at = 0; at < n; at += piece) {
		const size_t len = n - at < piece ? n - at : piece;

		FUZZ_CHECK(send(pair[1], bytes + at, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len);
	}
	close(pair[1]);
	return pair[0];
}

static bool parses(const char *text, size_t n, struct json_document *ret)
{
	struct json_fault fault;

	return json_document_parse(text, n, ret, &fault) == OK;
}

/* Whether the event's text is the value. Numbers of the two documents are the same where they were written alike. */
static bool is_value(const struct import_reader *r, const struct json_document *whole, const json_t *value)
{
	char *want = json_canonical(whole, value), *got = json_canonical_text(r->text.data, r->text.len);
	bool same = want && got && strcmp(want, got) == 0;

	free(want);
	free(got);
	return same;
}

/* Where an event's text begins lies within the text, and its bytes are there. */
static void check_place(const struct import_reader *r, const char *text, size_t n)
{
	const char *line = text;

	for (uint64_t i = 1; i < r->item_line; i++) {
		line = memchr(line, '\n', n - (size_t)(line - text));
		FUZZ_CHECK(line++);
	}
	FUZZ_CHECK(r->item_column - 1 + r->text.len <= n - (size_t)(line - text));
	FUZZ_CHECK(r->text.len == 0 || memcmp(line + r->item_column - 1, r->text.data, r->text.len) == 0);
}

/* Runs through a bundle as import_read.c does. true: there was nothing wrong with it. With `whole`, what comes is that. */
static bool read_bundle(struct import_reader *r, const char *text, size_t n, const struct json_document *whole)
{
	json_t *names = json_object(), *list = NULL;
	size_t records = 0, members = 0, want = 0;
	bool fine = true;
	enum import_event event = IMPORT_FAILED;

	FUZZ_CHECK(names);
	while (fine && (event = import_reader_next(r)) != IMPORT_END) {
		struct json_document d = { 0 };

		FUZZ_CHECK(event != IMPORT_FAILED && event != IMPORT_TOO_LONG);
		if (event == IMPORT_MALFORMED) {
			FUZZ_CHECK(*r->reason && r->item_line > 0 && r->item_column > 0);
			fine = false;
			break;
		}
		check_place(r, text, n);
		fine = parses(r->text.data, r->text.len, &d);
		if (fine && event == IMPORT_MEMBER) {
			const char *name = json_string_value(d.root);

			FUZZ_CHECK(name);
			/* the parser has no names with NUL; to the import they are unknown ones */
			fine = !memchr(name, '\0', json_string_length(d.root)) &&
			       !json_object_getn(names, name, json_string_length(d.root));
			json_object_setn_new(names, name, json_string_length(d.root), json_true());
			members++;
			records = 0;
			list = whole ? json_object_getn(whole->root, name, json_string_length(d.root)) : NULL;
			FUZZ_CHECK(!whole || list);
			want += json_array_size(list);
		} else if (fine && event == IMPORT_ITEM) {
			FUZZ_CHECK(r->index == records++ && members > 0);
			FUZZ_CHECK(!whole || is_value(r, whole, json_array_get(list, r->index)));
			want -= whole ? 1 : 0;
		} else if (fine && event == IMPORT_NO_LIST) {
			FUZZ_CHECK(!json_is_array(d.root) && (!whole || is_value(r, whole, list)));
		} else if (fine) {
			FUZZ_CHECK(event == IMPORT_NO_BUNDLE && !json_is_object(d.root));
			FUZZ_CHECK(!whole || is_value(r, whole, whole->root));
		}
		json_document_done(&d);
	}
	FUZZ_CHECK(event == IMPORT_END || !fine);
	FUZZ_CHECK(!fine || import_reader_next(r) == IMPORT_END);
	FUZZ_CHECK(!whole || (fine && want == 0 && members == json_object_size(whole->root)));
	json_decref(names);
	return fine;
}

/* Lines that are not blank, each as it stands. */
static void read_lines(struct import_reader *r, const char *text, size_t n)
{
	uint64_t number = 1;

	for (size_t at = 0; at < n; number++) {
		const char *newline = memchr(text + at, '\n', n - at);
		const size_t len = newline ? (size_t)(newline - text) - at : n - at;
		size_t blank = 0;

		while (blank < len && strchr(" \t\r", text[at + blank]) && text[at + blank])
			blank++;
		if (blank < len) {
			FUZZ_CHECK(import_reader_next(r) == IMPORT_ITEM);
			FUZZ_CHECK(r->text.len == len && memcmp(r->text.data, text + at, len) == 0);
			FUZZ_CHECK(r->item_line == number && r->item_column == 1);
		}
		at += len + 1;
	}
	FUZZ_CHECK(import_reader_next(r) == IMPORT_END && import_reader_next(r) == IMPORT_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < 2 || n > 100000)
		return 0;
	const char *text = (const char *)bytes + 2;
	struct import_source source = { .format = bytes[0] == 'b' ? IMPORT_BUNDLE : IMPORT_NDJSON };
	struct import_reader reader;
	struct json_document whole = { 0 };

	n -= 2;
	source.fd = source_of(bytes + 2, n, bytes[1]);
	if (source.fd < 0)
		return 0;
	FUZZ_CHECK(import_reader_init(&reader, &source));
	if (source.format == IMPORT_BUNDLE) {
		bool is_json = parses(text, n, &whole);

		FUZZ_CHECK(read_bundle(&reader, text, n, is_json ? &whole : NULL) == is_json);
		json_document_done(&whole);
	} else {
		read_lines(&reader, text, n);
	}
	import_reader_done(&reader);
	close(source.fd);
	return 0;
}

#include "import_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lodebase/base/json_document.h"

#define CHUNK (256u << 10)

static const char no_value[] = "this is no JSON value";

/* Where in a bundle the next byte stands. */
enum { BEGIN, FIRST_MEMBER, NEXT_MEMBER, MEMBER_VALUE, FIRST_RECORD, NEXT_RECORD, BEHIND, OVER };

bool import_reader_init(struct import_reader *r, const struct import_source *source)
{
	*r = (struct import_reader){ .fd = source->fd, .format = source->format, .line = 1, .column = 1, .state = BEGIN };
	buf_init(&r->text, IMPORT_RECORD_MAX);
	r->chunk = malloc(CHUNK);
	return r->chunk != NULL;
}

void import_reader_done(struct import_reader *r)
{
	free(r->chunk);
	r->chunk = NULL;
	buf_done(&r->text);
}

static bool fill(struct import_reader *r)
{
	ssize_t n;

	if (r->eof || r->read_failed)
		return false;
	do
		n = read(r->fd, r->chunk, CHUNK);
	while (n < 0 && errno == EINTR);
	r->at = 0;
	r->filled = n > 0 ? (size_t)n : 0;
	r->eof = n == 0;
	r->read_failed = n < 0;
	return n > 0;
}

/* The next byte, or -1 at the end. */
static int peek(struct import_reader *r)
{
	if (r->at == r->filled && !fill(r))
		return -1;
	return (unsigned char)r->chunk[r->at];
}

static void step(struct import_reader *r)
{
	if (r->chunk[r->at++] == '\n') {
		r->line++;
		r->column = 1;
	} else {
		r->column++;
	}
}

static int peek_behind_space(struct import_reader *r)
{
	int c;

	while ((c = peek(r)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		step(r);
	return c;
}

static enum import_event malformed(struct import_reader *r, const char *reason)
{
	r->state = OVER;
	if (r->read_failed)
		return IMPORT_FAILED;
	r->item_line = r->line;
	r->item_column = r->column;
	r->reason = reason;
	return IMPORT_MALFORMED;
}

/* Takes a string, its opening quote next. false: the text ends within it. */
static bool take_string(struct import_reader *r)
{
	bool escaped = false;
	int c = peek(r);

	buf_putc(&r->text, (char)c);
	step(r);
	while ((c = peek(r)) >= 0) {
		size_t start = r->at;

		/* a run of bytes at once */
		while (r->at < r->filled) {
			c = (unsigned char)r->chunk[r->at];
			step(r);
			if (escaped)
				escaped = false;
			else if (c == '\\')
				escaped = true;
			else if (c == '"') {
				buf_put(&r->text, r->chunk + start, r->at - start);
				return true;
			}
		}
		buf_put(&r->text, r->chunk + start, r->at - start);
	}
	return false;
}

/* Whether a byte outside strings belongs to JSON, as far as that can be told without keeping what stands before it: what is
 * kept is parsed later, but a value beyond the bound is not. *word counts the letters that follow each other. */
static bool may_be_json(int c, unsigned *word)
{
	const bool is_letter = c && strchr("truefalsnE", c);

	*word = is_letter ? *word + 1 : 0;
	return *word <= strlen("false") && (is_letter || (c && strchr("{}[],:+-.0123456789 \t\r\n", c)));
}

/* Takes one value of any kind into r->text, without the space around it. NULL, or why it is no JSON. Longer than the bound,
 * it is lexed on and text.failed is set. */
static const char *take_value(struct import_reader *r)
{
	unsigned outside = r->depth, word = 0;
	uint64_t is_object = 0; /* a bit per open bracket */
	int c = peek_behind_space(r);

	buf_reset(&r->text);
	r->item_line = r->line;
	r->item_column = r->column;
	do {
		c = peek(r);
		if (c < 0)
			return "the text ends in the middle";
		if (c == '"') {
			if (!take_string(r))
				return "the text ends within a string";
			continue;
		}
		if (c == '{' || c == '[') {
			if (r->depth == JSON_DEPTH_MAX)
				return "nested deeper than 64";
			is_object = is_object << 1 | (c == '{');
			r->depth++;
		} else if (c == '}' || c == ']') {
			if (r->depth == outside)
				return "a value is missing here";
			if ((is_object & 1) != (c == '}'))
				return "a bracket closes another kind of bracket";
			is_object >>= 1;
			r->depth--;
		} else if (r->depth == outside) {
			/* a number or a word */
			size_t before = r->text.len;

			while ((c = peek(r)) >= 0 && !strchr(" \t\r\n,:]}[{\"", c)) {
				if (!may_be_json(c, &word) && r->text.failed)
					return no_value;
				buf_putc(&r->text, (char)c);
				step(r);
			}
			return r->text.len == before && !r->text.failed ? "a value is missing here" : NULL;
		}
		if (!may_be_json(c, &word) && r->text.failed)
			return no_value;
		buf_putc(&r->text, (char)c);
		step(r);
	} while (r->depth > outside);
	return NULL;
}

static enum import_event begin(struct import_reader *r)
{
	const char *why;
	int c = peek_behind_space(r);

	if (c < 0)
		return malformed(r, "there is no JSON text");
	if (c == '{') {
		step(r);
		r->depth = 1;
		r->state = FIRST_MEMBER;
		return import_reader_next(r);
	}
	why = take_value(r);
	if (why)
		return malformed(r, why);
	r->state = BEHIND;
	return IMPORT_NO_BUNDLE;
}

/* The name of the next member, or the bundle's end. */
static enum import_event member(struct import_reader *r)
{
	const char *why;
	int c = peek_behind_space(r);

	if (c == '}') {
		step(r);
		r->depth = 0;
		r->state = BEHIND;
		return import_reader_next(r);
	}
	if (r->state == NEXT_MEMBER) {
		if (c != ',')
			return malformed(r, c < 0 ? "the text ends in the middle" : "a comma or } is missing here");
		step(r);
		c = peek_behind_space(r);
	}
	if (c != '"')
		return malformed(r, c < 0 ? "the text ends in the middle" : "the name of a member is missing here");
	why = take_value(r);
	if (why)
		return malformed(r, why);
	if (peek_behind_space(r) != ':')
		return malformed(r, "a colon is missing here");
	step(r);
	r->state = MEMBER_VALUE;
	return IMPORT_MEMBER;
}

static enum import_event member_value(struct import_reader *r)
{
	const char *why;

	if (peek_behind_space(r) == '[') {
		step(r);
		r->depth = 2;
		r->index = 0;
		r->state = FIRST_RECORD;
		return import_reader_next(r);
	}
	why = take_value(r);
	if (why)
		return malformed(r, why);
	r->state = NEXT_MEMBER;
	return IMPORT_NO_LIST;
}

static enum import_event record(struct import_reader *r)
{
	const char *why;
	int c = peek_behind_space(r);

	if (c == ']') {
		step(r);
		r->depth = 1;
		r->state = NEXT_MEMBER;
		return import_reader_next(r);
	}
	if (r->state == NEXT_RECORD) {
		if (c != ',')
			return malformed(r, c < 0 ? "the text ends in the middle" : "a comma or ] is missing here");
		step(r);
		r->index++;
	}
	why = take_value(r);
	if (why)
		return malformed(r, why);
	r->state = NEXT_RECORD;
	return r->text.failed ? IMPORT_TOO_LONG : IMPORT_ITEM;
}

/* The next line that is not blank. */
static enum import_event line(struct import_reader *r)
{
	for (;;) {
		bool ended = false;

		buf_reset(&r->text);
		r->item_line = r->line;
		r->item_column = 1;
		while (!ended && peek(r) >= 0) {
			char *from = r->chunk + r->at, *newline = memchr(from, '\n', r->filled - r->at);
			size_t n = newline ? (size_t)(newline - from) : r->filled - r->at;

			buf_put(&r->text, from, n);
			r->at += n;
			if (newline) {
				step(r);
				ended = true;
			}
		}
		if (r->read_failed)
			return malformed(r, NULL);
		if (r->text.failed)
			return IMPORT_TOO_LONG;
		if (r->text.len > 0 && strspn(r->text.data, " \t\r") < r->text.len)
			return IMPORT_ITEM;
		if (!ended) {
			r->state = OVER;
			return IMPORT_END;
		}
	}
}

enum import_event import_reader_next(struct import_reader *r)
{
	if (r->state == OVER)
		return IMPORT_END;
	if (r->format == IMPORT_NDJSON)
		return line(r);
	switch (r->state) {
	case BEGIN:
		return begin(r);
	case FIRST_MEMBER:
	case NEXT_MEMBER:
		return member(r);
	case MEMBER_VALUE:
		return member_value(r);
	case FIRST_RECORD:
	case NEXT_RECORD:
		return record(r);
	default:
		if (peek_behind_space(r) >= 0)
			return malformed(r, "something follows the JSON text");
		if (r->read_failed)
			return malformed(r, NULL);
		r->state = OVER;
		return IMPORT_END;
	}
}

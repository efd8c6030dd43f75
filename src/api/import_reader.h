/* Takes an import apart, record by record, out of a stream of any size in constant memory. A bundle is never read as a whole:
 * only strings and brackets are looked at here, up to the end of each record; its grammar is the JSON parser's business.
 * Private to the api layer. */
#pragma once

#include "lodebase/api/import.h"

#define IMPORT_RECORD_MAX (1u << 20) /* of one record, and of one line of NDJSON (contract section 1) */

enum import_event {
	IMPORT_ITEM, /* a record of a bundle's member, or a line of NDJSON */
	IMPORT_TOO_LONG, /* the same, but longer than IMPORT_RECORD_MAX: skipped */
	IMPORT_MEMBER, /* a bundle's member begins: its name */
	IMPORT_NO_LIST, /* a bundle's member is not a list: its value */
	IMPORT_NO_BUNDLE, /* a bundle is not an object: its value */
	IMPORT_END,
	IMPORT_MALFORMED, /* no JSON from here on; nothing more can be read */
	IMPORT_FAILED, /* read() failed: errno tells */
};

struct import_reader {
	int fd;
	enum import_format format;
	char *chunk;
	size_t at, filled;
	bool eof, read_failed;
	uint64_t line, column; /* of the next byte, from 1 */
	unsigned depth; /* of brackets open around the next byte */
	int state;

	/* What the last event was about: */
	struct buf text; /* the record, line, name or value as it was written */
	uint64_t index; /* of a record within its list, from 0 */
	uint64_t item_line; /* where it begins */
	uint64_t item_column;
	const char *reason; /* IMPORT_MALFORMED: plain English */
};

/* false: no memory. */
bool import_reader_init(struct import_reader *r, const struct import_source *source);
void import_reader_done(struct import_reader *r);
enum import_event import_reader_next(struct import_reader *r);

/* A list under way: what its parameters said, in whatever form it is answered. Private to api. */
#pragma once

#include "internal.h"

#define LIST_LIMIT_DEFAULT 50
#define LIST_LIMIT_MAX 500
#define LIST_PAGE_BYTES ((size_t)16 << 20) /* a page ends behind it, before its limit */

enum list_format { LIST_JSON, LIST_CSV, LIST_NDJSON, LIST_GEOJSON };

struct list_state {
	enum list_format format;
	struct list_query query;
	size_t filters_capacity;
	struct projection projection;
	bool projected;
	bool count;
	bool instant_told; /* known_at was asked for: the answer says which it was */
	const char *sort, *cursor;
	size_t cursor_len;
	unsigned limit;
	struct composed list, total;
};

enum list_format list_format(const char *media_type);
/* The whole list in parts, as the base stands when it begins. */
void list_stream_run(struct call *c);

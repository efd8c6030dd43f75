/* The change feed: the log of all changes in one order, told up to the horizon below which nothing can appear any more
 * (postgres.md section 4). GET of a page and the stream read it alike. Private to api. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "internal.h"
#include "versions.h"

/* Behind which change a reader stands. As text it also says its base and the epoch in which it was given out: in another one
 * it is no longer served, because a restored base may have lost what its reader saw. */
struct feed_position {
	int64_t epoch;
	uint64_t xid, seq;
};

#define FEED_POSITION_SIZE 128

enum feed_where { FEED_MALFORMED, FEED_FOREIGN, FEED_HERE };

/* FEED_FOREIGN: a position of another base. *ret_given: the epoch in which it was given out. The secret must be there. */
enum feed_where feed_position_parse(const struct call *c, const char *text, struct feed_position *ret, int64_t *ret_given);
void feed_position_format(const struct call *c, const struct feed_position *p, int64_t given, char ret[FEED_POSITION_SIZE]);
int feed_position_compare(const struct feed_position *a, const struct feed_position *b);

/* What a reader asks for, and the page that answers it. */
struct feed {
	struct feed_position after;
	int64_t given; /* the epoch in which `after` was given out; 0: whatever it is now */
	bool from_end; /* begins at the horizon instead */
	bool *wanted; /* per resource; NULL: all */
	unsigned limit;

	struct version *versions;
	struct feed_position *positions; /* of each */
	size_t n;
	bool caught_up; /* there is nothing more below the horizon */
	int64_t epoch; /* now */
	const char *params[5];
	char numbers[4][32];
	void (*ready)(struct call *c);
};

/* The parameters after, resource and limit. false: the parameter is none of them. */
bool feed_parameter(struct call *c, struct feed *f, const struct http_field *p);
/* The value of after or Last-Event-ID. */
void feed_after(struct call *c, struct feed *f, enum fault_place place, const char *name, const char *value);
/* Reads the page behind f->after with its bodies (versions_done() frees them), fewer than asked for where they are large, and goes on; 410 where the epoch is another. */
void feed_fetch(struct call *c, struct feed *f, void (*ready)(struct call *c));
/* Writes item i of the page as a JSON object. */
void feed_write_item(struct buf *out, const struct feed *f, size_t i);
/* 410. */
void feed_expired(struct call *c);

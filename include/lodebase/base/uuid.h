/* UUIDs: version 7 (RFC 9562) made of the wall clock in microseconds and random bits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define UUID_TEXT_SIZE 37 /* 36 characters and NUL */

/* Random bits for many ids, asked of the kernel at once: one for each thread, zeroed at first. libuuid asks six times per id. */
struct uuid_source {
	unsigned left;
	unsigned char bytes[1600];
};

void uuid7_new(struct uuid_source *s, char ret_text[UUID_TEXT_SIZE]); /* lower case */
/* Whether s[0..n) has the form of a UUID (8-4-4-4-12 hex digits, either case, any version). */
bool uuid_is_text(const char *s, size_t n);
/* The canonical (lower-case) form of a text for which uuid_is_text is true. */
void uuid_canonical(const char *s, char ret_text[UUID_TEXT_SIZE]);

/* One as it is kept where there are many. (libuuid has the names uuid_parse and uuid_unparse.) */
struct uuid {
	unsigned char bytes[16];
};

bool uuid_from_text(const char *s, size_t n, struct uuid *ret); /* false: uuid_is_text is false of it */
void uuid_to_text(const struct uuid *id, char ret_text[UUID_TEXT_SIZE]); /* lower case */

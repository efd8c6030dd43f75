/* The one error enumeration. Engines return it, only api/problem.c turns it into HTTP. */
#pragma once

#define MUST_CHECK __attribute__((warn_unused_result))

enum err {
	OK = 0,
	ERR_NOMEM, /* no memory, or a bounded arena or buffer is full */
	ERR_FULL, /* a bounded queue or table is full: try again later */
	ERR_INVALID, /* malformed input */
	ERR_RANGE, /* well-formed but out of range */
	ERR_PRECISION, /* more decimals than the value may have */
	ERR_NOT_FOUND, /* no such thing */
	ERR_CONFLICT, /* it exists, or is in use, already */
	ERR_UNAVAILABLE, /* the database or another party is away */
	ERR_TIMEOUT, /* a deadline passed */
	ERR_DENIED, /* not allowed */
	ERR_IO, /* the operating system said no; errno may tell more */
	ERR_SQL, /* the database refused a statement; the error object tells why */
	ERR_STATE, /* called at the wrong time: a bug of the caller */
};

/* A short English name for logs ("out of memory"); never NULL. */
const char *err_name(enum err e);

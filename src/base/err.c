#include "lodebase/base/err.h"

const char *err_name(enum err e)
{
	switch (e) {
	case OK:
		return "ok";
	case ERR_NOMEM:
		return "out of memory";
	case ERR_FULL:
		return "full";
	case ERR_INVALID:
		return "malformed";
	case ERR_RANGE:
		return "out of range";
	case ERR_PRECISION:
		return "too many decimals";
	case ERR_NOT_FOUND:
		return "not found";
	case ERR_CONFLICT:
		return "exists already";
	case ERR_UNAVAILABLE:
		return "unavailable";
	case ERR_TIMEOUT:
		return "timed out";
	case ERR_DENIED:
		return "not allowed";
	case ERR_IO:
		return "input/output error";
	case ERR_SQL:
		return "refused by the database";
	case ERR_STATE:
		return "wrong state";
	}
	return "unknown error";
}

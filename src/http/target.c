/* Request targets: which form they have, and what they name. */
#include "guard.h"

#include <string.h>
#include <strings.h>
#include "lodebase/base/text.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *guard_unescape(const char *s, size_t n, bool plus, char *to, size_t *ret_len)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '%') {
			const int high = n - i > 2 ? hex(s[i + 1]) : -1, low = high >= 0 ? hex(s[i + 2]) : -1;

			if (low < 0)
				return "has a percent sign without two hexadecimal digits behind it";
			c = (char)(high << 4 | low);
			if (!c)
				return "has a %00";
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		to[len++] = c;
	}
	if (!text_is_utf8(to, len))
		return "is not UTF-8";
	*ret_len = len;
	return NULL;
}

/* s in a form that can be shown anywhere. */
static const char *printable(struct arena *a, const char *s, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	const bool utf8 = text_is_utf8(s, n);
	char *copy = arena_alloc(a, 3 * n + 1);
	size_t len = 0;

	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)s[i];

		if (c > 0x20 && c != 0x7f && (c < 0x80 || utf8)) {
			copy[len++] = s[i];
			continue;
		}
		copy[len++] = '%';
		copy[len++] = digits[c >> 4];
		copy[len++] = digits[c & 15];
	}
	return copy;
}

static const char *bad_bytes(const char *target, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)target[i] <= 0x20 || target[i] == 0x7f || target[i] == '#')
			return "The request target has a blank, a control character or a \"#\".";
	return text_is_utf8(target, n) ? NULL : "The request target is not UTF-8.";
}

static bool is_authority(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr("/?#@\\", s[i])) /* finds the NUL, too */
			return false;
	return n > 0;
}

/* The length of "http://authority" at the front of an absolute form; 0: it is none. */
static size_t absolute_prefix(const char *s, size_t n)
{
	size_t scheme = 0;

	if (n > 7 && strncasecmp(s, "http://", 7) == 0)
		scheme = 7;
	else if (n > 8 && strncasecmp(s, "https://", 8) == 0)
		scheme = 8;
	if (!scheme)
		return 0;
	size_t end = scheme;
	while (end < n && s[end] != '/' && s[end] != '?')
		end++;
	return is_authority(s + scheme, end - scheme) ? end : 0;
}

static const char *decode_path(struct arena *a, const char *s, size_t n, struct guard_target *ret, bool *ret_full)
{
	char *path = arena_alloc(a, n + 1);
	size_t len;

	if (!path) {
		*ret_full = true;
		return NULL;
	}
	const char *wrong = guard_unescape(s, n, false, path, &len);
	if (wrong) {
		const char *fault = arena_printf(a, "The path %s.", wrong);

		*ret_full = !fault;
		return fault;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
			return "The path has a control character.";
	ret->path = path;
	return NULL;
}

bool guard_target(struct arena *a, const char *method, const char *target, size_t n, struct guard_target *ret)
{
	const bool options = strcmp(method, "OPTIONS") == 0;
	bool full = false;

	*ret = (struct guard_target){ .path = "/" };
	ret->fault = bad_bytes(target, n);
	const char *query = memchr(target, '?', n);
	const size_t path_len = query ? (size_t)(query - target) : n;
	const char *path = target;
	size_t skip = 0;

	if (ret->fault) {
		;
	} else if (n == 1 && *target == '*' && options) {
		ret->path = "*";
		ret->raw_path = "*";
		return true;
	} else if (strcmp(method, "CONNECT") == 0) {
		ret->raw_path = printable(a, target, n);
		if (!is_authority(target, n))
			ret->fault = "CONNECT wants a host and a port as its target.";
		return ret->raw_path;
	} else if (!n || *target != '/') {
		skip = absolute_prefix(target, n);
		if (!skip)
			ret->fault = "The request target is neither a path nor an http URL.";
	}
	path += skip;
	if (!ret->fault && skip == path_len) { /* a URL without a path */
		ret->raw_path = ret->path = options && !query ? "*" : "/";
	} else {
		ret->raw_path = printable(a, path, path_len - skip);
		if (!ret->fault)
			ret->fault = decode_path(a, path, path_len - skip, ret, &full);
	}
	if (query && !ret->fault) {
		ret->raw_query = arena_strndup(a, query + 1, n - path_len - 1);
		full |= !ret->raw_query;
	}
	return ret->raw_path && !full;
}

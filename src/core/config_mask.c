/* Passwords inside conninfo strings and URLs. When in doubt, too much is masked. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "config_internal.h"

static const char mask[] = "***";

/* Text is written here at most as long as the input plus one mask per item; the caller sizes it. */
struct out {
	char *at;
};

static void put(struct out *o, const char *from, size_t n)
{
	memcpy(o->at, from, n);
	o->at += n;
	*o->at = '\0';
}

static bool is_secret_keyword(const char *name, size_t n)
{
	static const char *const parts[] = { "password", "secret", "scram_client_key", "scram_server_key" };
	char lower[64];
	if (n >= sizeof(lower))
		return true;
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	lower[n] = '\0';
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(lower, parts[i]))
			return true;
	return strchr(lower, '%') != NULL; /* an escaped keyword of a URL may spell one */
}

/* scheme://user:password@hosts/database?name=value&… A password may hold an '@' that should have been escaped: all up to
 * the last '@' before the query is taken for it. */
static void mask_url(const char *url, struct out *o)
{
	const char *rest = strstr(url, "://") + 3;
	const char *query = strchr(rest, '?');
	const char *end = query ? query : rest + strlen(rest);
	const char *at = memrchr(rest, '@', (size_t)(end - rest));
	const char *colon = at ? memchr(rest, ':', (size_t)(at - rest)) : NULL;
	if (colon) {
		put(o, url, (size_t)(colon + 1 - url));
		put(o, mask, strlen(mask));
		put(o, at, (size_t)(end - at));
	} else {
		put(o, url, (size_t)(end - url));
	}
	for (const char *p = query; p && *p;) {
		const char *next = strpbrk(p + 1, "&");
		size_t n = next ? (size_t)(next - p) : strlen(p);
		const char *equals = memchr(p, '=', n);
		if (equals && is_secret_keyword(p + 1, (size_t)(equals - p - 1))) {
			put(o, p, (size_t)(equals + 1 - p));
			put(o, mask, strlen(mask));
		} else {
			put(o, p, n);
		}
		p = next;
	}
}

/* The end of a conninfo value: quoted with '…' where \ escapes, else up to white space. NULL: not closed. */
static const char *value_end(const char *p)
{
	bool quoted = *p == '\'';
	if (quoted)
		p++;
	for (; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (quoted ? *p == '\'' : isspace((unsigned char)*p) != 0)
			return quoted ? p + 1 : p;
	}
	return quoted ? NULL : p;
}

/* keyword = value keyword = 'value' … false where it is not of that form. */
static bool mask_keywords(const char *p, struct out *o)
{
	while (isspace((unsigned char)*p))
		p++;
	for (bool first = true; *p; first = false) {
		size_t n = strcspn(p, "= \t\r\n\f\v");
		const char *name = p;
		p += n;
		while (isspace((unsigned char)*p))
			p++;
		if (!n || *p++ != '=')
			return false;
		while (isspace((unsigned char)*p))
			p++;
		const char *end = value_end(p);
		if (!end)
			return false;
		if (!first)
			put(o, " ", 1);
		put(o, name, n);
		put(o, "=", 1);
		if (is_secret_keyword(name, n) || memmem(p, (size_t)(end - p), "://", 3))
			put(o, mask, strlen(mask));
		else
			put(o, p, (size_t)(end - p));
		p = end;
		while (isspace((unsigned char)*p))
			p++;
	}
	return true;
}

char *config_mask_conninfo(const char *text)
{
	size_t items = 2;
	for (const char *p = text; *p; p++)
		items += *p == '=';
	char *masked = calloc(1, strlen(text) + items * (strlen(mask) + 1) + 1);
	if (!masked)
		return NULL;
	struct out o = { masked };
	if (strncmp(text, "postgresql://", 13) == 0 || strncmp(text, "postgres://", 11) == 0)
		mask_url(text, &o);
	else if (!mask_keywords(text, &o))
		memcpy(masked, mask, sizeof(mask));
	return masked;
}

/* Preconditions (RFC 9110 section 13): If-Match and If-None-Match over entity tags "<version>". */
#include "internal.h"

#include <string.h>

/* One entity tag at s: [W/]"…". Returns its end, or NULL where it is none. */
static const char *tag_end(const char *s)
{
	if (s[0] == 'W' && s[1] == '/')
		s += 2;
	if (*s++ != '"')
		return NULL;
	while (*s && *s != '"') {
		unsigned char ch = (unsigned char)*s;

		if (ch < 0x21 || ch == 0x7f)
			return NULL;
		s++;
	}
	return *s == '"' ? s + 1 : NULL;
}

static bool well_formed(const char *s)
{
	bool any = false;

	for (;;) {
		s += strspn(s, " \t,");
		if (!*s)
			return any;
		s = tag_end(s);
		if (!s)
			return false;
		any = true;
		s += strspn(s, " \t");
		if (*s && *s != ',')
			return false;
	}
}

struct etag_condition etag_parse(const struct call *c, const char *header)
{
	struct etag_condition e = { .kind = ETAG_ABSENT, .list = http_header(c->request, header) };
	struct faults *faults = (struct faults *)&c->faults;

	if (!e.list)
		return e;
	if (strcmp(e.list, "*") == 0) {
		e.kind = ETAG_ANY;
	} else if (well_formed(e.list)) {
		e.kind = ETAG_LIST;
	} else {
		e.kind = ETAG_MALFORMED;
		faults_add(faults, FAULT_HEADER, header, "format",
			   "%s must be an entity tag such as \"3\" (with its quotes), a list of them, or *", header);
	}
	return e;
}

static bool match(const struct etag_condition *e, const char *version, bool weak)
{
	size_t len = strlen(version);

	if (e->kind == ETAG_ANY)
		return true;
	if (e->kind != ETAG_LIST)
		return false;
	for (const char *s = e->list + strspn(e->list, " \t,"); *s; s += strspn(s, " \t,")) {
		const char *end = tag_end(s);
		bool is_weak = s[0] == 'W';

		if (!end)
			return false;
		if (is_weak)
			s += 2;
		if ((weak || !is_weak) && (size_t)(end - s) == len + 2 && memcmp(s + 1, version, len) == 0)
			return true;
		s = end;
	}
	return false;
}

const char *etag_of(struct call *c, const char *version)
{
	size_t n = strlen(version);
	char *tag = arena_alloc(c->arena, n + 3);

	if (!tag)
		return "";
	tag[0] = tag[n + 1] = '"';
	memcpy(tag + 1, version, n);
	return tag;
}

bool etag_strong_match(const struct etag_condition *e, const char *version)
{
	return match(e, version, false);
}

bool etag_weak_match(const struct etag_condition *e, const char *version)
{
	return match(e, version, true);
}

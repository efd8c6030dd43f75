#include "lodebase/api/problem.h"

#include <stdarg.h>
#include <string.h>
#include "lodebase/base/text.h"

#define QUOTED_MAX 100

void faults_init(struct faults *f, struct arena *arena)
{
	*f = (struct faults){ .arena = arena, .prefix = "" };
}

static void add(struct faults *f, enum fault_place place, const char *where, const char *code, const char *detail)
{
	void *items = f->items;

	if (f->n >= FAULTS_MAX || arena_grow(f->arena, &items, &f->capacity, f->n + 1, sizeof(*f->items)) != 0 || !where ||
	    !detail) {
		f->truncated = true;
		return;
	}
	f->items = items;
	f->items[f->n++] = (struct fault){
		.place = place,
		.where = where,
		.code = code,
		.detail = detail,
		.line = f->line,
		.file = f->file,
	};
}

void faults_add(struct faults *f, enum fault_place place, const char *where, const char *code, const char *format, ...)
{
	va_list args;
	const char *detail;

	va_start(args, format);
	detail = arena_vprintf(f->arena, format, args);
	va_end(args);
	add(f, place, arena_strdup(f->arena, where), code, detail);
}

/* RFC 6901: '~' is "~0", '/' is "~1"; a path of our own below the member ("aliases/1") is already escaped where needed. */
static const char *pointer_of(struct faults *f, const char *member)
{
	return arena_printf(f->arena, "%s/%s", f->prefix, member);
}

void faults_member(struct faults *f, const char *member, const char *code, const char *format, ...)
{
	va_list args;
	const char *detail;

	va_start(args, format);
	detail = arena_vprintf(f->arena, format, args);
	va_end(args);
	add(f, FAULT_POINTER, pointer_of(f, member), code, detail);
}

int faults_quoted(const char *s, size_t n)
{
	return (int)text_utf8_prefix(s, n > QUOTED_MAX ? QUOTED_MAX : n);
}

static bool has_member_before(const struct faults *f, const char *member, size_t end)
{
	size_t prefix_len = strlen(f->prefix), len = strlen(member);

	for (size_t i = f->first; i < end; i++) {
		const struct fault *fault = &f->items[i];

		if (fault->place != FAULT_POINTER || strncmp(fault->where, f->prefix, prefix_len) != 0 ||
		    fault->where[prefix_len] != '/' || strncmp(fault->where + prefix_len + 1, member, len) != 0)
			continue;
		if (fault->where[prefix_len + 1 + len] == '\0' || fault->where[prefix_len + 1 + len] == '/')
			return true;
	}
	return false;
}

bool faults_has_member(const struct faults *f, const char *member)
{
	return has_member_before(f, member, f->n);
}

bool faults_had_member(const struct faults *f, const char *member)
{
	return has_member_before(f, member, f->own);
}

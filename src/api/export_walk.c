#include "export_walk.h"

#include <string.h>

#define PAGE_FIRST 50
#define PAGE_MAX 1000
#define PART_BYTES ((size_t)1 << 20) /* a part ends behind it, and a page is made to have about as much */

void export_walk_begin(struct export_walk *w, const struct known *known)
{
	*w = (struct export_walk){ .limit = PAGE_FIRST, .known = known };
}

bool export_walk_is_over(const struct export_walk *w)
{
	return !resources[w->resource];
}

bool export_walk_ask(const struct export_walk *w, struct arena *arena, struct composed *ret)
{
	const struct resource *r = resources[w->resource];
	struct sort_key key = { .field = &r->fields[RESOURCE_ID] };
	const char *after = w->after;
	struct list_query q = {
		.resource = r,
		.keys = &key,
		.n_keys = 1,
		.after = w->after[0] ? &after : NULL,
		.limit = w->limit,
		.known = w->known,
		.plain = true,
	};

	if (!compose_list(arena, &q, ret))
		return false;
	/* The walk moves on while the statement is still at hand. */
	for (int i = 0; i < ret->n_params; i++)
		if (ret->params[i] == w->after && !(ret->params[i] = arena_strdup(arena, w->after)))
			return false;
	return true;
}

/* What an import takes: the id, the slug and what a client may write. */
static bool choose(struct arena *arena, const struct resource *r, struct projection *ret)
{
	ret->fields = arena_alloc(arena, r->n_fields * sizeof(bool));
	ret->summaries = arena_alloc(arena, r->n_fields * sizeof(bool));
	if (!ret->fields || !ret->summaries)
		return false;
	for (size_t i = 0; i < r->n_fields; i++)
		ret->fields[i] = i == RESOURCE_ID || !(r->fields[i].flags & FIELD_READ_ONLY);
	return true;
}

bool export_walk_take(struct export_walk *w, struct arena *arena, const struct db_result *page, struct buf *out)
{
	const struct resource *r = resources[w->resource];
	int rows = db_result_rows(page), row = 0;
	size_t begun = out->len, bytes;
	struct projection p;

	if (!choose(arena, r, &p))
		return false;
	for (; row < rows && out->len - begun < PART_BYTES; row++) {
		buf_printf(out, "{\"resource\":\"%s\",\"record\":", r->name);
		encode_record(out, r, page, row, &p);
		buf_puts(out, "}\n");
	}
	bytes = out->len - begun;
	w->records += (uint64_t)row;
	if (row == rows && rows < (int)w->limit) {
		w->resource++;
		w->after[0] = '\0';
		w->limit = PAGE_FIRST;
		return true;
	}
	snprintf(w->after, sizeof(w->after), "%s", db_result_value(page, row - 1, RESOURCE_ID));
	bytes = PART_BYTES * (size_t)row / (bytes + 1) + 1;
	w->limit = bytes < PAGE_MAX ? (unsigned)bytes : PAGE_MAX;
	return true;
}

/* fields=: which members an answer shows. Summaries such as `holder` are names of their own. */
#include "internal.h"

#include <string.h>

static bool choose(const struct resource *r, const char *name, size_t n, struct projection *p, bool *ret_again)
{
	int i = resource_field(r, name, n);

	if (i >= 0) {
		*ret_again = p->fields[i];
		p->fields[i] = true;
		return true;
	}
	for (size_t k = 0; k < r->n_fields; k++) {
		if (!field_is_summarised_as(&r->fields[k], name, n))
			continue;
		*ret_again = p->summaries[k];
		p->summaries[k] = true;
		return true;
	}
	return false;
}

bool projection_plain(struct call *c, struct projection *ret)
{
	ret->fields = arena_alloc(c->arena, c->resource->n_fields * sizeof(bool));
	ret->summaries = arena_alloc(c->arena, c->resource->n_fields * sizeof(bool));
	for (size_t i = 0; ret->fields && i < c->resource->n_fields; i++)
		ret->fields[i] = true;
	return ret->fields && ret->summaries;
}

bool projection_parse(struct call *c, const char *value, struct projection *ret)
{
	size_t before = c->faults.n;

	ret->fields = arena_alloc(c->arena, c->resource->n_fields * sizeof(bool));
	ret->summaries = arena_alloc(c->arena, c->resource->n_fields * sizeof(bool));
	if (!ret->fields || !ret->summaries)
		return false;
	for (const char *s = value;; s++) {
		size_t n = strcspn(s, ",");
		bool again = false;

		if (n == 0)
			faults_add(&c->faults, FAULT_PARAMETER, "fields", "format", "fields has an empty name in it");
		else if (!choose(c->resource, s, n, ret, &again))
			faults_add(&c->faults, FAULT_PARAMETER, "fields", "unknown", "%s have no field \"%.*s\"",
				   c->resource->name, faults_quoted(s, n), s);
		else if (again)
			faults_add(&c->faults, FAULT_PARAMETER, "fields", "repeated", "\"%.*s\" is named twice", (int)n, s);
		s += n;
		if (!*s)
			break;
	}
	return c->faults.n == before;
}

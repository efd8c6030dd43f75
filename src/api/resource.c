#include "lodebase/api/resource.h"

#include <string.h>

size_t resource_index(const char *name)
{
	size_t i = 0;

	while (resources[i] && strcmp(resources[i]->name, name) != 0)
		i++;
	return i;
}

const struct resource *resource_find(const char *name)
{
	return resources[resource_index(name)]; /* NULL ends them */
}

const char *const *resource_values(const char *resource, const char *field)
{
	const struct resource *r = resource_find(resource);

	return r->fields[resource_field(r, field, strlen(field))].values;
}

const char *resource_name_column(const struct resource *r)
{
	return r->name_field ? r->name_field : "slug";
}

bool field_is_reference(const struct field *f)
{
	return f->type == FIELD_REF || f->type == FIELD_SUBJECT;
}

bool field_is_summarised_as(const struct field *f, const char *name, size_t n)
{
	return field_is_reference(f) && strlen(f->name) == n + 3 && memcmp(f->name, name, n) == 0;
}

void field_summary_name(const struct field *f, char ret[FIELD_NAME_SIZE])
{
	size_t n = strlen(f->name) - 3;

	memcpy(ret, f->name, n);
	ret[n] = '\0';
}

bool resource_may_refer(const struct resource *r, size_t field, const struct resource *target)
{
	if (r->fields[field].type == FIELD_REF)
		return strcmp(r->fields[field].target, target->name) == 0;
	if (r->fields[field].type == FIELD_SUBJECT)
		for (const char *const *name = r->fields[field - 1].values; *name; name++)
			if (strcmp(*name, target->name) == 0)
				return true;
	return false;
}

const struct resource *resource_target(const struct resource *r, size_t field, const struct record *record)
{
	const char *name = r->fields[field].type == FIELD_SUBJECT ? record->values[field - 1] : r->fields[field].target;

	return name ? resource_find(name) : NULL;
}

int resource_field(const struct resource *r, const char *name, size_t n)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (strncmp(r->fields[i].name, name, n) == 0 && r->fields[i].name[n] == '\0')
			return (int)i;
	return -1;
}

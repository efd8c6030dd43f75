#include "lodebase/api/resource.h"

#include <string.h>

const struct resource *resource_find(const char *name)
{
	for (size_t i = 0; resources[i]; i++)
		if (strcmp(resources[i]->name, name) == 0)
			return resources[i];
	return NULL;
}

int resource_field(const struct resource *r, const char *name, size_t n)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (strncmp(r->fields[i].name, name, n) == 0 && r->fields[i].name[n] == '\0')
			return (int)i;
	return -1;
}

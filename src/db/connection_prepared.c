#include "connection_prepared.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "lodebase/base/hmap.h"

/* The map's values are no pointers: the number, and whether it counts as a shape. */
static void *pack(unsigned number, bool shape)
{
	return (void *)((uintptr_t)number << 1 | shape); // NOLINT: never dereferenced
}

static unsigned number_of(const void *value)
{
	return (unsigned)((uintptr_t)value >> 1);
}

static bool is_shape(const void *value)
{
	return (uintptr_t)value & 1;
}

enum err prepared_init(struct prepared *p)
{
	memset(p, 0, sizeof *p);
	p->names = hmap_new(PREPARED_MAX);
	return p->names ? OK : ERR_NOMEM;
}

void prepared_done(struct prepared *p)
{
	if (p->names)
		hmap_free(p->names, NULL);
	memset(p, 0, sizeof *p);
}

unsigned prepared_find(const struct prepared *p, const char *name)
{
	return number_of(hmap_get(p->names, name, strlen(name)));
}

unsigned prepared_add(struct prepared *p, const char *name, bool shape)
{
	if (shape && p->n_shapes >= PREPARED_MAX_SHAPES)
		return 0;
	if (hmap_set(p->names, name, strlen(name), pack(p->last + 1, shape), NULL) != OK)
		return 0;
	p->n_shapes += shape;
	return ++p->last;
}

struct search {
	unsigned number;
	const char *key;
	size_t n;
	bool shape;
};

static bool is_it(void *data, const char *key, size_t n, void *value)
{
	struct search *s = data;

	if (number_of(value) != s->number)
		return true;
	s->key = key;
	s->n = n;
	s->shape = is_shape(value);
	return false;
}

bool prepared_forget(struct prepared *p, unsigned number, char ret_server_name[PREPARED_NAME_SIZE])
{
	struct search s = { .number = number };
	char server_name[PREPARED_NAME_SIZE];

	hmap_each(p->names, is_it, &s);
	if (!s.key)
		return false;
	(void)snprintf(server_name, sizeof server_name, "%.*s", (int)(s.n < 63 ? s.n : 63), s.key);
	if (ret_server_name)
		prepared_server_name(server_name, number, ret_server_name);
	p->n_shapes -= s.shape;
	(void)hmap_remove(p->names, s.key, s.n);
	return true;
}

void prepared_server_name(const char *name, unsigned number, char ret[PREPARED_NAME_SIZE])
{
	(void)snprintf(ret, PREPARED_NAME_SIZE, "%.48s/%u", name, number);
}

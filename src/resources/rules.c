#include "lodebase/resources/rules.h"

#include <assert.h>
#include <string.h>
#include "lodebase/base/decimal.h"

static int index_of(const struct rule_context *c, const char *field)
{
	int i = resource_field(c->resource, field, strlen(field));

	assert(i >= 0);
	return i;
}

const char *rule_value(const struct rule_context *c, const char *field)
{
	int i = index_of(c, field);

	return faults_had_member(c->faults, field) ? NULL : c->record->values[i];
}

/* Whether a rule can be judged: a member that is at fault by itself says nothing about its neighbours. */
static bool judgeable(const struct rule_context *c, const char *a, const char *b)
{
	return !faults_had_member(c->faults, a) && !faults_had_member(c->faults, b);
}

/* A member that was given, be it with a value that is at fault by itself. */
static bool present(const struct rule_context *c, const char *field)
{
	int i = index_of(c, field);

	return c->record->values[i] || (c->record->given[i] && faults_had_member(c->faults, field));
}

void rule_together(const struct rule_context *c, const char *a, const char *b)
{
	if (present(c, a) == present(c, b))
		return;
	faults_member(c->faults, a, "incomplete", "%s and %s come together: give both or none", a, b);
	faults_member(c->faults, b, "incomplete", "%s and %s come together: give both or none", a, b);
}

/* "a, b and c" */
static const char *listed(const struct rule_context *c, const char *const *fields)
{
	const char *list = fields[0];

	for (size_t i = 1; fields[i] && list; i++)
		list = arena_printf(c->faults->arena, "%s%s%s", list, fields[i + 1] ? ", " : " and ", fields[i]);
	return list ? list : "them";
}

void rule_exactly_one(const struct rule_context *c, const char *const *fields)
{
	size_t n = 0;

	for (size_t i = 0; fields[i]; i++)
		n += present(c, fields[i]);
	for (size_t i = 0; n != 1 && fields[i]; i++)
		faults_member(c->faults, fields[i], n > 1 ? "exclusive" : "incomplete", "exactly one of %s must be given",
			      listed(c, fields));
}

bool rule_is_one_of(const struct rule_context *c, const char *field, const char *const *values)
{
	const char *value = rule_value(c, field);

	for (; value && *values; values++)
		if (strcmp(*values, value) == 0)
			return true;
	return false;
}

void rule_broken(const struct rule_context *c, const char *a, const char *b, const char *code, const char *why)
{
	faults_member(c->faults, a, code, "%s", why);
	faults_member(c->faults, b, code, "%s", why);
}

/* "kind is imports, exports" */
static const char *condition(const struct rule_context *c, const char *field, const char *const *values)
{
	const char *text = arena_printf(c->faults->arena, "%s is %s", field, values[0]);

	for (size_t i = 1; values[i] && text; i++)
		text = arena_printf(c->faults->arena, "%s%s%s", text, values[i + 1] ? ", " : " or ", values[i]);
	return text ? text : field;
}

static bool is_given(const struct rule_context *c, const char *field)
{
	const char *value = c->record->values[index_of(c, field)];

	return value && strcmp(value, "[]") != 0;
}

void rule_only_with(const struct rule_context *c, const char *field, const char *other, const char *const *values)
{
	if (!judgeable(c, field, other) || !is_given(c, field) || rule_is_one_of(c, other, values))
		return;
	rule_broken(c, field, other, "exclusive",
		    arena_printf(c->faults->arena, "%s comes only where %s", field, condition(c, other, values)));
}

void rule_exactly_with(const struct rule_context *c, const char *field, const char *other, const char *const *values)
{
	rule_only_with(c, field, other, values);
	if (judgeable(c, field, other) && !is_given(c, field) && rule_is_one_of(c, other, values))
		rule_broken(c, field, other, "incomplete",
			    arena_printf(c->faults->arena, "%s must be given where %s", field, condition(c, other, values)));
}

void rule_same_time(const struct rule_context *c, const char *field, const char *value, const char *other,
		    const char *const *values)
{
	const char *is = rule_value(c, field);

	if (!is || !rule_value(c, other) || (strcmp(is, value) == 0) == rule_is_one_of(c, other, values))
		return;
	rule_broken(c, field, other, "exclusive",
		    arena_printf(c->faults->arena, "%s is %s just where %s", field, value, condition(c, other, values)));
}

static bool any_present(const struct rule_context *c, const char *const *fields)
{
	for (; *fields; fields++)
		if (present(c, *fields))
			return true;
	return false;
}

static void name_present(const struct rule_context *c, const char *const *fields, const char *why)
{
	for (; *fields; fields++)
		if (present(c, *fields))
			faults_member(c->faults, *fields, "exclusive", "%s", why);
}

void rule_excludes(const struct rule_context *c, const char *const *a, const char *const *b, const char *why)
{
	if (!any_present(c, a) || !any_present(c, b))
		return;
	name_present(c, a, why);
	name_present(c, b, why);
}

void rule_order(const struct rule_context *c, const char *a, const char *b, bool strict)
{
	int ia = index_of(c, a), order;
	const char *va, *vb;

	if (!judgeable(c, a, b))
		return;
	va = c->record->values[ia];
	vb = c->record->values[index_of(c, b)];
	if (!va || !vb)
		return;
	order = c->resource->fields[ia].type == FIELD_DATE ? strcmp(va, vb) : decimal_compare(va, vb);
	if (strict ? order < 0 : order <= 0)
		return;
	faults_member(c->faults, a, "order", "%s must be %s %s", b, strict ? "later than" : "at least", a);
	faults_member(c->faults, b, "order", "%s must be %s %s", b, strict ? "later than" : "at least", a);
}

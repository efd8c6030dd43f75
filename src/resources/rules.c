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

	return faults_has_member(c->faults, field) ? NULL : c->record->values[i];
}

/* Whether a rule can be judged: a member that is at fault by itself says nothing about its neighbours. */
static bool judgeable(const struct rule_context *c, const char *a, const char *b)
{
	return !faults_has_member(c->faults, a) && !faults_has_member(c->faults, b);
}

void rule_together(const struct rule_context *c, const char *a, const char *b)
{
	const char *va, *vb;

	if (!judgeable(c, a, b))
		return;
	va = c->record->values[index_of(c, a)];
	vb = c->record->values[index_of(c, b)];
	if (!va == !vb)
		return;
	faults_member(c->faults, a, "incomplete", "%s and %s come together: give both or none", a, b);
	faults_member(c->faults, b, "incomplete", "%s and %s come together: give both or none", a, b);
}

void rule_exactly_one(const struct rule_context *c, const char *a, const char *b)
{
	const char *va, *vb;

	if (!judgeable(c, a, b))
		return;
	va = c->record->values[index_of(c, a)];
	vb = c->record->values[index_of(c, b)];
	if (!va != !vb)
		return;
	faults_member(c->faults, a, va ? "exclusive" : "incomplete", "exactly one of %s and %s must be given", a, b);
	faults_member(c->faults, b, va ? "exclusive" : "incomplete", "exactly one of %s and %s must be given", a, b);
}

/* A member that was given, be it with a value that is at fault by itself. */
static bool present(const struct rule_context *c, const char *field)
{
	int i = index_of(c, field);

	return c->record->values[i] || (c->record->given[i] && faults_has_member(c->faults, field));
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

/* Rules between members that several resources share. Each adds its faults at every member it speaks of. */
#pragma once

#include "lodebase/api/problem.h"
#include "lodebase/api/resource.h"

struct rule_context { /* what a resource's check hook got, bundled */
	const struct resource *resource;
	struct record *record;
	struct faults *faults;
};

/* The value of a field, NULL where it is null or was refused already. */
const char *rule_value(const struct rule_context *c, const char *field);
/* Whether a field has one of some values; false where it is null or was refused already. */
bool rule_is_one_of(const struct rule_context *c, const char *field, const char *const *values);
/* A fault at two members. */
void rule_broken(const struct rule_context *c, const char *a, const char *b, const char *code, const char *why);
/* Both or none. */
void rule_together(const struct rule_context *c, const char *a, const char *b);
/* Exactly one of several, NULL-terminated. */
void rule_exactly_one(const struct rule_context *c, const char *const *fields);
/* A field is given only where another has one of some values, or just there. An empty list is not given. */
void rule_only_with(const struct rule_context *c, const char *field, const char *other, const char *const *values);
void rule_exactly_with(const struct rule_context *c, const char *field, const char *other, const char *const *values);
/* A field has a value just where another has one of some values. */
void rule_same_time(const struct rule_context *c, const char *field, const char *value, const char *other,
		    const char *const *values);
/* Members of one NULL-terminated list exclude those of the other; every one that is given is named. */
void rule_excludes(const struct rule_context *c, const char *const *a, const char *const *b, const char *why);
/* b comes after a (strict) or not before it: dates, or decimals by value. */
void rule_order(const struct rule_context *c, const char *a, const char *b, bool strict);

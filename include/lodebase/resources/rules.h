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
/* Both or none. */
void rule_together(const struct rule_context *c, const char *a, const char *b);
/* Exactly one of two. */
void rule_exactly_one(const struct rule_context *c, const char *a, const char *b);
/* Members of one NULL-terminated list exclude those of the other; every one that is given is named. */
void rule_excludes(const struct rule_context *c, const char *const *a, const char *const *b, const char *why);
/* b comes after a (strict) or not before it: dates, or decimals by value. */
void rule_order(const struct rule_context *c, const char *a, const char *b, bool strict);

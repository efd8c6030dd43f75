/* Fields that look the same in several resources, and the enumerations that they share. */
#pragma once

#include "lodebase/resources/resources.h"
#include "lodebase/resources/rules.h"

extern const char *const project_statuses[]; /* project.c */
extern const char *const output_stages[], *const output_units[], *const output_bases[]; /* output.c */
extern const char *const resource_names[]; /* resources.c: of all, in the order of resources[] */

#define COMMON_NAME(field_name)                                                                                  \
	{                                                                                                        \
		.name = field_name, .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_VISIBLE | FIELD_INDEXED, \
		.max_length = 300                                                                                \
	}
#define COMMON_ALIASES                                                                                                 \
	{                                                                                                              \
		.name = "aliases", .type = FIELD_STRINGS, .flags = FIELD_NO_FILTER | FIELD_VISIBLE, .max_length = 300, \
		.default_value = "[]"                                                                                  \
	}
/* A text that lists leave out of filter and sort: description, note, terms, summary. */
#define COMMON_PROSE(field_name)                                                 \
	{                                                                        \
		.name = field_name, .type = FIELD_TEXT, .flags = FIELD_NO_FILTER \
	}
#define COMMON_ENUM(field_name, more_flags, its_values)                                             \
	{                                                                                           \
		.name = field_name, .type = FIELD_ENUM, .flags = (more_flags), .values = its_values \
	}
#define COMMON_REF(field_name, more_flags, its_target)                                                             \
	{                                                                                                          \
		.name = field_name, .type = FIELD_REF, .flags = FIELD_INDEXED | (more_flags), .target = its_target \
	}
#define COMMON_DATE(field_name, more_flags)                                   \
	{                                                                     \
		.name = field_name, .type = FIELD_DATE, .flags = (more_flags) \
	}
#define COMMON_YEAR(field_name, more_flags)                                                                    \
	{                                                                                                      \
		.name = field_name, .type = FIELD_INTEGER, .flags = (more_flags), .min = "1000", .max = "2999" \
	}
/* Amounts and capacities: from 0 to below 10^18, six decimals. */
#define COMMON_AMOUNT(field_name)                                                                    \
	{                                                                                            \
		.name = field_name, .type = FIELD_DECIMAL, .flags = FIELD_MAX_EXCLUSIVE, .min = "0", \
		.max = "1000000000000000000", .scale = 6                                             \
	}

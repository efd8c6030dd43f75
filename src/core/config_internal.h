/* What the files of config share: the option table's row. */
#pragma once

#include "lodebase/core/config.h"

enum config_origin { CONFIG_UNSET, CONFIG_DEFAULT, CONFIG_ENVIRONMENT, CONFIG_FILE, CONFIG_ARGUMENT };

struct config_value {
	char *text; /* NULL: not set */
	enum config_origin origin;
};

#define CONFIG_PROBLEM_SIZE 256

struct config_option {
	const char *name; /* without the dashes */
	const char *argument; /* how --help calls the value */
	const char *help; /* one sentence or two, without what `fallback` says */
	const char *fallback; /* the default in words; NULL: none, the option is just not set */
	unsigned commands;
	bool secret; /* overwritten in argv, masked in print */
	bool required;
	bool path; /* made absolute: the program leaves its working directory */
	/* Takes the value into *c; false with a sentence about the value in `problem`. */
	bool (*take)(struct config *c, const char *text, char problem[CONFIG_PROBLEM_SIZE]);
	/* The default as text, malloc'ed; NULL: not set. May look at what rows above have put into *c. */
	char *(*make_default)(const struct config *c);
};

extern const struct config_option config_options[];
extern const size_t config_n_options;

/* LODEBASE_SOME_NAME, with a suffix ("" or "_FILE"). */
void config_variable(const struct config_option *o, const char *suffix, char *ret_name, size_t size);

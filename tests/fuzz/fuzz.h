/* A fuzz target is one file, fuzz_<name>.c, with one function; meson.build builds it. With -Dfuzzing=true (and clang) it is a
 * libFuzzer program; otherwise replay.c runs it over every file of corpus/<name>/, as a test. README.md says how to add one. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Feeds n hostile bytes to the code under test. Always 0. They are not NUL-terminated. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* What has to hold for every input. */
#define FUZZ_CHECK(condition)                                                                   \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

/* The code points that leave ink, made at build time by unicode_visible.py. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct code_range {
	uint32_t first, last;
};

extern const struct code_range text_visible[]; /* sorted, without overlap */
extern const size_t text_visible_count;

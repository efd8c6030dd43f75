/* Sealed texts that clients keep and bring back: cursors and revisions. Base64url of bytes and a MAC under the base's secret,
 * so every instance and restart takes them and nobody can make one up. Private to api. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lodebase/base/buf.h"

struct call;

#define TOKEN_MAX (64u << 10)

/* NULL: no memory, or too large. kind: one byte that tells one use from another. In the arena. */
const char *token_seal(struct call *c, char kind, const char *bytes, size_t n);
/* The bytes that were sealed for that kind, in the arena; NULL: it was not sealed here, or was changed. */
const uint8_t *token_open(struct call *c, char kind, const char *text, size_t n, size_t *ret_n);
/* A value of a sealed text, NULL being a value of its own: written behind what is there, read and advanced over. */
void token_put(struct buf *b, const char *value);
bool token_get(struct call *c, const uint8_t **p, size_t *n, const char **ret_value);

/* A keyed hash of bytes for tables in memory (SipHash-1-3): who does not know the seed finds no collisions. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const uint64_t seed[2], const void *bytes, size_t n);

/* Ids for requests that bring none. uuid7_new() asks the kernel six times for each; one request in a hundred asking once is
 * seen in the throughput. They need to be unique, not secret. */
#include "internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "lodebase/base/clock.h"
#include "lodebase/base/uuid.h"

void request_id_new(struct http_server *s, char ret_text[UUID_TEXT_SIZE])
{
	const uint64_t us = (uint64_t)clock_wall_us(), ms = us / 1000;
	struct {
		uint64_t low;
		uint16_t high;
	} random;

	if (s->randomness_left < sizeof random) {
		if (getrandom(s->randomness, sizeof s->randomness, 0) != (ssize_t)sizeof s->randomness) {
			uuid7_new(ret_text);
			return;
		}
		s->randomness_left = sizeof s->randomness;
	}
	s->randomness_left -= (unsigned)sizeof random;
	memcpy(&random, s->randomness + s->randomness_left, sizeof random);
	/* Version 7 with the fraction of the millisecond behind it, variant 2, as those of records. */
	(void)snprintf(ret_text, UUID_TEXT_SIZE, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(ms >> 16 & 0xffffffff),
		       (unsigned)(ms & 0xffff), (unsigned)(us % 1000 * 4096 / 1000), (random.high & 0x3fffu) | 0x8000u,
		       (unsigned long long)(random.low >> 16));
}

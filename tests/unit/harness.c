#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define REPORTS_PER_CASE 10

/* A test program has one thread; this is its state. */
static unsigned faults_in_case;
static uint64_t random_state;

static void seed_random(void)
{
	const char *seed = getenv("LODEBASE_TEST_SEED");

	random_state = seed ? strtoull(seed, NULL, 0) : 1;
}

uint64_t test_random(void)
{
	/* splitmix64 */
	uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

size_t test_random_below(size_t below)
{
	return (size_t)(test_random() % below);
}

bool test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	if (faults_in_case++ >= REPORTS_PER_CASE)
		return false;
	printf("%s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return false;
}

bool test_check_int(const char *file, int line, const char *what, long long got, long long wanted)
{
	return got == wanted || test_fail(file, line, "%s is %lld, not %lld", what, got, wanted);
}

bool test_check_str(const char *file, int line, const char *what, const char *got, const char *wanted)
{
	if (got && wanted ? strcmp(got, wanted) == 0 : got == wanted)
		return true;
	return test_fail(file, line, "%s is \"%s\", not \"%s\"", what, got ? got : "(null)", wanted ? wanted : "(null)");
}

int test_run(const struct test_case *cases, size_t n)
{
	size_t failed = 0;

	for (size_t i = 0; i < n; i++) {
		faults_in_case = 0;
		seed_random();
		cases[i].run();
		if (faults_in_case > 0) {
			failed++;
			printf("FAILED %s (%u checks)\n", cases[i].name, faults_in_case);
		}
		fflush(stdout);
	}
	printf("%zu passed, %zu failed\n", n - failed, failed);
	return failed > 0;
}

/* The harness of the unit tests: a table of cases, checks that report and go on, random numbers that repeat.
 *
 *	static void adds(void) { CHECK(1 + 1 == 2); CHECK_STR(text, "2"); }
 *	TESTS({ "adds", adds })
 *
 * A case fails if one of its checks does. The program ends by printing "N passed, N failed". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct test_case {
	const char *name;
	void (*run)(void);
};

#define TESTS(...)                                                       \
	int main(void)                                                   \
	{                                                                \
		static const struct test_case cases[] = { __VA_ARGS__ }; \
		return test_run(cases, sizeof cases / sizeof cases[0]);  \
	}

/* Runs the cases in order; the exit status of the program. */
int test_run(const struct test_case *cases, size_t n);
/* Marks the running case as failed and says why, for the first few times in it. Gives false. */
bool test_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool test_check_int(const char *file, int line, const char *what, long long got, long long wanted);
bool test_check_str(const char *file, int line, const char *what, const char *got, const char *wanted);

/* Each gives whether it held, so that a case can leave early: if (!CHECK(p)) return; */
#define CHECK(condition) ((condition) ? true : (test_fail(__FILE__, __LINE__, "not so: %s", #condition), false))
#define CHECK_INT(got, wanted) test_check_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(wanted))
#define CHECK_STR(got, wanted) test_check_str(__FILE__, __LINE__, #got, got, wanted)
/* A check in a loop over data: what failed is in the message. */
#define CHECK_FOR(condition, ...) ((condition) ? true : (test_fail(__FILE__, __LINE__, __VA_ARGS__), false))

/* Pseudo-random numbers, the same in every run, or from LODEBASE_TEST_SEED. */
uint64_t test_random(void);
/* 0 … below - 1 */
size_t test_random_below(size_t below);

/* A string literal and its length, NULs inside counted. */
#define LITERAL(s) (s), (sizeof(s) - 1)

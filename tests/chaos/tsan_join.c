/* Linked into the build with ThreadSanitizer only. Its runtimes up to GCC 13 and clang 14 do not know pthread_clockjoin_np and
 * so take whatever a joined thread did for a race with what comes after; they do know pthread_timedjoin_np. */
#define _GNU_SOURCE
#include <pthread.h>
#include <time.h>

int pthread_clockjoin_np(pthread_t thread, void **ret_value, clockid_t clock, const struct timespec *until)
{
	struct timespec now, real;

	clock_gettime(clock, &now);
	clock_gettime(CLOCK_REALTIME, &real);
	real.tv_sec += until->tv_sec - now.tv_sec;
	real.tv_nsec += until->tv_nsec - now.tv_nsec;
	if (real.tv_nsec < 0) {
		real.tv_nsec += 1000000000;
		real.tv_sec--;
	} else if (real.tv_nsec >= 1000000000) {
		real.tv_nsec -= 1000000000;
		real.tv_sec++;
	}
	return pthread_timedjoin_np(thread, ret_value, &real);
}

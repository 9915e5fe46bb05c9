/* clock - what a clock of the kernel's says; clock_gettime(2). */
#pragma once

#include <stdint.h>
#include <time.h>

/* clock_usec - microseconds since the clock's beginning: of CLOCK_REALTIME that of 1970. */
static inline uint64_t clock_usec(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

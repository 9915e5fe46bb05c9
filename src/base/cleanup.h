/* cleanup - locals that let go of what they own when they leave their scope.
 *
 * CLEANUP(f) names a function that takes a pointer to the variable, as in CLEANUP(close_p) int fd = -1;
 * ownership is given away by copying the value and resetting the variable. */
#pragma once

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(f) __attribute__((cleanup(f)))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void free_p(void *p)
{
	free(*(void **)p);
}

static inline void close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void closedir_p(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* take_fd - the descriptor, leaving the variable without one. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* take_p - the pointer, leaving the variable without one. */
static inline void *take_p(void *p)
{
	void *taken = *(void **)p;

	*(void **)p = NULL;
	return taken;
}

/* kept - small files of the kernel's, read again and again: opened once, then one pread each time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "words/stats.h"

#define KEPT_UNOPENED (-1)
#define KEPT_MISSING  (-2)

struct kept {
	int fd; /* or one of these */
};

#define KEPT_NONE                                                                                            \
	{                                                                                                    \
		KEPT_UNOPENED                                                                                \
	}

/* kept_read - leaf in dir, as a text of at most size - 1 bytes; what is longer is cut.
 *
 * returns  its length, or
 *          -ENOENT  there is none, or the kernel has nothing to say in it; it is not asked again
 *          -ENODEV  what it told of is gone
 *          others of the system's (-EMFILE, -EACCES) */
int kept_read(struct kept *k, int dir, const char *leaf, char *buf, size_t size);
void kept_close(struct kept *k);

/* kept_number - the number that text starts with; STATS_UNKNOWN where there is none ("max").
 * kept_keyed - that of the line "key NUMBER". key may end in ':'. */
uint64_t kept_number(const char *text);
uint64_t kept_keyed(const char *text, const char *key);
/* kept_pressure - the shares of the last 10 s (linux Documentation/accounting/psi.rst). */
struct stats_pressure kept_pressure(const char *text);

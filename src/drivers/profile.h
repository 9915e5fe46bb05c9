/* profile - the generations of a profile of Nix's: in its folder, links "system-N-link" to what was built, and the link
 * "system" to one of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct generation {
	unsigned number;
	uint64_t made_usec; /* CLOCK_REALTIME: when its link was made */
	char *system;       /* what it leads to: a path, foreign text */
	bool current;
};

struct profile {
	struct generation *v; /* by number, ascending */
	size_t n;
};
void profile_done(struct profile *p);

/* profile_read - folder is absolute; it is opened as files_open() does. A profile that leads to no generation has none that
 * is current. errors: as files_open() */
int profile_read(const char *host_root, const char *folder, struct profile *ret, struct err *e);

/* profile_current, profile_find - NULL: there is none. profile_before - the newest that is older than the current one. */
const struct generation *profile_current(const struct profile *p);
const struct generation *profile_find(const struct profile *p, unsigned number);
const struct generation *profile_before(const struct profile *p);

/* profile_switch - the profile leads to that generation from now on, in one step of the kernel's, as nix-env does it.
 * errors  as files_open(); what the system says */
int profile_switch(const char *host_root, const char *folder, unsigned number, struct err *e);

/* idlock - the lock that useradd, usermod, vipw and systemd-sysusers take before they change /etc/passwd, /etc/subuid and
 * their like: lckpwdf(3)'s, of /etc/.pwd.lock. shadow's tools take it before each *.lock file of theirs, so it is enough to
 * keep them out, and unlike such a file it ends with its holder. */
#pragma once

#include "base/err.h"

struct idlock {
	int fd; /* -1: it is not held */
};

/* idlock_take - waits for it as long as lckpwdf(3), 15 s. host_root as in files.h.
 * errors  -EBUSY STATUS_BUSY: somebody else has it;  as files_mkdir;  others of the system's */
int idlock_take(const char *host_root, struct idlock *ret, struct err *e);
void idlock_done(struct idlock *l);

/* poweroff - the stop of releases before 2021-05: the guest's PID 1 is asked to power off, and systemd's own signal is one
 * that systemd-nspawn ignores (SP-1, SP-2). They asked machined for it, which a shutdown may have ended before: then 90 s
 * passed (BUG-3). Here nobody else is asked. */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* poweroff_ask - SIGRTMIN+4 to the first process of the container that this systemd-nspawn runs; while there is none yet
 * it is systemd-nspawn that is ended. Does not wait.
 *
 * pid     systemd-nspawn; pidfd is of it
 * errors  the system's; a process that has ended meanwhile is none */
int poweroff_ask(const char *name, pid_t pid, int pidfd, struct err *e);

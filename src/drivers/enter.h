/* enter - into a running machine: all of its namespaces (the user namespace too), its cgroup, its root and no
 * more capabilities than it can have. Its leader is held by a pidfd, so that a recycled pid is not entered.
 * Needs root. */
#pragma once

#include "base/err.h"

/* enter_run - run argv (when it is empty: the shell itself) as its root's login shell would, and wait for its
 * end. Never hands our terminal over: a pty of the machine is joined to it when stdin and stdout are a
 * terminal; what is none is passed on as it is.
 *
 * copy     its output goes into this file, too, by relay_copy(); -1: nowhere
 * returns  the command's exit status (127: not found there, 128 + the signal that killed it), or negative errno
 * errors   -ENOENT STATUS_NO_CONTAINER not running; -EACCES STATUS_NOT_PERMITTED; STATUS_SYSTEM names the step */
int enter_run(const char *name, char *const argv[], int copy, struct err *e);

/* enter_netns - its network namespace, for setns(2) in a child. Close it soon: a held one keeps links alive.
 */
int enter_netns(const char *name, int *ret_fd, struct err *e);

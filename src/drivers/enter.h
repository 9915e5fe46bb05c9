/* enter - into a running machine: all of its namespaces (the user namespace too), its cgroup, its root and no
 * more capabilities than it can have. Its leader is held by a pidfd, so that a recycled pid is not entered.
 * Needs root. */
#pragma once

#include <stdbool.h>

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

/* enter_users - whether it has users of its own; false for who may not look. */
bool enter_users(const char *name);

/* enter_bind - show it the host's file or folder `from` at its own path `to`, which is made where it is missing, until it stops:
 * for a machine with users of its own, whom systemd-machined refuses that, or can not do it. What is read-only it can not make writable.
 *
 * idmap    its root and users are the host's of the same numbers there; else they are nobody, as with --bind=
 * from     absolute; links are followed. to: absolute, followed inside of the machine alone
 * errors   as enter_run(); STATUS_SYSTEM names the step; -ETIMEDOUT STATUS_DEADLINE after 20 s; -ENOENT STATUS_NO_CONTAINER, too: there is no `from`
 * source   open_tree(2), mount_setattr(2): Linux 5.12, without both flags 5.2; mount_namespaces(7) for what is locked */
enum enter_bind_flags { ENTER_READ_ONLY = 1, ENTER_IDMAP = 2 };
int enter_bind(const char *name, const char *from, const char *to, int flags, struct err *e);

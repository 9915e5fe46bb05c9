/* confine - a process gives up for good what it does not need: its user, its capabilities, system calls and
 * files to write. The only door to libseccomp and Landlock. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* confine_user - become that user, with group the only other group ((gid_t)-1: none), without a capability
 * left to have or to get, and never to gain one by a program (no_new_privs). Needs root.
 * errors  STATUS_SYSTEM: nothing may be gone on with then */
int confine_user(uid_t uid, gid_t gid, gid_t group, struct err *e);

/* confine_files - by Landlock: nothing is opened for writing, made, renamed or deleted, but below writable
 * (NULL: nowhere), /dev/null and /dev/tty; what is open stays so. Where the kernel knows that, no signals to
 * processes but our own and what we start. Sets no_new_privs.
 * returns  1 it is so, 0 this kernel has no Landlock, negative errno */
int confine_files(const char *writable, struct err *e);

/* confine_calls - by seccomp, for this process and all it starts: no program is executed, no mount,
 * namespace, module, key, clock or other process changed, none traced, no file deleted, renamed or changed in
 * mode or owner, no socket but AF_UNIX and AF_NETLINK, no key pushed into a terminal. They fail with EPERM.
 *
 * no_writing  also nothing is opened for writing: for where confine_files() returned 0
 * errors      STATUS_SYSTEM */
int confine_calls(bool no_writing, struct err *e);

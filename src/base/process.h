/* process - one process, held so that its number can not come to mean another one. */
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* process_open - a descriptor (CLOEXEC) that becomes readable when the process ends; pidfd_open(2). Not every libc
 * has a function for it. Returns -1 with errno set. */
static inline int process_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

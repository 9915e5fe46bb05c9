/* holders - which processes hold sockets, by the links in /proc/PID/fd. Of others' processes only root sees them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "drivers/cgroup.h"

#define HOLDERS_NAME 100

struct holder {
	uint64_t inode;             /* of the socket */
	pid_t pid;                  /* the first that was found, which has the lowest number; 0: none */
	char process[HOLDERS_NAME]; /* its name, foreign bytes; "" */
	char unit[HOLDERS_NAME];    /* the innermost unit of its cgroup, "nginx.service", foreign bytes; "" */
};

/* holders_find - fill v, whose inodes are given. cgroup: only its processes and those below are looked at (some 10 us
 * each); NULL: all processes of the host. What can not be seen stays without. */
void holders_find(const struct cgroupfs *fs, const char *cgroup, struct holder *v, size_t n);

/* enter_private - what enter.c and enter_bind.c share. */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define ENTER_CGROUP_SIZE 4096

struct entrance {
	int leader; /* pidfd */
	int proc;   /* /proc/LEADER */
	int root;
	int namespaces; /* CLONE_NEW*, those that are not our own */
	uint64_t bounding;
	unsigned long persona;          /* 32 bits on a 64-bit host, mostly not */
	char cgroup[ENTER_CGROUP_SIZE]; /* as /proc/LEADER/cgroup has it */
};

/* entrance_open - look at the machine's leader; ret: entrance_done(). errors: those of enter_run() */
int entrance_open(const char *name, struct entrance *ret, struct err *e);
void entrance_done(struct entrance *m);
/* entrance_become_root - its root, as the user who is root there. In a child. */
int entrance_become_root(const struct entrance *m);

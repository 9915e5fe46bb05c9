/* proctree - the cgroups of one machine and the processes in them; plain data. Its texts are printable: names
 * and commands are the container's own words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCTREE_PROCESSES 2000
#define PROCTREE_GROUPS    1000
#define PROCTREE_DEPTH     16

struct process {
	pid_t pid;       /* as the host counts */
	pid_t guest_pid; /* as the container does; 0: it is none of its, or not known */
	char state;      /* 'R', 'S', 'D', 'Z', ...; '?' not known */
	uint64_t cpu_usec;
	uint64_t rss;  /* bytes; these two STATS_UNKNOWN when not known */
	char *command; /* its arguments, or "[name]" where there are none; NULL: may not be read */
};

struct process_group {   /* one cgroup */
	char *name;      /* its last component: the guest's unit, where it has units */
	unsigned depth;  /* 0: the machine's own */
	size_t first, n; /* its processes in struct proctree, without those of cgroups below */
};

struct proctree {
	struct process_group *groups; /* a parent before those below it */
	size_t n_groups;
	struct process *processes;
	size_t n_processes;
	bool cut; /* there are more: PROCTREE_PROCESSES, _GROUPS or _DEPTH was reached */
};

void proctree_done(struct proctree *t);

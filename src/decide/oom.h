/* oom - who was killed for want of memory, from the kernel's line about it. Pure. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct oom_victim {
	char process[64]; /* foreign text: a process names itself */
	pid_t pid;        /* the host's; 0: not told */
};

/* oom_read -
 * "oom-kill:constraint=CONSTRAINT_MEMCG,...,oom_memcg=/PATH,task_memcg=/PATH,task=NAME,pid=N,uid=N"
 * (kernel 4.19 on, mm/oom_kill.c), when its victim lived in that unit.
 * A guest names cgroups of its own as it likes: the unit is looked for right below the slices of the first
 * path. */
bool oom_read(const char *line, const char *unit, struct oom_victim *ret);

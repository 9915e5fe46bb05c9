/* cgroup_fs - what the two files of the cgroup driver share. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "drivers/cgroup.h"

struct cgroupfs {
	int root, proc; /* folders */
	size_t n_kept;  /* files that stay open */
	unsigned n_opened;
};

/* cgroup_dir - open the folder of the cgroup at path; access is O_PATH, or O_RDONLY to walk it. -EINVAL: that
 * is no path of one. */
int cgroup_dir(const struct cgroupfs *fs, const char *path, int access);

/* cgroup_walk - dir and all below it, a parent first, until each returns not 0; not deeper than
 * PROCTREE_DEPTH. dir is borrowed, and read to its end. */
typedef int cgroup_walk_fn(int dir, const char *name, unsigned depth, void *arg);
int cgroup_walk(int dir, const char *name, unsigned depth, cgroup_walk_fn *each, void *arg);

/* cgroup_pids - call each for the numbers in leaf (cgroup.procs, cgroup.threads) of this very cgroup until it
 * returns not 0; those of processes that can not be seen from here are left out. */
typedef int cgroup_pid_fn(pid_t pid, void *arg);
int cgroup_pids(int dir, const char *leaf, cgroup_pid_fn *each, void *arg);

/* cgroup_text - the start of a small file, as a text; its length, or a negative errno. */
ssize_t cgroup_text(int dir, const char *leaf, char *buf, size_t size);

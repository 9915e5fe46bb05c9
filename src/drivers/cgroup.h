/* cgroup - the door to cgroup 2: what a machine's cgroup tells, by files that stay open; and the processes in
 * it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "words/proctree.h"
#include "words/stats.h"

/* cgroupfs - where cgroup 2 is mounted, also beside the old one, and /proc. host_root is "" but in tests.
 * errors  -ENOENT STATUS_UNAVAILABLE: the host has no cgroup 2 */
struct cgroupfs;
int cgroupfs_open(const char *host_root, struct cgroupfs **ret, struct err *e);
void cgroupfs_close(struct cgroupfs *fs); /* after all its cgroups; NULL is fine */

/* cgroup_where - the folder in which cgroup 2 is mounted below host_root (without it); NULL: nowhere. */
const char *cgroup_where(const char *host_root);

/* cgroup_of_machine - the cgroup of the unit or scope that holds a machine, from that of any process in it:
 * "/machine.slice/container@web.service/payload/init.scope" -> "/machine.slice/container@web.service".
 * cgroup_of_leader - the same of a process. The caller frees. -ESRCH: it is gone; -ENOENT: it tells none that
 * can be used; -ENOMEM */
size_t cgroup_of_machine(const char *path);
int cgroup_of_leader(const struct cgroupfs *fs, pid_t leader, char **ret);

struct cgroup_now { /* counters since the cgroup was made; unknown: STATS_UNKNOWN, NAN */
	uint64_t cpu_usec, throttled_usec;
	float cpu_limit; /* percent of one core; its own, not that of a slice above */
	uint64_t memory, memory_limit, swap, oom_kills;
	bool memory_is_estimate;
	uint64_t tasks, tasks_limit;
	bool tasks_is_estimate;
	uint64_t io_read, io_write;
	bool frozen; /* false where it is unknown */
	struct stats_pressure cpu_pressure, memory_pressure, io_pressure;
};

/* cgroup_open - a handle of the cgroup at path. Its numbers are the unit's, as its limits are: they hold
 * systemd-nspawn itself. Only whether it is frozen is asked of payload/, where systemd-nspawn made it:
 * somebody may have frozen the guest and not what supervises it. Files that are missing are not asked for
 * again. The cgroups of one cgroupfs keep at most 512 files open; those above it open theirs each time (five
 * times the cost).
 *
 * errors  -ENOENT: there is none (it is empty and gone); the system's */
struct cgroup;
int cgroup_open(struct cgroupfs *fs, const char *path, struct cgroup **ret);
void cgroup_close(struct cgroup *c); /* NULL is fine */

/* cgroup_read - what it tells now: 7 to 13 reads of some 1 us each. Limits are read the first time and then
 * every 4th, pressure every 2nd: the kernel's averages are of 10 s. Outputs are always written. errors
 * -ENODEV: it is gone, and so is what it told */
int cgroup_read(struct cgroup *c, struct cgroup_now *ret);

/* cgroup_is_frozen - of the one at path alone, by files that are closed again; false where it is unknown. */
bool cgroup_is_frozen(struct cgroupfs *fs, const char *path);

/* cgroup_unknown - what is told of a cgroup that is not there. */
void cgroup_unknown(struct cgroup_now *ret);

/* cgroup_fork_beside - fork(2), the child in a cgroup of its own below the unit's: in that of a unit with Delegate= no process
 * may stay, or systemd-nspawn can not hand the container the controllers of cgroup 2 (EBUSY, "no internal processes" in
 * cgroup-v2.rst; a limit of a guest's own service would then do nothing). It is born there: to be moved waits for a
 * grace period of the kernel's RCU. Where that can not be, as without cgroup 2 (or below valgrind), it is a plain fork. */
pid_t cgroup_fork_beside(void);

/* cgroup_estimate - memory and tasks from the processes, each only where *io does not know it for want of a
 * controller, and marked so.
 *
 * Memory is the sum of their resident anonymous pages (/proc/PID/statm, resident less shared): no page cache,
 * no tmpfs, no kernel memory; pages shared since a fork count in each. Tasks are the lines of cgroup.threads.
 * What /proc hides stays out; when it hides all, it stays unknown.
 *
 * returns  the cgroups and processes that were looked at, some 5 us each; 0: nothing was to be estimated */
size_t cgroup_estimate(struct cgroup *c, struct cgroup_now *io);

/* cgroup_processes - the tree of the cgroups at path, with their processes; some 20 us a process. An
 * unprivileged user gets all that /proc shows him.
 *
 * errors  -ENOENT: there is no such cgroup; -ENOMEM */
int cgroup_processes(const struct cgroupfs *fs, const char *path, struct proctree *ret, struct err *e);

#include "drivers/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/cgroup_fs.h"

/* Not .control: it outlives the fork, and had its processes been killed by cgroup.kill, Linux 6.18 kills at once what
 * systemd 257 starts in it, the commands after a stop. */
#define BESIDE ".machdeck"

static int open_beside(void)
{
	struct cgroupfs *fs;
	CLEANUP(free_p) char *unit = NULL;
	CLEANUP(close_p) int dir = -1;
	int beside = -1;

	if (gate_ask(NULL, "cannot make " BESIDE) < 0 || cgroupfs_open("", &fs, NULL) < 0)
		return -1;
	if (cgroup_of_leader(fs, getpid(), &unit) == 0)
		dir = cgroup_dir(fs, unit, O_PATH);
	if (dir >= 0 && (mkdirat(dir, BESIDE, 0755) == 0 || errno == EEXIST))
		beside = openat(dir, BESIDE, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cgroupfs_close(fs);
	return beside;
}

pid_t cgroup_fork_beside(void)
{
	CLEANUP(close_p) int beside = open_beside();
	struct clone_args how = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	long pid = -1;

	if (beside >= 0) {
		how.cgroup = (unsigned)beside;
		pid = syscall(SYS_clone3, &how, sizeof(how));
	}
	return pid < 0 ? fork() : (pid_t)pid;
}

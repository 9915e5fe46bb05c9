#include "engine/guestnet.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/enter.h"
#include "drivers/rtnl.h"
#include "words/name.h"

static _Noreturn void apply_inside(const char *who, int netns, const struct netops *ops, int out)
{
	struct err e = { 0 };
	int r = setns(netns, CLONE_NEWNET) < 0 ? err_sys(&e, errno, "%s: cannot enter its network", who) : 0;

	close(netns);
	if (r >= 0)
		r = rtnl_apply(who, ops, &e);
	if (r < 0)
		(void)!write(out, &e, sizeof(e));
	_exit(r < 0);
}

/* In a child: we would not find back from the namespace without holding ours open. */
int guestnet_apply(const char *name, const struct netops *ops, struct err *e)
{
	CLEANUP(close_p) int netns = -1, in = -1;
	char who[NAME_MACHINE_MAX + 16];
	struct err theirs;
	int ends[2], status = 0, r = enter_netns(name, &netns, e);
	pid_t pid;

	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, errno, "%s: cannot make a pipe", name);
	in = ends[0];
	(void)snprintf(who, sizeof(who), "%s: in the guest", name);
	pid = fork();
	if (pid == 0)
		apply_inside(who, netns, ops, ends[1]);
	r = -errno;
	close(ends[1]);
	if (pid < 0)
		return err_sys(e, -r, "%s: cannot start a process", name);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		return 0;
	if (read(in, &theirs, sizeof(theirs)) != (ssize_t)sizeof(theirs)) /* it fits into the pipe whole */
		return err_set(e, STATUS_SYSTEM, EIO, "%s: the process that sets its network ended early",
		               who);
	if (e)
		*e = theirs;
	return -EIO;
}

/* The worker is a grandchild: nobody has to wait for its end, only for what it says. */
#include "drivers/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

struct outcome { /* fits into one write to a pipe: whole or not at all */
	int r;
	struct err e;
};

struct aside {
	aside_done_fn *done;
	void *arg;
	int fd;
	sd_event_source *io, *timer;
};

void aside_forget(struct aside *a)
{
	if (!a)
		return;
	sd_event_source_disable_unref(a->io);
	sd_event_source_disable_unref(a->timer);
	close_p(&a->fd);
	free(a);
}

void aside_wait(struct aside *a, int ms)
{
	struct pollfd p = { .fd = a ? a->fd : -1, .events = POLLIN };

	if (a)
		(void)poll(&p, 1, ms);
	aside_forget(a);
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct outcome o = { 0 };
	struct aside *a = arg;

	(void)s, (void)events;
	if (read(fd, &o, sizeof(o)) != sizeof(o))
		o.r = err_set(&o.e, STATUS_SYSTEM, EPIPE, "the process that did it ended early");
	a->done(o.r, o.r < 0 || o.e.text[0] ? &o.e : NULL, a->arg);
	aside_forget(a);
	return 0;
}

static int on_deadline(sd_event_source *s, uint64_t now, void *arg)
{
	struct aside *a = arg;
	struct err e;

	(void)s, (void)now;
	(void)err_set(&e, STATUS_DEADLINE, ETIMEDOUT, "it is not done yet: the disk may be busy");
	a->done(-ETIMEDOUT, &e, a->arg);
	aside_forget(a);
	return 0;
}

static _Noreturn void worker(int fd, aside_work_fn *work, void *work_arg)
{
	struct outcome o = { 0 };

	o.r = work(work_arg, &o.e);
	_exit(write(fd, &o, sizeof(o)) == sizeof(o) ? 0 : 1);
}

static int fork_worker(int fd, aside_work_fn *work, void *work_arg)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			worker(fd, work, work_arg);
		_exit(pid < 0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

int aside_begin(sd_event *loop, aside_work_fn *work, void *work_arg, uint64_t limit_usec, aside_done_fn *done,
                void *arg, struct aside **ret, struct err *e)
{
	CLEANUP(close_p) int theirs = -1;
	struct aside *a = calloc(1, sizeof(*a));
	int ends[2], r = 0;

	if (!a)
		return err_no_memory(e);
	*a = (struct aside){ .done = done, .arg = arg, .fd = -1 };
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		r = -errno;
	if (r >= 0) {
		a->fd = ends[0];
		theirs = ends[1];
		r = !loop ? 0 : sd_event_add_io(loop, &a->io, a->fd, EPOLLIN, on_readable, a);
	}
	if (r >= 0 && loop)
		r = sd_event_add_time_relative(loop, &a->timer, CLOCK_MONOTONIC, limit_usec, 1000,
		                               on_deadline, a);
	if (r >= 0)
		r = fork_worker(theirs, work, work_arg);
	if (r < 0) {
		aside_forget(a);
		return err_sys(e, -r, "cannot start a process");
	}
	*ret = a;
	return 0;
}

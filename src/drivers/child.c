#include "drivers/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/process.h"

struct child {
	const char *what;
	child_done_fn *done;
	void *arg;
	size_t answer_max;
	pid_t pid; /* 0: already waited for */
	int pipe;
	struct buf answer;
	sd_event *loop; /* borrowed: its sources are ours */
	sd_event_source *io, *deadline;
};

void child_become(void)
{
	static const struct rlimit none = { 0, 0 };
	sigset_t all;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setrlimit(RLIMIT_CORE, &none);
	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL);
	(void)sigemptyset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
}

static int on_late_end(sd_event_source *s, int pidfd, uint32_t events, void *arg)
{
	siginfo_t info;

	(void)events, (void)arg;
	(void)waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
	sd_event_source_disable_unref(s);
	return 0;
}

/* One that sleeps in the kernel on a guest's file system does not end before that answers: nobody waits for
 * it. */
static void reap_later(sd_event *loop, pid_t pid)
{
	sd_event_source *s = NULL;
	int pidfd = process_open(pid);

	if (pidfd < 0)
		return;
	if (sd_event_add_io(loop, &s, pidfd, EPOLLIN, on_late_end, NULL) < 0) {
		close(pidfd);
		return;
	}
	(void)sd_event_source_set_io_fd_own(s, true);
}

static void kill_it(struct child *c)
{
	if (c->pid == 0)
		return;
	(void)kill(c->pid, SIGKILL);
	if (waitpid(c->pid, NULL, WNOHANG) == 0)
		reap_later(c->loop, c->pid);
	c->pid = 0;
}

void child_cancel(struct child *c)
{
	if (!c)
		return;
	kill_it(c);
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->deadline);
	close_p(&c->pipe);
	buf_done(&c->answer);
	free(c);
}

static void finish(struct child *c, int r, const struct err *e)
{
	CLEANUP(buf_done) struct buf answer = c->answer;
	char nothing[] = "";
	child_done_fn *done = c->done;
	void *arg = c->arg;
	struct err no_memory;

	c->answer = (struct buf){ 0 };
	child_cancel(c);
	if (answer.bad) {
		r = err_no_memory(&no_memory);
		e = &no_memory;
	}
	done(r, answer.p ? answer.p : nothing, answer.len, e, arg);
}

/* It closed its end, so it is about to exit, if it has not yet. */
static int end_of(struct child *c, struct err *e)
{
	int status = 0;

	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) & 127;
	return err_set(e, STATUS_IO, EIO, "%s was killed by signal %d", c->what, WTERMSIG(status));
}

static int on_readable(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct child *c = arg;
	char chunk[16384];
	ssize_t n = read(fd, chunk, sizeof(chunk));
	struct err e = { 0 };

	(void)s, (void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0 && c->answer.len + (size_t)n <= c->answer_max) {
		buf_add(&c->answer, chunk, (size_t)n);
		return 0;
	}
	if (n > 0)
		finish(c,
		       err_set(&e, STATUS_IO, EFBIG, "%s gave more than %zu bytes", c->what, c->answer_max),
		       &e);
	else
		finish(c, end_of(c, &e), &e);
	return 0;
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *arg)
{
	struct child *c = arg;
	struct err e;

	(void)s, (void)usec;
	finish(c, err_set(&e, STATUS_DEADLINE, ETIMEDOUT, "%s did not end in time", c->what), &e);
	return 0;
}

static int start(struct child *c, child_fn *fn, void *fn_arg, uint64_t deadline_usec, struct err *e)
{
	CLEANUP(close_p) int out = -1;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	c->pipe = fds[0];
	out = fds[1];
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		return err_sys(e, errno, "cannot make a process");
	}
	if (c->pid == 0) {
		child_become();
		_exit(fn(out, fn_arg));
	}
	(void)fcntl(c->pipe, F_SETFL, O_NONBLOCK);
	r = sd_event_add_io(c->loop, &c->io, c->pipe, EPOLLIN, on_readable, c);
	if (r >= 0)
		r = sd_event_add_time_relative(c->loop, &c->deadline, CLOCK_MONOTONIC, deadline_usec, 10000,
		                               on_deadline, c);
	return r < 0 ? err_sys(e, -r, "cannot wait for %s", c->what) : 0;
}

int child_start(sd_event *loop, const char *what, child_fn *fn, void *fn_arg, uint64_t deadline_usec,
                size_t answer_max, child_done_fn *done, void *arg, struct child **ret, struct err *e)
{
	struct child *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_no_memory(e);
	*c = (struct child){
		.what = what, .done = done, .arg = arg, .answer_max = answer_max, .pipe = -1, .loop = loop
	};
	r = start(c, fn, fn_arg, deadline_usec, e);
	if (r < 0) {
		child_cancel(c);
		return r;
	}
	*ret = c;
	return 0;
}

#include "engine/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "decide/tapewriter.h"
#include "drivers/files.h"

#define PENDING_MAX   8388608 /* bytes that wait for the child */
#define LEAVE_USEC    1000000
#define STDERR_AND_UP (STDERR_FILENO + 1)

struct recorder {
	struct tapewriter writer;
	struct buf pending;
	size_t sent; /* of pending */
	bool lost;   /* records are left out until there is room */
	int socket;
	pid_t child;
	sd_event_source *flush, *room;
	char note[ERR_TEXT_MAX];
};

int recorder_create(const char *path, int *ret_fd, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0 && errno == EEXIST)
		return err_set(e, STATUS_BUSY, EEXIST, "%s exists: it takes a new file", path);
	if (fd < 0)
		return err_sys(e, errno, "cannot create %s", path);
	*ret_fd = fd;
	return 0;
}

/* ---- the child */

/* close_range(2); not every libc has a function for it. */
static void close_between(int low, int high)
{
	if (low <= high)
		(void)syscall(SYS_close_range, (unsigned)low, (unsigned)high, 0u);
}

/* It outlives the parent until all is written, and hears nothing of the terminal. Ends with an errno. */
static _Noreturn void be_writer(int in, int out)
{
	static char chunk[65536];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), r = 0;
	sigset_t all;

	(void)prctl(PR_SET_NAME, "machdeck-tape");
	(void)setsid();
	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL);
	(void)sigemptyset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	for (int fd = 0; fd < STDERR_AND_UP && null >= 0; fd++)
		(void)dup2(null, fd);
	in = fcntl(in, F_DUPFD, STDERR_AND_UP);
	out = fcntl(out, F_DUPFD, in + 1);
	close_between(STDERR_AND_UP, in - 1);
	close_between(in + 1, out - 1);
	close_between(out + 1, INT_MAX);
	for (;;) {
		ssize_t n = read(in, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		r = files_write_fd(out, chunk, (size_t)n);
		if (r < 0)
			break;
	}
	_exit(-r);
}

/* ---- the parent */

static void broke(struct recorder *r)
{
	int status = 0;

	(void)shutdown(r->socket, SHUT_RDWR);
	while (r->child > 0 && waitpid(r->child, &status, 0) < 0 && errno == EINTR)
		;
	r->child = 0;
	(void)snprintf(r->note, sizeof(r->note), "the recording ended: %s",
	               WIFEXITED(status) && WEXITSTATUS(status) ? strerror(WEXITSTATUS(status))
	                                                        : "its writer was killed");
	buf_done(&r->pending);
	r->sent = 0;
	(void)sd_event_source_set_enabled(r->room, SD_EVENT_OFF);
}

static void compact(struct recorder *r)
{
	if (r->sent < PENDING_MAX / 2)
		return;
	r->pending.len -= r->sent;
	memmove(r->pending.p, r->pending.p + r->sent, r->pending.len);
	r->sent = 0;
}

/* As much as the child takes now. */
static void push(struct recorder *r)
{
	while (r->child > 0 && r->sent < r->pending.len) {
		ssize_t n = send(r->socket, r->pending.p + r->sent, r->pending.len - r->sent,
		                 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			compact(r);
			return;
		}
		if (n < 0) {
			broke(r);
			return;
		}
		r->sent += (size_t)n;
	}
	buf_done(&r->pending);
	r->sent = 0;
	if (r->lost)
		tapewriter_forget(&r->writer);
	r->lost = false;
}

static int on_flush(sd_event_source *s, void *arg)
{
	struct recorder *r = arg;

	(void)s;
	push(r);
	(void)sd_event_source_set_enabled(r->room, r->pending.len > r->sent ? SD_EVENT_ON : SD_EVENT_OFF);
	return 0;
}

static int on_room(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	return on_flush(s, arg);
}

/* Out of memory: the line is not whole, and is not written. */
static void wrote(struct recorder *r, size_t before)
{
	if (r->pending.bad) {
		r->pending.bad = false;
		r->pending.len = before;
		tapewriter_forget(&r->writer);
	}
	if (r->pending.len - r->sent > PENDING_MAX) {
		r->lost = true;
		(void)snprintf(r->note, sizeof(r->note),
		               "the recording's file is too slow: some of it is left out");
	}
	(void)sd_event_source_set_enabled(r->flush, SD_EVENT_ONESHOT);
}

static bool takes(const struct recorder *r)
{
	return r->child > 0 && !r->lost;
}

void recorder_snapshot(struct recorder *r, const struct snapshot *now)
{
	size_t before = r->pending.len;

	if (!takes(r))
		return;
	tapewriter_snapshot(&r->writer, now, &r->pending);
	wrote(r, before);
}

void recorder_stats(struct recorder *r, const struct stats_table *now, uint64_t usec)
{
	size_t before = r->pending.len;

	if (!takes(r))
		return;
	tapewriter_stats(&r->writer, now, usec, &r->pending);
	wrote(r, before);
}

void recorder_events(struct recorder *r, const struct events *events)
{
	size_t before = r->pending.len;

	if (!takes(r))
		return;
	for (size_t i = 0; i < events->n; i++)
		tapewriter_event(&r->writer, &events->v[i], &r->pending);
	wrote(r, before);
}

const char *recorder_note(const struct recorder *r)
{
	return r->note[0] ? r->note : NULL;
}

static int start(struct recorder *r, sd_event *loop, int file, struct err *e)
{
	CLEANUP(close_p) int theirs = -1;
	int fds[2], q;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, errno, "cannot make a pair of sockets");
	r->socket = fds[0];
	theirs = fds[1];
	r->child = fork();
	if (r->child < 0)
		return err_sys(e, errno, "cannot make a process");
	if (r->child == 0) {
		free(r);
		be_writer(theirs, file);
	}
	q = sd_event_add_defer(loop, &r->flush, on_flush, r);
	if (q >= 0) /* after all that may still be told in this turn */
		q = sd_event_source_set_priority(r->flush, SD_EVENT_PRIORITY_IDLE);
	if (q >= 0)
		q = sd_event_add_io(loop, &r->room, r->socket, EPOLLOUT, on_room, r);
	if (q >= 0)
		q = sd_event_source_set_enabled(r->room, SD_EVENT_OFF);
	return q < 0 ? err_sys(e, -q, "cannot wait for the recording") : 0;
}

int recorder_new(sd_event *loop, int fd, const char *host, struct recorder **ret, struct err *e)
{
	CLEANUP(close_p) int file = fd;
	struct recorder *r = calloc(1, sizeof(*r));
	int q;

	if (!r)
		return err_no_memory(e);
	r->socket = -1;
	q = start(r, loop, file, e);
	if (q < 0) {
		recorder_free(r);
		return q;
	}
	tapewriter_begin(&r->writer, host, clock_usec(CLOCK_REALTIME), &r->pending);
	*ret = r;
	return 0;
}

static void wait_for(int fd, short what, uint64_t until_usec)
{
	struct pollfd p = { .fd = fd, .events = what };
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	if (fd >= 0 && now < until_usec)
		(void)poll(&p, 1, (int)((until_usec - now) / 1000) + 1);
}

/* What it has is written also without us; we wait so that the file is whole when we have ended. */
static void finish(struct recorder *r)
{
	CLEANUP(close_p) int child = r->child > 0 ? process_open(r->child) : -1;
	uint64_t until = clock_usec(CLOCK_MONOTONIC) + LEAVE_USEC;

	push(r);
	while (r->child > 0 && r->sent < r->pending.len && clock_usec(CLOCK_MONOTONIC) < until) {
		wait_for(r->socket, POLLOUT, until);
		push(r);
	}
	close_p(&r->socket);
	r->socket = -1;
	wait_for(child, POLLIN, until);
	if (r->child > 0)
		(void)waitpid(r->child, NULL, WNOHANG);
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	finish(r);
	sd_event_source_disable_unref(r->flush);
	sd_event_source_disable_unref(r->room);
	tapewriter_done(&r->writer);
	buf_done(&r->pending);
	free(r);
}

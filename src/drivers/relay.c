#include "drivers/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"

#define LEAVE_KEY   0x1d /* ^] */
#define LEAVE_TIMES 3
#define LEAVE_LIMIT 1000000 /* microseconds */
#define NAP_MS      200

static void close_fd(int *fd)
{
	close_p(fd);
	*fd = -1;
}

void relay_done(struct relay *r)
{
	for (int i = 0; i < 3; i++)
		close_fd(&r->stdio[i]);
	for (int i = 0; i < RELAY_WAYS; i++) {
		close_fd(&r->ways[i].from);
		close_fd(&r->ways[i].to);
	}
}

/* A way of our own standard descriptor fd through a pipe. */
static int add_pipe(struct relay *r, int fd)
{
	struct relay_way *w = &r->ways[fd];
	int ends[2], own = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (own < 0)
		return -errno;
	w->is_input = fd == STDIN_FILENO;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		close(own);
		return -errno;
	}
	w->from = w->is_input ? own : ends[0];
	w->to = w->is_input ? ends[1] : own;
	r->stdio[fd] = ends[w->is_input ? 0 : 1];
	return 0;
}

int relay_prepare(int copy, struct relay *ret, struct err *e)
{
	struct relay r = { .terminal = isatty(0) && isatty(1), .stdio = { -1, -1, -1 }, .copy = copy };
	int q = 0;

	for (int i = 0; i < RELAY_WAYS; i++)
		r.ways[i].from = r.ways[i].to = -1;
	for (int fd = 0; q >= 0 && !r.terminal && fd < 3; fd++)
		if (isatty(fd) || (fd > 0 && copy >= 0))
			q = add_pipe(&r, fd);
	if (q < 0) {
		relay_done(&r);
		return err_sys(e, -q, "cannot make a pipe");
	}
	*ret = r;
	return 0;
}

int relay_started(struct relay *r, int master, struct err *e)
{
	for (int i = 0; i < 3; i++)
		close_fd(&r->stdio[i]);
	if (master < 0)
		return 0;
	r->ways[0] =
		(struct relay_way){ .from = fcntl(0, F_DUPFD_CLOEXEC, 3), .to = master, .is_input = true };
	r->ways[1] = (struct relay_way){ .from = fcntl(master, F_DUPFD_CLOEXEC, 3),
		                         .to = fcntl(1, F_DUPFD_CLOEXEC, 3) };
	if (r->ways[0].from < 0 || r->ways[1].from < 0 || r->ways[1].to < 0)
		return err_sys(e, errno, "cannot use the terminal");
	return 0;
}

static void copy_size(const struct relay *r)
{
	struct winsize size;

	if (r->terminal && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(r->ways[0].to, TIOCSWINSZ, &size);
}

static void way_end(struct relay_way *w)
{
	close_fd(&w->from);
	close_fd(&w->to);
}

static void look_for_leave(struct relay *r, const struct relay_way *w)
{
	for (size_t i = 0; r->terminal && i < w->len; i++) {
		if (w->bytes[i] != LEAVE_KEY) {
			r->n_leave = 0;
			continue;
		}
		if (r->n_leave == 0 || clock_usec(CLOCK_MONOTONIC) - r->leave_usec > LEAVE_LIMIT) {
			r->n_leave = 0;
			r->leave_usec = clock_usec(CLOCK_MONOTONIC);
		}
		r->left |= ++r->n_leave == LEAVE_TIMES;
	}
}

void relay_copy(int copy, const char *bytes, size_t len)
{
	off_t at = lseek(copy, 0, SEEK_END);

	if (at >= 0 && at < RELAY_COPY_MAX)
		(void)!write(copy, bytes,
		             len < (size_t)(RELAY_COPY_MAX - at) ? len : (size_t)(RELAY_COPY_MAX - at));
}

/* A pty's master says EIO when nobody holds its other end. */
static void way_read(struct relay *r, struct relay_way *w)
{
	ssize_t n = read(w->from, w->bytes, sizeof(w->bytes));

	if (n > 0) {
		w->at = 0;
		w->len = (size_t)n;
		if (w->is_input)
			look_for_leave(r, w);
		else if (r->copy >= 0)
			relay_copy(r->copy, w->bytes, w->len);
	} else if (n < 0 && errno == EIO && r->comes_back) {
		w->sleeps = true;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		way_end(w);
	}
}

static void way_write(struct relay_way *w)
{
	ssize_t n = write(w->to, w->bytes + w->at, w->len - w->at);

	if (n >= 0)
		w->at += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		way_end(w);
}

static bool way_is_full(const struct relay_way *w)
{
	return w->at < w->len;
}

/* Returns false when nothing was ready within timeout_ms. */
static bool carry(struct relay *r, int signals, int process, int timeout_ms)
{
	struct pollfd p[RELAY_WAYS + 2] = { { .fd = signals, .events = POLLIN },
		                            { .fd = process, .events = POLLIN } };

	for (int i = 0; i < RELAY_WAYS; i++) {
		struct relay_way *w = &r->ways[i];

		p[2 + i].fd = way_is_full(w) ? w->to : w->sleeps ? -1 : w->from;
		if (w->sleeps && timeout_ms < 0)
			timeout_ms = NAP_MS;
		w->sleeps = false;
		p[2 + i].events = way_is_full(w) ? POLLOUT : POLLIN;
	}
	if (poll(p, RELAY_WAYS + 2, timeout_ms) <= 0)
		return false;
	for (int i = 0; i < RELAY_WAYS; i++) {
		if (!p[2 + i].revents)
			continue;
		if (way_is_full(&r->ways[i]))
			way_write(&r->ways[i]);
		else
			way_read(r, &r->ways[i]);
	}
	return true;
}

static void take_signal(struct relay *r, int signals, int process)
{
	struct signalfd_siginfo s;

	if (read(signals, &s, sizeof(s)) != sizeof(s))
		return;
	if (s.ssi_signo == SIGWINCH)
		copy_size(r);
	else if (r->attached)
		r->left = true;
	else
		(void)syscall(SYS_pidfd_send_signal, process, (int)s.ssi_signo, NULL, 0);
}

static bool is_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static int carry_until_end(struct relay *r, int signals, int process)
{
	siginfo_t end = { 0 };
	unsigned n_told = 0;

	while (!is_ready(process)) {
		(void)carry(r, signals, process, r->left ? NAP_MS : -1);
		if (is_ready(signals))
			take_signal(r, signals, process);
		if (r->left) /* what does not heed the first dies of the second */
			(void)syscall(SYS_pidfd_send_signal, process, n_told++ ? SIGKILL : SIGHUP, NULL, 0);
	}
	/* Input has nobody to go to; of the output, what is there: others may hold its end open for ever. */
	way_end(&r->ways[0]);
	while (carry(r, -1, -1, way_is_full(&r->ways[1]) || way_is_full(&r->ways[2]) ? 1000 : 0))
		;
	if (waitid((idtype_t)P_PIDFD, (id_t)process, &end, WEXITED) < 0)
		return -errno;
	return end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
}

static int carry_until_hangup(struct relay *r, int signals, int process)
{
	while (!r->left && r->ways[1].from >= 0 && !is_ready(process)) {
		(void)carry(r, signals, process, -1);
		if (is_ready(signals))
			take_signal(r, signals, process);
	}
	return r->left;
}

typedef int carry_fn(struct relay *r, int signals, int process);

/* With our terminal raw and our signals in a descriptor. */
static int carry_raw(struct relay *r, int process, carry_fn *carry_it, struct err *e)
{
	CLEANUP(close_p) int signals = -1;
	struct termios old, raw;
	sigset_t taken, before;
	bool is_raw;
	int status;

	(void)sigemptyset(&taken);
	for (size_t i = 0; i < 5; i++)
		(void)sigaddset(&taken, (const int[]){ SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT }[i]);
	(void)sigprocmask(SIG_BLOCK, &taken, &before);
	signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0) {
		status = errno;
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		return err_sys(e, status, "cannot wait for the command");
	}
	is_raw = r->terminal && tcgetattr(STDIN_FILENO, &old) == 0; /* not when it hung up just now */
	if (is_raw) {
		raw = old;
		cfmakeraw(&raw);
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
		copy_size(r);
	}
	(void)fcntl(r->ways[0].to, F_SETFL,
	            O_NONBLOCK); /* its reader may be slow; our own output may block us */
	status = carry_it(r, signals, process);
	if (is_raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &old);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return status < 0 ? err_sys(e, -status, "cannot wait for the command") : status;
}

int relay_until_end(struct relay *r, pid_t pid, struct err *e)
{
	CLEANUP(close_p) int process = process_open(pid);

	if (process < 0)
		return err_sys(e, errno, "cannot wait for the command");
	return carry_raw(r, process, carry_until_end, e);
}

int relay_attach(int master, bool comes_back, int process, struct err *e)
{
	struct relay r = { .terminal = true, .copy = -1, .stdio = { -1, -1, -1 } };
	int q;

	for (int i = 0; i < RELAY_WAYS; i++)
		r.ways[i].from = r.ways[i].to = -1;
	r.attached = true;
	r.comes_back = comes_back;
	(void)fcntl(master, F_SETFL, O_NONBLOCK);
	q = relay_started(&r, master, e);
	if (q >= 0)
		q = carry_raw(&r, process, carry_until_hangup, e);
	relay_done(&r);
	return q;
}

#include "ui/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Signal handlers have no argument to carry this. */
static struct {
	volatile sig_atomic_t armed, signal;
	int fd, wake_fd;
	struct termios before;
	char bytes[RESTORE_BYTES_MAX];
	size_t len;
	timer_t watchdog;
} state;

static void write_now(const char *bytes, size_t len)
{
	int flags = fcntl(state.fd, F_GETFL);
	ssize_t ignored;

	fcntl(state.fd, F_SETFL, flags | O_NONBLOCK);
	ignored = write(state.fd, bytes, len);
	(void)ignored; /* a terminal that takes nothing can not be helped */
	fcntl(state.fd, F_SETFL, flags);
}

bool restore_is_background(int fd)
{
	pid_t owner = tcgetpgrp(fd);

	return owner >= 0 && owner != getpgrp();
}

static void restore_now(void)
{
	if (!state.armed || restore_is_background(state.fd))
		return;
	state.armed = 0;
	write_now(state.bytes, state.len);
	tcsetattr(state.fd, TCSANOW, &state.before);
}

static void on_crash(int sig)
{
	static const char line[] = "machdeck: it crashed; this is a bug, please report it\n";

	restore_now();
	write_now(line, sizeof(line) - 1);
	raise(sig); /* the handler is gone (SA_RESETHAND): now it takes its course */
}

static void on_end(int sig)
{
	const struct itimerspec deadline = { .it_value = { RESTORE_WATCHDOG_MSEC / 1000,
		                                           RESTORE_WATCHDOG_MSEC % 1000 * 1000000 } };
	const unsigned long long one = 1;
	int saved = errno;
	ssize_t ignored;

	if (!state.signal)
		timer_settime(state.watchdog, 0, &deadline, NULL);
	state.signal = sig;
	ignored = write(state.wake_fd, &one, sizeof(one));
	(void)ignored; /* full: it is readable already */
	errno = saved;
}

static void on_watchdog(int sig)
{
	(void)sig;
	restore_now();
	_exit(128 + state.signal);
}

static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	sigfillset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

void restore_arm(int fd, const struct termios *before, const char *bytes, size_t len, int wake_fd)
{
	static const int ends[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP };
	static char stack[16384]; /* a crash may be the end of the ordinary one */
	const stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigevent alarm = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };

	state.fd = fd;
	state.wake_fd = wake_fd;
	state.before = *before;
	state.len = len < sizeof(state.bytes) ? len : sizeof(state.bytes);
	memcpy(state.bytes, bytes, state.len);
	state.armed = 1;

	sigaltstack(&alternative, NULL);
	timer_create(CLOCK_MONOTONIC, &alarm, &state.watchdog);
	handle(SIGALRM, on_watchdog, 0);
	for (size_t i = 0; i < COUNT(ends); i++)
		handle(ends[i], on_end, SA_RESTART);
	for (size_t i = 0; i < COUNT(crashes); i++)
		handle(crashes[i], on_crash, (int)(SA_RESETHAND | SA_ONSTACK | SA_NODEFER));
}

void restore_disarm(void)
{
	state.armed = 0;
}

int restore_signal(void)
{
	return state.signal;
}

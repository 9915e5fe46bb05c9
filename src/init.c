/* machdeck-init - PID 1 of a container until it hands over to the container's own init.
 *
 * It carries out the guest's half of the network and is static: the guest need not have a single library.
 * Whatever it sees was made by the guest, so it reads one file of the host's (/run/machdeck/net) and looks at
 * the payload. Stopping a container means SIGRTMIN+3 to its PID 1 (systemd-nspawn --kill-signal=), and the
 * kernel drops signals that a PID 1 has no handler for: all of this must be able to stop at any moment (CI-1,
 * CI-9, CI-10). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "drivers/rtnl.h"
#include "engine/earlystop.h"
#include "words/netop.h"

#define NET_FILE     "/run/machdeck/net"
#define HALT         (SIGRTMIN + 3) /* as systemd's PID 1 understands it */
#define POWEROFF     (SIGRTMIN + 4) /* machinectl poweroff */
#define PATIENCE     10             /* seconds that a plain payload has to end */
#define FIRST_MS     50             /* and to fail */
#define SCRIPT_START 65536          /* bytes of a script that are looked at */

#define NO_SUCH_APPLET 127 /* what busybox ends with */

static void stop_at_once(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

/* systemd-nspawn passes the lines on: STATUS= is what `systemctl status` shows on the host. */
static void notify(const char *line)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	CLEANUP(close_p) int fd = -1;
	size_t len = path ? strlen(path) : 0;

	if (len == 0 || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, line, strlen(line), MSG_NOSIGNAL, (struct sockaddr *)&to,
		             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

/* systemd-nspawn reads what was said only as long as there is a container. */
static void let_be_read(void)
{
	static const struct timespec moment = { .tv_nsec = 100000000L };

	(void)nanosleep(&moment, NULL);
}

static int give_up(enum status status, const char *sentence)
{
	char line[ERR_TEXT_MAX + 16];

	(void)fprintf(stderr, "machdeck-init: %s\n", sentence);
	(void)snprintf(line, sizeof(line), "STATUS=%s", sentence);
	notify(line);
	let_be_read();
	return (int)status;
}

static int cannot_run(const char *payload, int errnum)
{
	struct err e;

	(void)err_set(&e, STATUS_BUG, errnum, "cannot run the container's init %s: %s", payload,
	              strerror(errnum));
	return give_up(errnum == ENOENT || errnum == ENOTDIR ? STATUS_NO_CONTAINER : STATUS_SYSTEM, e.text);
}

/* ---- the network */

static int read_net(struct netops *ops, struct err *e)
{
	CLEANUP(close_p) int fd = open(NET_FILE, O_RDONLY | O_CLOEXEC);
	CLEANUP(buf_done) struct buf text = { 0 };
	char part[4096];
	ssize_t n;
	int r;

	if (fd < 0)
		return err_sys(e, errno, "cannot read " NET_FILE);
	while ((n = read(fd, part, sizeof(part))) > 0)
		buf_add(&text, part, (size_t)n);
	if (n < 0)
		return err_sys(e, errno, "cannot read " NET_FILE);
	r = text.bad ? -ENOMEM : netops_parse(buf_text(&text), ops);
	if (r == -EINVAL)
		return err_set(e, STATUS_BUG, EINVAL, "cannot understand a line of " NET_FILE);
	return r < 0 ? err_no_memory(e) : 0;
}

static int set_up_network(struct err *e)
{
	CLEANUP(netops_done) struct netops ops = { 0 };
	int r = read_net(&ops, e);

	return r < 0 ? r : rtnl_apply("network in the container", &ops, e);
}

/* ---- what the payload is */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_program(const char *payload, const char *name)
{
	char real[PATH_MAX];

	return realpath(payload, real) && strcmp(base_name(real), name) == 0;
}

static bool is_busybox_init(const char *payload)
{
	return is_program(payload, "busybox") && strcmp(base_name(payload), "init") == 0;
}

/* Whether it is a shell script that becomes systemd in the end, as the stage 2 of NixOS does; head then
 * starts with the interpreter, and ret_arg is its argument or NULL. */
static bool is_stage_2(const char *payload, char head[static SCRIPT_START], char **ret_arg)
{
	CLEANUP(close_p) int fd = open(payload, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, head, SCRIPT_START - 1);
	char *interpreter, *rest = head;

	if (n < 2 || memcmp(head, "#!", 2) != 0)
		return false;
	head[n] = '\0';
	if (!strstr(head, "systemd") && !strstr(head, "/sbin/init"))
		return false;
	rest = strsep(&rest, "\n");
	rest += 2 + strspn(rest + 2, " \t");
	interpreter = strsep(&rest, " \t");
	if (rest) {
		rest += strspn(rest, " \t");
		rest[strcspn(rest, " \t\r")] = '\0';
	}
	*ret_arg = rest && rest[0] ? rest : NULL;
	memmove(head, interpreter, strlen(interpreter) + 1);
	return strstr(base_name(head), "sh") || (*ret_arg && strstr(base_name(*ret_arg), "sh"));
}

/* ---- handing over */

/* Until systemd reads its signals a stop waits: blocked signals are kept even for a PID 1. */
static int become(char **argv)
{
	sigset_t halt;

	(void)sigemptyset(&halt);
	(void)sigaddset(&halt, HALT);
	(void)sigprocmask(SIG_SETMASK, &halt, NULL);
	(void)execv(argv[0], argv);
	return cannot_run(argv[0], errno);
}

/* The script runs inside a shell that already has a trap, so that a stop works while it does (CI-10). */
static int become_script(const char *interpreter, char *arg, char **argv)
{
	static char dash_c[] = "-c", sourced[] = "trap 'exit 0' 37; . \"$0\"";
	size_t n = 0, words = 0;
	char **v;

	while (argv[n])
		n++;
	v = calloc(n + 5, sizeof(*v));
	if (!v)
		return give_up(STATUS_SYSTEM, "out of memory");
	v[words++] = strdup(interpreter);
	if (arg)
		v[words++] = arg;
	v[words++] = dash_c;
	v[words++] = sourced;
	memcpy(&v[words], argv, n * sizeof(*argv));
	(void)execv(interpreter, v);
	return cannot_run(interpreter, errno);
}

static pid_t spawn(const char *program, char **argv, const sigset_t *mask, int *ret_errnum)
{
	int report[2], errnum = 0;
	pid_t pid;

	*ret_errnum = 0;
	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)sigprocmask(SIG_SETMASK, mask, NULL);
		(void)setsid();
		(void)execv(program, argv);
		errnum = errno;
		(void)!write(report[1], &errnum, sizeof(errnum));
		_exit(127);
	}
	close(report[1]);
	if (pid > 0 &&
	    read(report[0], &errnum, sizeof(errnum)) != sizeof(errnum)) /* closed by execv: it runs */
		errnum = 0;
	close(report[0]);
	*ret_errnum = errnum;
	return pid;
}

/* Reap everybody. Whether the payload was among them, and how it ended. */
static bool reap(pid_t payload, int *ret_status)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != payload)
			continue;
		ended = true;
		*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return ended;
}

/* What the payload understands: the init of busybox has its own words, and SIGUSR2 is power-off. */
static int translate(int signal_number, bool is_init)
{
	if (signal_number != HALT && signal_number != POWEROFF)
		return signal_number;
	return is_init ? SIGUSR2 : SIGTERM;
}

/* A plain program does not do what a PID 1 must: it would neither hear a stop nor reap. So it gets one. It
 * can not say when it is ready either; one that fails at once has not started, so it has a moment to do so.
 * An init gets all the time to stop that systemd gives us. */
static int supervise(const char *program, char **argv, bool is_init)
{
	static const struct timespec first = { .tv_nsec = FIRST_MS * 1000000L };
	static const struct timespec patience = { .tv_sec = PATIENCE };
	sigset_t ours, before;
	bool stopping = false, ready = false;
	int errnum, status = 0;
	pid_t payload;

	(void)sigemptyset(&ours);
	(void)sigaddset(&ours, SIGCHLD);
	(void)sigaddset(&ours, SIGTERM);
	(void)sigaddset(&ours, HALT);
	(void)sigaddset(&ours, POWEROFF);
	if (is_init) {
		(void)sigaddset(&ours, SIGUSR1);
		(void)sigaddset(&ours, SIGUSR2);
	}
	(void)sigprocmask(SIG_BLOCK, &ours, &before);
	payload = spawn(program, argv, &before, &errnum);
	if (payload < 0 || errnum)
		return cannot_run(program, errnum ? errnum : errno);
	for (;;) {
		int got = sigtimedwait(&ours, NULL, stopping && !is_init ? &patience : ready ? NULL : &first);
		bool ended = got == SIGCHLD && reap(payload, &status);

		if (!ready && (!ended || status == 0))
			notify("READY=1");
		ready = true;
		if (ended && status && !stopping)
			let_be_read();
		if (ended)
			return stopping ? 0 : status;
		if (got < 0 && errno == EAGAIN && stopping)
			(void)kill(-1, SIGKILL);
		if (got > 0 && got != SIGCHLD) {
			(void)kill(payload, translate(got, is_init));
			stopping = true;
		}
	}
}

/* It refuses to be anything but PID 1, unless it is called linuxrc. A busybox without that name gets its
 * wish, and a stop has to kill it. */
static int supervise_busybox(char **argv)
{
	static char linuxrc[] = "linuxrc";
	char *as_linuxrc[] = { linuxrc, NULL };
	int status = supervise(argv[0], as_linuxrc, true);

	if (status != NO_SUCH_APPLET)
		return status;
	notify("READY=1");
	return become(argv);
}

static bool in_container(void)
{
	return getpid() == 1 && (getenv("container") || access("/run/host", F_OK) == 0);
}

int main(int argc, char **argv)
{
	static char head[SCRIPT_START];
	struct err e;
	char *arg;

	(void)signal(HALT, stop_at_once);
	(void)signal(SIGTERM, stop_at_once);
	if (!in_container())
		return give_up(STATUS_USAGE,
		               "this is not a container's first process; machdeck runs it there by itself");
	if (argc < 2)
		return give_up(STATUS_USAGE,
		               "which init is to follow? usage: machdeck-init INIT [ARGUMENT...]");
	if (set_up_network(&e) < 0)
		return give_up(STATUS_SYSTEM, e.text);
	notify("STATUS=" EARLYSTOP_STATUS);
	argv++;
	if (is_program(argv[0], "systemd"))
		return become(argv);
	if (is_busybox_init(argv[0]))
		return supervise_busybox(argv);
	if (is_stage_2(argv[0], head, &arg))
		return become_script(head, arg, argv);
	return supervise(argv[0], argv, false);
}

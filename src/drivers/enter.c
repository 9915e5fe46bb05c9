#include "drivers/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "base/process.h"
#include "drivers/enter_private.h"
#include "drivers/loginshell.h"
#include "drivers/machined.h"
#include "drivers/relay.h"

#define EXIT_CANNOT_RUN 127 /* as shells say it */

void entrance_done(struct entrance *m)
{
	close_p(&m->leader);
	close_p(&m->proc);
	close_p(&m->root);
}

/* ---- looking at the leader */

static int read_at(int dir, const char *file, char *ret, size_t size)
{
	CLEANUP(close_p) int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return 0;
}

static int look_at_namespaces(struct entrance *m)
{
	static const struct {
		const char *file;
		int flag;
	} kinds[] = {
		{ "user", CLONE_NEWUSER },     { "mnt", CLONE_NEWNS },  { "uts", CLONE_NEWUTS },
		{ "ipc", CLONE_NEWIPC },       { "net", CLONE_NEWNET }, { "pid", CLONE_NEWPID },
		{ "cgroup", CLONE_NEWCGROUP },
	};
	struct stat own, theirs;
	char path[32];

	for (size_t i = 0; i < COUNT(kinds); i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i].file);
		if (stat(path, &own) < 0 || fstatat(m->proc, path + strlen("/proc/self/"), &theirs, 0) < 0)
			return -errno;
		if (own.st_ino != theirs.st_ino || own.st_dev != theirs.st_dev)
			m->namespaces |= kinds[i].flag;
	}
	return 0;
}

static int look_at_capabilities(struct entrance *m)
{
	char status[4096];
	int r = read_at(m->proc, "status", status, sizeof(status));
	const char *line = r < 0 ? NULL : strstr(status, "\nCapBnd:");

	if (line)
		m->bounding = strtoull(line + strlen("\nCapBnd:"), NULL, 16);
	return r < 0 ? r : line ? 0 : -EBADMSG;
}

static int look_at_personality(struct entrance *m)
{
	char hex[16];
	int r = read_at(m->proc, "personality", hex, sizeof(hex));

	if (r >= 0)
		m->persona = strtoul(hex, NULL, 16);
	return r;
}

static int look(struct entrance *m, const struct registration *reg)
{
	char path[32];
	int r;

	m->leader = process_open(reg->leader);
	if (m->leader < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)reg->leader);
	m->proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	m->root = m->proc < 0 ? -1 : openat(m->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m->root < 0)
		return -errno;
	r = look_at_namespaces(m);
	if (r >= 0)
		r = look_at_capabilities(m);
	if (r >= 0)
		r = look_at_personality(m);
	if (r >= 0)
		r = read_at(m->proc, "cgroup", m->cgroup, sizeof(m->cgroup));
	/* Only now is it sure that all of this was of the process that the pidfd holds. */
	if (r >= 0 &&
	    (!machined_leader_lives(reg) || poll(&(struct pollfd){ m->leader, POLLIN, 0 }, 1, 0) != 0))
		return -ESRCH;
	return r;
}

int entrance_open(const char *name, struct entrance *ret, struct err *e)
{
	CLEANUP(registration_done) struct registration reg = { 0 };
	CLEANUP(entrance_done) struct entrance m = { .leader = -1, .proc = -1, .root = -1 };
	int r;

	if (geteuid() != 0)
		return err_set(e, STATUS_NOT_PERMITTED, EACCES,
		               "%s: only root can enter a machine (use sudo)", name);
	r = machined_find("", name, &reg, e);
	if (r < 0)
		return r;
	r = reg.leader > 0 ? look(&m, &reg) : -ESRCH;
	if (r == -ESRCH || r == -ENOENT)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT,
		               "%s is not running: its first process has ended", name);
	if (r < 0)
		return err_sys(e, -r, "%s: cannot look at its first process, %d", name, (int)reg.leader);
	if (!(m.namespaces & CLONE_NEWNS))
		return err_set(e, STATUS_UNSAFE_HOST, EPERM,
		               "%s: its first process, %d, is in the host's own file system: not entered",
		               name, (int)reg.leader);
	*ret = m;
	m.leader = m.proc = m.root = -1;
	return 0;
}

int enter_netns(const char *name, int *ret_fd, struct err *e)
{
	CLEANUP(entrance_done) struct entrance m = { .leader = -1, .proc = -1, .root = -1 };
	int fd, r = entrance_open(name, &m, e);

	if (r < 0)
		return r;
	fd = openat(m.proc, "ns/net", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "%s: cannot open its network namespace", name);
	*ret_fd = fd;
	return 0;
}

/* ---- the child. It can be seen from inside from its first moment on, so it holds nothing that is not
 * needed. */

/* What the parent reads from the socket: a step that failed, or that all went well, with the pty's master. */
struct message {
	int errnum;
	char step[60];
};

static void send_message(int socket, const char *step, int errnum, int fd)
{
	struct message text = { .errnum = errnum };
	struct iovec part = { .iov_base = &text, .iov_len = sizeof(text) };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

	(void)snprintf(text.step, sizeof(text.step), "%s", step);
	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
	}
	(void)sendmsg(socket, &m, MSG_NOSIGNAL);
}

static int write_own_pid(const char *folder, const char *cgroup)
{
	char path[ENTER_CGROUP_SIZE + 64];
	int fd, r = 0;

	(void)snprintf(path, sizeof(path), "%s%s/cgroup.procs", folder, cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, "0", 1) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* Lines "0::PATH" for cgroup 2 and "N:CONTROLLERS:PATH" for each hierarchy of cgroup 1. */
static int join_cgroups(char *lines)
{
	char *rest = lines, *line, folder[128];
	int r = 0;

	while (r >= 0 && (line = strsep(&rest, "\n")) && *line) {
		char *path = line, *controllers;

		(void)strsep(&path, ":");
		controllers = strsep(&path, ":");
		if (!path)
			return -EBADMSG;
		if (*controllers) {
			if (strncmp(controllers, "name=", 5) == 0)
				controllers += 5;
			(void)snprintf(folder, sizeof(folder), "/sys/fs/cgroup/%s", controllers);
			r = write_own_pid(folder, path);
			if (r == -ENOENT) /* a hierarchy that is not mounted */
				r = 0;
			continue;
		}
		r = write_own_pid("/sys/fs/cgroup/unified", path);
		if (r == -ENOENT)
			r = write_own_pid("/sys/fs/cgroup", path);
	}
	return r;
}

static int limit_capabilities(uint64_t bounding)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (!(bounding & UINT64_C(1) << c) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capget, &head, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(bounding >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int entrance_become_root(const struct entrance *m)
{
	if (fchdir(m->root) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return -errno;
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* A pty in the machine's own devpts, so that programs there find its name. */
static int open_pty(int *ret_master, int *ret_slave)
{
	CLEANUP(close_p) int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int slave, unlock = 0;

	if (master < 0 || fstat(master, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -ENOTTY;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	*ret_master = take_fd(&master);
	*ret_slave = slave;
	return 0;
}

static int place_stdio(const struct relay *relay, int slave)
{
	for (int fd = 0; fd < 3; fd++) {
		int from = relay->terminal && isatty(fd) ? slave : relay->stdio[fd];

		if (from >= 0 && dup2(from, fd) < 0)
			return -errno;
	}
	return 0;
}

static const char *in_child(struct entrance *m, const struct relay *relay, int *ret_master, int *ret_r)
{
	int slave = -1;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)umask(022);
	if ((*ret_r = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0) < 0)
		return "hide itself";
	if ((*ret_r = join_cgroups(m->cgroup)) < 0)
		return "join its cgroup";
	if ((*ret_r = setns(m->leader, m->namespaces & ~CLONE_NEWPID) < 0 ? -errno : 0) < 0)
		return "join its namespaces";
	if ((*ret_r = entrance_become_root(m)) < 0)
		return "become its root";
	if ((*ret_r = limit_capabilities(m->bounding)) < 0)
		return "limit the capabilities";
	if ((*ret_r = personality(m->persona) < 0 ? -errno : 0) < 0)
		return "take its personality";
	if ((*ret_r = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || setsid() < 0 ? -errno : 0) < 0)
		return "start a session";
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING,
	              NULL); /* root's keys stay outside; may be forbidden */
	if (relay->terminal) {
		if ((*ret_r = open_pty(ret_master, &slave)) < 0)
			return "open a terminal in it";
		if ((*ret_r = ioctl(slave, TIOCSCTTY, 0) < 0 ? -errno : 0) < 0)
			return "take the terminal";
	}
	if ((*ret_r = place_stdio(relay, slave)) < 0)
		return "set up its input and output";
	return NULL;
}

static _Noreturn void child(struct entrance *m, const struct relay *relay, int socket, char *const argv[])
{
	int master = -1, r = 0;
	const char *failed = in_child(m, relay, &master, &r);

	if (failed) {
		send_message(socket, failed, -r, -1);
		_exit(STATUS_SYSTEM);
	}
	send_message(socket, "", 0, master);
	/* Everything else is closed on exec; no descriptor of ours outlives it. */
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	r = loginshell_exec(argv, relay->terminal);
	send_message(socket, "", -r, -1);
	_exit(EXIT_CANNOT_RUN);
}

/* ---- the parent */

static int receive_message(int socket, struct message *ret, int *ret_fd)
{
	struct iovec part = { .iov_base = ret, .iov_len = sizeof(*ret) };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};

	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*ret))
		return -EPIPE;
	ret->step[sizeof(ret->step) - 1] = '\0';
	if (m.msg_controllen >= sizeof(control.head) && control.head.cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(&control.head), sizeof(int));
	return 0;
}

/* A child in the machine's pid namespace; our own children are back in ours afterwards. */
static pid_t fork_inside(const struct entrance *m)
{
	CLEANUP(close_p) int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (own < 0)
		return -1;
	if (m->namespaces & CLONE_NEWPID && setns(m->leader, CLONE_NEWPID) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		close(take_fd(&own));
	else
		(void)setns(own, CLONE_NEWPID);
	return pid;
}

/* Until the child has become the command, or failed. */
static int see_it_start(const char *name, const char *command, int socket, struct relay *relay, struct err *e)
{
	struct message said = { 0 };
	int master = -1, r;

	if (receive_message(socket, &said, &master) < 0)
		return err_set(e, STATUS_SYSTEM, EPIPE, "%s: entering it ended early", name);
	if (said.errnum)
		return err_sys(e, said.errnum, "%s: cannot enter it: cannot %s", name, said.step);
	r = relay_started(relay, master, e);
	if (r >= 0 && receive_message(socket, &said, &master) >= 0)
		r = err_set(e, (enum status)EXIT_CANNOT_RUN, said.errnum, "%s: cannot run %s in it: %s", name,
		            command, strerror(said.errnum));
	return r;
}

static int follow(const char *name, const char *command, pid_t pid, int socket, struct relay *relay,
                  struct err *e)
{
	int r = see_it_start(name, command, socket, relay, e), status;

	if (r < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	status = relay_until_end(relay, pid, e);
	return status < 0 ? err_wrap(e, status, "%s", name) : status;
}

int enter_run(const char *name, char *const argv[], int copy, struct err *e)
{
	CLEANUP(entrance_done) struct entrance m = { .leader = -1, .proc = -1, .root = -1 };
	CLEANUP(close_p) int ours = -1;
	struct relay relay;
	int ends[2], r = gate_ask(e, "%s: cannot enter it", name);
	pid_t pid;

	if (r >= 0)
		r = entrance_open(name, &m, e);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, errno, "%s: cannot make a socket", name);
	ours = ends[0];
	r = relay_prepare(copy, &relay, e);
	if (r < 0) {
		close(ends[1]);
		return err_wrap(e, r, "%s", name);
	}
	close(take_fd(&m.proc));
	pid = fork_inside(&m);
	if (pid == 0)
		child(&m, &relay, ends[1], argv);
	r = -errno;
	close(ends[1]);
	r = pid < 0 ? err_sys(e, -r, "%s: cannot start a process in it", name)
	            : follow(name, argv[0] ? argv[0] : "root's shell", pid, ours, &relay, e);
	relay_done(&relay);
	return r;
}

#include "drivers/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "base/process.h"
#include "drivers/cgroup.h"
#include "drivers/files.h"

#define OURS  "notify"
#define LATER "notify.later" /* a link to the manager's */

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

/* ---- before the fork */

static int bind_ours(struct readiness *r, const char *path, const char *manager)
{
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct sockaddr_un a;

	if (snprintf(name, sizeof(name), "%s/" OURS, path) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	a = address(name);
	r->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)unlinkat(r->dir, OURS, 0);
	(void)unlinkat(r->dir, LATER, 0);
	/* root's alone, whatever the umask is: what comes is passed on in systemd-nspawn's name */
	if (r->socket < 0 || fchmod(r->socket, 0600) < 0 ||
	    bind(r->socket, (struct sockaddr *)&a, sizeof(a)) < 0 || symlinkat(manager, r->dir, LATER) < 0)
		return -errno;
	return 0;
}

static int arm(struct readiness *r)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, r->alarm) < 0)
		return -errno;
	for (size_t i = 0; i < COUNT(r->alarm); i++)
		if (fcntl(r->alarm[i], F_SETOWN, r->main) < 0 || fcntl(r->alarm[i], F_SETSIG, SIGKILL) < 0 ||
		    fcntl(r->alarm[i], F_SETFL, O_ASYNC) < 0)
			return -errno;
	return 0;
}

static void disarm(const struct readiness *r)
{
	for (size_t i = 0; i < COUNT(r->alarm); i++)
		(void)fcntl(r->alarm[i], F_SETFL, 0);
}

int readiness_fork(const char *path, struct readiness *ret, struct err *e)
{
	const char *manager = getenv("NOTIFY_SOCKET");
	char ours[sizeof(((struct sockaddr_un *)0)->sun_path)];
	pid_t fork_of_us;
	int r;

	*ret = (struct readiness){ .dir = -1, .socket = -1, .main = getpid() };
	if (!manager || manager[0] != '/')
		return 0;
	r = gate_ask(e, "cannot make %s/" OURS, path);
	if (r == 0)
		r = files_open("", path, O_PATH | O_DIRECTORY, &ret->dir, e);
	if (r < 0)
		return r;
	ret->main_fd = process_open(ret->main);
	r = ret->main_fd < 0 ? -errno : bind_ours(ret, path, manager);
	if (r == 0)
		r = arm(ret);
	if (r < 0)
		return err_sys(e, -r, "cannot make %s/" OURS, path);
	fork_of_us = cgroup_fork_beside();
	if (fork_of_us == 0)
		return 1;
	(void)snprintf(ours, sizeof(ours), "%s/" OURS, path);
	if (fork_of_us < 0 || setenv("NOTIFY_SOCKET", ours, 1) < 0)
		return err_sys(e, errno, "cannot fork what waits until it is ready");
	return 0;
}

/* ---- in the fork */

/* As systemd-nspawn: the credentials are its. */
static int tell_manager(const struct readiness *r, char *message)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control = { .head = { .cmsg_level = SOL_SOCKET,
		                .cmsg_type = SCM_CREDENTIALS,
		                .cmsg_len = CMSG_LEN(sizeof(struct ucred)) } };
	const struct ucred who = { .pid = r->main, .uid = getuid(), .gid = getgid() };
	struct sockaddr_un to = address(getenv("NOTIFY_SOCKET"));
	struct iovec bytes = { .iov_base = message, .iov_len = strlen(message) };
	const struct msghdr m = { .msg_name = &to,
		                  .msg_namelen = sizeof(to),
		                  .msg_iov = &bytes,
		                  .msg_iovlen = 1,
		                  .msg_control = &control,
		                  .msg_controllen = sizeof(control) };
	CLEANUP(close_p) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(CMSG_DATA(&control.head), &who, sizeof(who));
	return fd < 0 || sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static bool is_ready(const char *message)
{
	static const char ready[] = "READY=1";
	const char *line = message, *end;

	while ((end = strchr(line, '\n')) && strncmp(line, ready, strlen(ready)) != 0)
		line = end + 1;
	return strncmp(line, ready, strlen(ready)) == 0 && strchr("\n", line[strlen(ready)]);
}

/* Pass one message on. Returns 1 when it is kept, in r->message, since it says READY=1; -EAGAIN when there is none. */
static int pass_one(struct readiness *r)
{
	char message[READINESS_MESSAGE + 1];
	ssize_t len = recv(r->socket, message, sizeof(message) - 1, 0);

	if (len < 0)
		return -errno;
	message[len] = '\0';
	if (!is_ready(message))
		return r->stopping ? 0 : tell_manager(r, message);
	memcpy(r->message, message, (size_t)len + 1);
	return 1;
}

/* Until fd is readable, or, where there is none, until READY=1. */
static int wait_until(struct readiness *r, int fd, struct err *e)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
		                { .fd = r->main_fd, .events = POLLIN },
		                { .fd = r->socket, .events = POLLIN } };
	int got;

	do {
		if (poll(fds, COUNT(fds), -1) < 0)
			return err_sys(e, errno, "cannot wait for systemd-nspawn");
		got = pass_one(r);
		if (got == -EAGAIN && fds[1].revents)
			return err_set(e, STATUS_SYSTEM, ESRCH, "systemd-nspawn has ended");
		if (fd < 0 ? got == 1 : fds[0].revents != 0)
			return 0;
	} while (got >= 0 || got == -EAGAIN);
	return err_sys(e, -got, "cannot pass on what systemd-nspawn says");
}

int readiness_wait(struct readiness *r, struct err *e)
{
	return wait_until(r, -1, e);
}

int readiness_wait_for(struct readiness *r, int fd, struct err *e)
{
	return wait_until(r, fd, e);
}

void readiness_stop(struct readiness *r, const char *why)
{
	char status[ERR_TEXT_MAX + 32];

	if (gate_ask(NULL, "cannot stop the container") < 0)
		return;
	(void)snprintf(status, sizeof(status), "STATUS=machdeck: %s", why);
	(void)tell_manager(r, status);
	r->stopping = true;
	if (syscall(SYS_pidfd_send_signal, r->main_fd, SIGTERM, NULL, 0) == 0)
		(void)wait_until(r, r->main_fd, NULL);
}

int readiness_pass(struct readiness *r, struct err *e)
{
	int told = gate_ask(e, "cannot tell systemd that it is ready");

	if (told < 0)
		return told;
	disarm(r); /* who is up already would be stopped, and stay so */
	told = tell_manager(r, r->message);
	if (told == 0 && renameat(r->dir, LATER, r->dir, OURS) < 0)
		told = -errno;
	while (told >= 0) {
		told = pass_one(r);
		if (told == 1)
			told = tell_manager(r, r->message);
	}
	return told == -EAGAIN ? 0 : err_sys(e, -told, "cannot tell systemd that it is ready");
}

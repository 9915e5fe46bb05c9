#include "drivers/guestunits.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "drivers/child.h"

#define SOCKET        "/run/systemd/private"
#define DEADLINE_USEC 2000000
#define CALL_USEC     1500000
#define MEMORY_MAX    (256UL * 1024 * 1024)
#define SECONDS_MAX   1
#define ANSWER_MAX    (GUESTUNITS_MAX * (GUESTUNITS_NAME + 1))
#define NOBODY        65534

enum { ASKED, NO_SYSTEMD, FAILED }; /* how the child ends */

struct guestunits_ask {
	guestunits_done_fn *done;
	void *arg;
	struct child *child;
};

/* ---- the child */

static int become(uid_t uid, gid_t gid)
{
	return setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ? -errno
	                                                                                              : 0;
}

static bool is_own(int proc, const char *ns)
{
	char own[32];
	struct stat ours, theirs;

	(void)snprintf(own, sizeof(own), "/proc/self/%s", ns);
	return stat(own, &ours) < 0 || fstatat(proc, ns, &theirs, 0) < 0 ||
	       (ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev);
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	return syscall(SYS_capset, &head, none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno
	                                                                                          : 0;
}

static int join(int proc, const char *ns, int kind)
{
	CLEANUP(close_p) int fd = openat(proc, ns, O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, kind) < 0 ? -errno : 0;
}

/* Into the machine, as its root without a single capability; the processes that are made next are seen from inside.
 * Nothing of the host is left to them but what was in memory. */
static int step_inside(const struct registration *m)
{
	CLEANUP(close_p) int proc = -1, root = -1;
	char path[40];
	bool has_users;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)m->leader);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	root = proc < 0 ? -1 : openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	/* Only now is it sure that this is the machine's first process, and not who got its number. */
	if (!machined_leader_lives(m) || is_own(proc, "ns/mnt") || is_own(proc, "ns/pid"))
		return -ESRCH;
	has_users = !is_own(proc, "ns/user");
	r = join(proc, "ns/pid", CLONE_NEWPID);
	if (r >= 0)
		r = join(proc, "ns/mnt", CLONE_NEWNS);
	if (r >= 0 && (fchdir(root) < 0 || chroot(".") < 0))
		r = -errno;
	if (r >= 0 && has_users)
		r = join(proc, "ns/user", CLONE_NEWUSER);
	if (r >= 0)
		r = become(0, 0);
	return r < 0 ? r : drop_capabilities();
}

static int connect_here(int socket)
{
	const struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = SOCKET };

	return connect(socket, (const struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

/* Exit status: an errno. */
static int status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EIO;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int connect_inside(const struct registration *m, int socket)
{
	pid_t pid = step_inside(m) < 0 ? -1 : fork();

	if (pid == 0)
		_exit(connect_here(socket));
	return pid < 0 ? EIO : status_of(pid);
}

/* The guest's systemd lets nobody in whom it can not see (SO_PEERCRED), so a grandchild goes there for the moment of
 * connecting; the socket is shared with it. */
static int connect_to(const struct registration *m, int socket)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_become();
		_exit(connect_inside(m, socket));
	}
	return pid < 0 ? EIO : status_of(pid);
}

/* No file, no process, no privilege; a little memory and time. */
static void confine(void)
{
	static const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX }, time = { SECONDS_MAX, SECONDS_MAX };

	if (geteuid() == 0)
		(void)become(NOBODY, NOBODY);
	(void)setrlimit(RLIMIT_AS, &memory);
	(void)setrlimit(RLIMIT_CPU, &time);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int open_bus(int socket, sd_bus **ret)
{
	CLEANUP(sd_bus_unrefp) sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_fd(bus, socket, socket);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		*ret = take_p(&bus);
	return r;
}

static int tell_failed(FILE *f, sd_bus_message *m)
{
	int r = sd_bus_message_enter_container(m, 'a', "(ssssssouso)");

	for (int n = 0; r >= 0 && n < GUESTUNITS_MAX; n++) {
		const char *name;
		char shown[GUESTUNITS_NAME];

		r = sd_bus_message_enter_container(m, 'r', "ssssssouso");
		if (r <= 0)
			break;
		r = sd_bus_message_read(m, "s", &name);
		if (r >= 0)
			r = sd_bus_message_skip(m, "sssssouso");
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
		if (r >= 0 && text_printable(shown, sizeof(shown), name, strlen(name)) > 0)
			(void)fprintf(f, "%s\n", shown);
	}
	return r < 0 ? r : fflush(f);
}

static int ask(int out, int socket)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL, *answer = NULL;
	CLEANUP(sd_bus_unrefp) sd_bus *bus = NULL;
	FILE *f = fdopen(out, "w");
	int r = open_bus(socket, &bus);

	if (r >= 0)
		r = sd_bus_message_new_method_call(bus, &m, NULL, "/org/freedesktop/systemd1",
		                                   "org.freedesktop.systemd1.Manager", "ListUnitsFiltered");
	if (r >= 0)
		r = sd_bus_message_append(m, "as", 1, "failed");
	if (r >= 0)
		r = sd_bus_call(bus, m, CALL_USEC, NULL, &answer);
	return f && r >= 0 && tell_failed(f, answer) >= 0 ? ASKED : FAILED;
}

static int run_child(int out, void *arg)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int errnum = fd < 0 ? errno : connect_to(arg, fd);

	if (errnum == ENOENT || errnum == ECONNREFUSED)
		return NO_SYSTEMD;
	if (errnum != 0)
		return FAILED;
	confine();
	return ask(out, fd);
}

/* ---- the parent */

void guestunits_cancel(struct guestunits_ask *a)
{
	if (!a)
		return;
	child_cancel(a->child);
	free(a);
}

static void take_names(char *text, struct strs *ret)
{
	char *line, *rest = text, shown[GUESTUNITS_NAME];

	while ((line = strsep(&rest, "\n")) && ret->n < GUESTUNITS_MAX)
		if (*line && text_printable(shown, sizeof(shown), line, strlen(line)) > 0)
			strs_add(ret, shown);
}

static int judge(int r, const struct err *how, struct err *e)
{
	if (r == ASKED)
		return 0;
	if (r == NO_SYSTEMD)
		return err_set(e, STATUS_UNAVAILABLE, ENOENT, "no systemd listens in it");
	if (r > 0)
		return err_set(e, STATUS_UNAVAILABLE, EIO, "its systemd does not answer");
	*e = *how;
	return r;
}

static void on_told(int r, char *text, size_t len, const struct err *how, void *arg)
{
	CLEANUP(strs_done) struct strs failed = { 0 };
	struct guestunits_ask *a = arg;
	struct err e = { 0 };

	(void)len;
	r = judge(r, how, &e);
	if (r == 0)
		take_names(text, &failed);
	if (failed.bad)
		r = err_no_memory(&e);
	a->child = NULL;
	a->done(r, &failed, &e, a->arg);
	free(a);
}

int guestunits_ask(sd_event *loop, const struct registration *m, guestunits_done_fn *done, void *arg,
                   struct guestunits_ask **ret, struct err *e)
{
	struct registration copy = *m; /* borrowed by the child, which has all of our memory */
	struct guestunits_ask *a;
	int r;

	if (geteuid() != 0)
		return err_set(e, STATUS_NOT_PERMITTED, EACCES, "only root can ask a guest for its units");
	a = calloc(1, sizeof(*a));
	if (!a)
		return err_no_memory(e);
	*a = (struct guestunits_ask){ .done = done, .arg = arg };
	r = child_start(loop, "who asks a guest for its units", run_child, &copy, DEADLINE_USEC, ANSWER_MAX,
	                on_told, a, &a->child, e);
	if (r < 0) {
		free(a);
		return r;
	}
	*ret = a;
	return 0;
}

#include "drivers/guestunits.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "drivers/child.h"
#include "drivers/rootfs.h"

#define SOCKET        "run/systemd/private"
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

/* As the socket's owner from the moment of connecting on: that is when the kernel notes who we are. */
static int connect_as_owner(int file)
{
	CLEANUP(close_p) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct stat st;
	int r;

	if (fd < 0 || fstat(file, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	r = become(st.st_uid, st.st_gid);
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d", file);
	if (r >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		r = -errno;
	return r < 0 ? r : take_fd(&fd);
}

static int open_socket(const struct registration *m)
{
	struct rootfs root = { .fd = -1 };
	char path[40];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/root", (int)m->leader);
	root.fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root.fd < 0)
		return -errno;
	/* Only now is it sure that this is the machine's root, and not that of who got its number. */
	fd = machined_leader_lives(m) ? rootfs_open_path(&root, SOCKET) : -ESRCH;
	close(root.fd);
	return fd;
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
	int file = open_socket(arg), socket;

	if (file < 0)
		return NO_SYSTEMD;
	socket = connect_as_owner(file);
	if (socket < 0)
		return socket == -ECONNREFUSED || socket == -ENOTSOCK ? NO_SYSTEMD : FAILED;
	confine();
	return ask(out, socket);
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

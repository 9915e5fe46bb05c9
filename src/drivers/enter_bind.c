#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/enter.h"
#include "drivers/enter_private.h"
#include "drivers/rootfs.h"

#define BIND_MS 20000

/* Of linux/mount.h, which does not go along with every sys/mount.h. */
enum { CLONE_TREE = 1, RECURSIVE = 0x8000, FROM_FD = 4, TO_FD = 0x40, READ_ONLY = 1, IDMAP = 0x100000 };

struct attributes {
	uint64_t set, clear, propagation, userns;
};

struct binding {
	const struct entrance *m;
	const char *from, *to;
	int flags;
	bool folder;
};

/* What the parent reads: what failed. */
struct failure {
	int errnum;
	char step[ERR_TEXT_MAX];
};

static int clone_tree(const char *path)
{
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, CLONE_TREE | O_CLOEXEC | RECURSIVE);

	return fd < 0 ? -errno : fd;
}

static int move(int tree, int to, const char *path)
{
	int flags = FROM_FD | (*path ? 0 : TO_FD);

	return syscall(SYS_move_mount, tree, "", to, path, flags) < 0 ? -errno : 0;
}

static int set_attributes(const struct binding *b, int tree)
{
	struct attributes read_only = { .set = READ_ONLY }, idmap = { .set = IDMAP };
	CLEANUP(close_p) int users = openat(b->m->proc, "ns/user", O_RDONLY | O_CLOEXEC);

	if (users < 0)
		return -errno;
	idmap.userns = (uint64_t)users;
	if (b->flags & ENTER_READ_ONLY && syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | RECURSIVE,
	                                          &read_only, sizeof(read_only)) < 0)
		return -errno;
	if (b->flags & ENTER_IDMAP &&
	    syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &idmap, sizeof(idmap)) < 0)
		return -errno;
	return 0;
}

/* In a mount namespace that goes with this process: `from` at a place that the machine's root can reach without rights on the
 * host. */
static const char *stage(struct binding *b, int *ret_r)
{
	CLEANUP(close_p) int tree = -1;
	CLEANUP(close_p) int place = -1;
	struct stat st;

	*ret_r = unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno
	                                                                                           : 0;
	if (*ret_r < 0)
		return "make a mount namespace";
	tree = *ret_r = clone_tree(b->from);
	if (*ret_r < 0 || fstat(tree, &st) < 0)
		return b->from;
	b->folder = S_ISDIR(st.st_mode);
	if ((*ret_r = set_attributes(b, tree)) < 0)
		return b->flags & ENTER_IDMAP ? "map its users there, which takes a file system that can"
		                              : "make it read-only";
	if (mount("bind", "/run", "tmpfs", MS_NODEV, "mode=0755") < 0 ||
	    (b->folder ? mkdir("/run/it", 0755)
	               : (place = open("/run/it", O_WRONLY | O_CREAT | O_CLOEXEC, 0644))) < 0)
		*ret_r = -errno;
	else
		*ret_r = move(tree, AT_FDCWD, "/run/it");
	return *ret_r < 0 ? "mount it apart" : NULL;
}

/* What is there already is taken as it is. */
static int make_place(const struct rootfs *t, const struct binding *b, struct err *e)
{
	const char *path = b->to + strspn(b->to, "/"), *last = strrchr(path, '/');
	CLEANUP(free_p) char *above = last ? strndup(path, (size_t)(last - path)) : NULL;
	int r;

	if (b->folder)
		return rootfs_mkdir(t, path, 0755, e);
	if (last && !above)
		return err_no_memory(e);
	r = above ? rootfs_mkdir(t, above, 0755, e) : 0;
	return r < 0 ? r : rootfs_touch(t, path, 0644, e);
}

static int open_place(int root, const char *to)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
		                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, root, to, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* A mount that comes with a less privileged namespace is locked: a copy of it keeps that, and read-only it stays. */
static const char *show(struct binding *b, int *ret_r, struct err *e)
{
	struct rootfs t = { .fd = -1, .path = (char[]){ "/" } };
	CLEANUP(close_p) int tree = -1;
	CLEANUP(close_p) int root = -1;
	CLEANUP(close_p) int place = -1;

	*ret_r = setns(b->m->leader, CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNS) < 0 ? -errno : 0;
	if (*ret_r < 0)
		return "join its user namespace";
	tree = *ret_r = clone_tree("/run/it");
	if (*ret_r < 0)
		return "copy the mount";
	if ((*ret_r = setns(b->m->leader, CLONE_NEWNS) < 0 ? -errno : 0) < 0)
		return "join its mount namespace";
	if ((*ret_r = entrance_become_root(b->m)) < 0)
		return "become its root";
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0) {
		*ret_r = -errno;
		return "open its root";
	}
	t.fd = root;
	if ((*ret_r = make_place(&t, b, e)) < 0)
		return e->text;
	place = *ret_r = open_place(root, b->to);
	if (*ret_r >= 0)
		*ret_r = move(tree, place, "");
	return *ret_r < 0 ? "mount it there" : NULL;
}

static _Noreturn void child(struct binding *b, int pipe)
{
	struct err e = { 0 };
	struct failure said = { 0 };
	const char *failed;
	int r = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0
	                ? -errno
	                : 0;

	failed = r < 0 ? "hide itself" : stage(b, &r);
	if (!failed)
		failed = show(b, &r, &e);
	said.errnum = failed == e.text ? 0 : -r;
	if (failed)
		(void)snprintf(said.step, sizeof(said.step), "%s", failed);
	_exit(write(pipe, &said, sizeof(said)) == (ssize_t)sizeof(said) ? 0 : STATUS_SYSTEM);
}

/* A file system of the machine's own may never answer, and is not to hold us; who waits for it is left behind then. */
static int wait_for(const char *name, pid_t pid, int pipe, struct err *e)
{
	struct pollfd end = { .fd = pipe, .events = POLLIN };
	struct failure said = { 0 };
	bool heard;

	if (poll(&end, 1, BIND_MS) == 0) {
		(void)kill(pid, SIGKILL);
		return err_set(e, STATUS_DEADLINE, ETIMEDOUT,
		               "%s: cannot bind into it: it did not answer for %d s", name, BIND_MS / 1000);
	}
	heard = read(pipe, &said, sizeof(said)) == (ssize_t)sizeof(said);
	(void)waitpid(pid, NULL, 0);
	said.step[sizeof(said.step) - 1] = '\0';
	if (!heard)
		return err_set(e, STATUS_SYSTEM, EPIPE, "%s: cannot bind into it: that ended early", name);
	if (said.errnum)
		return err_sys(e, said.errnum, "%s: cannot bind into it: %s", name, said.step);
	return said.step[0] ? err_set(e, STATUS_FAILED, EIO, "%s: cannot bind into it: %s", name, said.step)
	                    : 0;
}

bool enter_users(const char *name)
{
	CLEANUP(entrance_done) struct entrance m = { .leader = -1, .proc = -1, .root = -1 };

	return entrance_open(name, &m, NULL) >= 0 && m.namespaces & CLONE_NEWUSER;
}

int enter_bind(const char *name, const char *from, const char *to, int flags, struct err *e)
{
	CLEANUP(entrance_done) struct entrance m = { .leader = -1, .proc = -1, .root = -1 };
	struct binding b = { .m = &m, .from = from, .to = to, .flags = flags };
	int ends[2], r = gate_ask(e, "%s: cannot bind into it", name);
	pid_t pid;

	if (r >= 0 && access(from, F_OK) < 0)
		r = err_set(e, errno == ENOENT ? STATUS_NO_CONTAINER : err_status_of(errno), errno, "%s: %s",
		            from, strerror(errno));
	if (r >= 0)
		r = entrance_open(name, &m, e);
	if (r < 0)
		return r;
	if (!(m.namespaces & CLONE_NEWUSER))
		return err_set(e, STATUS_USAGE, EINVAL,
		               "%s has the host's users: systemd-machined binds into it", name);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, errno, "%s: cannot make a pipe", name);
	pid = fork();
	if (pid == 0)
		child(&b, ends[1]);
	r = -errno;
	close(ends[1]);
	r = pid < 0 ? err_sys(e, -r, "%s: cannot start a process", name) : wait_for(name, pid, ends[0], e);
	close(ends[0]);
	return r;
}

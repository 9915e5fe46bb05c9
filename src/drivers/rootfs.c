#include "drivers/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"

#define AGAIN_MAX 64 /* the kernel saw renames while it resolved ".." */
#define MADE_MAX  8  /* what we made was gone again before we opened it */

void rootfs_done(struct rootfs *t)
{
	close_p(&t->fd);
	free(t->path);
	*t = (struct rootfs){ .fd = -1 };
}

/* Whether a systemd-nspawn holds its lock on the tree (image_path_lock() in its discover-image.c). */
static bool nspawn_has(const struct rootfs *t)
{
	CLEANUP(close_p) int fd = -1;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[96];
	struct stat st;

	if (fstat(t->fd, &st) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "/run/systemd/nspawn/locks/inode-%ju:%ju", (uintmax_t)st.st_dev,
	               (uintmax_t)st.st_ino);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int look_at_root(const struct rootfs *t, const struct stat *st, uid_t uid_base, struct err *e)
{
	if ((st->st_uid % 65536 != 0 && st->st_uid != uid_base) || (st->st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(e, STATUS_UNSAFE_TREE, EPERM,
		               "%s belongs to uid %u with mode %04o: only root, or the root of a user "
		               "namespace, may "
		               "write to a container's root (chown, chmod go-w)",
		               t->path, st->st_uid, (unsigned)(st->st_mode & 07777));
	return 0;
}

static int take_lock(const struct rootfs *t, int how, struct err *e)
{
	if (flock(t->fd, how | LOCK_NB) < 0 || nspawn_has(t))
		return err_set(e, STATUS_BUSY, EBUSY, "%s is busy: something runs in it or prepares it",
		               t->path);
	return 0;
}

int rootfs_lock(const struct rootfs *t, struct err *e)
{
	return take_lock(t, LOCK_EX, e);
}

int rootfs_lock_shared(const struct rootfs *t, struct err *e)
{
	return take_lock(t, LOCK_SH, e);
}

int rootfs_take(int fd, const char *path, uid_t uid_base, struct rootfs *ret, struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = fd, .path = strdup(path) };
	struct stat st;
	int r;

	if (!t.path)
		return err_no_memory(e);
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "%s", path);
	r = look_at_root(&t, &st, uid_base, e);
	if (r < 0)
		return r;
	t.uid = st.st_uid;
	t.gid = st.st_gid;
	*ret = t;
	t = (struct rootfs){ .fd = -1 };
	return 0;
}

int rootfs_open(const char *path, enum rootfs_missing missing, uid_t uid_base, struct rootfs *ret,
                struct err *e)
{
	CLEANUP(close_p) int parent = -1;
	CLEANUP(free_p) char *above = NULL;
	const char *leaf = strrchr(path, '/') + 1;
	int fd, r;

	above = strndup(path, (size_t)(leaf - 1 - path));
	if (!above)
		return err_no_memory(e);
	r = missing == ROOTFS_MAKE ? files_mkdir("", above, 0700, &parent, e)
	                           : files_open("", above, O_PATH | O_DIRECTORY, &parent, e);
	if (r < 0)
		return r;
	if (missing == ROOTFS_MAKE && (r = gate_ask(e, "cannot make %s", path)) < 0)
		return r;
	if (missing == ROOTFS_MAKE && mkdirat(parent, leaf, 0755) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make %s", path);
	fd = openat(parent, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s is missing: there is no tree to start",
		               path);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(e, STATUS_UNSAFE_TREE, errno,
		               "%s is not a folder (a link to one is refused, too)", path);
	return fd < 0 ? err_sys(e, errno, "%s", path) : rootfs_take(fd, path, uid_base, ret, e);
}

/* Resolves path as if the root were "/". Returns a descriptor or a negative errno. */
static int open_inside(const struct rootfs *t, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC),
		                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	long fd = -1;

	for (int i = 0; i < AGAIN_MAX; i++) {
		fd = syscall(SYS_openat2, t->fd, path[0] ? path : ".", &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd >= 0 ? (int)fd : -errno;
}

bool rootfs_has(const struct rootfs *t, const char *path)
{
	CLEANUP(close_p) int fd = open_inside(t, path, O_PATH | O_NOFOLLOW);

	return fd >= 0;
}

/* The sentence for what went wrong at t/path while doing `step`. */
static int fail(const struct rootfs *t, const char *step, const char *path, int errnum, struct err *e)
{
	switch (errnum) {
	case ENOSYS:
		return err_set(e, STATUS_UNSAFE_HOST, errnum,
		               "openat2 is not available, nothing else is safe in %s (does the unit have "
		               "RestrictSUIDSGID=?)",
		               t->path);
	case ENOTDIR:
		return err_set(e, STATUS_UNSAFE_TREE, errnum, "%s in %s is not a directory", path, t->path);
	case EISDIR:
		return err_set(e, STATUS_UNSAFE_TREE, errnum,
		               "%s in %s is a directory, where a file belongs (remove it)", path, t->path);
	case ENOENT:
	case ELOOP:
	case ENAMETOOLONG:
	case EXDEV:
		if (errnum == ENOENT && !rootfs_has(t, path))
			return err_set(e, STATUS_UNSAFE_TREE, errnum,
			               "%s in %s is not there any more (is something at work in it?)", path,
			               t->path);
		return err_set(e, STATUS_UNSAFE_TREE, errnum,
		               "%s in %s is a symlink that leads to no directory inside the root", path,
		               t->path);
	case EAGAIN:
		return err_set(e, STATUS_UNSAFE_TREE, errnum,
		               "%s in %s keeps changing while it is looked at (is something at work in it?)",
		               path, t->path);
	default:
		return err_sys(e, errnum, "cannot %s %s in %s", step, path, t->path);
	}
}

/* Says so when a flag, not the mode, keeps root from changing dir/leaf ("": dir itself, which is path). statx
 * opens nothing. */
static int look_at_flags(const struct rootfs *t, int dir, const char *leaf, const char *path, struct err *e)
{
	struct statx x;

	if (statx(dir, leaf, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH, 0, &x) < 0 ||
	    !(x.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)))
		return 0;
	return err_set(e, STATUS_CANNOT_CREATE, EPERM, "%s in %s is %s (chattr -%c %s/%s)", path, t->path,
	               x.stx_attributes & STATX_ATTR_IMMUTABLE ? "immutable" : "append-only",
	               x.stx_attributes & STATX_ATTR_IMMUTABLE ? 'i' : 'a', t->path, path);
}

/* Gives what we have just made the owner and mode it is to have. */
static int own(const struct rootfs *t, int fd, mode_t mode)
{
	return fchown(fd, t->uid, t->gid) < 0 || fchmod(fd, mode) < 0 ? -errno : 0;
}

/* Makes the folder path, whose last name is leaf, in parent unless it is there. Returns its descriptor. */
static int make_one(const struct rootfs *t, int parent, const char *path, const char *leaf, mode_t mode,
                    struct err *e)
{
	for (int i = 0; i < MADE_MAX; i++) {
		CLEANUP(close_p) int fd = open_inside(t, path, O_PATH | O_DIRECTORY);
		int r;

		if (fd >= 0)
			return take_fd(&fd);
		if (fd != -ENOENT)
			return fail(t, "open", path, -fd, e);
		r = look_at_flags(t, parent, "", path, e);
		if (r < 0)
			return r;
		if (mkdirat(parent, leaf, mode) < 0) {
			if (errno == EEXIST)
				continue;
			return fail(t, "make", path, errno, e);
		}
		fd = openat(parent, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		r = own(t, fd, mode);
		return r < 0 ? fail(t, "make", path, -r, e) : take_fd(&fd);
	}
	return fail(t, "make", path, ENOENT, e);
}

/* Makes all the folders of path. Returns the last one's descriptor; path "" is the root itself. */
static int make_all(const struct rootfs *t, const char *path, mode_t mode, struct err *e)
{
	CLEANUP(close_p) int at = fcntl(t->fd, F_DUPFD_CLOEXEC, 3);
	CLEANUP(free_p) char *part = strdup(path);
	size_t end = 0;

	if (at < 0 || !part)
		return err_no_memory(e);
	while (path[end]) {
		size_t begin = end + (path[end] == '/');
		int next;

		end = begin + strcspn(path + begin, "/");
		part[end] = '\0';
		next = make_one(t, at, part, part + begin, path[end] ? 0755 : mode, e);
		if (next < 0)
			return next;
		part[end] = path[end];
		close(at);
		at = next;
	}
	return take_fd(&at);
}

int rootfs_mkdir(const struct rootfs *t, const char *path, mode_t mode, struct err *e)
{
	CLEANUP(close_p) int fd = -1;
	int r = gate_ask(e, "cannot make %s", path);

	if (r < 0)
		return r;
	fd = make_all(t, path, mode, e);
	return fd < 0 ? fd : 0;
}

/* Opens the folder that path is in; ret_leaf is the last name. */
static int open_above(const struct rootfs *t, const char *path, const char **ret_leaf, struct err *e)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(free_p) char *above = strndup(path, slash ? (size_t)(slash - path) : 0);
	int fd, r;

	if (!above)
		return err_no_memory(e);
	fd = open_inside(t, above, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fail(t, "open", above, -fd, e);
	*ret_leaf = slash ? slash + 1 : path;
	r = look_at_flags(t, fd, "", above, e);
	if (r == 0)
		r = look_at_flags(t, fd, *ret_leaf, path, e);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

int rootfs_touch(const struct rootfs *t, const char *path, mode_t mode, struct err *e)
{
	CLEANUP(close_p) int fd = -1;
	CLEANUP(close_p) int dir = -1;
	const char *leaf = "";
	struct stat st;
	int r = gate_ask(e, "cannot make %s", path);

	if (r < 0)
		return r;
	dir = open_above(t, path, &leaf, e);
	if (dir < 0)
		return dir;
	if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	fd = openat(dir, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return errno == EEXIST ? 0 : fail(t, "make", path, errno, e);
	r = own(t, fd, mode);
	return r < 0 ? fail(t, "make", path, -r, e) : 0;
}

int rootfs_put(const struct rootfs *t, const char *path, mode_t mode, const void *bytes, size_t len,
               struct err *e)
{
	struct files_new as = { .mode = mode, .uid = t->uid, .gid = t->gid };
	CLEANUP(close_p) int dir = -1;
	const char *leaf = "";
	int r = gate_ask(e, "cannot write %s", path);

	if (r < 0)
		return r;
	dir = open_above(t, path, &leaf, e);
	if (dir < 0)
		return dir;
	r = files_replace(dir, leaf, &as, bytes, len);
	return r < 0 ? fail(t, "write", path, -r, e) : 0;
}

int rootfs_fifo(const struct rootfs *t, const char *path, mode_t mode, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	const char *leaf = "";
	int r = gate_ask(e, "cannot make %s", path);

	if (r < 0)
		return r;
	dir = open_above(t, path, &leaf, e);
	if (dir < 0)
		return dir;
	if (unlinkat(dir, leaf, 0) < 0 && errno != ENOENT)
		return fail(t, "replace", path, errno, e);
	if (mknodat(dir, leaf, S_IFIFO | mode, 0) < 0)
		return fail(t, "make", path, errno, e);
	if (fchownat(dir, leaf, t->uid, t->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(t, "make", path, errno, e);
	return 0;
}

int rootfs_read(const struct rootfs *t, const char *path, size_t max, struct buf *ret, struct err *e)
{
	CLEANUP(close_p) int seen = open_inside(t, path, O_PATH);
	CLEANUP(close_p) int fd = -1;
	struct stat st;

	if (seen >= 0 && fstat(seen, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, STATUS_DATA, EINVAL, "%s is not a regular file", path);
	fd = seen < 0 ? seen : files_reopen(seen, O_RDONLY);
	if (fd < 0)
		return err_sys(e, -fd, "cannot read %s in %s", path, t->path);
	return files_read_fd(fd, path, max, ret, NULL, e);
}

int rootfs_open_dir(const struct rootfs *t, const char *path)
{
	return open_inside(t, path, O_RDONLY | O_DIRECTORY);
}

int rootfs_open_fifo(const struct rootfs *t, const char *path, int *ret_fd, struct err *e)
{
	CLEANUP(close_p) int seen = open_inside(t, path, O_PATH | O_NOFOLLOW);
	struct stat st;
	int fd;

	if (seen < 0 || fstat(seen, &st) < 0 || !S_ISFIFO(st.st_mode))
		return err_set(e, STATUS_UNSAFE_TREE, EINVAL, "%s in %s is not a FIFO any more", path,
		               t->path);
	fd = files_reopen(seen, O_RDONLY);
	if (fd < 0)
		return err_sys(e, -fd, "cannot open %s in %s", path, t->path);
	*ret_fd = fd;
	return 0;
}

int rootfs_unlink(const struct rootfs *t, const char *path, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	const char *leaf = "";
	int r = gate_ask(e, "cannot take %s away", path);

	if (r < 0)
		return r;
	dir = open_above(t, path, &leaf, e);
	if (dir < 0)
		return dir;
	return unlinkat(dir, leaf, 0) < 0 && errno != ENOENT ? fail(t, "remove", path, errno, e) : 0;
}

int rootfs_connect(const struct rootfs *t, const char *path, int *ret_fd, struct err *e)
{
	CLEANUP(close_p) int socket_file = open_inside(t, path, O_PATH);
	CLEANUP(close_p) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = { .tv_sec = 300 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (socket_file < 0)
		return err_sys(e, -socket_file, "cannot open %s in %s", path, t->path);
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d", socket_file);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return err_sys(e, errno, "cannot connect to %s in %s", path, t->path);
	*ret_fd = take_fd(&fd);
	return 0;
}

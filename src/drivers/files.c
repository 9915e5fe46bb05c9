#include "drivers/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"

#define LINKS_MAX 40
#define COPY_STEP (1024 * 1024)

/* Where a path has been walked to. */
struct walk {
	const char *path;    /* as it was asked for */
	bool strict;         /* look at owners and modes */
	bool make;           /* folders that are missing */
	mode_t mode;         /* of the last one */
	int root, dir;       /* what "/" is; where the walk is */
	char rest[PATH_MAX]; /* what is left to walk */
	char leaf[NAME_MAX + 1];
	unsigned links;
	bool by_link; /* what the path names is a link, that has been followed */
};

static void walk_done(struct walk *w)
{
	close_p(&w->root);
	close_p(&w->dir);
}

/* Takes the next component into w->leaf; false at the end. -ENAMETOOLONG when it can not be one. */
static int next_leaf(struct walk *w)
{
	size_t slashes = strspn(w->rest, "/"), len = strcspn(w->rest + slashes, "/"), used;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(w->leaf, w->rest + slashes, len);
	w->leaf[len] = '\0';
	used = slashes + len;
	used += strspn(w->rest + used, "/");
	memmove(w->rest, w->rest + used, strlen(w->rest + used) + 1);
	return len > 0;
}

static int check_owner(const struct walk *w, const struct stat *st, struct err *e)
{
	bool folder = S_ISDIR(st->st_mode), link = S_ISLNK(st->st_mode);
	bool by_group = (st->st_mode & S_IWGRP) && !(folder && (st->st_mode & S_ISVTX));

	if (!folder && !link && !S_ISREG(st->st_mode))
		return 0; /* it is refused for what it is */
	if (!w->strict || (st->st_uid == 0 && (link || !(by_group || (st->st_mode & S_IWOTH)))))
		return 0;
	if (link)
		return err_set(e, STATUS_UNSAFE_HOST, EPERM,
		               "%s is not safe to use: the link %s is uid %u's, not root's (chown -h root)",
		               w->path, w->leaf, st->st_uid);
	return err_set(e, STATUS_UNSAFE_HOST, EPERM,
	               "%s is not safe to use: %s%s is uid %u's with mode %04o, not root's alone to write "
	               "(chown root, chmod go-w)",
	               w->path, folder ? "the folder " : "", w->leaf[0] ? w->leaf : "/", st->st_uid,
	               (unsigned)(st->st_mode & 07777));
}

static int fail(const struct walk *w, int errnum, struct err *e)
{
	if (errnum == ENOENT && !w->by_link)
		return err_set(e, STATUS_NO_CONTAINER, errnum, "%s is missing", w->path);
	if (errnum == ENOENT || errnum == ELOOP)
		return err_set(e, STATUS_NO_CONTAINER, ELOOP, "%s is a link that leads nowhere", w->path);
	if (errnum == ENOTDIR)
		return err_set(e, STATUS_UNSAFE_HOST, errnum, "%s: %s is not a folder", w->path, w->leaf);
	return err_sys(e, errnum, "%s", w->path);
}

/* Puts what the link at fd says before the rest of the way. */
static int follow(struct walk *w, int fd, struct err *e)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t len = readlinkat(fd, "", target, sizeof(target));

	if (len <= 0 || len >= (ssize_t)sizeof(target))
		return fail(w, len < 0 ? errno : ENAMETOOLONG, e);
	w->by_link = w->by_link || !w->rest[0];
	if (++w->links > LINKS_MAX)
		return fail(w, ELOOP, e);
	if ((size_t)snprintf(rest, sizeof(rest), "%.*s/%s", (int)len, target, w->rest) >= sizeof(rest))
		return fail(w, ENAMETOOLONG, e);
	memcpy(w->rest, rest, strlen(rest) + 1);
	if (target[0] == '/') {
		close(w->dir);
		w->dir = fcntl(w->root, F_DUPFD_CLOEXEC, 3);
		if (w->dir < 0)
			return fail(w, errno, e);
	}
	return 0;
}

static bool at_root(const struct walk *w)
{
	struct stat root, here;

	return fstat(w->root, &root) == 0 && fstat(w->dir, &here) == 0 && root.st_ino == here.st_ino &&
	       root.st_dev == here.st_dev;
}

/* Opens w->leaf in w->dir as it is, making it if that is wanted. */
static int open_leaf(const struct walk *w, struct err *e)
{
	int fd = openat(w->dir, w->leaf, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && w->make) {
		mode_t mode = w->rest[0] ? 0755 : w->mode;
		int r = gate_ask(e, "cannot make %s", w->path);

		if (r < 0)
			return r;
		if (mkdirat(w->dir, w->leaf, mode) == 0)
			fd = openat(w->dir, w->leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		else if (errno == EEXIST)
			fd = openat(w->dir, w->leaf, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		else
			return err_sys(e, errno, "cannot make %s (%s)", w->path, w->leaf);
		if (fd >= 0)
			(void)fchmod(fd, mode); /* refused for what somebody else has just made */
	}
	return fd >= 0 ? fd : fail(w, errno, e);
}

/* Walks to the end: w->dir is then the last folder, w->leaf the name of what is in it, or "" when that folder
 * itself is the end. ret_st is what the end is, a link never. */
static int walk(const char *host_root, const char *path, struct walk *w, struct stat *ret_st, struct err *e)
{
	int r;

	w->path = path;
	w->strict = !host_root[0];
	w->root = open(host_root[0] ? host_root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Not -ENOENT: that would be a host without the file. */
	if (w->root < 0 && errno == ENOENT)
		return err_set(e, STATUS_NO_CONTAINER, ENOTDIR, "there is no folder %s", host_root);
	if (w->root < 0)
		return fail(w, errno, e);
	w->dir = fcntl(w->root, F_DUPFD_CLOEXEC, 3);
	if (w->dir < 0 || fstat(w->dir, ret_st) < 0)
		return fail(w, errno, e);
	if ((size_t)snprintf(w->rest, sizeof(w->rest), "%s", path) >= sizeof(w->rest))
		return fail(w, ENAMETOOLONG, e);
	r = check_owner(w, ret_st, e);
	if (r < 0)
		return r;
	while ((r = next_leaf(w)) > 0) {
		CLEANUP(close_p) int fd = -1;

		if (strcmp(w->leaf, ".") == 0 || (strcmp(w->leaf, "..") == 0 && at_root(w)))
			continue;
		fd = open_leaf(w, e);
		if (fd < 0)
			return fd;
		if (fstat(fd, ret_st) < 0)
			return fail(w, errno, e);
		r = check_owner(w, ret_st, e);
		if (r < 0)
			return r;
		if (S_ISLNK(ret_st->st_mode)) {
			r = follow(w, fd, e);
			if (r < 0)
				return r;
		} else if (S_ISDIR(ret_st->st_mode)) {
			close(w->dir);
			w->dir = take_fd(&fd);
		} else {
			return w->rest[0] ? fail(w, ENOTDIR, e) : 0;
		}
	}
	if (r < 0)
		return fail(w, -r, e);
	w->leaf[0] = '\0';
	return fstat(w->dir, ret_st) < 0 ? fail(w, errno, e) : 0;
}

static int open_walked(const struct walk *w, const struct stat *st, int flags, int *ret, struct err *e)
{
	int fd;

	if ((flags & O_DIRECTORY) && !S_ISDIR(st->st_mode))
		return fail(w, ENOTDIR, e);
	if (!S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode))
		return err_set(e, STATUS_DATA, EINVAL, "%s is not a regular file", w->path);
	fd = openat(w->dir, w->leaf[0] ? w->leaf : ".",
	            flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail(w, errno, e);
	*ret = fd;
	return 0;
}

int files_open(const char *host_root, const char *path, int flags, int *ret, struct err *e)
{
	CLEANUP(walk_done) struct walk w = { .root = -1, .dir = -1 };
	struct stat st = { 0 };
	int r = walk(host_root, path, &w, &st, e);

	return r < 0 ? r : open_walked(&w, &st, flags, ret, e);
}

int files_reopen(int fd, int flags)
{
	char path[32];
	int again;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return again < 0 ? -errno : again;
}

DIR *files_opendir(int dir, const char *leaf)
{
	CLEANUP(close_p) int fd = openat(dir, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (folder)
		(void)take_fd(&fd); /* it is the folder's now */
	return folder;
}

int files_mkdir(const char *host_root, const char *path, mode_t mode, int *ret, struct err *e)
{
	CLEANUP(walk_done) struct walk w = { .root = -1, .dir = -1, .make = true, .mode = mode };
	struct stat st = { 0 };
	int r = walk(host_root, path, &w, &st, e);

	return r < 0 ? r : open_walked(&w, &st, O_RDONLY | O_DIRECTORY, ret, e);
}

int files_read_fd(int fd, const char *name, size_t max, struct buf *ret, struct stat *ret_st, struct err *e)
{
	struct stat st;
	char bytes[65536];
	size_t before = ret->len;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "%s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, STATUS_DATA, EINVAL, "%s is not a regular file", name);
	do {
		if (st.st_size > (off_t)max || ret->len - before > max)
			return err_set(e, STATUS_DATA, EFBIG, "%s is larger than %zu bytes", name, max);
		n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "cannot read %s", name);
		if (n > 0)
			buf_add(ret, bytes, (size_t)n);
	} while (n != 0);
	if (ret->bad)
		return err_no_memory(e);
	if (ret_st)
		*ret_st = st;
	return 0;
}

int files_read(const char *host_root, const char *path, size_t max, struct buf *ret, struct stat *ret_st,
               struct err *e)
{
	CLEANUP(close_p) int fd = -1;
	int r = files_open(host_root, path, O_RDONLY, &fd, e);

	return r < 0 ? r : files_read_fd(fd, path, max, ret, ret_st, e);
}

int files_write_fd(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The kernel copies, without a detour through our memory. */
static int copy_all(int fd, int from)
{
	ssize_t n;

	do {
		n = sendfile(fd, from, NULL, COPY_STEP);
		if (n < 0 && errno != EINTR)
			return -errno;
	} while (n != 0);
	return 0;
}

/* What a file is to hold: these bytes, or with from >= 0 what is left to read of that file. */
struct content {
	int from;
	const void *bytes;
	size_t len;
};

static int fill(int fd, const struct files_new *as, const struct content *c)
{
	int r = c->from >= 0 ? copy_all(fd, c->from) : files_write_fd(fd, c->bytes, c->len);

	if (r < 0)
		return r;
	/* The mode after the owner: chown clears bits. */
	if ((as->uid != (uid_t)-1 || as->gid != (gid_t)-1) && fchown(fd, as->uid, as->gid) < 0)
		return -errno;
	if (fchmod(fd, as->mode) < 0 || (as->durable && fsync(fd) < 0))
		return -errno;
	return 0;
}

static int replace(int dir, const char *leaf, const struct files_new *as, const struct content *content)
{
	CLEANUP(close_p) int fd = -1;
	char temp[NAME_MAX + 1];
	uint64_t salt;
	int r;

	r = gate_ask(NULL, "cannot write %s", leaf);
	if (r < 0)
		return r;
	if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		return -EIO;
	(void)snprintf(temp, sizeof(temp), ".#%.200s.%016jx", leaf, (uintmax_t)salt);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fill(fd, as, content);
	if (r == 0 && renameat2(dir, temp, dir, leaf, as->exclusive ? RENAME_NOREPLACE : 0) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir, temp, 0);
		return r;
	}
	return as->durable && fsync(dir) < 0 ? -errno : 0;
}

int files_replace(int dir, const char *leaf, const struct files_new *as, const void *bytes, size_t len)
{
	return replace(dir, leaf, as, &(struct content){ .from = -1, .bytes = bytes, .len = len });
}

int files_copy(int dir, const char *leaf, const struct files_new *as, int from)
{
	return replace(dir, leaf, as, &(struct content){ .from = from });
}

int files_save(const char *host_root, const char *path, mode_t mode, const void *bytes, size_t len,
               struct err *e)
{
	struct files_new as = { .mode = mode, .uid = (uid_t)-1, .gid = (gid_t)-1, .durable = true };
	const char *leaf = strrchr(path, '/') + 1;
	CLEANUP(free_p) char *folder = strndup(path, (size_t)(leaf - path));
	CLEANUP(close_p) int dir = -1;
	struct stat st;
	int r;

	if (!folder)
		return err_no_memory(e);
	r = gate_ask(e, "cannot write %s", path);
	if (r < 0)
		return r;
	r = files_open(host_root, folder, O_RDONLY | O_DIRECTORY, &dir, e);
	if (r < 0)
		return r;
	if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISLNK(st.st_mode))
			return err_set(e, STATUS_UNSAFE_HOST, ELOOP,
			               "%s is a link: it is declared elsewhere (change it there)", path);
		as.mode = st.st_mode & 07777;
		as.uid = st.st_uid;
		as.gid = st.st_gid;
	}
	r = files_replace(dir, leaf, &as, bytes, len);
	return r < 0 ? err_sys(e, -r, "cannot write %s (the old one is as it was)", path) : 0;
}

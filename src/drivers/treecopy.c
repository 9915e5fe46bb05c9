#include "drivers/treecopy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"

#define DEPTH_MAX 200 /* of folders, four descriptors each */
#define COPY_STEP (16 << 20)
#define XATTR_MAX 65536
#define SAY_EVERY 5000 /* names */
#define OVERLAY   "trusted.overlay."

struct linked { /* a file with more names than one, and where its copy is */
	dev_t dev;
	ino_t ino;
	char *path; /* below the copy's top */
};

struct copy {
	int top;
	const char *shown;
	enum treecopy_how how;
	const struct progress *progress;
	struct treecopied done;
	void *links;     /* tsearch(3): a store of Nix is full of them */
	struct buf path; /* of the folder that is copied, below the top: "etc/ssl/" */
	struct err *e;
};

static void linked_free(void *link)
{
	free(((struct linked *)link)->path);
	free(link);
}

static int by_file(const void *a, const void *b)
{
	const struct linked *x = a, *y = b;
	int r = (x->ino > y->ino) - (x->ino < y->ino);

	return r ? r : (x->dev > y->dev) - (x->dev < y->dev);
}

static void copy_done(struct copy *c)
{
	tdestroy(c->links, linked_free);
	buf_done(&c->path);
}

static int fail(const struct copy *c, const char *name, int errnum)
{
	if (errnum == EOPNOTSUPP && c->how == TREECOPY_SHARE)
		return err_set(c->e, STATUS_FAILED, errnum,
		               "the file system of %s can not share blocks between files", c->shown);
	if (errnum == ELOOP)
		return err_set(c->e, STATUS_UNSAFE_TREE, errnum,
		               "%s: folders are nested deeper than %d in it", c->shown, DEPTH_MAX);
	return err_sys(c->e, errnum, "cannot copy %s%s of %s", buf_text(&c->path), name, c->shown);
}

/* ---- what a file is beside its bytes */

static int copy_xattr(int from, int to, const char *name, char *value)
{
	ssize_t len =
		strncmp(name, OVERLAY, strlen(OVERLAY)) == 0 ? -1 : fgetxattr(from, name, value, XATTR_MAX);

	if (len < 0)
		return 0; /* gone meanwhile, or not to be carried over */
	if (fsetxattr(to, name, value, (size_t)len, 0) < 0 && errno != EOPNOTSUPP && errno != EPERM &&
	    errno != EINVAL)
		return -errno;
	return 0;
}

static int copy_xattrs(int from, int to)
{
	ssize_t len = flistxattr(from, NULL, 0);
	CLEANUP(free_p) char *names = len > 0 ? malloc(XATTR_MAX) : NULL;
	CLEANUP(free_p) char *value = len > 0 ? malloc(XATTR_MAX) : NULL;
	int r = 0;

	if (len <= 0)
		return 0;
	if (!names || !value)
		return -ENOMEM;
	len = flistxattr(from, names, XATTR_MAX);
	for (char *name = names; r == 0 && len > 0 && name < names + len; name += strlen(name) + 1)
		r = copy_xattr(from, to, name, value);
	return r;
}

/* The mode after the owner, and capabilities after both: chown clears them. */
static int dress(int from, int to, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	int r;

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	r = copy_xattrs(from, to);
	return r < 0 ? r : futimens(to, times) < 0 ? -errno : 0;
}

/* ---- bytes */

static int copy_part(int from, int to, off_t at, off_t end)
{
	if (lseek(to, at, SEEK_SET) < 0)
		return -errno;
	while (at < end) {
		ssize_t n = sendfile(to, from, &at, end - at > COPY_STEP ? COPY_STEP : (size_t)(end - at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0; /* it became shorter */
	}
	return 0;
}

static int copy_bytes(const struct copy *c, int from, int to, off_t size)
{
	off_t at = 0;

	while (at < size) {
		off_t data = lseek(from, at, SEEK_DATA), hole;
		int r;

		if (data < 0 && errno == ENXIO)
			break;
		data = data < 0 ? at : data;
		hole = lseek(from, data, SEEK_HOLE);
		hole = hole < 0 ? size : hole;
		r = copy_part(from, to, data, hole);
		if (r < 0)
			return r;
		at = hole > at ? hole : size;
		if (progress_stopped(c->progress))
			return -ECANCELED;
	}
	return ftruncate(to, size) < 0 ? -errno : 0;
}

static int copy_content(struct copy *c, int from, int to, const struct stat *st)
{
	if (st->st_size == 0 || ioctl(to, FICLONE, from) == 0)
		return 0;
	c->done.shared = false;
	if (c->how == TREECOPY_SHARE)
		return -EOPNOTSUPP;
	return copy_bytes(c, from, to, st->st_size);
}

/* ---- names */

/* Returns 1 when the file is one that was copied under another name, and has that name now. */
static int link_again(struct copy *c, const struct stat *st, int dir, const char *name)
{
	const struct linked key = { .dev = st->st_dev, .ino = st->st_ino };
	struct linked *made, *const *found = tfind(&key, &c->links, by_file);

	if (found)
		return linkat(c->top, (*found)->path, dir, name, 0) == 0;
	made = malloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	*made = key;
	if (asprintf(&made->path, "%s%s", buf_text(&c->path), name) < 0) {
		free(made);
		return -ENOMEM;
	}
	if (tsearch(made, &c->links, by_file))
		return 0;
	linked_free(made);
	return -ENOMEM;
}

static int copy_file(struct copy *c, int seen, const struct stat *st, int dir, const char *name)
{
	CLEANUP(close_p) int from = -1;
	CLEANUP(close_p) int to = -1;
	int r = st->st_nlink > 1 ? link_again(c, st, dir, name) : 0;

	if (r != 0)
		return r < 0 ? r : 0;
	from = files_reopen(seen, O_RDONLY);
	if (from < 0)
		return from;
	to = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	r = copy_content(c, from, to, st);
	return r < 0 ? r : dress(from, to, st);
}

static int copy_link(int seen, const struct stat *st, int dir, const char *name)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	char target[4096];
	ssize_t len = readlinkat(seen, "", target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	target[len] = '\0';
	if (symlinkat(target, dir, name) < 0 ||
	    fchownat(dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_node(const struct stat *st, int dir, const char *name)
{
	if (mknodat(dir, name, st->st_mode & (S_IFMT | 0777), st->st_rdev) < 0 ||
	    fchownat(dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(dir, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

static int copy_folder(struct copy *c, int from, int to, int depth);

static int open_folder(int dir, const char *name)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		                .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS };
	long fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int copy_subfolder(struct copy *c, int from, int to, const char *name, int depth)
{
	CLEANUP(close_p) int below = open_folder(from, name);
	CLEANUP(close_p) int made = -1;
	size_t len = c->path.len;
	int r;

	if (mkdirat(to, name, 0700) < 0)
		return fail(c, name, errno);
	if (below == -EXDEV) /* mounted there: the place alone is copied */
		return fchmodat(to, name, 0755, 0) < 0 ? fail(c, name, errno) : 0;
	if (below < 0)
		return below == -ENOENT || below == -ENOTDIR || below == -ELOOP ? 0 : fail(c, name, -below);
	made = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (made < 0)
		return fail(c, name, errno);
	buf_addf(&c->path, "%s/", name);
	r = copy_folder(c, below, made, depth + 1);
	c->path.len = len;
	if (c->path.p)
		c->path.p[len] = '\0';
	return r;
}

static int copy_one(struct copy *c, int from, int to, const char *name, int depth)
{
	CLEANUP(close_p) int seen = openat(from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r = 0;

	if (progress_stopped(c->progress))
		return err_set(c->e, STATUS_FAILED, ECANCELED, "copying %s was cancelled", c->shown);
	if (seen < 0 && errno == ENOENT)
		return 0; /* gone meanwhile */
	if (seen < 0 || fstat(seen, &st) < 0)
		return fail(c, name, errno);
	if (++c->done.names % SAY_EVERY == 0)
		progress_say(c->progress, "%s: %zu names copied", c->shown, c->done.names);
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return copy_subfolder(c, from, to, name, depth);
	case S_IFREG:
		r = copy_file(c, seen, &st, to, name);
		break;
	case S_IFLNK:
		r = copy_link(seen, &st, to, name);
		break;
	case S_IFIFO:
	case S_IFCHR:
	case S_IFBLK:
		r = copy_node(&st, to, name);
		break;
	default: /* a socket */
		break;
	}
	if (r == -ECANCELED)
		return err_set(c->e, STATUS_FAILED, ECANCELED, "copying %s was cancelled", c->shown);
	return r < 0 ? fail(c, name, -r) : 0;
}

static int copy_folder(struct copy *c, int from, int to, int depth)
{
	CLEANUP(closedir_p) DIR *folder = NULL;
	struct stat st;
	int r = 0;

	if (depth > DEPTH_MAX)
		return fail(c, ".", ELOOP);
	folder = files_opendir(from, ".");
	if (!folder || fstat(from, &st) < 0)
		return fail(c, ".", errno);
	for (struct dirent *entry; r == 0 && (errno = 0, entry = readdir(folder));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = copy_one(c, from, to, entry->d_name, depth);
	if (r < 0)
		return r;
	if (errno != 0) /* that was not its end */
		return fail(c, ".", errno);
	r = dress(from, to, &st);
	return r < 0 ? fail(c, ".", -r) : 0;
}

int treecopy(int from, int to, const char *shown, enum treecopy_how how, const struct progress *p,
             struct treecopied *ret, struct err *e)
{
	CLEANUP(copy_done)
	struct copy c = { .top = to, .shown = shown, .how = how, .progress = p, .done.shared = true, .e = e };
	int r = gate_ask(e, "cannot copy %s", shown);

	if (r == 0)
		r = copy_folder(&c, from, to, 0);
	if (r == 0)
		*ret = c.done;
	return r;
}

int treecopy_shares(int folder)
{
	CLEANUP(close_p) int from = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	CLEANUP(close_p) int to = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	static const char block[4096] = "a block";

	return from >= 0 && to >= 0 && write(from, block, sizeof(block)) == (ssize_t)sizeof(block) &&
	       ioctl(to, FICLONE, from) == 0;
}

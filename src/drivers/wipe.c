#include "drivers/wipe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"

#define DEPTH_MAX  32   /* folders held open at once; what lies deeper is moved up */
#define PASSES_MAX 64   /* through a folder in which names keep appearing */
#define SAY_EVERY  5000 /* names */
#define SUBVOLUME  256  /* inode of a btrfs subvolume's top */

struct wipe {
	int parent, top; /* what the tree is in; its first folder */
	const char *shown;
	const struct progress *progress;
	size_t removed, hoisted;
	struct err *e;
};

static int fail(const struct wipe *w, const char *name, int errnum)
{
	switch (errnum) {
	case ENOSYS:
		return err_set(w->e, STATUS_UNSAFE_HOST, errnum,
		               "openat2 is not available, nothing else is safe in %s (does the unit have "
		               "RestrictSUIDSGID=?)",
		               w->shown);
	case EXDEV:
	case EBUSY:
		return err_set(w->e, STATUS_BUSY, EBUSY, "%s: something is mounted on %s in it", w->shown,
		               name);
	case ENOTEMPTY:
		return err_set(w->e, STATUS_BUSY, EBUSY,
		               "%s: names keep appearing in %s (is something at work in it?)", w->shown,
		               name);
	default:
		return err_sys(w->e, errnum, "cannot delete %s in %s", name, w->shown);
	}
}

/* A folder below dir; never a link's target, never what is mounted there. Negative errno. */
static int open_folder(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Takes the flags away that keep root from deleting. ret_old: what they were. */
static bool clear_flags(int fd, int *ret_old)
{
	int now;

	if (ioctl(fd, FS_IOC_GETFLAGS, ret_old) < 0 || !(*ret_old & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return false;
	now = *ret_old & ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	return ioctl(fd, FS_IOC_SETFLAGS, &now) == 0;
}

/* Opens what has flags: a file or a folder. What it is was seen before it is opened, as opening a device does things. */
static int open_flagged(int dir, const char *name)
{
	CLEANUP(close_p) int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return -1;
	return files_reopen(fd, O_RDONLY);
}

static int unlink_flagged(const struct wipe *w, int dir, const char *name, int how)
{
	CLEANUP(close_p) int fd = open_flagged(dir, name);
	int old = 0, ignored, r;
	bool cleared = fd >= 0 && clear_flags(fd, &old);
	bool folder_cleared = dir != w->parent && clear_flags(dir, &ignored);
	struct stat st;

	if (!cleared && !folder_cleared)
		return -EPERM;
	r = unlinkat(dir, name, how) < 0 ? -errno : 0;
	if (cleared && (r < 0 || (fstat(fd, &st) == 0 && st.st_nlink > 0 && !S_ISDIR(st.st_mode))))
		(void)ioctl(fd, FS_IOC_SETFLAGS, &old);
	return r;
}

static int unlink_one(struct wipe *w, int dir, const char *name, int how)
{
	int r = unlinkat(dir, name, how) < 0 ? -errno : 0;

	if (r == -EPERM)
		r = unlink_flagged(w, dir, name, how);
	if (r == 0 && ++w->removed % SAY_EVERY == 0)
		progress_say(w->progress, "%s: %zu names deleted", w->shown, w->removed);
	return r == -ENOENT ? 0 : r;
}

/* A whole subvolume in one step; one that holds others goes name by name, which a read-only one does not let. */
static bool drop_subvolume(int dir, int fd, const char *name)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	uint64_t flags = 0;
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_ino != SUBVOLUME || strlen(name) >= sizeof(args.name))
		return false;
	memcpy(args.name, name, strlen(name) + 1);
	if (ioctl(dir, BTRFS_IOC_SNAP_DESTROY, &args) == 0)
		return true;
	if (ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) == 0 && flags & BTRFS_SUBVOL_RDONLY) {
		flags &= ~(uint64_t)BTRFS_SUBVOL_RDONLY;
		(void)ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags);
	}
	return false;
}

static int wipe_folder(struct wipe *w, int fd, const char *name, int depth);

static int move_up(struct wipe *w, int dir, const char *name)
{
	char temp[32];
	int r;

	(void)snprintf(temp, sizeof(temp), ".deep.%zu", w->hoisted++);
	r = renameat2(dir, name, w->top, temp, RENAME_NOREPLACE) < 0 ? -errno : 0;
	if (r == -EPERM) {
		CLEANUP(close_p) int fd = open_flagged(dir, name);
		int ignored;

		(void)clear_flags(dir, &ignored);
		if (fd >= 0)
			(void)clear_flags(fd, &ignored);
		r = renameat2(dir, name, w->top, temp, RENAME_NOREPLACE) < 0 ? -errno : 0;
	}
	return r == -EEXIST || r == -ENOENT ? 0 : r; /* the next pass has another number */
}

static int wipe_one(struct wipe *w, int dir, const char *name, int depth)
{
	CLEANUP(close_p) int fd = -1;
	int r;

	if (progress_stopped(w->progress))
		return err_set(w->e, STATUS_FAILED, ECANCELED, "%s is deleted in part: it was cancelled",
		               w->shown);
	r = fd = open_folder(dir, name);
	if (r == -ENOENT)
		return 0;
	if (r == -ENOTDIR || r == -ELOOP) {
		r = unlink_one(w, dir, name, 0);
		return r == -EISDIR ? 0
		       : r < 0      ? fail(w, name, -r)
		                    : 0; /* swapped meanwhile: the next pass sees */
	}
	if (r < 0)
		return fail(w, name, -r);
	if (drop_subvolume(dir, fd, name))
		return 0;
	if (depth >= DEPTH_MAX) {
		r = move_up(w, dir, name);
		return r < 0 ? fail(w, name, -r) : 0;
	}
	r = wipe_folder(w, fd, name, depth);
	if (r < 0)
		return r;
	r = unlink_one(w, dir, name, AT_REMOVEDIR);
	return r == -ENOTDIR || r == -ENOTEMPTY ? 0 : r < 0 ? fail(w, name, -r) : 0;
}

/* One pass through the folder, whose name is for messages. Returns whether there was anything, or a negative errno. */
static int pass(struct wipe *w, DIR *folder, int fd, const char *name, int depth)
{
	int r = 0, found = 0;

	rewinddir(folder);
	for (struct dirent *entry; r == 0 && (errno = 0, entry = readdir(folder));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		found = 1;
		r = wipe_one(w, fd, entry->d_name, depth + 1);
	}
	if (r == 0 && errno)
		return fail(w, name, errno);
	return r < 0 ? r : found;
}

/* Empties the folder; fd stays the caller's. */
static int wipe_folder(struct wipe *w, int fd, const char *name, int depth)
{
	CLEANUP(closedir_p) DIR *folder = files_opendir(fd, ".");
	int r = 1;

	if (!folder)
		return fail(w, name, errno);
	for (size_t i = 0, limit = PASSES_MAX; r > 0; i++) {
		size_t hoisted = w->hoisted;

		if (i >= limit)
			return fail(w, name, ENOTEMPTY);
		r = pass(w, folder, fd, name, depth);
		limit += fd == w->top && w->hoisted > hoisted;
	}
	return r;
}

int wipe_tree(int parent, const char *leaf, const char *shown, const struct progress *p, struct err *e)
{
	struct wipe w = { .parent = parent, .top = -1, .shown = shown, .progress = p, .e = e };
	CLEANUP(close_p) int fd = -1;
	int r = gate_ask(e, "cannot delete %s", shown);

	if (r < 0)
		return r;
	for (int i = 0; i < PASSES_MAX; i++) {
		close_p(&fd);
		fd = open_folder(parent, leaf);
		if (fd == -ENOENT)
			return 0;
		if (fd == -ENOTDIR || fd == -ELOOP)
			r = unlink_one(&w, parent, leaf, 0);
		else if (fd < 0)
			return fail(&w, leaf, -fd);
		else if (drop_subvolume(parent, fd, leaf))
			return 0;
		else {
			w.top = fd;
			r = wipe_folder(&w, fd, leaf, 0);
			if (r < 0)
				return r;
			r = unlink_one(&w, parent, leaf, AT_REMOVEDIR);
		}
		if (r < 0 && r != -EISDIR && r != -ENOTDIR && r != -ENOTEMPTY)
			return fail(&w, leaf, -r);
	}
	return fail(&w, leaf, ENOTEMPTY);
}

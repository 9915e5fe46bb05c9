#include "drivers/subvolume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "base/strs.h"
#include "drivers/wipe.h"

#define TOP_INODE 256
#define DEPTH_MAX 32

bool subvolume_is(int fd)
{
	struct statfs fs;
	struct stat st;

	return fstatfs(fd, &fs) == 0 && fs.f_type == BTRFS_SUPER_MAGIC && fstat(fd, &st) == 0 &&
	       st.st_ino == TOP_INODE && S_ISDIR(st.st_mode);
}

int subvolume_make(int parent, const char *leaf, mode_t mode)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	struct statfs fs;
	int r = gate_ask(NULL, "cannot make %s", leaf);

	if (r < 0)
		return r;
	if (strlen(leaf) < sizeof(args.name) && fstatfs(parent, &fs) == 0 && fs.f_type == BTRFS_SUPER_MAGIC) {
		memcpy(args.name, leaf, strlen(leaf) + 1);
		if (ioctl(parent, BTRFS_IOC_SUBVOL_CREATE, &args) == 0)
			return fchmodat(parent, leaf, mode, 0) < 0 ? -errno : 0;
	}
	if (mkdirat(parent, leaf, mode) < 0)
		return -errno;
	return fchmodat(parent, leaf, mode, 0) < 0 ? -errno : 0;
}

/* ---- copies */

static int snapshot_one(int from, int parent, const char *leaf, bool read_only)
{
	struct btrfs_ioctl_vol_args_v2 args = { .fd = from, .flags = read_only ? BTRFS_SUBVOL_RDONLY : 0 };

	if (!subvolume_is(from))
		return -ENOTTY;
	if (strlen(leaf) >= sizeof(args.name))
		return -ENAMETOOLONG;
	memcpy(args.name, leaf, strlen(leaf) + 1);
	return ioctl(parent, BTRFS_IOC_SNAP_CREATE_V2, &args) < 0 ? -errno : 0;
}

/* The paths of those that are in it, but not in another one of those. */
static int list_inner(int fd, struct strs *ret)
{
	struct btrfs_ioctl_get_subvol_rootref_args found = { 0 };
	int more;

	do {
		more = ioctl(fd, BTRFS_IOC_GET_SUBVOL_ROOTREF, &found) < 0 ? errno : 0;
		if (more && more != EOVERFLOW)
			return more == ENOTTY ? 0 : -more;
		for (size_t i = 0; i < found.num_items; i++) {
			struct btrfs_ioctl_ino_lookup_user_args place = { .dirid = found.rootref[i].dirid,
				                                          .treeid = found.rootref[i].treeid };

			if (ioctl(fd, BTRFS_IOC_INO_LOOKUP_USER, &place) == 0)
				strs_addf(ret, "%s%s", place.path, place.name);
			else if (errno != ENOENT) /* it went meanwhile */
				return -errno;
		}
	} while (more);
	return ret->bad ? -ENOMEM : 0;
}

static int open_inner(int top, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		                .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS |
		                           RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, top, path[0] ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int snapshot_all(int from, int parent, const char *leaf, bool read_only, unsigned depth);

/* What is not there, or no subvolume any more, is not copied. Nobody else changes the copy. */
static int snapshot_inner(int from, int to, char *path, bool read_only, unsigned depth)
{
	CLEANUP(close_p) int inner = open_inner(from, path);
	CLEANUP(close_p) int above = -1;
	char *name = strrchr(path, '/');

	if (inner < 0 || !subvolume_is(inner))
		return inner == -ENOENT || inner == -ENOTDIR || inner >= 0 ? 0 : inner;
	if (name)
		*name++ = '\0';
	above = open_inner(to, name ? path : "");
	name = name ? name : path;
	if (above < 0 || unlinkat(above, name, AT_REMOVEDIR) < 0)
		return above == -ENOENT || (above >= 0 && errno == ENOENT) ? 0 : above < 0 ? above : -errno;
	return snapshot_all(inner, above, name, read_only, depth + 1);
}

static int snapshot_all(int from, int parent, const char *leaf, bool read_only, unsigned depth)
{
	CLEANUP(strs_done) struct strs inner = { 0 };
	CLEANUP(close_p) int to = -1;
	uint64_t flags = BTRFS_SUBVOL_RDONLY;
	int r = subvolume_is(from) ? list_inner(from, &inner) : -ENOTTY;

	if (r == 0)
		r = depth > DEPTH_MAX ? -ELOOP : snapshot_one(from, parent, leaf, read_only && inner.n == 0);
	if (r < 0 || inner.n == 0)
		return r;
	to = openat(parent, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = to < 0 ? -errno : 0;
	for (size_t i = 0; r == 0 && i < inner.n; i++)
		r = snapshot_inner(from, to, inner.v[i], read_only, depth);
	if (r == 0 && read_only && ioctl(to, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0)
		r = -errno;
	return r;
}

int subvolume_snapshot(int from, int parent, const char *leaf, bool read_only)
{
	int r = gate_ask(NULL, "cannot make %s", leaf);

	if (r < 0)
		return r;
	if (faccessat(parent, leaf, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	r = snapshot_all(from, parent, leaf, read_only, 0);
	if (r < 0 && r != -EEXIST && r != -ENOTTY)
		(void)wipe_tree(parent, leaf, leaf, NULL, NULL);
	return r;
}

#include "drivers/subvolume.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/gate.h"

#define TOP_INODE 256

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

int subvolume_snapshot(int from, int parent, const char *leaf, bool read_only)
{
	struct btrfs_ioctl_vol_args_v2 args = { .fd = from, .flags = read_only ? BTRFS_SUBVOL_RDONLY : 0 };
	int r = gate_ask(NULL, "cannot make %s", leaf);

	if (r < 0)
		return r;
	if (!subvolume_is(from))
		return -ENOTTY;
	if (strlen(leaf) >= sizeof(args.name))
		return -ENAMETOOLONG;
	memcpy(args.name, leaf, strlen(leaf) + 1);
	return ioctl(parent, BTRFS_IOC_SNAP_CREATE_V2, &args) < 0 ? -errno : 0;
}

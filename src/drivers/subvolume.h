/* subvolume - trees that btrfs can copy in one step. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* subvolume_make - the folder leaf in parent: a subvolume where that can be, else a plain folder, with that mode. Returns
 * 0 or a negative errno. */
int subvolume_make(int parent, const char *leaf, mode_t mode);
/* subvolume_is - whether the open folder is one's top. */
bool subvolume_is(int fd);
/* subvolume_snapshot - a copy of the subvolume from, as leaf in parent on the same file system, with those that are in it (a snapshot
 * of the kernel's has empty folders for them). -ENOTTY: from is none; other negative errnos, and nothing of it is left.
 * source  btrfs-ioctl(2): BTRFS_IOC_GET_SUBVOL_ROOTREF, since Linux 4.18 */
int subvolume_snapshot(int from, int parent, const char *leaf, bool read_only);

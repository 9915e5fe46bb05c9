/* files - the host's own files: opened so that nobody but root can have chosen which one it is, replaced
 * whole.
 *
 * host_root goes before every path ("" for the host itself). With another one (tests, `--root`) owners and
 * modes are not looked at; what kind of file it is, and how large, always is. */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

/* files_open - open an absolute path, walked component by component (threat model O1, O2).
 *
 * Each folder and link on the way, and the file itself, must be root's and nobody else's to write. A group
 * may write to a folder with the sticky bit, as to /nix/store: it can not touch what is there already.
 *
 * flags   O_PATH or O_RDONLY, with O_DIRECTORY where a folder is meant, else it is a folder or a regular
 *         file. CLOEXEC, NONBLOCK and NOCTTY are added.
 * errors  -ENOENT  STATUS_NO_CONTAINER: not there;  -ELOOP the same status: a link that leads nowhere
 *         -EPERM   STATUS_UNSAFE_HOST: owner or mode, says whose
 *         -ENOTDIR STATUS_UNSAFE_HOST;  -EINVAL STATUS_DATA: not a regular file;  the system's else */
int files_open(const char *host_root, const char *path, int flags, int *ret, struct err *e);

/* files_reopen - open what an O_PATH descriptor holds, whatever its name means by now. The caller has seen what it is:
 * opening a device or a socket does things. CLOEXEC, NONBLOCK and NOCTTY are added. Negative errno. */
int files_reopen(int fd, int flags);

/* files_opendir - the names in the folder leaf of dir ("." for dir itself), which is no link; closedir() it. NULL with errno. */
DIR *files_opendir(int dir, const char *leaf);

/* files_mkdir - like files_open for a folder, making what is missing: parents 0755, the last with mode. */
int files_mkdir(const char *host_root, const char *path, mode_t mode, int *ret, struct err *e);

/* files_read - the whole of a regular file of at most max bytes, read once, appended to ret.
 *
 * ret_st  may be NULL
 * errors  as files_open; -EFBIG STATUS_DATA: larger than max */
int files_read(const char *host_root, const char *path, size_t max, struct buf *ret, struct stat *ret_st,
               struct err *e);
/* files_read_fd - the same of an open one, which may be anybody's. name is for messages. */
int files_read_fd(int fd, const char *name, size_t max, struct buf *ret, struct stat *ret_st, struct err *e);

/* files_write_fd - all of the bytes, however often that takes. Negative errno. */
int files_write_fd(int fd, const char *bytes, size_t len);

struct files_new { /* what a new file is to be */
	mode_t mode;
	uid_t uid; /* (uid_t)-1, (gid_t)-1: whose it becomes by itself */
	gid_t gid;
	bool durable;   /* on the disk before it replaces the old one: for what must survive a crash */
	bool exclusive; /* only where nothing of that name is: else -EEXIST */
};

/* files_replace - make dir/leaf a regular file with these bytes, at once and whole.
 *
 * Whatever leaf was is replaced, never opened or followed; a folder is not (-EISDIR). After a failure leaf is
 * as it was and nothing else is left. No sentence is made: the caller knows what the file is for. */
int files_replace(int dir, const char *leaf, const struct files_new *as, const void *bytes, size_t len);

/* files_copy - the same with what is left to read of a regular file. */
int files_copy(int dir, const char *leaf, const struct files_new *as, int from);

/* files_save - files_replace, durable, in a folder that is opened safely. A file that exists keeps its owner
 * and mode; a link is refused with STATUS_UNSAFE_HOST (-ELOOP): it is somebody's who declares the file
 * elsewhere. */
int files_save(const char *host_root, const char *path, mode_t mode, const void *bytes, size_t len,
               struct err *e);

/* rootfs - work in a container's tree, which is hostile: any name in it may be a link, a FIFO, a device, or
 * be changed under our hands. No path string below the root ever reaches the kernel but through
 * openat2(RESOLVE_IN_ROOT), and the last name is only used against a folder that is held open (threat model
 * A.4, H, cases 27 to 44). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

struct rootfs {
	int fd;    /* the root, open for reading */
	uid_t uid; /* its owner, whose all that is made in it becomes: root, or a user namespace's root */
	gid_t gid;
	char *path; /* for messages */
};

/* ROOTFS_MAKE: the folder of the roots, too, as root's alone to enter: what a guest makes setuid is a host's user's to
 * run otherwise. */
enum rootfs_missing { ROOTFS_REFUSE, ROOTFS_MAKE };

/* rootfs_open - open a container's root. Every folder above it must be root's alone to write (drivers/files);
 * links among those are followed, the root itself must not be one.
 *
 * uid_base  the owner it may have besides 0 and the multiples of 65536, which are what systemd-nspawn picks
 * ret       owned by the caller, rootfs_done()
 * errors    -ENOENT STATUS_NO_CONTAINER: there is none;  -EPERM, -ELOOP, -ENOTDIR STATUS_UNSAFE_TREE, or
 *           STATUS_UNSAFE_HOST when it is above the root */
int rootfs_open(const char *path, enum rootfs_missing missing, uid_t uid_base, struct rootfs *ret,
                struct err *e);
/* rootfs_take - the same of one that is open for reading as fd; fd is ret's from now on, also after a failure. */
int rootfs_take(int fd, const char *path, uid_t uid_base, struct rootfs *ret, struct err *e);
void rootfs_done(struct rootfs *t);

/* rootfs_lock - until rootfs_done(). -EBUSY (STATUS_BUSY): another preparation, or a systemd-nspawn, has it.
 */
int rootfs_lock(const struct rootfs *t, struct err *e);
/* rootfs_lock_shared - the same for who only reads: several may. */
int rootfs_lock_shared(const struct rootfs *t, struct err *e);

/* Paths below are relative to the root, without a leading "/".
 *
 * errors  -EPERM, -ELOOP, -ENOTDIR, -EISDIR  STATUS_UNSAFE_TREE: the sentence says which name is what
 *         -EPERM, -EROFS, -ENOSPC, -EDQUOT   STATUS_CANNOT_CREATE: immutable, read-only, full
 *         -ENOSYS  STATUS_UNSAFE_HOST: openat2 is blocked; it is never done another way */

/* rootfs_mkdir - mkdir -p -m MODE; the parents get 0755. What is there keeps its mode and owner. */
int rootfs_mkdir(const struct rootfs *t, const char *path, mode_t mode, struct err *e);
/* rootfs_touch - an empty file where nothing of that name is; whatever is there is left alone. */
int rootfs_touch(const struct rootfs *t, const char *path, mode_t mode, struct err *e);
/* rootfs_put - a regular file with these bytes in place of whatever has that name; that is never opened. */
int rootfs_put(const struct rootfs *t, const char *path, mode_t mode, const void *bytes, size_t len,
               struct err *e);
/* rootfs_fifo - a new FIFO in place of whatever has that name. */
int rootfs_fifo(const struct rootfs *t, const char *path, mode_t mode, struct err *e);
/* rootfs_read - a regular file of at most max bytes, links followed inside the root, appended to ret. */
int rootfs_read(const struct rootfs *t, const char *path, size_t max, struct buf *ret, struct err *e);

/* rootfs_has - whether there is anything of that name; a link counts, wherever it leads. */
bool rootfs_has(const struct rootfs *t, const char *path);

/* rootfs_open_dir - a folder for reading, links followed inside the root. Returns a descriptor, or a negative errno
 * without a sentence: that it is not there is mostly no failure. */
int rootfs_open_dir(const struct rootfs *t, const char *path);

/* rootfs_connect - to the listening unix socket of that name, links followed inside the root. Calls on it
 * that block end after 5 minutes. errors: -ENOENT, -ECONNREFUSED (nobody listens), ... */
int rootfs_connect(const struct rootfs *t, const char *path, int *ret_fd, struct err *e);

/* rootfs_open_fifo - that FIFO, for reading, whether somebody writes to it or not: it becomes readable. */
int rootfs_open_fifo(const struct rootfs *t, const char *path, int *ret_fd, struct err *e);
/* rootfs_unlink - take a file away; that there is none is no failure. */
int rootfs_unlink(const struct rootfs *t, const char *path, struct err *e);

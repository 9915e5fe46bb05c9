#include "drivers/swapfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "base/num.h"
#include "drivers/files.h"

#define TEXT_MAX  (1U << 20)
#define XATTR_MAX 65536
#define TEMP      ".#%.150s.%016" PRIx64 ".%08x" /* leaf, hash of the old text, salt */

void swapped_done(struct swapped *s)
{
	buf_done(&s->theirs);
	free(s->kept);
	*s = (struct swapped){ 0 };
}

static int read_leaf(int dir, const char *leaf, struct buf *ret, struct err *e)
{
	CLEANUP(close_p)
	int fd = openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ELOOP)
		return err_set(e, STATUS_UNSAFE_HOST, ELOOP,
		               "%s is a link: it is declared elsewhere (change it there)", leaf);
	if (fd < 0)
		return err_sys(e, errno, "cannot open %s", leaf);
	return files_read_fd(fd, leaf, TEXT_MAX, ret, NULL, e);
}

/* ---- the new file */

static int copy_attribute(int from, int to, const char *name)
{
	char value[XATTR_MAX];
	ssize_t n = fgetxattr(from, name, value, sizeof(value));

	return n < 0 || fsetxattr(to, name, value, (size_t)n, 0) < 0 ? -errno : 0;
}

/* ACLs and security labels among them. A label that the kernel gives by itself, or refuses, is not ours to fail for. */
static int copy_attributes(int from, int to)
{
	char names[XATTR_MAX];
	ssize_t n = flistxattr(from, names, sizeof(names));

	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		int r = copy_attribute(from, to, name);

		if (r < 0 && r != -ENODATA && strncmp(name, "security.", 9) != 0)
			return r;
	}
	return 0;
}

/* The mode after the owner, whose change clears bits; the ACL after the mode, which is a part of it. */
int swapfile_dress(int dir, const char *leaf, int fd)
{
	CLEANUP(close_p)
	int from = openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r = gate_ask(NULL, "cannot write %s", leaf);

	if (r < 0)
		return r;
	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0)
		return -errno;
	return copy_attributes(from, fd);
}

int swapfile_name(const char *leaf, const struct buf *old, char ret[static NAME_MAX + 1])
{
	unsigned salt;

	if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		return -EIO;
	(void)snprintf(ret, NAME_MAX + 1, TEMP, leaf, old ? buf_hash(old) : 0, salt);
	return 0;
}

static int make_temp(int dir, const char *leaf, mode_t mode, const struct buf *old, const struct buf *new,
                     char ret[static NAME_MAX + 1])
{
	CLEANUP(close_p) int fd = -1;
	int r = swapfile_name(leaf, old, ret);

	if (r < 0)
		return r;
	fd = openat(dir, ret, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = files_write_fd(fd, buf_text(new), new->len);
	if (r == 0)
		r = old ? swapfile_dress(dir, leaf, fd) : fchmod(fd, mode) < 0 ? -errno : 0;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && close(take_fd(&fd)) < 0) /* where a quota is told of */
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir, ret, 0);
	return r;
}

/* ---- in its place */

static int changed(struct swapped *s, const char *leaf, const char *how, struct err *e)
{
	s->other = true;
	return err_set(e, STATUS_BUSY, EBUSY, "%s was %s since it was read: nothing was saved", leaf, how);
}

/* Whether it still holds old. What is a link now is not written through. */
static int look(int dir, const char *leaf, const struct buf *old, struct swapped *s, struct err *e)
{
	int r = read_leaf(dir, leaf, &s->theirs, e);

	if (r == -ENOENT)
		return changed(s, leaf, "removed", e);
	if (r == -ELOOP)
		return changed(s, leaf, "replaced by a link", e);
	return r == 0 && !buf_same(&s->theirs, old) ? changed(s, leaf, "changed by somebody else", e) : r;
}

/* A third one wrote between the two exchanges: what is under temp is theirs. It is never deleted. */
static int keep_third(int dir, const char *leaf, const char *temp, struct swapped *s, struct err *e)
{
	char name[NAME_MAX + 1];

	(void)snprintf(name, sizeof(name), "%.150s.conflict-%s", leaf, strrchr(temp, '.') + 1);
	if (renameat2(dir, temp, dir, name, RENAME_NOREPLACE) < 0)
		(void)snprintf(name, sizeof(name), "%s", temp);
	s->kept = strdup(name);
	s->other = true;
	return err_set(e, STATUS_BUSY, EBUSY,
	               "%s was changed twice by others meanwhile: nothing was saved, and one of their texts "
	               "is in %s",
	               leaf, name);
}

static int take_back(int dir, const char *leaf, const char *temp, const struct buf *new, struct swapped *s,
                     struct err *e)
{
	CLEANUP(buf_done) struct buf out = { 0 };

	if (renameat2(dir, temp, dir, leaf, RENAME_EXCHANGE) < 0)
		return err_sys(e, errno, "cannot put back what %s held: that is in %s now", leaf, temp);
	if (read_leaf(dir, temp, &out, NULL) < 0 || !buf_same(&out, new))
		return keep_third(dir, leaf, temp, s, e);
	(void)unlinkat(dir, temp, 0);
	return changed(s, leaf, "changed by somebody else", e);
}

static int finish(int dir, const char *temp, struct swapped *s)
{
	if (temp)
		(void)unlinkat(dir, temp, 0);
	s->unconfirmed = fsync(dir) < 0;
	return 0;
}

/* Where two files can not be exchanged: a glance, and over it. */
static int rename_over(int dir, const char *leaf, const char *temp, const struct buf *old, struct swapped *s,
                       struct err *e)
{
	int r = look(dir, leaf, old, s, e);

	if (r == 0 && renameat(dir, temp, dir, leaf) < 0)
		r = err_sys(e, errno, "cannot write %s (it is as it was)", leaf);
	if (r < 0) {
		(void)unlinkat(dir, temp, 0);
		return r;
	}
	s->unprotected = true;
	return finish(dir, NULL, s);
}

static int exchange(int dir, const char *leaf, const char *temp, const struct buf *old, const struct buf *new,
                    struct swapped *s, struct err *e)
{
	int r;

	if (renameat2(dir, temp, dir, leaf, RENAME_EXCHANGE) < 0) {
		r = -errno;
		if (r == -EINVAL || r == -ENOSYS)
			return rename_over(dir, leaf, temp, old, s, e);
		(void)unlinkat(dir, temp, 0);
		if (r == -ENOENT)
			return changed(s, leaf, "removed", e);
		return err_sys(e, -r, "cannot write %s (it is as it was)", leaf);
	}
	r = read_leaf(dir, temp, &s->theirs, e);
	if (r < 0 || !buf_same(&s->theirs, old))
		return take_back(dir, leaf, temp, new, s, e);
	return finish(dir, temp, s);
}

int swapfile(int dir, const char *leaf, mode_t mode, const struct buf *old, const struct buf *new,
             struct swapped *ret, struct err *e)
{
	char temp[NAME_MAX + 1];
	int r = gate_ask(e, "cannot write %s", leaf);

	if (r < 0)
		return r;
	if (old) {
		r = look(dir, leaf, old, ret, e);
		if (r < 0)
			return r;
		buf_done(&ret->theirs);
		ret->theirs = (struct buf){ 0 };
	}
	r = make_temp(dir, leaf, mode, old, new, temp);
	if (r < 0)
		return err_sys(e, -r, "cannot write %s (it is as it was)", leaf);
	if (old)
		return exchange(dir, leaf, temp, old, new, ret, e);
	if (renameat2(dir, temp, dir, leaf, RENAME_NOREPLACE) == 0)
		return finish(dir, NULL, ret);
	r = -errno;
	(void)unlinkat(dir, temp, 0);
	return r == -EEXIST ? changed(ret, leaf, "made by somebody else", e)
	                    : err_sys(e, -r, "cannot make %s", leaf);
}

/* ---- after a kill */

/* The hash of the old text in the name of what was left; false: it is none of leaf's. */
static bool is_left(const char *name, const char *leaf, uint64_t *ret)
{
	char wanted[NAME_MAX + 1];
	unsigned salt;
	int prefix = snprintf(wanted, sizeof(wanted), ".#%.150s.", leaf);

	if (strncmp(name, wanted, (size_t)prefix) != 0 ||
	    sscanf(name + prefix, "%16" SCNx64 ".%8x", ret, &salt) != 2)
		return false;
	(void)snprintf(wanted, sizeof(wanted), TEMP, leaf, *ret, salt);
	return strcmp(name, wanted) == 0;
}

static void tidy_one(int dir, const char *leaf, const char *name, uint64_t hash, char *ret_kept)
{
	CLEANUP(buf_done) struct buf text = { 0 }, now = { 0 };
	bool read = read_leaf(dir, name, &text, NULL) == 0 && read_leaf(dir, leaf, &now, NULL) == 0;

	if (hash == 0 || (read && (buf_hash(&text) == hash || buf_hash(&now) == hash))) {
		(void)unlinkat(dir, name, 0);
		return;
	}
	(void)snprintf(ret_kept, 256, "%.150s.conflict-%s", leaf, strrchr(name, '.') + 1);
	if (renameat2(dir, name, dir, ret_kept, RENAME_NOREPLACE) < 0)
		(void)snprintf(ret_kept, 256, "%s", name);
}

int swapfile_tidy(int dir, const char *leaf, char ret_kept[static 256], struct err *e)
{
	CLEANUP(closedir_p) DIR *folder = NULL;
	struct dirent *entry;
	uint64_t hash;
	int r = gate_ask(e, "cannot tidy up beside %s", leaf);

	*ret_kept = '\0';
	if (r < 0)
		return r;
	folder = files_opendir(dir, ".");
	if (!folder)
		return err_sys(e, errno, "cannot look for what is left of %s", leaf);
	while ((errno = 0, entry = readdir(folder)))
		if (is_left(entry->d_name, leaf, &hash))
			tidy_one(dir, leaf, entry->d_name, hash, ret_kept);
	return errno ? err_sys(e, errno, "cannot look for what is left of %s", leaf) : 0;
}

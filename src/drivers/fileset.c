#include "drivers/fileset.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"
#include "drivers/swapfile.h"

#define FOLDERS_MAX 4

struct folder {
	char path[PATH_MAX];
	int fd;
	bool made; /* by us */
};

struct item {
	const struct fileset_entry *entry;
	const char *leaf;
	int dir;
	char temp[NAME_MAX + 1]; /* "" once nothing of that name is ours */
	bool existed;            /* the temporary name holds the old file after the exchange */
};

struct set {
	const char *host_root;
	struct item *v;
	size_t n;
	struct folder folders[FOLDERS_MAX];
	size_t n_folders;
};

static void set_done(struct set *s)
{
	for (size_t i = 0; i < s->n_folders; i++)
		close_p(&s->folders[i].fd);
	free(s->v);
}

static int fail(struct err *e, int errnum, const char *path, const char *step)
{
	enum status status = err_status_of(errnum);

	return err_set(e, status == STATUS_SYSTEM ? STATUS_IO : status, errnum, "cannot %s %s: %s", step,
	               path, strerror(errnum));
}

static const char *folder_of(const char *path, char ret[static PATH_MAX])
{
	const char *leaf = strrchr(path, '/') + 1;

	(void)snprintf(ret, PATH_MAX, "%.*s", leaf - path > 1 ? (int)(leaf - path) - 1 : 1, path);
	return leaf;
}

/* ---- reading */

static int refuse(int dir, const char *leaf, const char *path, struct err *e)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(dir, leaf, target, sizeof(target) - 1);

	if (len < 0)
		return err_set(e, STATUS_UNSAFE_HOST, ELOOP, "cannot replace %s: it is no file at all", path);
	target[len] = '\0';
	return err_set(e, STATUS_UNSAFE_HOST, ELOOP,
	               "cannot replace %s: it is declared elsewhere, it leads to %s (change it there)", path,
	               target);
}

/* What is at leaf: 1 a file, 0 nothing. */
static int look(int dir, const char *leaf, const char *path, struct err *e)
{
	struct stat st;

	if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(e, errno, path, "look at");
	return S_ISREG(st.st_mode) ? 1 : refuse(dir, leaf, path, e);
}

static int read_leaf(int dir, const char *leaf, const char *path, size_t max, struct buf *ret, struct err *e)
{
	CLEANUP(close_p)
	int fd = openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? fail(e, errno, path, "read") : files_read_fd(fd, path, max, ret, NULL, e);
}

int fileset_read(const char *host_root, const char *path, size_t max, struct buf *ret, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	char folder[PATH_MAX];
	const char *leaf = folder_of(path, folder);
	int r = files_open(host_root, folder, O_RDONLY | O_DIRECTORY, &dir, e);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = look(dir, leaf, path, e);
	if (r <= 0)
		return r;
	r = read_leaf(dir, leaf, path, max, ret, e);
	return r < 0 ? r : 1;
}

/* ---- the new files */

static int open_folder(struct set *s, const char *path, struct folder *f, struct err *e)
{
	CLEANUP(close_p) int found = -1;
	int r = files_open(s->host_root, path, O_RDONLY | O_DIRECTORY, &found, e);

	f->fd = -1;
	f->made = r == -ENOENT;
	(void)snprintf(f->path, sizeof(f->path), "%s", path);
	s->n_folders++;
	if (f->made)
		r = files_mkdir(s->host_root, path, 0755, &found, e);
	if (r < 0)
		return r;
	/* files_mkdir may hand out an O_PATH descriptor, which can not be synced. */
	f->fd = openat(found, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->fd < 0 ? fail(e, errno, path, "open") : 0;
}

static int find_folder(struct set *s, struct item *item, struct err *e)
{
	char path[PATH_MAX];
	int r;

	item->leaf = folder_of(item->entry->path, path);
	for (size_t i = 0; i < s->n_folders; i++)
		if (strcmp(s->folders[i].path, path) == 0) {
			item->dir = s->folders[i].fd;
			return 0;
		}
	if (s->n_folders == FOLDERS_MAX)
		return fail(e, EINVAL, item->entry->path, "write into one folder more for");
	r = open_folder(s, path, &s->folders[s->n_folders], e);
	item->dir = s->folders[s->n_folders - 1].fd;
	return r;
}

/* The new file under its temporary name, on the disk, with the owner and mode that it is to have. */
static int write_temp(struct item *item, struct err *e)
{
	const struct fileset_entry *entry = item->entry;
	CLEANUP(close_p) int fd = -1;
	int r = look(item->dir, item->leaf, entry->path, e);

	if (r < 0)
		return r;
	item->existed = r > 0;
	r = swapfile_name(item->leaf, entry->old && entry->old->len > 0 ? entry->old : NULL, item->temp);
	if (r < 0)
		return fail(e, -r, entry->path, "name a new file for");
	fd = openat(item->dir, item->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		item->temp[0] = '\0';
		return fail(e, errno, entry->path, "create a new file for");
	}
	r = files_write_fd(fd, entry->bytes, entry->len);
	if (r == 0 && item->existed)
		r = swapfile_dress(item->dir, item->leaf, fd);
	else if (r == 0 && fchmod(fd, entry->mode) < 0)
		r = -errno;
	if (r == 0 && (fsync(fd) < 0 || close(take_fd(&fd)) < 0)) /* where a quota is told of */
		r = -errno;
	return r < 0 ? fail(e, -r, entry->path, "write") : 0;
}

/* ---- in their places */

static bool holds(int dir, const char *leaf, const char *bytes, size_t len)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	return read_leaf(dir, leaf, leaf, len, &text, NULL) == 0 && text.len == len &&
	       memcmp(buf_text(&text), bytes, len) == 0;
}

/* What is under the temporary name then is ours, or somebody's who wrote meanwhile: theirs is never deleted. */
static void give_place_back(struct item *item)
{
	if (renameat2(item->dir, item->leaf, item->dir, item->temp,
	              item->existed ? RENAME_EXCHANGE : RENAME_NOREPLACE) < 0 ||
	    !holds(item->dir, item->temp, item->entry->bytes, item->entry->len))
		item->temp[0] = '\0';
}

static int take_place(struct item *item, struct err *e)
{
	const struct fileset_entry *entry = item->entry;
	const struct buf *old = entry->old;

	if (renameat2(item->dir, item->temp, item->dir, item->leaf,
	              item->existed ? RENAME_EXCHANGE : RENAME_NOREPLACE) < 0)
		return fail(e, errno, entry->path, "replace");
	if (!old || (item->existed ? holds(item->dir, item->temp, buf_text(old), old->len) : old->len == 0))
		return 0;
	give_place_back(item);
	return err_set(e, STATUS_BUSY, EBUSY, "%s was changed by somebody else meanwhile", entry->path);
}

static int take_places(struct set *s, struct err *e)
{
	int r = 0;
	size_t i;

	for (i = 0; r == 0 && i < s->n; i++)
		r = take_place(&s->v[i], e);
	if (r < 0)
		for (i--; i > 0; i--)
			give_place_back(&s->v[i - 1]);
	return r;
}

static void tidy(struct set *s, bool failed)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].temp[0])
			(void)unlinkat(s->v[i].dir, s->v[i].temp, 0);
	for (size_t i = 0; failed && i < s->n_folders; i++) {
		CLEANUP(close_p) int above = -1;
		char path[PATH_MAX];
		const char *leaf = folder_of(s->folders[i].path, path);

		if (s->folders[i].made &&
		    files_open(s->host_root, path, O_RDONLY | O_DIRECTORY, &above, NULL) == 0)
			(void)unlinkat(above, leaf,
			               AT_REMOVEDIR); /* refused while somebody has something in it */
	}
}

static int confirm(const struct set *s, struct err *e)
{
	for (size_t i = 0; i < s->n_folders; i++)
		if (fsync(s->folders[i].fd) < 0)
			return err_set(e, STATUS_IO, errno,
			               "the files in %s are saved, but not confirmed on the disk: %s",
			               s->folders[i].path, strerror(errno));
	return 0;
}

void fileset_tidy(const char *host_root, const char *path)
{
	CLEANUP(close_p) int dir = -1;
	char folder[PATH_MAX], kept[256];
	const char *leaf = folder_of(path, folder);

	if (files_open(host_root, folder, O_RDONLY | O_DIRECTORY, &dir, NULL) == 0)
		(void)swapfile_tidy(dir, leaf, kept, NULL);
}

int fileset_save(const char *host_root, const struct fileset_entry *v, size_t n, struct err *e)
{
	CLEANUP(set_done) struct set s = { .host_root = host_root, .v = calloc(n + 1, sizeof(*s.v)) };
	int r = 0;

	if (!s.v)
		return err_no_memory(e);
	for (; r == 0 && s.n < n; s.n++) {
		s.v[s.n].entry = &v[s.n];
		r = gate_ask(e, "cannot write %s", v[s.n].path);
		if (r == 0)
			r = find_folder(&s, &s.v[s.n], e);
		if (r == 0)
			r = write_temp(&s.v[s.n], e);
	}
	if (r == 0)
		r = take_places(&s, e);
	tidy(&s, r < 0);
	return r < 0 ? r : confirm(&s, e);
}

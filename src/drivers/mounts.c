#include "drivers/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"

#define MOUNTS_MAX 4096 /* detached of one tree */

struct mount_seen {
	int id;
	char *path;
};

struct mounts {
	struct mount_seen *v;
	size_t n;
};

static void mounts_done(struct mounts *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].path);
	free(m->v);
}

/* "\040" is a blank; proc(5). In place. */
static void undo_octal(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' && text[2] <= '7' &&
		    text[3] >= '0' && text[3] <= '7') {
			*to++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static int keep(struct mounts *m, int id, const char *path)
{
	struct mount_seen *grown = reallocarray(m->v, m->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	m->v = grown;
	grown[m->n] = (struct mount_seen){ .id = id, .path = strdup(path) };
	return grown[m->n].path ? (void)m->n++, 0 : -ENOMEM;
}

static int read_mounts(const char *path, struct mounts *ret, struct err *e)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	size_t size = 0, len = strlen(path);
	CLEANUP(free_p) char *line = NULL;
	int r = 0;

	if (!f)
		return err_sys(e, errno, "cannot see what is mounted");
	while (r == 0 && getline(&line, &size, f) > 0) {
		int id, at = 0;
		char *place, *end;

		if (sscanf(line, "%d %*d %*s %*s %n", &id, &at) != 1 || at == 0)
			continue;
		place = line + at;
		end = strchr(place, ' ');
		if (!end)
			continue;
		*end = '\0';
		undo_octal(place);
		if (strncmp(place, path, len) == 0 && (place[len] == '\0' || place[len] == '/'))
			r = keep(ret, id, place);
	}
	(void)fclose(f);
	return r < 0 ? err_no_memory(e) : 0;
}

int mounts_below(const char *path, struct strs *ret, struct err *e)
{
	CLEANUP(mounts_done) struct mounts m = { 0 };
	int r = read_mounts(path, &m, e);

	for (size_t i = 0; r == 0 && i < m.n; i++)
		strs_add(ret, m.v[i].path);
	return r == 0 && ret->bad ? err_no_memory(e) : r;
}

/* The mount itself, found without following a link, as a path that leads to nothing else. Keep ret_fd open. */
static int reach(int above, size_t above_len, const struct mount_seen *m, int *ret_fd, char ret[static 32])
{
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	struct statx x;

	*ret_fd = (int)syscall(SYS_openat2, above, m->path + above_len + 1, &how, sizeof(how));
	if (*ret_fd < 0 || statx(*ret_fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &x) < 0)
		return -errno;
	if (!(x.stx_mask & STATX_MNT_ID) || x.stx_mnt_id != (unsigned)m->id)
		return -EAGAIN; /* something else is mounted over it */
	(void)snprintf(ret, 32, "/proc/self/fd/%d", *ret_fd);
	return 0;
}

/* A mount that goes takes those with it that are at the same place of its parent's peers. */
static int part_from_peers(int above, size_t above_len, const struct mounts *all)
{
	for (size_t i = 0; i < all->n; i++) {
		CLEANUP(close_p) int fd = -1;
		char path[32];
		int r = reach(above, above_len, &all->v[i], &fd, path);

		if (r == 0 && mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0)
			r = -errno;
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	return 0;
}

/* The last one that can be reached: what is mounted over it is later. */
static int detach_last(int above, size_t above_len, const struct mounts *all)
{
	int r = -EAGAIN;

	for (size_t i = all->n; r < 0 && i-- > 0;) {
		CLEANUP(close_p) int fd = -1;
		char path[32];

		r = reach(above, above_len, &all->v[i], &fd, path);
		if (r == 0 && umount2(path, MNT_DETACH) < 0)
			r = -errno;
	}
	return r;
}

int mounts_detach(const char *path, struct err *e)
{
	size_t above_len = (size_t)(strrchr(path, '/') - path);
	CLEANUP(free_p) char *above = strndup(path, above_len);
	CLEANUP(close_p) int fd = -1;
	int r = gate_ask(e, "cannot unmount what is below %s", path);

	if (r == 0)
		r = above ? files_open("", above, O_PATH | O_DIRECTORY, &fd, e) : err_no_memory(e);
	for (int i = 0; r == 0 && i < MOUNTS_MAX; i++) {
		CLEANUP(mounts_done) struct mounts m = { 0 };

		r = read_mounts(path, &m, e);
		if (r < 0 || m.n == 0)
			return r;
		r = part_from_peers(fd, above_len, &m);
		if (r == 0)
			r = detach_last(fd, above_len, &m);
		if (r < 0)
			return err_set(e, STATUS_BUSY, EBUSY, "cannot unmount %s: %s", m.v[m.n - 1].path,
			               strerror(-r));
	}
	return r < 0 ? r : err_set(e, STATUS_BUSY, EBUSY, "%s: mounts keep appearing in it", path);
}

int mounts_overlay(int fd, const char *path, const char *options, struct err *e)
{
	char place[32];
	int r = gate_ask(e, "cannot mount an overlay at %s", path);

	if (r < 0)
		return r;
	(void)snprintf(place, sizeof(place), "/proc/self/fd/%d", fd);
	if (mount("overlay", place, "overlay", 0, options) == 0)
		return 0;
	return err_sys(e, errno, "cannot mount an overlay at %s", path);
}

/* Of linux/mount.h, which does not go along with every sys/mount.h. */
enum { CLOEXEC = 1, SET_STRING = 1, CMD_CREATE = 6 };

static int set_options(int fs, const char *options)
{
	CLEANUP(strs_done) struct strs all = { 0 };

	strs_split(&all, options, ",");
	for (size_t i = 0; i < all.n; i++) {
		char *value = strchr(all.v[i], '=');

		*value++ = '\0';
		if (syscall(SYS_fsconfig, fs, SET_STRING, all.v[i], value, 0) < 0)
			return -errno;
	}
	return all.bad ? -ENOMEM : 0;
}

int mounts_overlay_apart(const char *path, const char *options, int *ret, struct err *e)
{
	CLEANUP(close_p) int fs = -1;
	CLEANUP(close_p) int top = -1;
	int r = gate_ask(e, "cannot mount an overlay for %s", path);

	if (r < 0)
		return r;
	fs = (int)syscall(SYS_fsopen, "overlay", CLOEXEC);
	r = fs < 0 ? -errno : set_options(fs, options);
	if (r == 0 && syscall(SYS_fsconfig, fs, CMD_CREATE, NULL, NULL, 0) < 0)
		r = -errno;
	if (r == 0)
		top = (int)syscall(SYS_fsmount, fs, CLOEXEC, 0);
	if (r == 0 && (top < 0 || (*ret = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0))
		r = -errno;
	return r < 0 ? err_sys(e, -r, "cannot mount an overlay for %s", path) : 0;
}

int mounts_undo(const char *path, struct err *e)
{
	int r = gate_ask(e, "cannot unmount %s", path);

	if (r == 0 && umount2(path, UMOUNT_NOFOLLOW) < 0)
		r = errno == EBUSY
		            ? err_set(e, STATUS_BUSY, EBUSY, "cannot unmount %s: something uses it", path)
		            : err_sys(e, errno, "cannot unmount %s", path);
	return r;
}

/* Another name for a container: clone.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"
#include "drivers/hold.h"
#include "drivers/mounts.h"
#include "drivers/rootfs.h"
#include "engine/clone.h"
#include "engine/hostsfile.h"
#include "engine/overlay.h"
#include "engine/settle.h"
#include "engine/snapshots.h"
#include "engine/startlimit.h"

#define HOSTNAME_MAX 256

/* The folders in which a name is to change, the roots' first. */
#define FOLDERS 7

struct renaming {
	struct places from, to;
	char snapshots[SNAPSHOTS_PATH_SIZE], overlays[OVERLAY_PATH_SIZE];
	const char *folders[FOLDERS];
	bool moved[FOLDERS];
};

static bool is_in(const char *folder, const char *name)
{
	char path[SNAPSHOTS_PATH_SIZE + NAME_MACHINE_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An earlier call that was killed has given the conf its new name beside the old one. */
static bool is_one_conf(const struct places *a, const struct places *b)
{
	struct stat x, y;

	return lstat(a->conf, &x) == 0 && lstat(b->conf, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

static int look(const char *from, const char *to, struct renaming *x, struct err *e)
{
	struct places other;
	int r = places_find(from, &x->from, e);

	if (r == 0)
		r = places_new(to, &other, e);
	if (r == 0)
		r = places_own_conf(&x->from, "rename", e);
	if (r == 0)
		r = overlay_look(&x->from, "rename", e);
	if (r < 0)
		return r;
	if (strcmp(from, to) == 0)
		return err_set(e, STATUS_USAGE, EINVAL, "%s has that name already", from);
	places_name(&x->from, to, &x->to);
	snapshots_folder(&x->from, x->snapshots);
	overlay_folder(&x->from, x->overlays);
	x->folders[0] = x->from.roots;
	x->folders[1] = x->snapshots;
	x->folders[2] = PLACES_PROFILES;
	x->folders[3] = PLACES_GCROOTS;
	x->folders[4] = PLACES_HISTORY;
	x->folders[5] = PLACES_DRAFTS;
	x->folders[6] = x->overlays;
	if (x->to.has_conf && is_one_conf(&x->from, &x->to))
		return 0;
	if (places_find(to, &other, NULL) >= 0)
		return err_set(e, STATUS_BUSY, EEXIST, "the name %s is taken: %s", to,
		               other.has_conf   ? other.conf
		               : other.has_root ? other.root
		                                : "it was not destroyed to the end");
	for (size_t i = 1; i < FOLDERS; i++)
		if (is_in(x->folders[i], from) && is_in(x->folders[i], to))
			return err_set(e, STATUS_BUSY, EEXIST, "the name %s is taken: %s/%s", to,
			               x->folders[i], to);
	return 0;
}

/* Whether the system in that root is called as the container. */
static bool has_our_name(const struct places *p, const char *name)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	CLEANUP(buf_done) struct buf host = { 0 };

	return rootfs_open(p->root, ROOTFS_REFUSE, 0, &t, NULL) >= 0 &&
	       rootfs_read(&t, "etc/hostname", HOSTNAME_MAX, &host, NULL) >= 0 &&
	       strcspn(buf_text(&host), "\n") == strlen(name) &&
	       strncmp(buf_text(&host), name, strlen(name)) == 0;
}

int rename_look(const char *from, const char *to, struct strs *ret, struct err *e)
{
	struct renaming x = { 0 };
	int r = look(from, to, &x, e);

	if (r < 0)
		return r;
	if (x.from.has_conf)
		strs_addf(ret, "rename  %s", x.from.conf);
	for (size_t i = 0; i < FOLDERS; i++)
		if (is_in(x.folders[i], from))
			strs_addf(ret, "rename  %s/%s", x.folders[i], from);
	if (has_our_name(&x.from, from))
		strs_addf(ret, "write   %s/etc/hostname: %s", x.from.root, to);
	return ret->bad ? err_no_memory(e) : 0;
}

static int move(const char *folder, const char *from, const char *to, bool *ret_moved, struct err *e)
{
	CLEANUP(close_p) int dir = -1;
	int r;

	if (!is_in(folder, from))
		return 0;
	r = files_open("", folder, O_PATH | O_DIRECTORY, &dir, e);
	if (r < 0)
		return r;
	if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) < 0)
		return err_sys(e, errno, "cannot rename %s/%s", folder, from);
	*ret_moved = true;
	return 0;
}

static void move_back(struct renaming *x)
{
	for (size_t i = FOLDERS; i-- > 0;) {
		bool ignored;

		if (x->moved[i])
			(void)move(x->folders[i], x->to.name, x->from.name, &ignored, NULL);
	}
}

/* Both names for a moment: at no time is there a root without a conf. */
static int link_conf(const struct renaming *x, int dir, struct err *e)
{
	const char *from = strrchr(x->from.conf, '/') + 1, *to = strrchr(x->to.conf, '/') + 1;

	if (!x->from.has_conf || linkat(dir, from, dir, to, 0) == 0)
		return 0;
	if (errno == EEXIST && is_one_conf(&x->from, &x->to))
		return 0;
	return err_sys(e, errno, "cannot make %s", x->to.conf);
}

static int look_at_root(const struct renaming *x, struct rootfs *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs mounts = { 0 };
	int r = mounts_below(x->from.root, &mounts, e);

	if (r < 0)
		return r;
	if (mounts.n > 0)
		return err_set(e, STATUS_BUSY, EBUSY, "cannot rename %s: still mounted: %s", x->from.name,
		               mounts.v[mounts.n - 1]);
	ret->path = strdup(x->from.root);
	ret->fd = open(x->from.root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!ret->path)
		return err_no_memory(e);
	return ret->fd < 0 ? 0 : rootfs_lock(ret, e);
}

static void rename_host(const struct renaming *x, struct strs *warnings)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	char name[NAME_MACHINE_MAX + 2];
	struct err e;

	if (!has_our_name(&x->to, x->from.name) || rootfs_open(x->to.root, ROOTFS_REFUSE, 0, &t, NULL) < 0)
		return;
	(void)snprintf(name, sizeof(name), "%s\n", x->to.name);
	if (rootfs_put(&t, "etc/hostname", 0644, name, strlen(name), &e) < 0)
		strs_addf(warnings, "its host name inside is %s: %s", x->from.name, e.text);
}

/* While the conf has both names: who is killed in here does it again. */
static void settle_root(const struct renaming *x, struct strs *warnings)
{
	struct err e;

	if (overlay_attach(&x->to, &e) < 0)
		strs_addf(warnings, "%s is %s now, but its root is not mounted: %s", x->from.name, x->to.name,
		          e.text);
	rename_host(x, warnings);
}

static int move_all(struct renaming *x, struct strs *warnings, struct err *e)
{
	CLEANUP(close_p) int confs = -1;
	CLEANUP(rootfs_done) struct rootfs root = { .fd = -1 };
	int r = overlay_detach(&x->from, e);

	if (r < 0)
		return err_wrap(e, r, "cannot rename %s", x->from.name);
	r = look_at_root(x, &root, e);
	if (r == 0 && x->from.has_conf)
		r = files_open("", x->from.confs, O_RDONLY | O_DIRECTORY, &confs, e);
	if (r == 0)
		r = link_conf(x, confs, e);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < FOLDERS; i++)
		r = move(x->folders[i], x->from.name, x->to.name, &x->moved[i], e);
	if (r < 0)
		move_back(x);
	else
		settle_root(x, warnings);
	if (x->from.has_conf)
		(void)unlinkat(confs, strrchr(r < 0 ? x->to.conf : x->from.conf, '/') + 1, 0);
	if (r == 0 && confs >= 0 && fsync(confs) < 0)
		r = err_sys(e, errno, "%s has its new name, but that is not confirmed on the disk",
		            x->to.conf);
	return r;
}

int rename_container(const char *from, const char *to, struct strs *warnings, struct err *e)
{
	CLEANUP(hold_done) struct hold held_from = { .fd = -1 };
	CLEANUP(hold_done) struct hold held_to = { .fd = -1 };
	struct renaming x = { 0 };
	char unit[NAME_UNIT_SIZE];
	struct err ignored;
	int r = gate_ask(e, "cannot rename %s", from);

	if (r == 0)
		r = look(from, to, &x, e);
	if (r == 0)
		r = hold_name(from, &held_from, e);
	if (r == 0)
		r = hold_name(to, &held_to, e);
	if (r == 0)
		r = look(from, to, &x, e); /* the locks may have been waited for */
	if (r == 0 && settle_is_up(from))
		r = err_set(e, STATUS_BUSY, EBUSY, "cannot rename %s: it is running (machdeck stop %s)", from,
		            from);
	if (r == 0)
		r = move_all(&x, warnings, e);
	if (r < 0)
		(void)overlay_attach(&x.from, NULL);
	if (r < 0)
		return r;
	places_unlink_journals(&x.from); /* the next start makes them for the new name */
	places_unlink_rests(&x.from);
	startlimit_forget(from);
	hostsfile_refresh("", warnings);
	name_unit(from, unit);
	if (settle_reread(unit, &ignored) < 0)
		strs_addf(warnings, "%s is %s now, but systemd was not told: %s", from, to, ignored.text);
	return 0;
}

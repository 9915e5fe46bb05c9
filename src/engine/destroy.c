#include "engine/destroy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "decide/plan.h"
#include "drivers/files.h"
#include "drivers/hold.h"
#include "drivers/mounts.h"
#include "drivers/rootfs.h"
#include "drivers/wipe.h"
#include "engine/hostsfile.h"
#include "engine/overlay.h"
#include "engine/places.h"
#include "engine/settle.h"
#include "engine/snapshots.h"
#include "engine/startlimit.h"

void destroy_look_done(struct destroy_look *l)
{
	strs_done(&l->removed);
	strs_done(&l->mounts);
	*l = (struct destroy_look){ 0 };
}

static void add_if_there(struct strs *to, const char *folder, const char *leaf)
{
	CLEANUP(free_p) char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, leaf) < 0) {
		path = NULL;
		to->bad = true;
	} else if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		strs_add(to, path);
	}
}

int destroy_look(const char *name, struct destroy_look *ret, struct err *e)
{
	CLEANUP(destroy_look_done) struct destroy_look l = { 0 };
	CLEANUP(strs_done) struct strs trash = { 0 };
	char snapshots[SNAPSHOTS_PATH_SIZE], overlays[OVERLAY_PATH_SIZE];
	struct places p;
	int r = places_find(name, &p, e);

	if (r == 0)
		r = places_own_conf(&p, "destroy", e);
	if (r == 0)
		r = overlay_look(&p, "destroy", e);
	if (r == 0)
		r = places_temps(p.roots, "trash", name, &trash, e);
	if (r == 0 && p.has_root)
		r = overlay_mounts(&p, &l.mounts, e);
	if (r < 0)
		return r;
	l.running = settle_is_up(name);
	add_if_there(&l.removed, p.roots, name);
	for (size_t i = 0; i < trash.n; i++)
		add_if_there(&l.removed, p.roots, trash.v[i]);
	snapshots_folder(&p, snapshots);
	add_if_there(&l.removed, snapshots, name);
	overlay_folder(&p, overlays);
	add_if_there(&l.removed, overlays, name);
	add_if_there(&l.removed, PLACES_PROFILES, name);
	add_if_there(&l.removed, PLACES_GCROOTS, name);
	add_if_there(&l.removed, PLACES_HISTORY, name);
	add_if_there(&l.removed, PLACES_DRAFTS, name);
	if (p.has_conf)
		strs_add(&l.removed, p.conf);
	if (l.removed.bad)
		return err_no_memory(e);
	*ret = l;
	l = (struct destroy_look){ 0 };
	return 0;
}

static int look_whether_up(const char *name, const struct destroy_options *o, const struct progress *progress,
                           struct err *e)
{
	int r;

	if (!o->running) {
		if (settle_is_up(name))
			return err_set(e, STATUS_BUSY, EBUSY,
			               "cannot destroy %s: it is running (machdeck stop %s)", name, name);
		return 0;
	}
	progress_say(progress, "%s: it is stopped", name);
	r = settle_control(o->now ? CONTROL_TERMINATE : CONTROL_STOP, name, progress, e);
	/* One that had to be killed is down all the same. */
	if (r < 0 && r != -ECANCELED && !settle_is_up(name))
		return 0;
	return r < 0 ? err_wrap(e, r, "cannot destroy %s", name) : 0;
}

static int look_at_mounts(const struct places *p, const struct destroy_options *o, struct err *e)
{
	CLEANUP(strs_done) struct strs mounts = { 0 };
	int r = overlay_mounts(p, &mounts, e);

	if (r == 0 && mounts.n == 0)
		r = overlay_detach(p, e);
	if (r < 0 || mounts.n == 0)
		return r;
	if (o->detach)
		return mounts_detach(p->root, e);
	return err_set(e, STATUS_BUSY, EBUSY,
	               "cannot destroy %s: still mounted: %s%s (umount it, or destroy with --detach: what is "
	               "mounted "
	               "there stays where it is from)",
	               p->name, mounts.v[mounts.n - 1], mounts.n > 1 ? ", and more" : "");
}

/* Whoever runs or prepares the tree has a lock on it, as we have until rootfs_done(). One whose owner is not root's may
 * be deleted all the same; what is no folder has fd -1. */
static int lock_root(int roots, const struct places *p, struct rootfs *ret, struct err *e)
{
	*ret = (struct rootfs){ .path = strdup(p->root) };
	ret->fd = openat(roots, p->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!ret->path)
		return err_no_memory(e);
	return ret->fd < 0 ? 0 : rootfs_lock(ret, e);
}

/* The root gets a name that nothing starts. A link in its place is only unlinked, later. */
static int put_away(int roots, const struct places *p, struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	char temp[PLACES_TEMP_SIZE];
	int r = lock_root(roots, p, &t, e);

	if (r == 0)
		r = places_temp("trash", p->name, temp, e);
	if (r < 0)
		return r;
	if (renameat2(roots, p->name, roots, temp, RENAME_NOREPLACE) < 0 && errno != ENOENT)
		return err_sys(e, errno, "cannot destroy %s: cannot put %s away", p->name, p->root);
	return 0;
}

static int wipe_temps(int roots, const struct places *p, const struct progress *progress, struct err *e)
{
	CLEANUP(strs_done) struct strs trash = { 0 };
	int r = places_temps(p->roots, "trash", p->name, &trash, e);

	if (r == 0) /* what others that were killed had begun */
		r = places_temps(p->roots, "new", p->name, &trash, e);
	for (size_t i = 0; r == 0 && i < trash.n; i++) {
		CLEANUP(free_p) char *shown = NULL;

		if (asprintf(&shown, "%s/%s", p->roots, trash.v[i]) < 0)
			return shown = NULL, err_no_memory(e);
		progress_say(progress, "%s: its root is deleted", p->name);
		r = wipe_tree(roots, trash.v[i], shown, progress, e);
	}
	return r;
}

static int wipe_below(const char *folder, const char *leaf, const struct progress *progress, struct err *e)
{
	CLEANUP(free_p) char *shown = NULL;
	CLEANUP(close_p) int above = -1;
	int r = files_open("", folder, O_RDONLY | O_DIRECTORY, &above, e);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (asprintf(&shown, "%s/%s", folder, leaf) < 0)
		return shown = NULL, err_no_memory(e);
	return wipe_tree(above, leaf, shown, progress, e);
}

static int remove_conf(const struct places *p, struct err *e)
{
	CLEANUP(close_p) int above = -1;
	int r;

	if (!p->has_conf)
		return 0;
	r = files_open("", p->confs, O_RDONLY | O_DIRECTORY, &above, e);
	if (r == 0)
		r = places_own_conf(p, "destroy", e);
	if (r < 0)
		return r;
	if (unlinkat(above, strrchr(p->conf, '/') + 1, 0) < 0 && errno != ENOENT)
		return err_sys(e, errno, "cannot remove %s", p->conf);
	return fsync(above) < 0
	               ? err_sys(e, errno, "%s is removed, but that is not confirmed on the disk", p->conf)
	               : 0;
}

static int remove_all(int roots, const struct places *p, const struct destroy_options *o,
                      const struct progress *progress, struct err *e)
{
	static const char *const beside[] = { PLACES_BASE, PLACES_EARLIER };
	int r = p->has_root ? look_at_mounts(p, o, e) : 0;

	if (r == 0)
		r = put_away(roots, p, e);
	if (r == 0) {
		places_unlink_journals(p);
		places_unlink_rests(p);
	}
	if (r == 0)
		r = wipe_temps(roots, p, progress, e);
	if (r == 0)
		r = overlay_forget(p, progress, e);
	if (r == 0)
		r = snapshots_forget(p, progress, e);
	if (r == 0)
		r = wipe_below(PLACES_PROFILES, p->name, progress, e);
	if (r == 0)
		r = wipe_below(PLACES_GCROOTS, p->name, progress, e);
	if (r == 0)
		r = wipe_below(PLACES_HISTORY, p->name, progress, e);
	if (r == 0)
		r = wipe_below(PLACES_DRAFTS, p->name, progress, e);
	for (size_t i = 0; r == 0 && i < COUNT(beside); i++) {
		char draft[sizeof(p->name) + sizeof(PLACES_EARLIER)];

		(void)snprintf(draft, sizeof(draft), "%s%s", p->name, beside[i]);
		r = wipe_below(PLACES_DRAFTS, draft, progress, e);
	}
	if (r == 0)
		r = wipe_below(PLAN_RUN_DIR, p->name, progress, e);
	if (r == 0)
		startlimit_forget(p->name);
	return r == 0 ? remove_conf(p, e) : r;
}

int destroy_container(const char *name, const struct destroy_options *o, const struct progress *progress,
                      struct strs *warnings, struct err *e)
{
	CLEANUP(hold_done) struct hold hold = { .fd = -1 };
	CLEANUP(close_p) int roots = -1;
	char unit[NAME_UNIT_SIZE];
	struct places p;
	struct err ignored;
	int r = gate_ask(e, "cannot destroy %s", name);

	if (r == 0)
		r = places_hold(name, &hold, &p, e);
	if (r == 0)
		r = places_own_conf(&p, "destroy", e);
	if (r == 0)
		r = overlay_look(&p, "destroy", e);
	if (r == 0 && (p.has_conf || p.has_root))
		r = look_whether_up(name, o, progress, e);
	if (r == 0)
		r = places_open_roots(&p, &roots, e);
	if (r == 0)
		r = remove_all(roots, &p, o, progress, e);
	if (r < 0)
		return r;
	hostsfile_refresh("", warnings);
	name_unit(name, unit);
	if (settle_reread(unit, &ignored) < 0)
		strs_addf(warnings, "%s is gone, but systemd was not told: %s", name, ignored.text);
	return 0;
}

static int add_owners(const char *roots, struct strs *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs trash = { 0 };
	int r = places_temps(roots, "trash", NULL, &trash, e);

	for (size_t i = 0; r == 0 && i < trash.n; i++) {
		char owner[NAME_MACHINE_MAX + 1];

		places_temp_owner(trash.v[i], "trash", owner);
		if (!strs_has(ret, owner))
			strs_add(ret, owner);
	}
	return r;
}

int destroy_leftovers(struct strs *ret, struct err *e)
{
	int r = add_owners("/var/lib/nixos-containers", ret, e);

	if (r == 0)
		r = add_owners("/var/lib/containers", ret, e);
	strs_sort(ret);
	return r == 0 && ret->bad ? err_no_memory(e) : r;
}

#include "engine/snapshots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "drivers/files.h"
#include "drivers/hold.h"
#include "drivers/mounts.h"
#include "drivers/rootfs.h"
#include "drivers/subvolume.h"
#include "drivers/treecopy.h"
#include "drivers/wipe.h"
#include "engine/beginning.h"
#include "engine/load.h"
#include "engine/overlay.h"
#include "engine/settle.h"

#define SAME_SECOND_MAX 99

void snapshots_folder(const struct places *p, char ret[static SNAPSHOTS_PATH_SIZE])
{
	(void)snprintf(ret, SNAPSHOTS_PATH_SIZE, "%s/.snapshots", p->roots);
}

/* ---- where they are */

void snapshots_own_folder(const struct places *p, char ret[static SNAPSHOTS_OWN_SIZE])
{
	char all[SNAPSHOTS_PATH_SIZE];

	snapshots_folder(p, all);
	(void)snprintf(ret, SNAPSHOTS_OWN_SIZE, "%s/%s", all, p->name);
}

static int open_own(const struct places *p, bool make, int *ret, struct err *e)
{
	CLEANUP(close_p) int above = -1;
	char all[SNAPSHOTS_PATH_SIZE], own[SNAPSHOTS_OWN_SIZE];
	int r;

	snapshots_folder(p, all);
	snapshots_own_folder(p, own);
	if (!make)
		return files_open("", own, O_RDONLY | O_DIRECTORY, ret, e);
	r = files_mkdir("", all, 0700, &above, e);
	close_p(&above);
	above = -1;
	if (r == 0)
		r = files_mkdir("", own, 0700, &above, e);
	if (r < 0)
		return r;
	*ret = openat(above, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? err_sys(e, errno, "cannot open %s", own) : 0;
}

static int check_snapshot(const char *snapshot, struct err *e)
{
	return name_is_machine(snapshot)
	               ? 0
	               : err_set(e, STATUS_USAGE, EINVAL,
	                         "'%s' can not be a snapshot's name (letters, digits, inner '-' and '.')",
	                         snapshot);
}

static int absent(const struct places *p, const char *snapshot, struct err *e)
{
	return err_set(e, STATUS_NO_CONTAINER, ENOENT,
	               "%s has no snapshot %s (`machdeck snapshots %s` shows all)", p->name, snapshot,
	               p->name);
}

static int open_snapshot(const struct places *p, const char *snapshot, int *ret_own, int *ret, struct err *e)
{
	int r = check_snapshot(snapshot, e);

	if (r == 0)
		r = open_own(p, false, ret_own, e);
	if (r == -ENOENT)
		return absent(p, snapshot, e);
	if (r < 0)
		return r;
	*ret = openat(*ret_own, snapshot, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret >= 0         ? 0
	       : errno == ENOENT ? absent(p, snapshot, e)
	                         : err_sys(e, errno, "cannot open %s", snapshot);
}

/* ---- copies */

/* leaf in the folder to becomes a copy of the tree from; nothing of it is left after a failure. */
static int copy(int from, const char *shown, int to, const char *leaf, bool read_only, enum treecopy_how how,
                const struct progress *p, enum built *ret_how, struct err *e)
{
	CLEANUP(close_p) int fd = -1;
	struct treecopied done = { 0 };
	int r = subvolume_snapshot(from, to, leaf, read_only);

	*ret_how = BUILT_SNAPSHOT;
	if (r == 0)
		return 0;
	r = subvolume_make(to, leaf, 0700);
	if (r < 0)
		return err_sys(e, -r, "cannot make a copy of %s", shown);
	fd = openat(to, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? err_sys(e, errno, "cannot open the copy of %s", shown)
	           : treecopy(from, fd, shown, how, p, &done, e);
	if (r < 0) {
		(void)wipe_tree(to, leaf, leaf, NULL, NULL);
		return r;
	}
	*ret_how = done.shared ? BUILT_SHARED : BUILT_COPIED;
	return 0;
}

static int open_root(const struct places *p, struct rootfs *ret, struct err *e)
{
	ret->path = strdup(p->root);
	ret->fd = open(p->root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!ret->path)
		return err_no_memory(e);
	return ret->fd < 0 ? err_sys(e, errno, "%s", p->root) : 0;
}

static void name_by_time(const char *before, char ret[static NAME_MACHINE_MAX + 1])
{
	time_t now = time(NULL);
	struct tm t;
	char text[32];

	(void)strftime(text, sizeof(text), "%Y%m%d-%H%M%S", gmtime_r(&now, &t));
	(void)snprintf(ret, NAME_MACHINE_MAX + 1, "%s%s", before, text);
}

static void name_before(const char *what, char ret[static NAME_MACHINE_MAX + 1])
{
	char before[NAME_MACHINE_MAX];

	(void)snprintf(before, sizeof(before), "before-%.24s-", what);
	name_by_time(before, ret);
}

static int take(const struct places *p, const char *snapshot, bool share, const struct progress *progress,
                enum built *ret_how, struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs root = { .fd = -1 };
	CLEANUP(close_p) int own = -1;
	char temp[PLACES_TEMP_SIZE];
	int r = overlay_attach(p, e); /* else it looks empty */

	if (r == 0)
		r = open_root(p, &root, e);
	if (r < 0)
		return r;
	if (!subvolume_is(root.fd)) {
		if (settle_is_up(p->name))
			return err_set(e, STATUS_BUSY, EBUSY,
			               "cannot copy the root of %s: it is running (machdeck stop %s)",
			               p->name, p->name);
		r = rootfs_lock_shared(&root, e);
	}
	if (r == 0)
		r = open_own(p, true, &own, e);
	if (r == 0)
		r = places_temp("new", p->name, temp, e);
	if (r == 0)
		r = copy(root.fd, p->root, own, temp, true, share ? TREECOPY_SHARE : TREECOPY_SHARE_OR_COPY,
		         progress, ret_how, e);
	if (r < 0)
		return r;
	if (renameat2(own, temp, own, snapshot, RENAME_NOREPLACE) == 0)
		return 0;
	r = errno == EEXIST
	            ? err_set(e, STATUS_BUSY, EEXIST, "%s has a snapshot %s already", p->name, snapshot)
	            : err_sys(e, errno, "cannot make the snapshot %s", snapshot);
	(void)wipe_tree(own, temp, temp, NULL, NULL);
	return r;
}

/* Another one of the same second is name-2 and so on. For who holds the machine's name. */
static void number(const struct places *p, char name[static NAME_MACHINE_MAX + 1])
{
	char first[NAME_MACHINE_MAX + 1], path[SNAPSHOTS_OWN_SIZE + NAME_MACHINE_MAX + 1];

	memcpy(first, name, sizeof(first));
	for (unsigned i = 2; i <= SAME_SECOND_MAX; i++) {
		snapshots_own_folder(p, path);
		(void)snprintf(path + strlen(path), NAME_MACHINE_MAX + 2, "/%s", name);
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return;
		(void)snprintf(name, NAME_MACHINE_MAX + 1, "%.*s-%u", NAME_MACHINE_MAX - 11, first, i);
	}
}

/* timed: chosen is by the time, and becomes another one when that is taken. */
static int take_as(const char *name, char chosen[static NAME_MACHINE_MAX + 1], bool timed, bool full,
                   const struct progress *progress, enum built *ret_how, struct err *e)
{
	CLEANUP(hold_done) struct hold hold = { .fd = -1 };
	struct places p = { 0 };
	int r = gate_ask(e, "cannot make a snapshot of %s", name);

	if (r == 0)
		r = places_hold(name, &hold, &p, e);
	if (r == 0 && timed)
		number(&p, chosen);
	if (r == 0)
		r = take(&p, chosen, !full, progress, ret_how, e);
	return r == -EOPNOTSUPP ? err_wrap(e, r,
	                                   "cannot make a snapshot of %s (`machdeck snapshot --copy %s` "
	                                   "makes a full copy)",
	                                   name, name)
	                        : r;
}

int snapshots_take(const char *name, const char *snapshot, bool full, const struct progress *progress,
                   char ret[static NAME_MACHINE_MAX + 1], enum built *ret_how, struct err *e)
{
	char chosen[NAME_MACHINE_MAX + 1];
	int r;

	if (snapshot[0])
		(void)snprintf(chosen, sizeof(chosen), "%.*s", NAME_MACHINE_MAX, snapshot);
	else
		name_by_time("", chosen);
	r = check_snapshot(snapshot[0] ? snapshot : chosen, e);
	if (r == 0)
		r = take_as(name, chosen, !snapshot[0], full, progress, ret_how, e);
	if (r == 0)
		memcpy(ret, chosen, sizeof(chosen));
	return r;
}

int snapshots_take_before(const char *name, const char *what, const struct progress *progress,
                          char ret[static NAME_MACHINE_MAX + 1], struct err *e)
{
	char chosen[NAME_MACHINE_MAX + 1];
	enum built how;
	int r;

	name_before(what, chosen);
	r = take_as(name, chosen, true, false, progress, &how, e);
	if (r == 0)
		memcpy(ret, chosen, sizeof(chosen));
	return r;
}

int snapshots_take_held(const struct places *p, const char *snapshot, const struct progress *progress,
                        char ret[static NAME_MACHINE_MAX + 1], enum built *ret_how, struct err *e)
{
	int r = check_snapshot(snapshot, e);

	if (r == 0)
		r = take(p, snapshot, true, progress, ret_how, e);
	if (r == 0)
		(void)snprintf(ret, NAME_MACHINE_MAX + 1, "%s", snapshot);
	return r;
}

/* ---- going back */

/* What a root becomes. */
struct state {
	int fd; /* a copy of that folder; -1: what begun makes, or else an empty one, or of an overlay what is below it */
	bool builds;
	struct beginning begun;
};

static void state_done(struct state *s)
{
	close_p(&s->fd);
	beginning_done(&s->begun);
}

/* The new root is at temp; the old one becomes the snapshot backup. Each step leaves a whole root in place. */
static int exchange(const struct places *p, int roots, const char *temp,
                    char backup[static NAME_MACHINE_MAX + 1], struct err *e)
{
	CLEANUP(close_p) int own = -1;
	int r = open_own(p, true, &own, e);

	if (r < 0)
		return r;
	if (!p->has_root)
		return renameat2(roots, temp, roots, p->name, RENAME_NOREPLACE) < 0
		               ? err_sys(e, errno, "cannot make %s", p->root)
		               : 0;
	if (renameat2(roots, temp, roots, p->name, RENAME_EXCHANGE) < 0)
		return err_sys(e, errno, "cannot exchange %s", p->root);
	number(p, backup);
	if (renameat2(roots, temp, own, backup, RENAME_NOREPLACE) == 0)
		return 0;
	r = err_sys(e, errno, "cannot keep the old root of %s as %s", p->name, backup);
	(void)renameat2(roots, temp, roots, p->name, RENAME_EXCHANGE);
	return r;
}

static int look_whether_down(const struct places *p, struct rootfs *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs mounts = { 0 };
	int r;

	if (settle_is_up(p->name))
		return err_set(e, STATUS_BUSY, EBUSY,
		               "cannot exchange the root of %s: it is running (machdeck stop %s)", p->name,
		               p->name);
	r = overlay_mounts(p, &mounts, e);
	if (r == 0 && mounts.n > 0)
		return err_set(e, STATUS_BUSY, EBUSY, "cannot exchange the root of %s: still mounted: %s",
		               p->name, mounts.v[0]);
	if (r < 0 || !p->has_root)
		return r;
	r = open_root(p, ret, e);
	return r < 0 ? r : rootfs_lock(ret, e);
}

static int make_root(const struct places *p, const struct state *to, const char *word, int roots,
                     const char *temp, const struct progress *progress, struct err *e)
{
	CLEANUP(strs_done) struct strs ignored = { 0 };
	enum built how;
	int r;

	if (to->fd >= 0)
		return copy(to->fd, word, roots, temp, false, TREECOPY_SHARE_OR_COPY, progress, &how, e);
	if (to->builds)
		return build_root(&to->begun.build, p, roots, temp, progress, &how, &ignored, e);
	r = subvolume_make(roots, temp, 0755);
	return r < 0 ? err_sys(e, -r, "cannot make a root for %s", p->name) : 0;
}

static int put_root(const struct places *p, const struct state *to, const char *word,
                    const struct progress *progress, char ret[static NAME_MACHINE_MAX + 1], struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs root = { .fd = -1 };
	CLEANUP(close_p) int roots = -1;
	char temp[PLACES_TEMP_SIZE];
	int r = look_whether_down(p, &root, e);

	if (r == 0)
		r = places_open_roots(p, &roots, e);
	if (r == 0)
		r = places_temp("new", p->name, temp, e);
	if (r == 0)
		r = make_root(p, to, word, roots, temp, progress, e);
	if (r < 0)
		return r;
	name_before(word, ret);
	r = exchange(p, roots, temp, ret, e);
	if (r < 0)
		(void)wipe_tree(roots, temp, temp, NULL, NULL);
	return r;
}

/* An overlay's root becomes a tree of its own. Who is killed in between finds all in snapshots. */
static int replace_overlay(const struct places *p, int from, const char *word,
                           const struct progress *progress, struct err *e)
{
	CLEANUP(close_p) int roots = -1;
	char temp[PLACES_TEMP_SIZE];
	enum built how;
	int r = places_open_roots(p, &roots, e);

	if (r == 0)
		r = places_temp("new", p->name, temp, e);
	if (r == 0)
		r = copy(from, word, roots, temp, false, TREECOPY_SHARE_OR_COPY, progress, &how, e);
	if (r < 0)
		return r;
	r = overlay_detach(p, e);
	if (r == 0)
		r = overlay_disown(p, e);
	if (r == 0 && renameat2(roots, temp, roots, p->name, RENAME_NOREPLACE) < 0)
		r = err_sys(e, errno, "cannot make %s", p->root);
	if (r < 0) {
		(void)wipe_tree(roots, temp, temp, NULL, NULL);
		(void)overlay_attach(p, NULL);
		return r;
	}
	return overlay_forget(p, progress, e);
}

/* The mount's unit goes, or sees that it was mounted anew. */
static int tell_systemd(const struct places *p, struct err *e)
{
	char unit[NAME_UNIT_SIZE];
	int r;

	name_unit(p->name, unit);
	r = settle_reread(unit, e);
	return r < 0 ? err_wrap(e, r, "%s is exchanged, but systemd was not told", p->name) : 0;
}

/* from -1: what is below it. What it is now is kept first: a full copy, for it takes what is below, too. */
static int put_overlay(const struct places *p, int from, const char *word, const struct progress *progress,
                       char ret[static NAME_MACHINE_MAX + 1], struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs root = { .fd = -1 };
	enum built how;
	int r = look_whether_down(p, &root, e);

	rootfs_done(&root); /* else it could not be unmounted */
	name_before(word, ret);
	number(p, ret);
	if (r == 0)
		r = take(p, ret, false, progress, &how, e);
	if (r < 0)
		return r;
	r = from < 0 ? overlay_renew(p, build_part, progress, e)
	             : replace_overlay(p, from, word, progress, e);
	if (r < 0)
		return err_wrap(e, r, "%s is kept as %s, but not exchanged", p->name, ret);
	return tell_systemd(p, e);
}

static bool is_nix(const char *name)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };

	return load_plan("", name, &l, NULL) >= 0 && l.plan.kind == KIND_NIX;
}

/* ret: its fd is -1 before. */
static int find_state(const struct places *p, const char *snapshot, struct state *ret, struct err *e)
{
	char of[NAME_MACHINE_MAX + 1];
	CLEANUP(close_p) int own = -1;
	int r = overlay_look(p, "exchange the root of", e);

	if (r < 0 || (!snapshot && (overlay_of(p, of) || is_nix(p->name))))
		return r;
	r = open_snapshot(p, snapshot ? snapshot : SNAPSHOTS_BASE, &own, &ret->fd, e);
	if (r == -ENOENT && !snapshot && beginning_read(p, &ret->begun)) {
		ret->builds = true;
		return build_check(&ret->begun.build, p, e);
	}
	if (r == -ENOENT && !snapshot)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT,
		               "it is not known where %s began: there is no snapshot \"" SNAPSHOTS_BASE
		               "\" (machdeck snapshot --copy %s " SNAPSHOTS_BASE
		               " makes one of what it is now)",
		               p->name, p->name);
	return r;
}

static int put(const struct places *p, const struct state *to, const char *word,
               const struct progress *progress, char ret[static NAME_MACHINE_MAX + 1], struct err *e)
{
	char of[NAME_MACHINE_MAX + 1];
	bool was_overlay = overlay_left(p);
	struct places now; /* the folder that it was mounted on may be gone */
	int r;

	if (overlay_of(p, of))
		return put_overlay(p, to->fd, word, progress, ret, e);
	r = overlay_detach(p, e); /* of a restore that was killed */
	places_name(p, p->name, &now);
	if (r == 0)
		r = put_root(&now, to, word, progress, ret, e);
	if (r == 0 && was_overlay)
		r = overlay_forget(p, progress, e);
	return r == 0 && was_overlay ? tell_systemd(p, e) : r;
}

static int go_back(const char *name, const char *snapshot, const struct progress *progress,
                   char ret[static NAME_MACHINE_MAX + 1], struct err *e)
{
	CLEANUP(hold_done) struct hold hold = { .fd = -1 };
	CLEANUP(state_done) struct state to = { .fd = -1 };
	struct places p = { 0 };
	int r = gate_ask(e, "cannot exchange the root of %s", name);

	if (r == 0)
		r = places_hold(name, &hold, &p, e);
	if (r == 0)
		r = find_state(&p, snapshot, &to, e);
	return r < 0 ? r : put(&p, &to, snapshot ? snapshot : "reset", progress, ret, e);
}

int snapshots_restore(const char *name, const char *snapshot, const struct progress *progress,
                      char ret[static NAME_MACHINE_MAX + 1], struct err *e)
{
	return go_back(name, snapshot, progress, ret, e);
}

int snapshots_reset(const char *name, const struct progress *progress, char ret[static NAME_MACHINE_MAX + 1],
                    struct err *e)
{
	return go_back(name, NULL, progress, ret, e);
}

int snapshots_check(const char *name, const char *snapshot, struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs root = { .fd = -1 };
	CLEANUP(state_done) struct state to = { .fd = -1 };
	struct places p = { 0 };
	int r = places_find(name, &p, e);

	if (r == 0)
		r = find_state(&p, snapshot, &to, e);
	return r < 0 ? r : look_whether_down(&p, &root, e);
}

/* ---- letting go */

int snapshots_delete(const char *name, const char *snapshot, const struct progress *progress, struct err *e)
{
	CLEANUP(hold_done) struct hold hold = { .fd = -1 };
	CLEANUP(close_p) int own = -1;
	CLEANUP(close_p) int state = -1;
	struct places p = { 0 };
	int r = gate_ask(e, "cannot delete a snapshot of %s", name);

	if (r == 0)
		r = places_hold(name, &hold, &p, e);
	if (r == 0)
		r = open_snapshot(&p, snapshot, &own, &state, e);
	return r < 0 ? r : wipe_tree(own, snapshot, snapshot, progress, e);
}

int snapshots_forget(const struct places *p, const struct progress *progress, struct err *e)
{
	CLEANUP(free_p) char *shown = NULL;
	CLEANUP(close_p) int above = -1;
	char folder[SNAPSHOTS_PATH_SIZE];
	int r;

	snapshots_folder(p, folder);
	r = files_open("", folder, O_RDONLY | O_DIRECTORY, &above, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (asprintf(&shown, "%s/%s", folder, p->name) < 0)
		return shown = NULL, err_no_memory(e);
	r = wipe_tree(above, p->name, shown, progress, e);
	if (r == 0)
		(void)rmdir(folder); /* the last one takes it along */
	return r;
}

#include "engine/overlay.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "decide/overlay.h"
#include "drivers/files.h"
#include "drivers/hold.h"
#include "drivers/mounts.h"
#include "drivers/rootfs.h"
#include "drivers/wipe.h"

#define SHOWN_MAX 5
#define OWN_SIZE  (OVERLAY_PATH_SIZE + NAME_MACHINE_MAX + 8)

void overlay_folder(const struct places *p, char ret[static OVERLAY_PATH_SIZE])
{
	(void)snprintf(ret, OVERLAY_PATH_SIZE, "%s/" OVERLAY_FOLDER, p->roots);
}

static void own_path(const struct places *p, char ret[static OWN_SIZE])
{
	(void)snprintf(ret, OWN_SIZE, "%s/" OVERLAY_FOLDER "/%s", p->roots, p->name);
}

bool overlay_read(const char *roots, const char *name, char ret[static NAME_MACHINE_MAX + 1])
{
	char path[OWN_SIZE], of[NAME_MACHINE_MAX + 1];
	ssize_t len;

	(void)snprintf(path, sizeof(path), "%s/" OVERLAY_FOLDER "/%.*s/of", roots, NAME_MACHINE_MAX, name);
	len = readlink(path, of, sizeof(of));
	if (len < 0 || (size_t)len >= sizeof(of))
		return false;
	of[len] = '\0';
	memcpy(ret, of, (size_t)len + 1);
	return name_is_machine(of);
}

bool overlay_of(const struct places *p, char ret[static NAME_MACHINE_MAX + 1])
{
	return overlay_read(p->roots, p->name, ret);
}

bool overlay_left(const struct places *p)
{
	char own[OWN_SIZE];

	own_path(p, own);
	return faccessat(AT_FDCWD, own, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Those that there are, of whomever; for root. */
static int list(const struct places *p, struct strs *ret, struct err *e)
{
	CLEANUP(closedir_p) DIR *folder = NULL;
	char all[OVERLAY_PATH_SIZE];

	overlay_folder(p, all);
	folder = opendir(all);
	if (!folder)
		return errno == ENOENT || (errno == EACCES && geteuid() != 0)
		               ? 0
		               : err_sys(e, errno, "cannot read %s", all);
	for (struct dirent *entry; (errno = 0, entry = readdir(folder));)
		if (name_is_machine(entry->d_name))
			strs_add(ret, entry->d_name);
	if (errno)
		return err_sys(e, errno, "cannot read %s", all);
	strs_sort(ret);
	return ret->bad ? err_no_memory(e) : 0;
}

static bool is_there(const struct places *p, const char *name)
{
	struct places other;

	places_name(p, name, &other);
	return other.has_conf || other.has_root;
}

int overlay_over(const struct places *p, struct strs *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs all = { 0 };
	char of[NAME_MACHINE_MAX + 1];
	int r = list(p, &all, e);

	for (size_t i = 0; r == 0 && i < all.n; i++)
		if (overlay_read(p->roots, all.v[i], of) && strcmp(of, p->name) == 0 && is_there(p, all.v[i]))
			strs_add(ret, all.v[i]);
	return r == 0 && ret->bad ? err_no_memory(e) : r;
}

/* "b is an overlay", "b, c and 7 more are overlays" */
static void add_names(const struct strs *names, struct buf *ret)
{
	size_t shown = names->n > SHOWN_MAX ? SHOWN_MAX : names->n;

	for (size_t i = 0; i < shown; i++)
		buf_addf(ret, "%s%s", i == 0 ? "" : i + 1 == names->n ? " and " : ", ", names->v[i]);
	if (shown < names->n)
		buf_addf(ret, " and %zu more", names->n - shown);
	buf_puts(ret, names->n > 1 ? " are overlays" : " is an overlay");
}

int overlay_look(const struct places *p, const char *step, struct err *e)
{
	CLEANUP(strs_done) struct strs names = { 0 };
	CLEANUP(buf_done) struct buf who = { 0 };
	int r = overlay_over(p, &names, e);

	if (r < 0 || names.n == 0)
		return r;
	add_names(&names, &who);
	return err_set(e, STATUS_BUSY, EBUSY,
	               "cannot %s %s: %s over its root, which must not change below %s "
	               "(machdeck destroy %s; `machdeck clone %s NEW` makes a full copy first)",
	               step, p->name, buf_text(&who), names.n > 1 ? "them" : "it", names.v[0], names.v[0]);
}

int overlay_disown(const struct places *p, struct err *e)
{
	char of[OWN_SIZE + 4];
	int r = gate_ask(e, "cannot change the root of %s", p->name);

	(void)snprintf(of, sizeof(of), "%s/" OVERLAY_FOLDER "/%s/of", p->roots, p->name);
	if (r == 0 && unlink(of) < 0 && errno != ENOENT && errno != ENOTDIR)
		r = err_sys(e, errno, "cannot remove %s", of);
	return r;
}

/* What an overlay_renew() that was killed left. */
static int wipe_temps(int above, const char *all, const char *name, const struct progress *progress,
                      struct err *e)
{
	CLEANUP(strs_done) struct strs temps = { 0 };
	int r = places_temps(all, "new", name, &temps, e);

	for (size_t i = 0; r == 0 && i < temps.n; i++)
		r = wipe_tree(above, temps.v[i], temps.v[i], progress, e);
	return r;
}

int overlay_forget(const struct places *p, const struct progress *progress, struct err *e)
{
	CLEANUP(close_p) int above = -1;
	char all[OVERLAY_PATH_SIZE], own[OWN_SIZE];
	int r;

	overlay_folder(p, all);
	own_path(p, own);
	r = files_open("", all, O_RDONLY | O_DIRECTORY, &above, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = overlay_disown(p, e); /* first: half of one is never mounted */
	if (r == 0)
		r = wipe_tree(above, p->name, own, progress, e);
	if (r == 0)
		r = wipe_temps(above, all, p->name, progress, e);
	if (r == 0)
		(void)rmdir(all); /* the last one takes it along */
	return r;
}

static void sweep_temps(const struct places *p)
{
	CLEANUP(strs_done) struct strs temps = { 0 };
	CLEANUP(close_p) int above = -1;
	char all[OVERLAY_PATH_SIZE];

	overlay_folder(p, all);
	if (places_temps(all, "new", NULL, &temps, NULL) < 0 || temps.n == 0 ||
	    files_open("", all, O_RDONLY | O_DIRECTORY, &above, NULL) < 0)
		return;
	for (size_t i = 0; i < temps.n; i++) {
		CLEANUP(hold_done) struct hold hold = { .fd = -1 };
		char owner[NAME_MACHINE_MAX + 1];

		places_temp_owner(temps.v[i], "new", owner);
		if (hold_name(owner, &hold, NULL) >= 0)
			(void)wipe_tree(above, temps.v[i], temps.v[i], NULL, NULL);
	}
}

void overlay_sweep(const struct places *p)
{
	CLEANUP(strs_done) struct strs all = { 0 };

	if (list(p, &all, NULL) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		CLEANUP(hold_done) struct hold hold = { .fd = -1 };
		struct places other;

		places_name(p, all.v[i], &other);
		if (!is_there(p, all.v[i]) && hold_name(all.v[i], &hold, NULL) >= 0 && !is_there(p, all.v[i]))
			(void)overlay_forget(&other, NULL, NULL);
	}
	sweep_temps(p);
}

/* The overlay's own folder has the owner and mode of upper. */
static int make_upper(int own, const char *shown, const char *lower, struct err *e)
{
	CLEANUP(close_p) int fd = -1;
	struct stat st;

	if (lstat(lower, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(e, STATUS_NO_CONTAINER, ENOTDIR,
		               "%s is no folder, which an overlay needs below it", lower);
	if (mkdirat(own, "work", 0700) < 0 || mkdirat(own, "upper", 0700) < 0)
		return err_sys(e, errno, "cannot make the folders of %s", shown);
	fd = openat(own, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0)
		return err_sys(e, errno, "cannot make %s/upper as %s is", shown, lower);
	return 0;
}

/* leaf, in the folder of all that is open as above. */
static int make_layers(const struct places *p, int above, const char *leaf, const char *of, struct err *e)
{
	CLEANUP(close_p) int own = -1;
	char lower[OWN_SIZE];
	int r;

	(void)snprintf(lower, sizeof(lower), "%s/%s", p->roots, of);
	if (mkdirat(above, leaf, 0700) < 0)
		return err_sys(e, errno, "cannot make " OVERLAY_FOLDER "/%s", leaf);
	own = openat(above, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = own < 0 ? err_sys(e, errno, "cannot open " OVERLAY_FOLDER "/%s", leaf)
	            : make_upper(own, leaf, lower, e);
	if (r == 0 && symlinkat(of, own, "of") < 0) /* last: who reads it finds the rest */
		r = err_sys(e, errno, "cannot make " OVERLAY_FOLDER "/%s/of", leaf);
	return r;
}

int overlay_make(const struct places *p, const char *of, struct err *e)
{
	CLEANUP(close_p) int above = -1;
	char all[OVERLAY_PATH_SIZE];
	int r = gate_ask(e, "cannot make the root of %s", p->name);

	overlay_folder(p, all);
	if (r == 0)
		r = overlay_forget(p, NULL, e);
	if (r == 0)
		r = files_mkdir("", all, 0700, &above, e);
	if (r == 0)
		r = make_layers(p, above, p->name, of, e);
	if (r < 0)
		(void)overlay_forget(p, NULL, NULL);
	return r;
}

/* -ENOENT without a sentence: it is none. */
static int read_options(const struct places *p, struct buf *ret, struct err *e)
{
	char of[NAME_MACHINE_MAX + 1];

	if (!overlay_of(p, of))
		return -ENOENT;
	overlay_options(p->roots, p->name, of, ret);
	return ret->bad ? err_no_memory(e) : 0;
}

static int explain(const struct places *p, int r, struct err *e)
{
	return r == -EINVAL ? err_wrap(e, r, "the file system of %s can be no overlay's upper one", p->roots)
	                    : r;
}

static int open_layers(const struct places *p, const char *leaf, const char *of, struct rootfs *ret,
                       struct err *e)
{
	CLEANUP(buf_done) struct buf options = { 0 };
	int fd, r;

	overlay_options(p->roots, leaf, of, &options);
	r = options.bad ? err_no_memory(e) : mounts_overlay_apart(p->root, buf_text(&options), &fd, e);
	return r < 0 ? explain(p, r, e) : rootfs_take(fd, p->root, 0, ret, e);
}

int overlay_open(const struct places *p, struct rootfs *ret, struct err *e)
{
	char of[NAME_MACHINE_MAX + 1];

	if (!overlay_of(p, of))
		return err_set(e, STATUS_FAILED, ENOENT, "the root of %s is no overlay", p->name);
	return open_layers(p, p->name, of, ret, e);
}

int overlay_hide_nodes(const struct rootfs *t, struct err *e)
{
	int r = rootfs_has(t, "dev") ? wipe_tree(t->fd, "dev", "its /dev", NULL, e) : 0;

	return r < 0 ? r : rootfs_mkdir(t, "dev", 0755, e);
}

static int mounted(const struct places *p, struct strs *ret, struct err *e)
{
	int r = mounts_below(p->root, ret, e);

	return r < 0 ? r : strs_has(ret, p->root);
}

int overlay_mounts(const struct places *p, struct strs *ret, struct err *e)
{
	CLEANUP(strs_done) struct strs all = { 0 };
	bool overlay = overlay_left(p);
	int r = mounts_below(p->root, &all, e);

	for (size_t i = 0; r == 0 && i < all.n; i++)
		if (!overlay || strcmp(all.v[i], p->root) != 0)
			strs_add(ret, all.v[i]);
	return r == 0 && ret->bad ? err_no_memory(e) : r;
}

int overlay_attach(const struct places *p, struct err *e)
{
	CLEANUP(strs_done) struct strs mounts = { 0 };
	CLEANUP(buf_done) struct buf options = { 0 };
	CLEANUP(close_p) int roots = -1;
	CLEANUP(close_p) int root = -1;
	int r = read_options(p, &options, e);

	if (r == -ENOENT &&
	    overlay_left(p)) /* until systemd reads its units anew, that of the mount is there */
		return err_set(e, STATUS_UNSAFE_HOST, ESTALE,
		               "the root of %s is half an overlay: it was not destroyed or restored to the "
		               "end (machdeck destroy %s, or "
		               "restore it again)",
		               p->name, p->name);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = mounted(p, &mounts, e);
	if (r != 0)
		return r < 0 ? r : 0;
	r = places_open_roots(p, &roots, e);
	if (r == 0)
		r = gate_ask(e, "cannot mount the root of %s", p->name);
	if (r < 0)
		return r;
	if (mkdirat(roots, p->name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make %s", p->root);
	root = openat(roots, p->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, errno, "cannot open %s", p->root);
	return explain(p, mounts_overlay(root, p->root, buf_text(&options), e), e);
}

int overlay_detach(const struct places *p, struct err *e)
{
	CLEANUP(strs_done) struct strs others = { 0 };
	int r;

	if (!overlay_left(p))
		return 0;
	r = overlay_mounts(p, &others, e);
	if (r == 0 && others.n > 0)
		r = err_set(e, STATUS_BUSY, EBUSY, "still mounted: %s (umount it)", others.v[others.n - 1]);
	for (int more = r == 0; more > 0;) {
		CLEANUP(strs_done) struct strs mounts = { 0 };

		more = r = mounted(p, &mounts, e);
		if (more > 0)
			more = (r = mounts_undo(p->root, e)) == 0;
	}
	if (r < 0)
		return r;
	(void)rmdir(p->root);
	return 0;
}

static int exchange(const struct places *p, int above, const char *temp, struct err *e)
{
	int r = overlay_detach(p, e);

	if (r == 0 && renameat2(above, temp, above, p->name, RENAME_EXCHANGE) < 0)
		r = err_sys(e, errno, "cannot exchange what %s has written", p->name);
	return r;
}

int overlay_renew(const struct places *p, overlay_part_fn *part, const struct progress *progress,
                  struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	CLEANUP(close_p) int above = -1;
	char all[OVERLAY_PATH_SIZE], temp[PLACES_TEMP_SIZE], of[NAME_MACHINE_MAX + 1] = "";
	int r;

	overlay_folder(p, all);
	(void)overlay_of(p, of);
	r = files_open("", all, O_RDONLY | O_DIRECTORY, &above, e);
	if (r == 0)
		r = places_temp("new", p->name, temp, e);
	if (r == 0)
		r = make_layers(p, above, temp, of, e);
	if (r == 0)
		r = open_layers(p, temp, of, &t, e);
	if (r == 0)
		r = overlay_hide_nodes(&t, e);
	if (r == 0)
		r = part(&t, p->name, of, e);
	rootfs_done(&t);
	if (r == 0)
		r = exchange(p, above, temp, e);
	(void)overlay_attach(p, r == 0 ? e : NULL);
	if (above >= 0)
		(void)wipe_temps(above, all, p->name, progress, NULL);
	return r;
}

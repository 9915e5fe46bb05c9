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

/* Those that there are, of whomever; for root. */
static int list(const struct places *p, struct strs *ret, struct err *e)
{
	CLEANUP(closedir_p) DIR *folder = NULL;
	char all[OVERLAY_PATH_SIZE];

	overlay_folder(p, all);
	folder = opendir(all);
	if (!folder)
		return errno == ENOENT || (errno == EACCES && geteuid() != 0) ? 0 : err_sys(e, errno, "cannot read %s", all);
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

int overlay_forget(const struct places *p, const struct progress *progress, struct err *e)
{
	CLEANUP(close_p) int above = -1;
	char all[OVERLAY_PATH_SIZE], own[OWN_SIZE], of[NAME_MACHINE_MAX + 4];
	int r;

	overlay_folder(p, all);
	own_path(p, own);
	r = files_open("", all, O_RDONLY | O_DIRECTORY, &above, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	(void)snprintf(of, sizeof(of), "%s/of", p->name);
	if (unlinkat(above, of, 0) < 0 && errno != ENOENT && errno != ENOTDIR) /* first: half of one is never mounted */
		return err_sys(e, errno, "cannot remove %s/of", own);
	r = wipe_tree(above, p->name, own, progress, e);
	if (r == 0)
		(void)rmdir(all); /* the last one takes it along */
	return r;
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
}

/* The overlay's own folder has the owner and mode of upper. */
static int make_upper(int own, const char *shown, const char *lower, struct err *e)
{
	CLEANUP(close_p) int fd = -1;
	struct stat st;

	if (lstat(lower, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(e, STATUS_NO_CONTAINER, ENOTDIR, "%s is no folder, which an overlay needs below it",
		               lower);
	if (mkdirat(own, "work", 0700) < 0 || mkdirat(own, "upper", 0700) < 0)
		return err_sys(e, errno, "cannot make the folders of %s", shown);
	fd = openat(own, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0)
		return err_sys(e, errno, "cannot make %s/upper as %s is", shown, lower);
	return 0;
}

int overlay_make(const struct places *p, const char *of, struct err *e)
{
	CLEANUP(close_p) int above = -1;
	CLEANUP(close_p) int own = -1;
	char all[OVERLAY_PATH_SIZE], shown[OWN_SIZE], lower[OWN_SIZE];
	int r = gate_ask(e, "cannot make the root of %s", p->name);

	overlay_folder(p, all);
	own_path(p, shown);
	(void)snprintf(lower, sizeof(lower), "%s/%s", p->roots, of);
	if (r == 0)
		r = overlay_forget(p, NULL, e);
	if (r == 0)
		r = files_mkdir("", all, 0700, &above, e);
	if (r == 0)
		r = files_mkdir("", shown, 0700, &own, e);
	if (r == 0)
		r = make_upper(own, shown, lower, e);
	if (r == 0 && symlinkat(of, own, "of") < 0) /* last: who reads it finds the rest */
		r = err_sys(e, errno, "cannot make %s/of", shown);
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
	return r == -EINVAL ? err_wrap(e, r, "the file system of %s can be no overlay's upper one", p->roots) : r;
}

int overlay_open(const struct places *p, struct rootfs *ret, struct err *e)
{
	CLEANUP(buf_done) struct buf options = { 0 };
	int fd, r = read_options(p, &options, e);

	if (r == -ENOENT)
		return err_set(e, STATUS_FAILED, ENOENT, "the root of %s is no overlay", p->name);
	if (r == 0)
		r = mounts_overlay_apart(p->root, buf_text(&options), &fd, e);
	return r < 0 ? explain(p, r, e) : rootfs_take(fd, p->root, 0, ret, e);
}

static int mounted(const struct places *p, struct strs *ret, struct err *e)
{
	int r = mounts_below(p->root, ret, e);

	return r < 0 ? r : strs_has(ret, p->root);
}

int overlay_attach(const struct places *p, struct err *e)
{
	CLEANUP(strs_done) struct strs mounts = { 0 };
	CLEANUP(buf_done) struct buf options = { 0 };
	CLEANUP(close_p) int roots = -1;
	CLEANUP(close_p) int root = -1;
	int r = read_options(p, &options, e);

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
	CLEANUP(strs_done) struct strs mounts = { 0 };
	char of[NAME_MACHINE_MAX + 1];
	int r;

	if (!overlay_of(p, of))
		return 0;
	r = mounted(p, &mounts, e);
	if (r < 0)
		return r;
	if (r > 0 && mounts.n > 1)
		return err_set(e, STATUS_BUSY, EBUSY, "still mounted: %s (umount it)", mounts.v[mounts.n - 1]);
	if (r > 0)
		r = mounts_undo(p->root, e);
	if (r < 0)
		return r;
	(void)rmdir(p->root);
	return 0;
}

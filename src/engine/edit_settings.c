/* The files that a machine of systemd-nspawn@ is set up by: where they are, and what holds as long as they are not there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decide/unitfile.h"
#include "drivers/files.h"
#include "drivers/swapfile.h"
#include "engine/edit_store.h"

#define NSPAWN_FOLDER "/etc/systemd/nspawn"
#define SETTINGS_MAX  (1U << 20)
#define DROPINS       "/etc/systemd/system"
#define DROPIN_CHARS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.@"

/* A name that systemd takes for a drop-in of ours: systemd.syntax(7), with its ".conf" or without. */
static int dropin_name(const char *unit, char ret[static EDIT_LEAF_SIZE], struct err *e)
{
	size_t len = strlen(unit), end = strlen(".conf");

	if (len > end && strcmp(unit + len - end, ".conf") == 0)
		len -= end;
	if (len == 0 || len + end >= EDIT_LEAF_SIZE || *unit == '.' || strspn(unit, DROPIN_CHARS) < len)
		return err_set(e, STATUS_USAGE, EINVAL,
		               "'%.80s' can not be the name of a drop-in (letters, digits, : - _ . @)", unit);
	(void)snprintf(ret, EDIT_LEAF_SIZE, "%.*s.conf", (int)len, unit);
	return 0;
}

static int name_dropin(struct edit *x, const char *unit, struct err *e)
{
	bool usual = !*unit || strcmp(unit, "override") == 0 || strcmp(unit, "override.conf") == 0;
	int r = dropin_name(usual ? "override" : unit, x->leaf, e);

	x->kind = EDIT_DROPIN;
	(void)snprintf(x->path, sizeof(x->path), DROPINS "/systemd-nspawn@%s.service.d/%s", x->places.name,
	               x->leaf);
	(void)snprintf(x->store, sizeof(x->store), "%s:unit%s%s", x->places.name, usual ? "" : ":",
	               usual ? "" : x->leaf);
	return r;
}

int edit_settings(struct edit *x, const char *unit, struct err *e)
{
	if (unit)
		return name_dropin(x, unit, e);
	x->kind = EDIT_NSPAWN;
	(void)snprintf(x->leaf, sizeof(x->leaf), "%s.nspawn", x->places.name);
	(void)snprintf(x->path, sizeof(x->path), NSPAWN_FOLDER "/%s.nspawn", x->places.name);
	/* no machine has a ':' in its name */
	(void)snprintf(x->store, sizeof(x->store), "%s:nspawn", x->places.name);
	return 0;
}

static void folder_of(const struct edit *x, char ret[static sizeof(x->path)])
{
	(void)snprintf(ret, sizeof(x->path), "%.*s", (int)(strlen(x->path) - strlen(x->leaf) - 1), x->path);
}

int edit_settings_folder(struct edit *x, bool make, struct err *e)
{
	char folder[sizeof(x->path)];

	if (x->dir >= 0)
		return 0;
	folder_of(x, folder);
	return make ? files_mkdir("", folder, 0755, &x->dir, e)
	            : files_open("", folder, O_RDONLY | O_DIRECTORY, &x->dir, e);
}

/* Like places_own_conf(). */
static int is_own(const struct edit *x, struct err *e)
{
	char target[PATH_MAX], folder[sizeof(x->path)];
	struct statvfs fs;
	ssize_t len = readlink(x->path, target, sizeof(target) - 1);

	if (len >= 0) {
		target[len] = '\0';
		return err_set(e, STATUS_UNSAFE_HOST, ELOOP,
		               "cannot edit %s: it is declared elsewhere, in %s, where %s leads",
		               x->places.name, target, x->path);
	}
	folder_of(x, folder);
	if ((statvfs(folder, &fs) == 0 || statvfs("/etc", &fs) == 0) && (fs.f_flag & ST_RDONLY))
		return err_set(e, STATUS_CANNOT_CREATE, EROFS,
		               "cannot edit %s: %s is on a read-only file system", x->places.name, x->path);
	return 0;
}

/* The first that is there holds; the last is the machine's own, of which not all is obeyed (systemd.nspawn(5)). */
static int read_instead(struct edit *x, struct err *e)
{
	static const char *const folders[] = { "/run/systemd/nspawn", "/var/lib/machines" };

	for (size_t i = 0; x->kind == EDIT_NSPAWN && i < COUNT(folders); i++) {
		char path[sizeof(x->path)];
		int r;

		(void)snprintf(path, sizeof(path), "%s/%s", folders[i], x->leaf);
		r = files_read("", path, SETTINGS_MAX, &x->old, NULL, e);
		if (r != -ENOENT)
			return r;
	}
	return 0;
}

int edit_settings_read(const struct edit *x, struct buf *ret, struct err *e)
{
	return files_read("", x->path, SETTINGS_MAX, ret, NULL, e);
}

int edit_read(struct edit *x, struct err *e)
{
	int r = edit_settings_read(x, &x->old, e);

	x->absent = r == -ENOENT;
	return x->absent ? read_instead(x, e) : r;
}

int edit_settings_open(struct edit *x, struct err *e)
{
	int r = is_own(x, e);

	if (r == 0)
		r = edit_settings_folder(x, false, e);
	if (r == 0)
		r = swapfile_tidy(x->dir, x->leaf, x->kept, e);
	return r < 0 && r != -ENOENT ? r : edit_read(x, e);
}

/* ---- other drop-ins */

static bool has_entry(const struct unitfile *f, const struct unit_entry *wanted, bool with_value)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].key && wanted->key && strcmp(f->v[i].key, wanted->key) == 0 &&
		    strcmp(f->v[i].section, wanted->section) == 0 &&
		    (!with_value || strcmp(f->v[i].value, wanted->value) == 0))
			return true;
	return false;
}

static void compare(const struct edit *x, const struct unitfile *was, const struct unitfile *is,
                    const char *path, struct strs *warnings)
{
	CLEANUP(unitfile_done) struct unitfile later = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };

	if (files_read("", path, SETTINGS_MAX, &text, NULL, NULL) < 0 ||
	    unitfile_parse(path, &text, &later, NULL) < 0)
		return;
	for (size_t i = 0; i < is->n; i++)
		if (is->v[i].key && !has_entry(was, &is->v[i], true) && has_entry(&later, &is->v[i], false))
			strs_addf(warnings, "%s: %s= is set in %s, too, which systemd reads later", x->path,
			          is->v[i].key, path);
}

static bool is_dropin(const char *leaf)
{
	size_t len = strlen(leaf);

	return len > 5 && strcmp(leaf + len - 5, ".conf") == 0;
}

void edit_others(const struct edit *x, struct strs *ret)
{
	CLEANUP(closedir_p) DIR *dir = NULL;
	char folder[sizeof(x->path)];
	const struct dirent *d;

	folder_of(x, folder);
	dir = x->kind == EDIT_DROPIN ? opendir(folder) : NULL;
	while (dir && (d = readdir(dir)))
		if (is_dropin(d->d_name) && strcmp(d->d_name, x->leaf) != 0)
			strs_add(ret, d->d_name);
	strs_sort(ret);
}

/* Of all folders of the unit systemd reads the files by their names alone (systemd.unit(5)). */
void edit_settings_later(const struct edit *x, const struct buf *text, struct strs *warnings)
{
	static const char *const above[] = { DROPINS, "/etc/systemd/system.control",
		                             "/run/systemd/system.control", "/run/systemd/system" };
	CLEANUP(unitfile_done) struct unitfile was = { 0 }, is = { 0 };

	if (unitfile_parse(x->path, &x->old, &was, NULL) < 0 || unitfile_parse(x->path, text, &is, NULL) < 0)
		return;
	for (size_t i = 0; i < COUNT(above); i++) {
		CLEANUP(closedir_p) DIR *dir = NULL;
		char folder[sizeof(x->path)], path[sizeof(folder) + NAME_MAX + 2];
		const struct dirent *d;

		(void)snprintf(folder, sizeof(folder), "%s/systemd-nspawn@%s.service.d", above[i],
		               x->places.name);
		dir = opendir(folder);
		while (dir && (d = readdir(dir))) {
			if (strcmp(d->d_name, x->leaf) <= 0 || !is_dropin(d->d_name))
				continue;
			(void)snprintf(path, sizeof(path), "%s/%s", folder, d->d_name);
			compare(x, &was, &is, path, warnings);
		}
	}
}

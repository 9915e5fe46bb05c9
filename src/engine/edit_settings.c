/* The files that a machine of systemd-nspawn@ is set up by: where they are, and what holds as long as they are not there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "drivers/files.h"
#include "drivers/swapfile.h"
#include "engine/edit_store.h"

#define NSPAWN_FOLDER "/etc/systemd/nspawn"
#define SETTINGS_MAX  (1U << 20)

void edit_settings(struct edit *x, enum edit_kind kind)
{
	x->kind = kind;
	if (kind == EDIT_DROPIN) {
		(void)snprintf(x->leaf, sizeof(x->leaf), "override.conf");
		(void)snprintf(x->path, sizeof(x->path), "/etc/systemd/system/systemd-nspawn@%s.service.d/override.conf",
		               x->places.name);
	} else {
		(void)snprintf(x->leaf, sizeof(x->leaf), "%s.nspawn", x->places.name);
		(void)snprintf(x->path, sizeof(x->path), NSPAWN_FOLDER "/%s.nspawn", x->places.name);
	}
	/* no machine has a ':' in its name */
	(void)snprintf(x->store, sizeof(x->store), "%s:%s", x->places.name, kind == EDIT_DROPIN ? "unit" : "nspawn");
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
		               "cannot edit %s: it is declared elsewhere, %s leads to %s", x->places.name, x->path, target);
	}
	folder_of(x, folder);
	if ((statvfs(folder, &fs) == 0 || statvfs("/etc", &fs) == 0) && (fs.f_flag & ST_RDONLY))
		return err_set(e, STATUS_CANNOT_CREATE, EROFS, "cannot edit %s: %s is on a read-only file system",
		               x->places.name, x->path);
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

int edit_read(struct edit *x, struct err *e)
{
	int r = files_read("", x->path, SETTINGS_MAX, &x->old, NULL, e);

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

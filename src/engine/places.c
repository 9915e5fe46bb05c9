#include "engine/places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decide/overlay.h"
#include "decide/plan.h"
#include "drivers/files.h"
#include "drivers/hold.h"

#define SALT_DIGITS 16
#define JOURNALS    "/var/log/journal"
#define PROPAGATED  "/run/systemd/nspawn/propagate/"

static bool is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void fill(const char *name, bool nixos_dirs, struct places *ret)
{
	*ret = (struct places){
		.nixos_dirs = nixos_dirs,
		.confs = nixos_dirs ? "/etc/nixos-containers" : "/etc/containers",
		.roots = plan_roots(nixos_dirs),
	};
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	(void)snprintf(ret->conf, sizeof(ret->conf), "%s/%s.conf", ret->confs, name);
	(void)snprintf(ret->root, sizeof(ret->root), "%s/%s", ret->roots, name);
	ret->has_conf = is_there(ret->conf);
	ret->has_root = is_there(ret->root);
}

static int check_name(const char *name, struct err *e)
{
	if (!name_is_machine(name))
		return err_set(
			e, STATUS_USAGE, EINVAL,
			"'%s' can not be a machine's name (letters, digits, inner '-' and '.', at most %d)",
			name, NAME_MACHINE_MAX);
	if (name_is_foreign_conf(name))
		return err_set(
			e, STATUS_USAGE, EINVAL,
			"'%s' is podman's: /etc/containers/%s.conf and /var/lib/containers/%s are never a "
			"container of ours",
			name, name, name);
	return 0;
}

static bool has_leftovers(const struct places *p)
{
	CLEANUP(strs_done) struct strs trash = { 0 };
	char overlay[sizeof(p->root) + sizeof(OVERLAY_FOLDER)];

	(void)snprintf(overlay, sizeof(overlay), "%s/" OVERLAY_FOLDER "/%s", p->roots, p->name);
	return is_there(overlay) ||
	       (places_temps(p->roots, "trash", p->name, &trash, NULL) >= 0 && trash.n > 0);
}

static bool is_empty(int folder)
{
	CLEANUP(closedir_p) DIR *d = fdopendir(dup(folder));
	size_t n = 0;

	for (struct dirent *entry; d && n == 0 && (entry = readdir(d));)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	return d && n == 0;
}

/* Podman has more beside the roots than "storage": "cache", "sigstore", and whatever its storage.conf names. A root that has lost its
 * conf has a system, is still empty, or was filled by a start that found a profile. */
static bool is_foreign(const struct places *p)
{
	static const char *const ours[] = { "usr", "etc", "var" };
	char profile[sizeof(PLACES_PROFILES) + NAME_MACHINE_MAX + 1];
	CLEANUP(close_p) int root = open(p->root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	(void)snprintf(profile, sizeof(profile), PLACES_PROFILES "/%s", p->name);
	if (root < 0 || is_there(profile) || is_empty(root))
		return false;
	for (size_t i = 0; i < COUNT(ours); i++)
		if (faccessat(root, ours[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return false;
	return true;
}

int places_find(const char *name, struct places *ret, struct err *e)
{
	char image[NAME_MACHINE_MAX + 32];
	int r = check_name(name, e);

	if (r < 0)
		return r;
	for (int nixos = 1; nixos >= 0; nixos--) {
		fill(name, nixos, ret);
		if (ret->has_conf)
			return 0;
	}
	for (int nixos = 1; nixos >= 0; nixos--) {
		fill(name, nixos, ret);
		if (ret->has_root && is_foreign(ret))
			return err_set(e, STATUS_USAGE, EINVAL,
			               "%s is no container's root: there is no conf for it, and no system in "
			               "it (podman has folders there, "
			               "too; what is to go, rm removes)",
			               ret->root);
		if (ret->has_root || has_leftovers(ret))
			return 0;
	}
	(void)snprintf(image, sizeof(image), "/var/lib/machines/%s", name);
	if (is_there(image))
		return err_set(e, STATUS_NO_CONTAINER, ENOENT,
		               "%s is an image, none of our containers (machinectl has clone, rename, remove "
		               "for it)",
		               image);
	return err_set(e, STATUS_NO_CONTAINER, ENOENT,
	               "%s: there is no container of that name (`machdeck list` shows all)", name);
}

int places_hold(const char *name, struct hold *hold, struct places *ret, struct err *e)
{
	int r = places_find(name, ret, e);

	if (r == 0)
		r = hold_name(name, hold, e);
	/* The lock may have been waited for. */
	return r < 0 ? r : places_find(name, ret, e);
}

int places_new(const char *name, struct places *ret, struct err *e)
{
	int r = check_name(name, e);

	if (r == 0)
		fill(name, is_there("/etc/nixos-containers"), ret);
	return r;
}

void places_name(const struct places *p, const char *name, struct places *ret)
{
	fill(name, p->nixos_dirs, ret);
}

int places_own_conf(const struct places *p, const char *step, struct err *e)
{
	char target[PATH_MAX];
	struct statvfs fs;
	ssize_t len = readlink(p->conf, target, sizeof(target) - 1);

	if (len >= 0) {
		target[len] = '\0';
		return err_set(e, STATUS_UNSAFE_HOST, ELOOP,
		               "cannot %s %s: it is declared elsewhere, in %s, where its conf %s leads (the "
		               "system's "
		               "configuration is the place for that)",
		               step, p->name, target, p->conf);
	}
	if (p->has_conf && statvfs(p->confs, &fs) == 0 && (fs.f_flag & ST_RDONLY))
		return err_set(e, STATUS_CANNOT_CREATE, EROFS,
		               "cannot %s %s: its conf %s is on a read-only file system, so it is declared "
		               "elsewhere",
		               step, p->name, p->conf);
	return 0;
}

int places_open_roots(const struct places *p, int *ret_fd, struct err *e)
{
	CLEANUP(close_p) int above = -1;
	int r = files_mkdir("", p->roots, 0700, &above, e);

	if (r < 0)
		return r;
	*ret_fd = openat(above, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, errno, "cannot open %s", p->roots) : 0;
}

void places_unlink_journals(const struct places *p)
{
	CLEANUP(closedir_p) DIR *folder = opendir(JOURNALS);
	char wanted[sizeof(p->root) + sizeof(JOURNALS)];

	(void)snprintf(wanted, sizeof(wanted), "%s" JOURNALS "/", p->root);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char target[PATH_MAX];
		ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target));

		if (len > (ssize_t)strlen(wanted) && memcmp(target, wanted, strlen(wanted)) == 0)
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	}
}

void places_unlink_rests(const struct places *p)
{
	CLEANUP(close_p) int roots = open(p->roots, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(close_p) int fd = -1;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char leaf[NAME_MACHINE_MAX + 8], folder[NAME_MACHINE_MAX + sizeof(PROPAGATED)];

	(void)snprintf(leaf, sizeof(leaf), ".#%s.lck", p->name);
	(void)snprintf(folder, sizeof(folder), PROPAGATED "%s", p->name);
	(void)rmdir(folder);
	if (roots >= 0)
		fd = openat(roots, leaf, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0)
		(void)unlinkat(roots, leaf, 0);
}

int places_temp(const char *kind, const char *name, char ret[static PLACES_TEMP_SIZE], struct err *e)
{
	uint64_t salt;

	if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		return err_sys(e, EIO, "cannot name what is temporary");
	(void)snprintf(ret, PLACES_TEMP_SIZE, ".%.8s-%.*s-%016jx", kind, NAME_MACHINE_MAX, name,
	               (uintmax_t)salt);
	return 0;
}

void places_temp_owner(const char *leaf, const char *kind, char ret[static NAME_MACHINE_MAX + 1])
{
	size_t before = strlen(kind) + 2, len = strlen(leaf);
	size_t name;

	ret[0] = '\0';
	if (len < before + 1 + 1 + SALT_DIGITS || leaf[0] != '.' ||
	    strncmp(leaf + 1, kind, before - 2) != 0 || leaf[before - 1] != '-')
		return;
	name = len - before - 1 - SALT_DIGITS;
	if (name > NAME_MACHINE_MAX || leaf[before + name] != '-' ||
	    strspn(leaf + before + name + 1, "0123456789abcdef") != SALT_DIGITS)
		return;
	memcpy(ret, leaf + before, name);
	ret[name] = '\0';
	if (!name_is_machine(ret))
		ret[0] = '\0';
}

int places_temps(const char *roots, const char *kind, const char *name, struct strs *ret, struct err *e)
{
	CLEANUP(closedir_p) DIR *folder = opendir(roots);

	if (!folder)
		return errno == ENOENT || errno == EACCES ? 0 : err_sys(e, errno, "cannot read %s", roots);
	for (struct dirent *entry; (errno = 0, entry = readdir(folder));) {
		char owner[NAME_MACHINE_MAX + 1];

		places_temp_owner(entry->d_name, kind, owner);
		if (owner[0] && (!name || strcmp(owner, name) == 0))
			strs_add(ret, entry->d_name);
	}
	if (errno)
		return err_sys(e, errno, "cannot read %s", roots);
	return ret->bad ? err_no_memory(e) : 0;
}

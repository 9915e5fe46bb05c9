#include "engine/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "drivers/files.h"
#include "drivers/rootfs.h"
#include "engine/overlay.h"

#define COPY_MAX   65536
#define READY_FIFO "var/lib/startup-done"

/* The part of an absolute path below the plan's root; NULL when it is the host's. */
static const char *below_root(const struct plan *p, const char *path)
{
	size_t len = strlen(p->root);

	return strncmp(path, p->root, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

/* The first uid of the container's users when the conf says so in numbers, else 0. */
static uid_t uid_base(const struct container *c)
{
	char number[16];
	uint64_t uid;

	if (!c->private_users ||
	    snprintf(number, sizeof(number), "%.*s", (int)strcspn(c->private_users, ":"), c->private_users) <
	            0 ||
	    num_parse(number, 0, UINT32_MAX - 1, &uid) < 0)
		return 0;
	return (uid_t)uid;
}

/* A .nspawn file can change what the container is. Beside the tree it is written by who knows whom. */
static int look_at_settings(const struct plan *p, struct strs *warnings, struct err *e)
{
	static const char *const trusted[] = { "/etc/systemd/nspawn", "/run/systemd/nspawn" };
	CLEANUP(free_p) char *beside = NULL;
	struct stat st;

	if (asprintf(&beside, "%s.nspawn", p->root) < 0) {
		beside = NULL;
		return err_no_memory(e);
	}
	if (lstat(beside, &st) == 0)
		return err_set(e, STATUS_UNSAFE_HOST, EPERM,
		               "%s would be obeyed by systemd-nspawn, whoever wrote it (remove it)", beside);
	for (size_t i = 0; i < COUNT(trusted); i++) {
		CLEANUP(free_p) char *path = NULL;

		if (asprintf(&path, "%s/%s.nspawn", trusted[i], p->name) < 0) {
			path = NULL;
			return err_no_memory(e);
		}
		if (lstat(path, &st) == 0)
			strs_addf(warnings, "%s changes what is started, and the plan does not show it",
			          path);
	}
	return 0;
}

/* systemd-nspawn would name a missing source too, but only after the container's links were made and moved. A
 * device that the unit may not use is there all the same: that is why it is not access(). */
static int look_at_binds(const struct plan *p, struct err *e)
{
	static const char *const store[] = { "/nix/store", "/nix/var/nix/db", "/nix/var/nix/daemon-socket" };
	struct stat st;

	for (size_t i = 0; i < p->bind_sources.n; i++)
		if (stat(p->bind_sources.v[i], &st) < 0)
			return err_set(e, STATUS_NO_CONTAINER, errno,
			               "%s, which is to be bound into the container: %s",
			               p->bind_sources.v[i], strerror(errno));
	for (size_t i = 0; p->kind == KIND_NIX && i < COUNT(store); i++)
		if (stat(store[i], &st) < 0)
			return err_set(e, STATUS_NO_CONTAINER, errno,
			               "%s, which a container with SYSTEM_PATH or a profile needs: %s",
			               store[i], strerror(errno));
	return 0;
}

/* What everybody may read is no secret, so it does not matter who chose the file that /etc/resolv.conf leads
 * to: it is often one of systemd-resolved's own. */
static int read_for_guest(const char *path, struct buf *ret, struct err *e)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return err_sys(e, errno, "cannot read %s", path);
	r = files_read_fd(fd, path, COPY_MAX, ret, &st, e);
	if (r == 0 && !(st.st_mode & S_IROTH))
		return err_set(
			e, STATUS_UNSAFE_HOST, EPERM,
			"%s is not for everybody to read, so it is not copied into a container (chmod o+r)",
			path);
	return r;
}

static int copy(const struct container *c, const struct rootfs *t, const char *from, const char *to,
                struct strs *warnings, struct err *e)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	int r = read_for_guest(from, &text, e);

	if (r == -ENOENT || r == -ELOOP) {
		if (!container_has_private_net(c))
			return err_set(e, STATUS_CANNOT_CREATE, -r,
			               "%s is missing, and the container shares the host's network (create "
			               "it, or set "
			               "COPY_RESOLV_CONF=0)",
			               from);
		strs_addf(warnings, "%s is missing: the container keeps its own /%s", from, to);
		return 0;
	}
	return r < 0 ? r : rootfs_put(t, to, 0644, buf_text(&text), text.len, e);
}

static int make_folder(const struct rootfs *t, const char *inside, const char *path, mode_t mode,
                       struct err *e)
{
	CLEANUP(close_p) int fd = -1;

	return inside ? rootfs_mkdir(t, inside, mode, e) : files_mkdir("", path, mode, &fd, e);
}

static int do_op(const struct container *c, const struct plan *p, const struct fsop *op,
                 const struct rootfs *t, struct strs *warnings, struct err *e)
{
	int r = 0;

	if (op->kind == FSOP_COPY)
		return copy(c, t, op->paths.v[0], below_root(p, op->paths.v[1]), warnings, e);
	for (size_t i = 0; r == 0 && i < op->paths.n; i++) {
		const char *path = op->paths.v[i], *inside = below_root(p, path);

		if (op->kind == FSOP_MKDIR)
			r = make_folder(t, inside, path, op->mode, e);
		else if (op->kind == FSOP_TOUCH)
			r = rootfs_touch(t, inside, op->mode, e);
		else
			r = rootfs_fifo(t, inside, op->mode, e);
	}
	return r;
}

static int do_ops(const struct container *c, const struct plan *p, const struct fsops *ops,
                  const struct rootfs *t, struct strs *warnings, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ops->n; i++)
		r = do_op(c, p, &ops->v[i], t, warnings, e);
	return r;
}

/* Its unit may not be there: systemd was not told of a clone that was killed, or read its units before that disk was there. */
static int mount_overlay(const struct plan *p, struct err *e)
{
	struct places places;

	return places_find(p->name, &places, NULL) < 0 ? 0 : overlay_attach(&places, e);
}

static int look_at_overlays(const struct plan *p, struct err *e)
{
	struct places places;
	int r = places_find(p->name, &places, NULL) < 0 ? 0 : overlay_look(&places, "start", e);

	if (r < 0)
		e->status =
			STATUS_UNSAFE_HOST; /* the unit does not try that again by itself, as it does with STATUS_BUSY */
	return r;
}

int prepare_root(const struct container *c, const struct plan *p, struct strs *warnings, struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	int r = look_at_binds(p, e);

	if (r == 0)
		r = mount_overlay(p, e);
	if (r == 0)
		r = rootfs_open(p->root, p->kind == KIND_NIX ? ROOTFS_MAKE : ROOTFS_REFUSE, uid_base(c), &t,
		                e);
	if (r == 0)
		r = rootfs_lock(&t, e);
	if (r == 0)
		r = look_at_overlays(p, e);
	if (r == 0)
		r = look_at_settings(p, warnings, e);
	if (r == 0)
		r = do_ops(c, p, &p->prestart_files, &t, warnings, e);
	if (r == 0)
		r = do_ops(c, p, &p->prepare, &t, warnings, e);
	/* Outside NixOS, systemd-nspawn takes no tree without it. */
	if (r == 0 && p->kind == KIND_NIX)
		r = rootfs_mkdir(&t, "usr", 0755, e);
	return r;
}

int prepare_open_ready(const struct container *c, const struct plan *p, int *ret_fd, struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	int r = rootfs_open(p->root, ROOTFS_REFUSE, uid_base(c), &t, e);

	return r < 0 ? r : rootfs_open_fifo(&t, READY_FIFO, ret_fd, e);
}

int prepare_was_ready(const struct container *c, const struct plan *p, struct err *e)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	int r = rootfs_open(p->root, ROOTFS_REFUSE, uid_base(c), &t, e);

	return r < 0 ? r : rootfs_unlink(&t, READY_FIFO, e);
}

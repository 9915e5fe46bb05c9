#include "engine/update.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "drivers/rootfs.h"
#include "engine/beginning.h"
#include "engine/build.h"
#include "engine/load.h"
#include "engine/overlay.h"

#define CONFIGURATION     "etc/nixos/configuration.nix"
#define CONFIGURATION_MAX (1024 * 1024)

/* What is to be built of a container whose conf may name a flake. */
static int choose(const char *name, const struct update *u, struct loaded *l, struct nix_source *ret,
                  struct err *e)
{
	int r = load_container("", name, l, e);

	if (r < 0)
		return r;
	if (l->container.system_path)
		return err_set(e, STATUS_USAGE, EINVAL,
		               "%s: SYSTEM_PATH= in its conf says what runs: there is nothing to build "
		               "(machdeck set "
		               "%s SYSTEM_PATH=...)",
		               name, name);
	*ret = u->nix;
	if (!ret->flake && !u->config)
		ret->flake = l->container.flake;
	return 0;
}

/* Who writes what Nix evaluates can have it read any file of the host. */
static int trust(const char *path, struct err *e)
{
	char real[PATH_MAX];
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT
		               ? err_set(e, STATUS_NO_CONTAINER, ENOENT, "there is no %s to build from", path)
		               : err_sys(e, errno, "%s", path);
	if (!S_ISREG(st.st_mode) || !realpath(path, real) || strcmp(real, path) != 0)
		return err_set(e, STATUS_UNSAFE_TREE, EPERM,
		               "%s is a link, or no file: Nix would read what it leads to", path);
	if (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, STATUS_UNSAFE_TREE, EPERM,
		               "%s is not root's alone to write, and Nix would do what it says as root of "
		               "the host: give "
		               "the configuration anew",
		               path);
	return 0;
}

/* The configuration as it is, to be put back; none: ret stays empty. */
static void keep(const struct places *p, struct buf *ret)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };

	if (rootfs_open(p->root, ROOTFS_REFUSE, 0, &t, NULL) >= 0)
		(void)rootfs_read(&t, CONFIGURATION, CONFIGURATION_MAX, ret, NULL);
}

/* After a failure: whether the root has the configuration that it had. */
static bool put_back(const struct places *p, const struct buf *text)
{
	CLEANUP(rootfs_done) struct rootfs t = { .fd = -1 };
	CLEANUP(buf_done) struct buf now = { 0 };

	keep(p, &now);
	if (strcmp(buf_text(&now), buf_text(text)) == 0)
		return true;
	return text->len > 0 && rootfs_open(p->root, ROOTFS_REFUSE, 0, &t, NULL) >= 0 &&
	       rootfs_put(&t, CONFIGURATION, 0644, text->p, text->len, NULL) >= 0;
}

static int save_copy(const char *copy, const struct buf *text, char ret[static PATH_MAX], struct err *e)
{
	(void)snprintf(ret, PATH_MAX, "%s", copy);
	return files_save("", copy, 0600, text->p, text->len, e);
}

/* With users of its own, root in there may own the file on the disk, too, and is not to be root of the host by it. */
static int find_given(const struct places *p, const struct buf *now, const char *copy,
                      char ret[static PATH_MAX], struct err *e)
{
	CLEANUP(buf_done) struct buf given = { 0 };

	if (now->len == 0)
		return err_set(e, STATUS_NO_CONTAINER, ENOENT,
		               "there is no %s/" CONFIGURATION " to build from", p->root);
	if (!beginning_configuration(p, &given) || given.len != now->len ||
	    memcmp(given.p, now->p, now->len) != 0)
		return err_set(e, STATUS_UNSAFE_TREE, EPERM,
		               "%s/" CONFIGURATION " is not the one that was given on the host, and Nix "
		               "would do what it says as root of "
		               "the host: give it anew (--config-file FILE)",
		               p->root);
	return save_copy(copy, &given, ret, e);
}

/* Which file Nix is to read. A given configuration is in the root, too, but where root of the host does not own that, Nix
 * gets a copy that nobody in there can change. */
static int find_configuration(const struct places *p, const struct buf *config, bool apart, const char *copy,
                              char ret[static PATH_MAX], struct err *e)
{
	int r;

	(void)snprintf(ret, PATH_MAX, "%s/" CONFIGURATION, p->root);
	if (apart && config->len > 0)
		return save_copy(copy, config, ret, e);
	r = trust(ret, e);
	return r == -EPERM && config->len > 0 ? save_copy(copy, config, ret, e) : r;
}

/* apart: its users are not the host's. */
static int build(const struct places *p, const struct nix_source *s, const char *config, bool apart,
                 const struct progress *progress, struct err *e)
{
	const struct build as = { .source = BUILD_NIX, .nix = *s };
	char path[PATH_MAX], link[NAME_MACHINE_MAX + 32], copy[NAME_MACHINE_MAX + 32];
	CLEANUP(buf_done) struct buf before = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	int r = build_check(&as, p, e);

	(void)snprintf(link, sizeof(link), PLAN_RUN_DIR "/.result.%s", p->name);
	(void)snprintf(copy, sizeof(copy), PLAN_RUN_DIR "/.nix.%s", p->name);
	(void)unlink(link); /* of one that was killed */
	keep(p, &before);
	if (config)
		recipe_nix_configuration(p->name, config, &text);
	if (r == 0 && text.bad)
		r = err_no_memory(e);
	if (r == 0 && !s->flake)
		r = build_configuration(p, p->root, config, e);
	if (r == 0 && !s->flake)
		r = apart && !config ? find_given(p, &before, copy, path, e)
		                     : find_configuration(p, &text, apart, copy, path, e);
	if (r == 0)
		r = build_profile(s, p, path, link, progress, e);
	(void)unlink(copy);
	if (r == 0 && config && !s->flake)
		return beginning_note_configuration(p, &text, e);
	if (r < 0 && config && !s->flake && !put_back(p, &before)) {
		struct err why = *e;

		return err_set(e, why.status, -r, "%s; the new " CONFIGURATION " stays in its root",
		               why.text);
	}
	return r;
}

int update_container(const char *name, const struct update *u, const struct progress *progress, struct err *e)
{
	CLEANUP(hold_done) struct hold hold = { .fd = -1 };
	CLEANUP(loaded_done) struct loaded l = { 0 };
	struct nix_source source;
	struct places p;
	int r = gate_ask(e, "cannot update %s", name);

	if (r == 0)
		r = places_hold(name, &hold, &p, e);
	if (r == 0)
		r = choose(name, u, &l, &source, e);
	if (r == 0 && u->config)
		r = overlay_look(&p, "change", e);
	if (r == 0)
		r = build(&p, &source, u->config, !container_root_is_hosts(&l.container), progress, e);
	return r < 0 ? err_wrap(e, r, "cannot update %s", name) : 0;
}

int update_commands(const char *name, const struct update *u, struct strs *ret, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	struct build as = { .source = BUILD_NIX };
	struct places p;
	int r = places_find(name, &p, e);

	if (r == 0)
		r = choose(name, u, &l, &as.nix, e);
	if (r == 0)
		r = build_check(&as, &p, e);
	return r < 0 ? r : build_commands(&as, &p, ret, e);
}

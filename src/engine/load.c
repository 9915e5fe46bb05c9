#include "engine/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "words/name.h"

#define PROFILES        "/nix/var/nix/profiles/per-container"
#define SYSTEM_TEXT_MAX 4096

/* The payload's PATH: the guest's own folders, as a login of root has them. */
static const char guest_path[] =
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin";

void loaded_done(struct loaded *l)
{
	container_done(&l->container);
	plan_done(&l->plan);
	free(l->conf_path);
	free(l->system);
	strs_done(&l->warnings);
	*l = (struct loaded){ 0 };
}

static bool exists(const char *host_root, const char *folder, const char *name, const char *leaf)
{
	CLEANUP(free_p) char *path = NULL;

	if (asprintf(&path, "%s%s/%s%s", host_root, folder, name, leaf) < 0)
		return false;
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* SA-13: a name without a conf is a container all the same when it has a root or a profile; everything is default. */
static int use_defaults(const char *host_root, const char *name, struct loaded *l, bool *ret_nixos_dirs,
                        struct err *e)
{
	*ret_nixos_dirs = exists(host_root, "/var/lib/nixos-containers", name, "");
	if (name_is_foreign_conf(name) ||
	    (!*ret_nixos_dirs && !exists(host_root, "/var/lib/containers", name, "") &&
	     !exists(host_root, PROFILES, name, "/system")))
		return err_set(
			e, STATUS_NO_CONTAINER, ENOENT,
			"%s: there is no such container (no /etc/containers/%s.conf, no root, no profile)",
			name, name);
	l->container = (struct container){ .name = strdup(name), .release = RELEASE_DEFAULT };
	if (!l->container.name)
		return err_no_memory(e);
	strs_addf(&l->warnings, "%s: no definition file; it shares the host's network", name);
	return 0;
}

static int load(const char *host_root, const char *name, struct loaded *l, bool *ret_nixos_dirs,
                struct err *e)
{
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	int r;

	if (!name_is_machine(name))
		return err_set(e, STATUS_USAGE, EINVAL, "'%s' can not be a machine's name", name);
	r = confs_load(host_root, name, &file, e);
	if (r == -ENOENT)
		return use_defaults(host_root, name, l, ret_nixos_dirs, e);
	if (r < 0)
		return r;
	(void)snprintf(l->hash, sizeof(l->hash), "%016llx", (unsigned long long)buf_hash(&file.text));
	*ret_nixos_dirs = file.nixos_dirs;
	r = conf_read(file.path, name, buf_text(&file.text), file.text.len, &l->container, &l->warnings, e);
	l->conf_path = take_p(&file.path);
	return r;
}

int load_container(const char *host_root, const char *name, struct loaded *ret, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	bool nixos_dirs;
	int r = load(host_root, name, &l, &nixos_dirs, e);

	if (r < 0)
		return r;
	*ret = l;
	l = (struct loaded){ 0 };
	return 0;
}

/* ST-8, ST-9: the file may be missing, and who can write it can write the whole system. */
static bool is_32_bit(const char *host_root, const struct container *c)
{
	CLEANUP(free_p) char *path = NULL;
	CLEANUP(buf_done) struct buf text = { 0 };
	int n;

	if (c->system_path)
		n = asprintf(&path, "%s/system", c->system_path);
	else
		n = asprintf(&path, PROFILES "/%s/system/system", c->name);
	if (n < 0 || files_read(host_root, path, SYSTEM_TEXT_MAX, &text, NULL, NULL) < 0)
		return false;
	return strncmp(buf_text(&text), "i686-linux", strcspn(buf_text(&text), "\n")) == 0 && text.len >= 10;
}

/* A profile leads to its newest generation. Below another root, links lead elsewhere. */
static char *system_of(const char *host_root, const struct container *c)
{
	CLEANUP(free_p) char *path = NULL;

	if (host_root[0] || asprintf(&path, PROFILES "/%s/system", c->name) < 0)
		return NULL;
	return realpath(c->system_path ? c->system_path : path, NULL);
}

static int build(const char *host_root, const char *name, struct loaded *l, struct err *e)
{
	l->facts.path = guest_path;
	l->facts.has_profile = exists(host_root, PROFILES, name, "/system");
	l->facts.is_32_bit = is_32_bit(host_root, &l->container);
	l->facts.system = l->system = system_of(host_root, &l->container);
	return plan_build(&l->container, &l->facts, &l->plan, e);
}

int load_plan(const char *host_root, const char *name, struct loaded *ret, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	int r = load(host_root, name, &l, &l.facts.nixos_dirs, e);

	if (r == 0)
		r = build(host_root, name, &l, e);
	if (r < 0)
		return r;
	*ret = l;
	l = (struct loaded){ 0 };
	return 0;
}

int load_text(const char *name, const char *path, bool nixos_dirs, const struct buf *text, struct loaded *ret,
              struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { .facts.nixos_dirs = nixos_dirs, .conf_path = strdup(path) };
	int r = l.conf_path ? conf_read(path, name, buf_text(text), text->len, &l.container, &l.warnings, e)
	                    : err_no_memory(e);

	if (r == 0)
		r = build("", name, &l, e);
	if (r < 0)
		return r;
	*ret = l;
	l = (struct loaded){ 0 };
	return 0;
}

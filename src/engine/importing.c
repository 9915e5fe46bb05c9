#include "engine/importing.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "decide/conf.h"
#include "decide/confedit.h"
#include "decide/export.h"
#include "decide/subids.h"
#include "drivers/files.h"
#include "engine/edit_store.h"
#include "engine/hostsfile.h"
#include "engine/settle.h"
#include "words/name.h"

#define ETC_MAX (16 << 20)

void importing_done(struct importing *x)
{
	for (size_t i = 0; x->texts && i < 2 * x->n; i++)
		buf_done(&x->texts[i]);
	free(x->texts);
	free(x->v);
	strs_done(&x->paths);
	strs_done(&x->looked_at);
	idlock_done(&x->lock);
	*x = (struct importing){ .lock.fd = -1 };
}

/* ---- what would change */

/* Takes both texts. */
static int add(struct importing *x, const char *path, mode_t mode, struct buf *old, struct buf *new,
               struct err *e)
{
	struct buf *texts = &x->texts[2 * x->n];

	strs_add(&x->looked_at, path);
	if (new->bad || old->bad || x->looked_at.bad)
		return err_no_memory(e);
	if (buf_same(old, new))
		return 0;
	strs_add(&x->paths, path);
	if (x->paths.bad)
		return err_no_memory(e);
	texts[0] = *old;
	texts[1] = *new;
	*old = *new = (struct buf){ 0 };
	x->v[x->n] = (struct fileset_entry){ .path = x->paths.v[x->n],
		                             .bytes = buf_text(&texts[1]),
		                             .len = texts[1].len,
		                             .mode = mode,
		                             .old = &texts[0] };
	x->n++;
	return 0;
}

static int read_and_add(struct importing *x, const char *path, mode_t mode, size_t max, struct buf *new,
                        struct err *e)
{
	CLEANUP(buf_done) struct buf old = { 0 };
	int r = fileset_read(x->root, path, max, &old, e);

	return r < 0 ? r : add(x, path, mode, &old, new, e);
}

/* Then it stays as somebody wrote it, with comments, its order and keys that are not ours. */
static bool says_the_same(const char *path, const struct buf *old, const struct container *new)
{
	CLEANUP(container_done) struct container was = { 0 };

	return old->len > 0 && conf_read(path, new->name, buf_text(old), old->len, &was, NULL, NULL) >= 0 &&
	       export_is_same(&was, new);
}

static int add_conf(struct importing *x, const char *path, const struct container *c, struct err *e)
{
	CLEANUP(buf_done) struct buf old = { 0 }, text = { 0 };
	int r = conf_write(c, &text, e);

	if (r == 0)
		r = fileset_read(x->root, path, CONF_SIZE_MAX, &old, e);
	if (r < 0)
		return r;
	if (says_the_same(path, &old, c)) {
		buf_done(&text);
		text = (struct buf){ 0 };
		buf_add(&text, buf_text(&old), old.len);
	}
	return add(x, path, conf_has_secrets(c) ? 0600 : 0644, &old, &text, e);
}

static int add_confs(struct importing *x, const struct imported *all, struct err *e)
{
	CLEANUP(free_p) char *nixos = NULL;
	const char *folder;
	int r = 0;

	if (asprintf(&nixos, "%s/etc/nixos-containers", x->root) < 0)
		return err_no_memory(e);
	folder = access(nixos, F_OK) == 0 ? "/etc/nixos-containers" : "/etc/containers";
	for (size_t i = 0; r == 0 && i < all->n; i++) {
		char path[NAME_MACHINE_MAX + 48];

		(void)snprintf(path, sizeof(path), "%s/%s.conf", folder, all->v[i].name);
		r = add_conf(x, path, &all->v[i], e);
	}
	return r;
}

static int add_engine_files(struct importing *x, const struct virtualisation *v,
                            enum registries_format format, struct err *e)
{
	CLEANUP(buf_done) struct buf registries = { 0 }, policy = { 0 };
	int r;

	virtualisation_registries(v, format, &registries);
	buf_puts(&policy, virtualisation_policy(v));
	r = read_and_add(x, "/etc/containers/registries.conf", 0644, ETC_MAX, &registries, e);
	return r < 0 ? r : read_and_add(x, "/etc/containers/policy.json", 0644, ETC_MAX, &policy, e);
}

static int read_accounts(const char *root, const char *path, struct buf *ret, struct err *e)
{
	int r = files_read(root, path, ETC_MAX, ret, NULL, e);

	return r == -ENOENT ? 0 : r;
}

static int add_ids(struct importing *x, const struct strs *users, struct strs *warnings, struct err *e)
{
	CLEANUP(buf_done) struct buf uids = { 0 }, gids = { 0 }, passwd = { 0 }, group = { 0 };
	CLEANUP(buf_done) struct buf new_uids = { 0 }, new_gids = { 0 };
	int r = fileset_read(x->root, "/etc/subuid", ETC_MAX, &uids, e);

	if (r >= 0)
		r = fileset_read(x->root, "/etc/subgid", ETC_MAX, &gids, e);
	if (r >= 0)
		r = read_accounts(x->root, "/etc/passwd", &passwd, e);
	if (r >= 0)
		r = read_accounts(x->root, "/etc/group", &group, e);
	if (r < 0)
		return r;
	r = subids_assign(users,
	                  &(struct subids_known){ buf_text(&uids), buf_text(&gids), buf_text(&passwd),
	                                          buf_text(&group) },
	                  &new_uids, &new_gids, warnings, e);
	if (r == 0)
		r = add(x, "/etc/subuid", 0644, &uids, &new_uids, e);
	return r < 0 ? r : add(x, "/etc/subgid", 0644, &gids, &new_gids, e);
}

int importing_begin(const char *root, const struct imported *all, enum registries_format format, bool dry,
                    struct importing *ret, struct strs *warnings, struct err *e)
{
	const struct virtualisation *engines = &all->engines;
	size_t most = all->n + 4;
	int r;

	*ret = (struct importing){ .root = root, .lock.fd = -1 };
	ret->v = calloc(most, sizeof(*ret->v));
	ret->texts = calloc(2 * most, sizeof(*ret->texts));
	if (!ret->v || !ret->texts)
		return err_no_memory(e);
	r = add_confs(ret, all, e);
	ret->n_confs = ret->n;
	if (r == 0 && all->has_engines && !engines->enable)
		strs_add(warnings, "virtualisation.containers is not enabled: nothing is written of it");
	if (r < 0 || !engines->enable)
		return r;
	r = add_engine_files(ret, engines, format, e);
	if (r == 0 && engines->users.n > 0 && !dry)
		r = idlock_take(root, &ret->lock, e);
	if (r == 0 && engines->users.n > 0)
		r = add_ids(ret, &engines->users, warnings, e);
	return r;
}

/* ---- shown and saved */

int importing_diff(const struct importing *x, struct buf *ret, struct err *e)
{
	for (size_t i = 0; i < x->n; i++) {
		CLEANUP(buf_done) struct buf label = { 0 };

		buf_addf(&label, "%s%s", x->root, x->v[i].path);
		if (label.bad || conf_diff(buf_text(&label), buf_text(x->v[i].old), x->v[i].bytes, ret) < 0)
			return err_no_memory(e);
	}
	return 0;
}

void importing_name(const struct importing *x, size_t i, char ret[static NAME_MACHINE_MAX + 1])
{
	const char *leaf = strrchr(x->v[i].path, '/') + 1;

	(void)snprintf(ret, NAME_MACHINE_MAX + 1, "%.*s", (int)(strlen(leaf) - strlen(".conf")), leaf);
}

static void remember(const struct importing *x, struct strs *warnings)
{
	for (size_t i = 0; i < x->n_confs; i++) {
		char name[NAME_MACHINE_MAX + 1];
		struct err e;

		importing_name(x, i, name);
		if (x->v[i].old->len > 0 && edit_history_add(name, x->v[i].old, &e) < 0)
			strs_addf(warnings, "%s: undo will not know this change: %s", name, e.text);
	}
}

static void settle(const struct importing *x, struct strs *warnings)
{
	struct err e;

	if (x->n_confs == 0)
		return;
	hostsfile_refresh("", warnings);
	if (settle_reread(NULL, &e) < 0)
		strs_addf(warnings,
		          "their units are as before until systemd reads them anew (systemctl "
		          "daemon-reload): %s",
		          e.text);
}

static int replace(const struct importing *x, struct err *e)
{
	sigset_t ending, before;
	int r;

	(void)sigemptyset(&ending);
	(void)sigaddset(&ending, SIGINT);
	(void)sigaddset(&ending, SIGTERM);
	(void)sigaddset(&ending, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &ending, &before);
	for (size_t i = 0; i < x->looked_at.n; i++)
		fileset_tidy(x->root, x->looked_at.v[i]);
	r = fileset_save(x->root, x->v, x->n, e);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

int importing_save(const struct importing *x, struct strs *warnings, struct err *e)
{
	bool here = !*x->root;
	int r;

	if (here)
		remember(x, warnings);
	r = replace(x, e);
	if (r == 0 && here)
		settle(x, warnings);
	return r;
}

#include "engine/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/gate.h"
#include "decide/conf.h"
#include "decide/drift.h"
#include "decide/dropin.h"
#include "decide/hosts.h"
#include "decide/unitfile.h"
#include "drivers/confs.h"
#include "drivers/files.h"
#include "drivers/swapfile.h"
#include "engine/compared.h"
#include "engine/edit_store.h"
#include "engine/hostlint.h"
#include "engine/hostsfile.h"
#include "engine/load.h"
#include "engine/occupied.h"
#include "engine/settle.h"
#include "engine/target.h"

#define MERGES 20 /* with others who write at the same time */

/* ---- begin and end */

static int may_edit(const char *name, struct err *e)
{
	int r = gate_ask(e, "%s: cannot change its conf", name);

	if (r == 0 && geteuid() != 0)
		r = err_set(e, STATUS_NOT_PERMITTED, EACCES,
		            "%s: only root may change its conf (sudo machdeck ...)", name);
	return r;
}

static int take_lock(const char *name, int wait_ms, struct hold *ret, struct err *e)
{
	int r = hold_name_within(name, wait_ms, ret, e);

	if (r == 0)
		(void)hold_edited(ret, NULL); /* only what others are told of it depends on that */
	return r;
}

static int open_conf(struct edit *x, struct err *e)
{
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	int r = files_open("", x->places.confs, O_RDONLY | O_DIRECTORY, &x->dir, e);

	if (r == 0 && x->hold.fd >= 0)
		r = swapfile_tidy(x->dir, x->leaf, x->kept, e);
	if (r == 0)
		r = confs_load("", x->places.name, &file, e);
	if (r < 0)
		return r;
	x->old = file.text;
	file.text = (struct buf){ 0 };
	return 0;
}

static void name_conf(struct edit *x)
{
	x->kind = EDIT_CONF;
	(void)snprintf(x->path, sizeof(x->path), "%s", x->places.conf);
	(void)snprintf(x->leaf, sizeof(x->leaf), "%s.conf", x->places.name);
	(void)snprintf(x->store, sizeof(x->store), "%s", x->places.name);
}

/* Where it is an image, or a machine of systemd-nspawn@ that runs, or one whose settings are all that is left. */
static int find_settings(struct edit *x, const char *name, const char *unit, struct err *e)
{
	CLEANUP(target_done) struct target t = { 0 };
	int r = target_find(name, false, &t, e);

	(void)snprintf(x->places.name, sizeof(x->places.name), "%s", name);
	if (edit_settings(x, unit, e) < 0)
		return -EINVAL;
	if (r == -ENOENT && access(x->path, F_OK) == 0)
		return 0;
	if (r == 0 && t.kind != MACHINE_NSPAWN)
		r = err_set(e, STATUS_NO_CONTAINER, ENOENT,
		            "%s has no conf, and it is no machine of systemd-nspawn@", name);
	return r;
}

int edit_find(const char *name, const char *unit, struct edit *ret, struct err *e)
{
	struct edit x = { .hold.fd = -1, .dir = -1 };
	int r = places_find(name, &x.places, e);

	if (r == 0 && x.places.has_conf && unit)
		return err_set(e, STATUS_USAGE, EOPNOTSUPP,
		               "%s has a conf, which its unit is made of: machdeck edit %s, without --unit",
		               name, name);
	if (r == 0 && x.places.has_conf)
		name_conf(&x);
	else if (r == 0 || r == -ENOENT)
		r = find_settings(&x, name, unit, e);
	if (r < 0)
		return r;
	*ret = x;
	return 0;
}

static int may_begin(const struct edit *x, struct err *e)
{
	int r = may_edit(x->places.name, e);

	return r == 0 && x->kind == EDIT_CONF ? places_own_conf(&x->places, "edit", e) : r;
}

static int begin(struct edit *x, int wait_ms, struct err *e)
{
	int r = may_begin(x, e);

	if (r == 0)
		r = take_lock(x->places.name, wait_ms, &x->hold, e);
	if (r == 0)
		r = x->kind == EDIT_CONF ? open_conf(x, e) : edit_settings_open(x, e);
	return r;
}

static int begin_or_drop(struct edit *x, int wait_ms, struct edit *ret, struct err *e)
{
	int r = begin(x, wait_ms, e);

	if (r < 0) {
		edit_done(x);
		return r;
	}
	*ret = *x;
	return 0;
}

int edit_begin_any(const char *name, const char *unit, int wait_ms, struct edit *ret, struct err *e)
{
	struct edit x;
	int r = edit_find(name, unit, &x, e);

	if (r < 0)
		return r;
	return begin_or_drop(&x, wait_ms, ret, e);
}

static int find_conf(const char *name, struct edit *x, struct err *e)
{
	int r = places_find(name, &x->places, e);
	struct edit settings;

	if (r == -ENOENT && edit_find(name, NULL, &settings, NULL) == 0)
		r = err_set(e, STATUS_NO_CONTAINER, ENOENT,
		            "%s has no conf; its settings are in %s (machdeck edit %s)", name, settings.path,
		            name);
	if (r == 0 && !x->places.has_conf)
		r = err_set(e, STATUS_NO_CONTAINER, ENOENT, "%s has no conf", name);
	if (r == 0)
		name_conf(x);
	return r;
}

int edit_begin(const char *name, int wait_ms, struct edit *ret, struct err *e)
{
	struct edit x = { .hold.fd = -1, .dir = -1 };
	int r = find_conf(name, &x, e);

	return r < 0 ? r : begin_or_drop(&x, wait_ms, ret, e);
}

int edit_look(const char *name, struct edit *ret, struct err *e)
{
	struct edit x = { .hold.fd = -1, .dir = -1 };
	int r = find_conf(name, &x, e);

	if (r == 0)
		r = may_begin(&x, e);
	if (r == 0)
		r = open_conf(&x, e);
	if (r < 0)
		edit_done(&x);
	else
		*ret = x;
	return r;
}

/* Settings have no keys that are told apart: all of one, or all of the other. */
static int settle_text(const struct edit *x, const struct buf *theirs, bool ours, const struct buf *mine,
                       struct buf *ret, struct err *e)
{
	if (x->kind == EDIT_CONF)
		return conf_merge(x->path, &x->old, mine, theirs, ours ? CLASH_MINE : CLASH_THEIRS, ret, e);
	buf_add(ret, buf_text(ours ? mine : theirs), ours ? mine->len : theirs->len);
	return ret->bad ? err_no_memory(e) : 0;
}

int edit_settle(struct edit *x, const struct buf *theirs, bool ours, struct buf *text, struct err *e)
{
	struct buf both = { 0 }, old = { 0 };
	int r = settle_text(x, theirs, ours, text, &both, e);

	buf_add(&old, buf_text(theirs), theirs->len);
	if (r == 0 && old.bad)
		r = err_no_memory(e);
	if (r < 0) {
		buf_done(&both);
		buf_done(&old);
		return r;
	}
	buf_done(&x->old);
	buf_done(text);
	x->old = old;
	*text = both;
	x->absent = false;
	return 0;
}

int edit_meanwhile(const struct edit *x, struct buf *ret, struct err *e)
{
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	int r;

	if (x->kind != EDIT_CONF)
		return edit_settings_read(x, ret, e);
	r = confs_load("", x->places.name, &file, e);
	if (r < 0)
		return r;
	*ret = file.text;
	file.text = (struct buf){ 0 };
	return 0;
}

void edit_done(struct edit *x)
{
	hold_done(&x->hold);
	close_p(&x->dir);
	buf_done(&x->old);
}

/* ---- judge and show */

static int load(const struct edit *x, const struct buf *text, struct loaded *ret, struct err *e)
{
	return load_text(x->places.name, x->path, x->places.nixos_dirs, text, ret, e);
}

int edit_judge(const struct edit *x, const struct buf *text, struct strs *warnings, struct err *e)
{
	CLEANUP(occupied_done) struct occupied others = { 0 };
	CLEANUP(strs_done) struct strs about_others = { 0 };
	CLEANUP(loaded_done) struct loaded l = { 0 };
	int r;

	if (x->kind != EDIT_CONF)
		return unitfile_judge(x->path, x->kind == EDIT_NSPAWN ? UNITFILE_NSPAWN : UNITFILE_DROPIN,
		                      text, warnings, e);
	r = load(x, text, &l, e);
	if (r == 0)
		r = occupied_read(x->places.name, &others, &about_others, e);
	if (r == 0)
		r = occupied_judge(&others, &l.container, e);
	if (r == 0 && warnings)
		strs_add_all(warnings, &l.warnings);
	return r;
}

static bool is_same_container(const struct container *a, const struct container *b)
{
	CLEANUP(buf_done) struct buf one = { 0 }, other = { 0 };

	return conf_write(a, &one, NULL) == 0 && conf_write(b, &other, NULL) == 0 && buf_same(&one, &other);
}

/* Saving brings our own lines of /etc/hosts up to date. */
static void forget_own_lines(struct buf *hosts)
{
	static const struct strs none;
	CLEANUP(buf_done) struct buf others = { 0 };

	if (hosts->len > 0 && hosts_edit(buf_text(hosts), hosts->len, &none, &others, NULL) == 0) {
		buf_done(hosts);
		*hosts = others;
		others = (struct buf){ 0 };
	}
}

void edit_fit(const struct edit *x, const struct buf *text, struct strs *warnings)
{
	CLEANUP(hostlint_done) struct hostlint h = { 0 };
	CLEANUP(strs_done) struct strs before = { 0 }, after = { 0 };
	CLEANUP(loaded_done) struct loaded was = { 0 }, will = { 0 };
	bool was_good;

	if (x->kind == EDIT_DROPIN)
		edit_settings_later(x, text, warnings);
	if (x->kind != EDIT_CONF || load(x, text, &will, NULL) < 0)
		return;
	was_good = load(x, &x->old, &was, NULL) == 0;
	if ((was_good && is_same_container(&was.container, &will.container)) || hostlint_read(&h, NULL) < 0)
		return;
	forget_own_lines(&h.hosts);
	if (was_good)
		hostlint_judge(&h, &was.container, NULL, &before);
	hostlint_judge(&h, &will.container, NULL, &after);
	for (size_t i = 0; i < after.n; i++)
		if (!strs_has(&before, after.v[i]))
			strs_add(warnings, after.v[i]);
	(void)hostlint_others(&will.container, was_good ? &was.container : NULL, warnings, NULL);
}

void edit_paths(const struct edit *x, const struct buf *text, struct strs *warnings)
{
	CLEANUP(strs_done) struct strs before = { 0 }, after = { 0 };
	CLEANUP(loaded_done) struct loaded was = { 0 }, will = { 0 };

	if (x->kind != EDIT_CONF || load(x, text, &will, NULL) < 0)
		return;
	if (load(x, &x->old, &was, NULL) == 0)
		hostlint_paths(&was.container, &before);
	hostlint_paths(&will.container, &after);
	for (size_t i = 0; i < after.n; i++)
		if (!strs_has(&before, after.v[i]))
			strs_add(warnings, after.v[i]);
}

/* What a start takes, and what its unit gets. */
static void describe(const struct loaded *l, const char *conf, struct buf *ret)
{
	plan_preview(&l->plan, LIBEXECDIR "/machdeck-init", ret);
	buf_puts(ret, "\n");
	dropin_text(&l->container, &l->plan, conf, ret);
}

int edit_preview(const struct edit *x, const struct buf *text, struct buf *ret, struct err *e)
{
	CLEANUP(loaded_done) struct loaded was = { 0 }, will = { 0 };
	CLEANUP(buf_done) struct buf before = { 0 }, after = { 0 };
	int r;

	if (x->kind != EDIT_CONF)
		return conf_diff(x->path, x->absent ? "" : buf_text(&x->old), buf_text(text), ret) < 0
		               ? err_no_memory(e)
		               : 0;
	r = load(x, text, &will, e);
	if (r < 0)
		return r;
	if (load(x, &x->old, &was, NULL) == 0) /* a broken conf has no plan */
		describe(&was, x->path, &before);
	describe(&will, x->path, &after);
	if (conf_diff(x->path, buf_text(&x->old), buf_text(text), ret) < 0 ||
	    conf_diff("its plan", buf_text(&before), buf_text(&after), ret) < 0 || before.bad || after.bad)
		return err_no_memory(e);
	return 0;
}

int edit_plan(const struct edit *x, const struct buf *text, struct buf *ret, struct err *e)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };
	int r = load(x, text, &l, e);

	if (r == 0)
		describe(&l, x->path, ret);
	return r == 0 && ret->bad ? err_no_memory(e) : r;
}

/* ---- save */

static void dropin(const struct edit *x, const struct buf *text, struct buf *ret)
{
	CLEANUP(loaded_done) struct loaded l = { 0 };

	if (load(x, text, &l, NULL) == 0)
		dropin_text(&l.container, &l.plan, x->path, ret);
}

static void settle(const struct edit *x, const struct buf *text, struct strs *warnings)
{
	CLEANUP(buf_done) struct buf before = { 0 }, after = { 0 };
	struct err e;

	if (x->kind != EDIT_CONF) {
		if (x->kind == EDIT_DROPIN && settle_reread(NULL, &e) < 0)
			strs_addf(warnings, "%s: systemd takes it with its next daemon-reload: %s", x->path,
			          e.text);
		return;
	}
	hostsfile_refresh("", warnings);
	dropin(x, &x->old, &before);
	dropin(x, text, &after);
	if (strcmp(buf_text(&before), buf_text(&after)) != 0 && settle_reread(NULL, &e) < 0)
		strs_addf(
			warnings,
			"%s: its unit is as before until systemd reads it anew (systemctl daemon-reload): %s",
			x->places.name, e.text);
}

/* Others changed it since it was read: their keys, and mine. */
static int merge(struct edit *x, struct buf *text, struct buf *theirs, struct strs *warnings, struct err *e)
{
	CLEANUP(buf_done) struct buf both = { 0 };
	int r = x->kind == EDIT_CONF ? conf_merge(x->path, &x->old, text, theirs, CLASH_REFUSED, &both, e)
	                             : unitfile_merge(x->path, &x->old, text, theirs, &both, e);

	if (r < 0)
		return r == -EBUSY ? r : err_wrap(e, r, "it was changed meanwhile, and nothing was saved");
	r = x->unjudged ? 0 : edit_judge(x, &both, NULL, e);
	if (r < 0)
		return err_wrap(e, r, "together with what was changed meanwhile");
	strs_addf(warnings, "%s: changes that were made to it meanwhile are kept", x->places.name);
	buf_done(text);
	*text = both;
	both = (struct buf){ 0 };
	buf_done(&x->old);
	x->old = *theirs;
	x->absent = false;
	*theirs = (struct buf){ 0 };
	return 0;
}

static int swap(struct edit *x, struct buf *text, struct strs *warnings, bool *ret_unconfirmed, struct err *e)
{
	CLEANUP(swapped_done) struct swapped s = { 0 };
	int r = x->kind == EDIT_CONF ? 0 : edit_settings_folder(x, true, e);

	if (r == 0)
		r = swapfile(x->dir, x->leaf, 0644, x->absent ? NULL : &x->old, text, &s, e);
	for (int i = 0; i < MERGES && r == -EBUSY && s.other && s.theirs.len > 0 && !s.kept; i++) {
		r = merge(x, text, &s.theirs, warnings, e);
		swapped_done(&s);
		if (r == 0)
			r = swapfile(x->dir, x->leaf, 0644, &x->old, text, &s, e);
		else
			break;
	}
	if (r < 0)
		return r;
	if (s.unprotected)
		strs_addf(warnings,
		          "%s: its file system does not protect it from others who write at the same moment",
		          x->path);
	*ret_unconfirmed = s.unconfirmed;
	return 0;
}

int edit_save(struct edit *x, struct buf *text, struct strs *warnings, struct err *e)
{
	bool unconfirmed = false;
	struct err why;
	int r;

	if (buf_same(text, &x->old))
		return 0;
	if (x->hold.fd < 0)
		return err_set(e, STATUS_BUSY, EBUSY,
		               "%s: it was opened to be looked at, while another process changed it",
		               x->path);
	r = x->unjudged ? 0 : edit_judge(x, text, warnings, e);
	if (r < 0)
		return r;
	if (edit_history_add(x->store, &x->old, &why) < 0)
		strs_addf(warnings, "%s: undo will not know this change: %s", x->places.name, why.text);
	r = swap(x, text, warnings, &unconfirmed, e);
	if (r < 0)
		return r;
	settle(x, text, warnings);
	if (x->kept[0])
		strs_addf(warnings,
		          "%s: a save of it was killed once; what somebody else wrote meanwhile is beside "
		          "it, in %s",
		          x->path, x->kept);
	x->absent = false;
	buf_done(&x->old);
	x->old = (struct buf){ 0 };
	buf_add(&x->old, buf_text(text), text->len);
	if (unconfirmed)
		return err_set(e, STATUS_IO, EINPROGRESS, "%s: saved, but not confirmed on disk", x->path);
	return 1;
}

/* ---- what follows */

static enum edit_verdict by_drift(const struct edit *x, const struct buf *text, struct strs *because)
{
	const char *name = x->places.name;
	CLEANUP(compared_done) struct compared c = { 0 };
	CLEANUP(drift_done) struct drift d = { 0 };
	enum edit_verdict v = EDIT_NOTHING;

	if ((text ? compared_text(name, x->path, x->places.nixos_dirs, text, &c, NULL)
	          : compared_read(name, &c, NULL)) < 0)
		return EDIT_NOTHING;
	drift_decide(name, &c.was, &c.change, NULL, &d);
	for (size_t i = 0; i < d.n; i++) {
		if (d.v[i].cure == DRIFT_RELOAD && v == EDIT_NOTHING)
			v = EDIT_RELOAD;
		if (d.v[i].cure != DRIFT_RESTART)
			continue;
		v = EDIT_RESTART;
		strs_add(because, d.v[i].text);
	}
	return v;
}

enum edit_verdict edit_verdict(const struct edit *x, const struct buf *text, struct strs *because)
{
	if (!settle_is_up(x->places.name)) /* it takes its settings when it starts */
		return EDIT_NOTHING;
	if (x->kind == EDIT_CONF)
		return by_drift(x, text, because);
	strs_addf(because, "%s: it is read when the machine starts", x->path);
	return EDIT_RESTART;
}

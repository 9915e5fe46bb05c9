/* edit - change the conf of a container of ours, or the settings of a machine of systemd-nspawn@ (its .nspawn file, a drop-in of
 * its unit: systemd.nspawn(5), machinectl edit, systemctl edit): opened, judged as a start would judge it, shown, saved without losing
 * anybody's change (drivers/swapfile), and what follows from it for the one that runs. For processes that may wait.
 *
 * The texts before the last 20 saves are kept in /var/lib/machdeck/history/NAME, a form that was not saved in
 * /var/lib/machdeck/drafts/NAME; both are root's alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"
#include "decide/confedit.h"
#include "drivers/hold.h"
#include "engine/places.h"

#define EDIT_HISTORY    20
#define EDIT_DRAFTS     "/var/lib/machdeck/drafts"
#define EDIT_LEAF_SIZE  (NAME_MACHINE_MAX + 16)
#define EDIT_STORE_SIZE (NAME_MACHINE_MAX + EDIT_LEAF_SIZE + 8)

enum edit_kind {
	EDIT_CONF,
	EDIT_NSPAWN, /* /etc/systemd/nspawn/NAME.nspawn */
	EDIT_DROPIN, /* /etc/systemd/system/systemd-nspawn@NAME.service.d/override.conf, or another one there */
};

struct edit {
	enum edit_kind kind;
	struct places places;
	struct hold
		hold; /* nobody else changes, makes or removes it meanwhile; ends with the process. fd -1: it is looked at */
	int dir; /* the file's folder; -1: none is open, or of settings: it is made by the first save */
	char path[NAME_MACHINE_MAX + EDIT_LEAF_SIZE + 96]; /* the file, for messages */
	char leaf[EDIT_LEAF_SIZE];                         /* its name */
	char store[EDIT_STORE_SIZE];                       /* what history and draft know it by */
	bool unjudged; /* edit_save() takes what contradicts something: for a change that makes nothing worse */
	bool absent;   /* there is no such file yet: old is what holds instead of it */
	char kept
		[256]; /* of a save that was killed: what somebody else wrote meanwhile, beside it under this name; "" */
	struct buf old; /* the text as it was read */
};

/* edit_begin - before a person types anything. wait_ms: for another process of ours that is at it.
 *
 * errors  -EACCES STATUS_NOT_PERMITTED: only root may;  -EPERM the same status: the gate is closed
 *         -ENOENT STATUS_NO_CONTAINER: it has no conf;  -ELOOP STATUS_UNSAFE_HOST, -EROFS STATUS_CANNOT_CREATE: it is
 *         declared elsewhere, says where;  -EBUSY STATUS_BUSY: another process changes it;  as confs_load() */
int edit_begin(const char *name, int wait_ms, struct edit *ret, struct err *e);
/* edit_look - the same while another process changes it: to look only, edit_save() refuses. errors: but for EBUSY */
int edit_look(const char *name, struct edit *ret, struct err *e);
/* edit_begin_any - as edit_begin(), and of a machine of systemd-nspawn@ its .nspawn file, or with unit (not NULL) the drop-in of its unit
 * that is called so, with or without ".conf"; "": override.conf. What holds as long as that is not there (/run/systemd/nspawn, beside the tree) is what the text begins as.
 * errors: -ENOENT STATUS_NO_CONTAINER: it is neither; with unit: -EOPNOTSUPP STATUS_USAGE: it has a conf;
 * -EINVAL STATUS_USAGE: no drop-in can be called so */
int edit_begin_any(const char *name, const char *unit, int wait_ms, struct edit *ret, struct err *e);
/* edit_find - what edit_begin_any() would open: kind, path and store, without a lock, by anybody. */
int edit_find(const char *name, const char *unit, struct edit *ret, struct err *e);
/* edit_read - the text of settings that edit_find() found, as it holds: x->old. */
int edit_read(struct edit *x, struct err *e);
/* edit_others - of a drop-in: what others are beside it. */
void edit_others(const struct edit *x, struct strs *ret);
void edit_done(struct edit *x); /* also takes one whose dir and hold.fd are -1 */

/* edit_meanwhile - the conf, or the settings, as they are on the disk now: x->old, unless somebody wrote it without us. ret owned.
 * errors  as confs_load(), files_read() */
int edit_meanwhile(const struct edit *x, struct buf *ret, struct err *e);

/* edit_settle - the editing goes on from theirs, as edit_meanwhile() read it: text becomes theirs with mine in it, and of keys
 * that both changed whose ours says; of settings all of ours or of theirs. errors  as conf_merge() */
int edit_settle(struct edit *x, const struct buf *theirs, bool ours, struct buf *text, struct err *e);

/* edit_judge - text as a start would take it, and beside all other containers of the host. warnings: as conf_read()
 * errors  -EINVAL STATUS_DATA "FILE:LINE:COLUMN: reason", a contradiction, or a conflict with another one */
int edit_judge(const struct edit *x, const struct buf *text, struct strs *warnings, struct err *e);

/* edit_fit - append what of text does not fit this host as it is now (decide/lint_host), or another conf that is no conflict
 * (networks that overlap), or of a drop-in what another one sets that systemd reads later; as far as x->old does not have it already. It is no failure that this can not be told. */
void edit_fit(const struct edit *x, const struct buf *text, struct strs *warnings);

/* edit_paths - the same of what is to be bound and is not there (hostlint_paths()): never in a loop. */
void edit_paths(const struct edit *x, const struct buf *text, struct strs *warnings);

/* edit_preview - append the conf's difference, and below it the plan's (argv, network, directives). -ENOMEM, and as
 * edit_judge() for a text that has no plan */
int edit_preview(const struct edit *x, const struct buf *text, struct buf *ret, struct err *e);

/* edit_plan - append what a start would do with text, and what its unit gets. errors  as edit_judge() */
int edit_plan(const struct edit *x, const struct buf *text, struct buf *ret, struct err *e);

/* edit_save - text becomes the conf; where others changed other keys meanwhile, both changes: text is what was saved.
 * x->old is that, too.
 *
 * warnings  what the caller must say though it is saved
 * returns   1 saved, 0 it was that already
 * errors    -EINPROGRESS STATUS_IO: it is saved, but a power cut may undo that;  as edit_judge() and swapfile(): nothing was saved; the sentence says where a text of others is kept */
int edit_save(struct edit *x, struct buf *text, struct strs *warnings, struct err *e);

/* What is to be done so that it runs as it is configured. */
enum edit_verdict { EDIT_NOTHING, EDIT_RELOAD, EDIT_RESTART };

/* edit_verdict - of the conf as it is, or of a text that is to be it, by what drift tells; of settings. text NULL: as it is.
 * because: a sentence each for what takes a restart. */
enum edit_verdict edit_verdict(const struct edit *x, const struct buf *text, struct strs *because);

/* Of all these, name is what edit.store says: of a conf the container's name.
 *
 * edit_history - the texts before its saves, the newest first, by the time of the save (CLOCK_REALTIME, microseconds).
 * edit_history_read - one of them. edit_undone - after the newest one was saved again: it is none any more. */
struct edit_saves {
	uint64_t *usec; /* free() it */
	size_t n;
};
int edit_history(const char *name, struct edit_saves *ret, struct err *e);
int edit_history_read(const char *name, uint64_t usec, struct buf *ret, struct err *e);
int edit_undone(const char *name, uint64_t usec, struct err *e);

/* edit_draft_save - what a person typed into base and did not save yet, on the disk; base NULL: that is not known;
 * edit_draft_read: -ENOENT where there is none; edit_draft_take: with what others saved of the conf since; edit_draft_drop: no
 * draft is success. */
int edit_draft_save(const char *name, const struct buf *base, const struct buf *text, struct err *e);
int edit_draft_take(const struct edit *x, struct buf *ret, struct err *e);
int edit_draft_read(const char *name, struct buf *ret, struct err *e);
int edit_draft_drop(const char *name, struct err *e);

/* importing - what a document becomes on a host: confs, and what container engines read. Read, shown, saved together. */
#pragma once

#include "base/strs.h"
#include "decide/import.h"
#include "drivers/fileset.h"
#include "drivers/idlock.h"
#include "words/name.h"

struct importing {
	const char *root;
	struct fileset_entry *v; /* of what would change alone */
	struct buf *texts;       /* old and new of each, by turns */
	struct strs paths;
	struct strs looked_at; /* of all files that there are to be, changed or not */
	size_t n;
	size_t n_confs;     /* of v, the first */
	struct idlock lock; /* nobody else changes users and their ids meanwhile */
};
void importing_done(struct importing *x);

/* importing_begin - what would change. all, root: borrowed until importing_done(). With `dry` nothing is locked, so that it
 * is only to be shown. ret is to be done with after a failure, too.
 *
 * warnings  what the caller must say
 * errors    as conf_write(), fileset_read(), subids_assign(), idlock_take() */
int importing_begin(const char *root, const struct imported *all, enum registries_format format, bool dry,
                    struct importing *ret, struct strs *warnings, struct err *e);

/* importing_diff - append it as `diff -u` shows it. -ENOMEM */
int importing_diff(const struct importing *x, struct buf *ret, struct err *e);
/* importing_save - all or nothing: as fileset_save(). What ends a process waits for its end. On this host the texts of confs
 * that were are in their history (engine/edit), and systemd and /etc/hosts know the new ones.
 *
 * warnings  what the caller must say though it is saved */
int importing_save(const struct importing *x, struct strs *warnings, struct err *e);
/* importing_name - whose conf v[i] of the first n_confs is. */
void importing_name(const struct importing *x, size_t i, char ret[static NAME_MACHINE_MAX + 1]);

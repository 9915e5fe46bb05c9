/* snapshots - states of a container's root that can be gone back to, in ".snapshots/NAME/SNAPSHOT" beside the roots. For
 * processes that may wait. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/strs.h"
#include "engine/build.h"
#include "engine/places.h"

#define SNAPSHOTS_PATH_SIZE 64
#define SNAPSHOTS_OWN_SIZE  (SNAPSHOTS_PATH_SIZE + NAME_MACHINE_MAX + 2)
#define SNAPSHOTS_BASE      "base" /* what a tree is reset to */

/* snapshots_folder - the folder in which each container with snapshots has one; snapshots_own_folder - that one. */
void snapshots_folder(const struct places *p, char ret[static SNAPSHOTS_PATH_SIZE]);
void snapshots_own_folder(const struct places *p, char ret[static SNAPSHOTS_OWN_SIZE]);

struct root_snapshot {
	char name[NAME_MACHINE_MAX + 1];
	uint64_t made_usec; /* CLOCK_REALTIME; 0: the file system does not tell */
};

struct root_snapshots {
	struct root_snapshot *v; /* sorted by time, then name */
	size_t n;
};
void root_snapshots_done(struct root_snapshots *s);

int snapshots_list(const char *name, struct root_snapshots *ret, struct err *e);

/* snapshots_take - keep the root as it is under that name ("" gives it the time: "20261126-131530"; at most
 * NAME_MACHINE_MAX bytes of a machine name's grammar). On btrfs a subvolume's snapshot, also while it runs; elsewhere a
 * copy that shares blocks or, with copy, a full one.
 * errors  -EBUSY STATUS_BUSY: it runs, or something is at work in it; -EEXIST STATUS_BUSY: there is one of that name
 *         -EOPNOTSUPP STATUS_FAILED: the file system can not share blocks (copy) */
int snapshots_take(const char *name, const char *snapshot, bool copy, const struct progress *p,
                   char ret[static NAME_MACHINE_MAX + 1], enum built *ret_how, struct err *e);

/* snapshots_take_before - one before something risky, "before-WHAT-20261126-131530"; never a full copy. */
int snapshots_take_before(const char *name, const char *what, const struct progress *p,
                          char ret[static NAME_MACHINE_MAX + 1], struct err *e);
/* snapshots_take_held - the same for who has the name already (drivers/hold); never a full copy. */
int snapshots_take_held(const struct places *p, const char *snapshot, const struct progress *progress,
                        char ret[static NAME_MACHINE_MAX + 1], enum built *ret_how, struct err *e);

/* snapshots_restore - the root becomes what it was then. What it is now is kept as a snapshot "before-..." (ret). It must
 * be down. The exchange is one step of the kernel's.
 * snapshots_reset - to where it began: an empty root, where Nix makes the system; else to the snapshot "base", else to
 * what engine/beginning knows (-ENOENT STATUS_NO_CONTAINER: there is neither). */
int snapshots_restore(const char *name, const char *snapshot, const struct progress *p,
                      char ret[static NAME_MACHINE_MAX + 1], struct err *e);
int snapshots_reset(const char *name, const struct progress *p, char ret[static NAME_MACHINE_MAX + 1],
                    struct err *e);
/* snapshots_check - whether restore (snapshot) or reset (NULL) could be done now. */
int snapshots_check(const char *name, const char *snapshot, struct err *e);

int snapshots_delete(const char *name, const char *snapshot, const struct progress *p, struct err *e);
/* snapshots_forget - all of a container's. */
int snapshots_forget(const struct places *p, const struct progress *progress, struct err *e);

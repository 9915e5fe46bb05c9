/* start - from a plan to a running systemd-nspawn, in one process and without a child: what a unit's
 * ExecStart does after the tree is prepared, and the registration that an unclean end leaves behind. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/strs.h"
#include "engine/load.h"

/* start_look - whether the name is free but for a stale registration of container@NAME.service (M15, facts 1.6).
 * errors  -EBUSY STATUS_BUSY: the name is another unit's, or it runs and we are not its unit's start */
int start_look(const char *name, bool *ret_stale, struct err *e);

/* start_clear - the same, and drop the stale one over the bus (clear.c) and wait until it is gone, at most 3 s. A
 * systemd-machined that does not answer is a warning: systemd-nspawn will say what it makes of it. */
int start_clear(const char *name, struct strs *warnings, struct err *e);

/* start_free_export - unmount what a killed systemd-nspawn of 255 or newer left of a name that is free now: the next one
 * would refuse to start ("Mount point '/run/systemd/nspawn/unix-export/NAME' exists already").
 * errors  the system's: -EPERM for who is not root */
int start_free_export(const char *name, struct err *e);

/* start_files - furnish /run/machdeck/NAME: the private copy of machdeck-init, the guest's and the host's
 * network operations, and the plan itself with the member "conf_hash". Each is replaced whole; `host`, which
 * the watcher waits for, comes last.
 *
 * errors  STATUS_NO_CONTAINER: machdeck-init is not installed;  STATUS_UNSAFE_HOST;  the system's */
int start_files(const struct loaded *l, struct err *e);

/* Parts of it, for a reload: dir is /run/machdeck/NAME, or its folder `guest`.
 * start_plan_text - what plan.json says after a start. */
int start_put_ops(int dir, const char *leaf, const struct netops *ops, struct err *e);
void start_plan_text(const struct loaded *l, struct buf *ret);
int start_put_plan(int dir, const struct buf *text, struct err *e);

/* start_exec - become systemd-nspawn, by absolute path, with an environment made from nothing, no descriptor
 * but 0 to 2, and "/" as the working directory. Returns only a failure: STATUS_UNSAFE_HOST when there is no
 * systemd-nspawn that is root's and can be executed. */
int start_exec(const struct plan *p, struct err *e);

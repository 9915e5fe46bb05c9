/* reload - what `machdeck unit reload NAME` does, called by the unit's ExecReload. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strs.h"

/* reload_run - apply the conf's changes that can be applied while NAME runs: first the network on both sides
 * (all of it or nothing), then for a nix container switch-to-configuration of its system in all of the
 * guest's namespaces, whose output is passed on. Waits for that as long as it takes: the unit's time-out ends
 * it.
 *
 * ret_says  a sentence each for what was changed and what takes a restart
 * errors    STATUS_NO_CONTAINER not running, or not started by us; as rtnl_apply() and enter_run(); when the
 * switch ended with another exit status than 0, that is e's status */
int reload_run(const char *name, struct strs *ret_says, struct err *e);

/* reload_forget_output - before asking for a reload, so that what is there afterwards is that reload's.
 * reload_output - what its switch printed, the first MiB of it, as it came: hostile. Both are root's to do.
 *
 * errors  -ENOENT: there was no switch;  -EACCES;  the system's */
void reload_forget_output(const char *name);
int reload_output(const char *name, struct buf *ret, struct err *e);

/* reload_pending - a sentence for each difference between NAME as it runs and as it is configured that takes
 * a restart; *ret_live: there are others, which a reload would apply. errors: as above */
int reload_pending(const char *name, struct strs *ret, bool *ret_live, struct err *e);

/* checkups - the chains of forwarded ports (engine/doctor), kept fresh while somebody looks at them. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "engine/doctor.h"
#include "engine/observe.h"
#include "engine/reach.h"

/* checkups_new - holds nothing open until something is wanted; changed is called from the loop when there is a new
 * result. o has the machines, and goes after this. */
struct checkups;
typedef void checkups_changed_fn(void *arg);
int checkups_new(sd_event *loop, struct observer *o, checkups_changed_fn *changed, void *arg,
                 struct checkups **ret, struct err *e);
void checkups_free(struct checkups *c); /* NULL is fine */

/* checkups_want - from now on those of the machine of that name, or of all (""); NULL: nobody looks any more. Costs
 * nothing when it is the same as before.
 * checkups_stale - something changed that they depend on: they are read anew, at most twice a second. */
void checkups_want(struct checkups *c, const char *name);
void checkups_stale(struct checkups *c);

/* checkups_now - the last result; borrowed until the loop runs again; NULL: none yet.
 * checkups_reach - what the one machine reaches, read with that, without an attempt; NULL: not known, or of all.
 * checkups_problem - why there is none; NULL. */
const struct checkup *checkups_now(const struct checkups *c);
const struct reach *checkups_reach(const struct checkups *c);
const char *checkups_problem(const struct checkups *c);

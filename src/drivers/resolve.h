/* resolve - what names lead to on this host: asked of glibc's name service, as every program here asks it. It may wait for
 * a server or a daemon, so a child asks (drivers/child). */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/strs.h"

enum resolve_sources {
	RESOLVE_HERE, /* files, mymachines, myhostname: no packet leaves the host */
	RESOLVE_ALL,  /* as nsswitch.conf has it: DNS too, so those servers hear the names */
};

/* resolve_done_fn - called from the loop exactly once. found: "web 10.0.0.2", a line for each address of each name that
 * has one, borrowed. r: 0; -ETIMEDOUT: some names are not answered, those that were are found; else what failed. */
typedef void resolve_done_fn(int r, const struct strs *found, const struct err *e, void *arg);

/* resolve_start - all names at once. names is borrowed for the call. */
struct resolve;
int resolve_start(sd_event *loop, const struct strs *names, enum resolve_sources sources,
                  uint64_t deadline_usec, resolve_done_fn *done, void *arg, struct resolve **ret,
                  struct err *e);
void resolve_cancel(struct resolve *r); /* NULL is fine */

/* resolve_wait - the same for who has no loop; found is appended to. */
int resolve_wait(const struct strs *names, enum resolve_sources sources, uint64_t deadline_usec,
                 struct strs *found, struct err *e);

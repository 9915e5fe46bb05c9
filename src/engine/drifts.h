/* drifts - what differs of the containers that somebody looks at (engine/drift), kept fresh by who tells that something
 * changed. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/strs.h"
#include "engine/drift.h"
#include "engine/netwatch.h"
#include "engine/observe.h"

struct drifted {
	char *name;
	bool known; /* else it was not started by us, or can not be read */
	struct drift drift;
};

struct drift_list {
	struct drifted *v;
	size_t n;
};
/* drift_list_find - NULL: it does not run, or nobody looks at it. */
const struct drifted *drift_list_find(const struct drift_list *l, const char *name);

/* drifts_new - changed is called from the loop when there is a new result. o has the machines, w the network (while it is
 * settled); both go after this. */
struct drifts;
typedef void drifts_changed_fn(void *arg);
int drifts_new(sd_event *loop, struct observer *o, struct netwatch *w, drifts_changed_fn *changed, void *arg,
               struct drifts **ret, struct err *e);
void drifts_free(struct drifts *d); /* NULL is fine */

/* drifts_want - from now on those of these names that run; no names: nobody looks. Costs nothing when it is the same.
 * drifts_stale - a machine, a conf or the network changed. All are read anew, at once and then at most twice a second,
 * about 0.5 ms each, in turns of some milliseconds. */
void drifts_want(struct drifts *d, const struct strs *names);
void drifts_stale(struct drifts *d);

/* drifts_now - borrowed until the loop runs again. */
const struct drift_list *drifts_now(const struct drifts *d);

/* driftlog - that running containers come to differ from their confs and starts (engine/drifts), and that they do no more, as
 * events. Those that differ when it begins are no news; nor is what is over within a second, as while a network is made. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "engine/observe.h"
#include "words/event.h"

/* driftlog_new - say is called from the loop with each lot of events; o has the machines, and goes after this. */
struct driftlog;
typedef void driftlog_said_fn(const struct events *fresh, void *arg);
int driftlog_new(sd_event *loop, struct observer *o, driftlog_said_fn *say, void *arg, struct driftlog **ret,
                 struct err *e);
void driftlog_free(struct driftlog *d); /* NULL is fine */

/* driftlog_snapshot - machines or confs changed. errors: as netwatch_want(); then links are not compared */
int driftlog_snapshot(struct driftlog *d, const struct snapshot *now, struct err *e);

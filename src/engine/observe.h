/* observe - the system as one value: every configured and every running machine. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "drivers/units.h"
#include "words/snapshot.h"

/* observe_once - ask all sources now; at most a second of waiting for those that hang. What can not be asked
 * makes states UNKNOWN and `stale` say why; only running out of memory fails. */
int observe_once(struct snapshot *ret, struct err *e);
/* observe_glance - the same in a tenth of a second at most, and without a child process: reasons come without the log.
 */
int observe_glance(struct snapshot *ret, struct err *e);

/* observer - keeps a snapshot fresh by events: unit signals, systemd-machined's folder, conf folders, links
 * and addresses. changed is called from the loop, at most once a turn, after the snapshot changed. */
struct observer;
typedef void observer_changed_fn(const struct snapshot *now, void *arg);
int observer_new(sd_event *loop, observer_changed_fn *changed, void *arg, struct observer **ret,
                 struct err *e);
const struct snapshot *observer_snapshot(const struct observer *o); /* borrowed until the loop runs again */
/* observer_is_settled - whether systemd answered, or is out of reach, and no reason is being asked: what came before
 * is no change of the system. */
bool observer_is_settled(const struct observer *o);
/* observer_look - who asks for the daemons' sake is awake anyway: one of them may have stopped (drivers/stopped.h), which
 * no event tells. */
void observer_look(struct observer *o);
/* observer_units - its connection to systemd, for questions; NULL: none could be set up. */
struct units *observer_units(struct observer *o);
void observer_free(struct observer *o);

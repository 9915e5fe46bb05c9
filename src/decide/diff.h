/* diff - what happened between two looks at one host, as events. Pure. */
#pragma once

#include "words/event.h"
#include "words/snapshot.h"
#include "words/stats.h"

/* diff_snapshots - add to ret, in the order of names, at the time of `after`: states with their reasons,
 * addresses, ports, confs made, changed and taken away, units that failed in the guest, and what could not be
 * asked of the host (an event without a name).
 *
 * What is unknown in one of the two is no change: a state, addresses that are not seen. A machine that starts
 * or ends is one event, not one for each thing that comes or goes with it. */
void diff_snapshots(const struct snapshot *before, const struct snapshot *after, struct events *ret);

/* diff_stats - add an event for each machine in which the kernel killed for want of memory; at `usec`. A
 * count that fell is a new cgroup's, and counts from 0. */
void diff_stats(const struct stats_table *before, const struct stats_table *after, uint64_t usec,
                struct events *ret);

/* diff_known - `after` as it is to be compared with the next: what is unknown now is as it was known before.
 * False when out of memory; ret is empty then. */
bool diff_known(const struct snapshot *before, const struct snapshot *after, struct snapshot *ret);

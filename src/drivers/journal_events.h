/* journal_events - what happened to machines before we looked, from this host's journal: what systemd says of
 * their units, and systemd-machined of machines. Whoever else may write these words is not believed. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "words/event.h"

#define JOURNAL_EVENTS_MAX 2000 /* the newest */

/* journal_events - ask for those before `until` (CLOCK_REALTIME), at most a week back.
 *
 * done  called from the loop exactly once, within 2 s; events are borrowed for the call, oldest first
 *       r: 0, -EACCES (the caller may not read the journal), -EIO, -ETIMEDOUT; then there are none
 *       ret is gone then
 * journal_events_cancel - without a call-back; NULL is fine. */
struct journal_events;
typedef void journal_events_fn(int r, const struct events *events, const struct err *e, void *arg);
int journal_events(sd_event *loop, uint64_t until_usec, journal_events_fn *done, void *arg,
                   struct journal_events **ret, struct err *e);
void journal_events_cancel(struct journal_events *j);

/* timeline - what happened to machines, in the order of time: before we looked, as the journal has it, and
 * since then as one look differs from the one before. Bounded: the oldest go first. */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "words/event.h"
#include "words/snapshot.h"
#include "words/stats.h"

#define TIMELINE_MAX 2000 /* events, of all machines together */

/* timeline_new - and ask the journal; its answer comes within 2 s. fresh is called from the loop with each
 * lot of events that was added, oldest first, and when the note changed (then with none). loop NULL: without
 * the journal. */
struct timeline;
typedef void timeline_fresh_fn(const struct events *fresh, void *arg);
int timeline_new(sd_event *loop, timeline_fresh_fn *fresh, void *arg, struct timeline **ret, struct err *e);
void timeline_free(struct timeline *t); /* NULL is fine */

/* timeline_snapshot, timeline_stats - take in the next look. The first one only is what later ones are
 * compared with: begin when observer_is_settled(). timeline_add - what somebody else knows happened. Out of memory: events are lost. */
void timeline_snapshot(struct timeline *t, const struct snapshot *now);
void timeline_stats(struct timeline *t, const struct stats_table *now, uint64_t usec);
void timeline_add(struct timeline *t, const struct events *events);

/* timeline_events - all of them, oldest first; borrowed until the next change. */
const struct events *timeline_events(const struct timeline *t);

/* timeline_note - one sentence on what is not in it ("what happened before 14:02 is not known: the journal
 * can not be read"); NULL: nothing is missing. */
const char *timeline_note(const struct timeline *t);

/* player - plays a tape (decide/tape) instead of a system: what the observer, the sampler and the timeline
 * would say at that moment. Any tape may be played: it is read strictly, and in bounds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "words/event.h"
#include "words/snapshot.h"
#include "words/stats.h"

/* player_new - what the tape tells of its first moment is there at once.
 *
 * loop     plays on it; NULL: only player_step() goes on
 * fd       of a regular file; taken, also when it fails. name is for messages
 * speed    1: as it was recorded, 10: ten times as fast; 0: stands still until player_step()
 * changed  called from the loop after the next moment happened, and at the end; NULL is fine
 * errors   -EINVAL STATUS_DATA: not a tape, or a mistake in its first moment, with FILE:LINE */
struct player;
typedef void player_changed_fn(void *arg);
int player_new(sd_event *loop, int fd, const char *name, double speed, player_changed_fn *changed, void *arg,
               struct player **ret, struct err *e);
void player_free(struct player *p); /* NULL is fine */

/* player_step - the next moment, now. False: there is none. */
bool player_step(struct player *p);

/* Borrowed until the next moment. */
const struct snapshot *player_now(const struct player *p);
const struct stats_table *player_stats(const struct player *p);
const struct events *player_events(const struct player *p);

/* player_clock_usec - CLOCK_REALTIME as of the tape: between two moments it runs with the speed; at the end,
 * and without a loop, it stands at the last one. */
uint64_t player_clock_usec(const struct player *p);

/* player_note - "the tape ends here", or the mistake that ends it; NULL while there is more. */
const char *player_note(const struct player *p);

/* journal_follow - the journals of machines, followed: what the host's journal has of each machine's unit,
 * and the guest's own journal. One child reads for all of them (drivers/journal_reader); when it is killed by
 * a journal file that is truncated under it, it is made again, and goes on exactly where it was. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/err.h"
#include "words/logring.h"

#define JOURNAL_PLACES_MAX 64

struct journal_place {
	const char *machine;
	const char *unit; /* what the host's journal is asked for; NULL: only the guest's */
	const char *root; /* its tree when it does not run; NULL: none is known */
};

enum journal_state {
	JOURNAL_OPENING,
	JOURNAL_FOLLOWED,
	JOURNAL_MISSING, /* there is none yet; it is followed when it comes */
	JOURNAL_DENIED,  /* it takes a right that we do not have */
	JOURNAL_BROKEN,  /* it killed its reader, which is made again a little later */
};

/* What the follower tells, from the loop. record: borrowed for the call, its machine is the place's index.
 * state: of a place's guest's journal or of what the host has of it; text is a sentence, "" when there is
 * nothing to say. turn: after some of these calls. */
struct journal_sink {
	void (*record)(const struct logrec *rec, void *arg);
	void (*state)(size_t place, bool guest, enum journal_state state, const char *text, void *arg);
	void (*caught_up)(void *arg); /* what was there at the start has been told */
	void (*turn)(void *arg);
	void *arg;
};

/* journal_follow - tell of the last `backlog` records of each journal, and of each one to come. At most 64
 * KiB are taken in a turn of the loop, at a priority behind all else; what comes faster waits in the child.
 * Places and sink are copied. */
struct journal_follow;
int journal_follow(sd_event *loop, const struct journal_place *places, size_t n, size_t backlog,
                   const struct journal_sink *sink, struct journal_follow **ret, struct err *e);
/* journal_follow_again - some machine started or ended: what is there is read to its end, then the journals
 * are looked for anew, and read on from where they were. */
void journal_follow_again(struct journal_follow *f);
void journal_follow_free(struct journal_follow *f); /* NULL is fine */

/* tapewriter - what a tape must be told so that it says what is seen now. Pure. */
#pragma once

#include "decide/tape.h"
#include "words/snapshot.h"

struct tapewriter {
	uint64_t at_usec; /* no record is before it: a clock that is set back does not go into the tape */
	struct tapewriter_told *told; /* what the tape says of machines, sorted by name */
	size_t n_told;
	struct tapewriter_told *measured; /* and of their stats */
	size_t n_measured;
	uint64_t stale;
};

void tapewriter_done(struct tapewriter *w);

/* tapewriter_begin - the head; all is told anew by the next ones. */
void tapewriter_begin(struct tapewriter *w, const char *host, uint64_t usec, struct buf *to);
/* tapewriter_forget - lines were lost: all is told anew by the next ones, without a head. */
void tapewriter_forget(struct tapewriter *w);

/* Each adds the lines of what changed since the last time. */
void tapewriter_snapshot(struct tapewriter *w, const struct snapshot *s, struct buf *to);
void tapewriter_stats(struct tapewriter *w, const struct stats_table *t, uint64_t usec, struct buf *to);
void tapewriter_event(struct tapewriter *w, const struct event *e, struct buf *to);

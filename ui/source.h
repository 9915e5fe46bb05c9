/* source - where the world on the screen comes from: this host, by events; or a tape of what was seen of one.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/err.h"
#include "base/strs.h"
#include "ui/world.h"

struct source_options {
	const char *replay;       /* a tape to play; NULL: this host */
	double speed;             /* of the tape; 0: it stands still until source_step() */
	const char *record;       /* a file for a new tape; NULL: none */
	int replay_fd, record_fd; /* as source_open_files() made them; 0: none */
};

/* source_open_files - the files of o, while there may still be the rights for it. source_new() takes them. */
int source_open_files(struct source_options *o, struct err *e);

/* source_new - changed is called from the loop, at most once a turn, after the world changed. */
struct source;
typedef void source_changed_fn(void *arg);
int source_new(sd_event *loop, const struct source_options *o, source_changed_fn *changed, void *arg,
               struct source **ret, struct err *e);
void source_free(struct source *s); /* NULL is fine */

/* source_world - borrowed until the loop runs again. NULL is fine: the world is empty then. */
const struct world *source_world(struct source *s);
/* source_clock - CLOCK_REALTIME in microseconds, of the world that is shown. */
uint64_t source_clock(const struct source *s);
/* source_is_tape - nothing can be done to what is shown. */
bool source_is_tape(const struct source *s);
/* source_is_settled - whether all that this host can tell at first is known; what changed before that is no
 * change of the system. */
bool source_is_settled(const struct source *s);
/* source_step - the next moment of the tape; false: there is none. */
bool source_step(struct source *s);

/* What can be seen after a frame; borrowed for the call. */
struct source_wanted {
	const struct machine *const *seen; /* rows */
	size_t n_seen;
	bool all_figures;     /* they are sorted or chosen by what they use: of all machines that is wanted */
	uint64_t period_usec; /* between two samples of what they use; 0: that is not shown */
	const struct strs *logs;      /* whose logs are shown; NULL: nobody's */
	const struct machine *looked; /* whose details are shown; NULL: nobody's */
	bool drifts;                  /* what differs of those seen is shown, or what is likely a mistake */
	bool all_drifts;              /* the rows are sorted by it */
	bool network;                 /* the map of the host's network is shown */
	const char *ports;            /* whose ports' chains are shown; "": all machines'; NULL: nobody's */
	unsigned look;                /* the parts of them (engine/look.h) */
};
/* source_want - costs nothing when it is the same as before. */
void source_want(struct source *s, const struct source_wanted *w);

/* working - verbs that take long: their progress on the terminal, and their end by Ctrl-C. */
#pragma once

#include <stdbool.h>

#include "base/progress.h"

/* working_progress - what to lend to the engine: its lines replace each other on a terminal, or with plain are printed
 * one by one on stderr ("progress: TEXT"). From now on SIGINT, SIGTERM and SIGHUP ask it to give up and undo; a second
 * one kills. */
const struct progress *working_progress(bool plain);
/* working_done - before anything else is printed. */
void working_done(void);

/* working_keep - a snapshot of its root before WHAT, told on stderr; returns a status, and when that is not STATUS_DONE, it was
 * said that nothing is done. */
int working_keep(const char *name, const char *what);

/* working_confirm - whether the person at the terminal types the name; false with a sentence printed, also when there
 * is no terminal: scripts say so by options. */
bool working_confirm(const char *name, const char *question);
